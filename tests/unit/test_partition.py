"""Partitions of a layer over cores, against who computes what, word by word.

The oracle enumerates every output of the layer, the core that computes it and the input words that it reads,
and counts distinct words by cluster. It cuts by numpy.array_split's rule of its own, never by the module's.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from itertools import pairwise, product
from math import prod

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accelsim.mapping.exchange import Layout, made_by, moved
from accelsim.mapping.partition import Grid, Partition, bounds, largest_part, partitions
from accelsim.tables.dims import C, K, N, P, Q, R, S
from accelsim.tables.nest import Problem


def layer(
    n: int = 1,
    g: int = 1,
    k: int = 4,
    c: int = 3,
    p: int = 6,
    q: int = 2,
    r: int = 3,
    s: int = 1,
    stride: int = 1,
    pad: int = 1,
    dilation: int = 1,
) -> Problem:
    size = max(1, (p - 1) * stride + (r - 1) * dilation + 1 - 2 * pad)
    rows = (stride, dilation, pad, size)
    columns = (1, 1, 0, q + s - 1)
    return Problem((n, g, k, c, p, q, r, s, 1, 1), (rows, columns, (1, 1, 0, 1)))


def parts(extent: int, n: int) -> list[list[int]]:
    """The indices of each part: sizes differ by one at most, the smaller ones lie where the division says."""
    edges = [i * extent // n for i in range(n + 1)]
    return [list(range(a, b)) for a, b in pairwise(edges)]


def nested(extent: int, across: int, inside: int) -> list[list[list[int]]]:
    return [
        [[outer[i] for i in part] for part in parts(len(outer), inside)] for outer in parts(extent, across)
    ]


class Oracle:
    """Every output and input channel of the layer at its core."""

    def __init__(self, problem: Problem, partition: Partition) -> None:
        e, (across, inside) = problem.extents, (partition.clusters, partition.cores)
        self.inputs: dict[int, set[tuple[int, int, int, int]]] = defaultdict(set)  # words by cluster
        self.weights: dict[int, set[tuple[int, int, int, int]]] = defaultdict(set)
        self.adders: dict[tuple[int, int, int], set[tuple[int, int]]] = defaultdict(set)  # by output row
        self.work: Counter[tuple[int, int]] = Counter()
        stride, dilation, pad, size = problem.windows[0]
        axes = (
            nested(e[N], across.n, inside.n),
            nested(e[K], across.k, inside.k),
            nested(e[C], across.c, inside.c),
            nested(e[P], across.p, inside.p),
        )
        grid = [range(len(axis)) for axis in axes]
        for cluster, place in enumerate(product(*grid)):
            boxes = [axis[at] for axis, at in zip(axes, place, strict=True)]
            for core, box in enumerate(product(*boxes)):
                for n, k, c, p, r in product(*box, range(e[R])):
                    self.work[cluster, core] += 1
                    self.weights[cluster].add((k, c, r, 0))
                    self.adders[n, k, p].add((cluster, core))
                    row = p * stride + r * dilation - pad
                    if 0 <= row < size:
                        self.inputs[cluster].add((n, c, row, 0))
        self.n_clusters = prod(map(len, axes))


SMALL = st.builds(
    layer,
    n=st.integers(1, 2),
    k=st.integers(1, 5),
    c=st.integers(1, 4),
    p=st.integers(1, 7),
    r=st.integers(1, 3),
    stride=st.integers(1, 3),
    pad=st.integers(0, 1),
    dilation=st.integers(1, 2),
)


@settings(max_examples=150, deadline=None)
@given(SMALL, st.integers(1, 4), st.integers(1, 4), st.data())
def test_words_are_those_that_the_cores_read_and_write_counted_one_by_one(
    problem: Problem, n_clusters: int, n_cores: int, data: st.DataObject
) -> None:
    partition = data.draw(st.sampled_from(partitions(problem, n_clusters, n_cores)))
    words, oracle = moved(problem, partition), Oracle(problem, partition)
    columns = problem.windows[1][3]  # all touched: stride 1, no padding
    assert words.inputs == columns * sum(map(len, oracle.inputs.values()))
    assert words.weights == problem.extents[S] * sum(map(len, oracle.weights.values()))
    outputs = problem.extents[Q]
    assert words.partial_sums == outputs * sum(len(cores) - 1 for cores in oracle.adders.values())
    # the first of the clusters that add keeps its own; what each takes from others, all together
    crossing = sum(len({cluster for cluster, _ in cores}) - 1 for cores in oracle.adders.values())
    assert words.sums_crossing.sum() == outputs * crossing
    assert words.outputs == outputs * len(oracle.adders)


@settings(max_examples=150, deadline=None)
@given(SMALL, st.integers(1, 4), st.integers(1, 4), st.data())
def test_words_cross_where_another_cluster_owns_them(
    problem: Problem, n_clusters: int, n_cores: int, data: st.DataObject
) -> None:
    """The layer before makes as many rows as this one reads; its clusters own what they made."""
    size = problem.windows[0][3]
    before = layer(n=problem.extents[N], k=problem.extents[C], c=2, p=size, r=1, pad=0)
    made = data.draw(st.sampled_from(partitions(before, n_clusters, n_cores)))
    partition = data.draw(st.sampled_from(partitions(problem, n_clusters, n_cores)))
    owner: dict[tuple[int, int, int], int] = {}
    grid = made.clusters
    place = product(
        parts(before.extents[N], grid.n),
        [part for outer in nested(before.extents[K], grid.k, grid.c) for part in outer],
        parts(size, grid.p),
    )
    for cluster, box in enumerate(place):
        owner |= dict.fromkeys(product(*box), cluster)
    words, oracle = moved(problem, partition, made_by(before, made)), Oracle(problem, partition)
    columns = problem.windows[1][3]
    expected = [
        columns * sum(owner[n, c, row] != cluster for n, c, row, _ in oracle.inputs[cluster])
        for cluster in range(oracle.n_clusters)
    ]
    assert words.inputs_crossing.tolist() == expected


@settings(max_examples=100, deadline=None)
@given(SMALL, st.integers(1, 4), st.integers(1, 4), st.data())
def test_the_largest_part_is_that_of_the_core_with_most_to_do(
    problem: Problem, n_clusters: int, n_cores: int, data: st.DataObject
) -> None:
    partition = data.draw(st.sampled_from(partitions(problem, n_clusters, n_cores)))
    oracle = Oracle(problem, partition)
    part = largest_part(problem, partition)
    assert part.n_macs == max(oracle.work.values()) * problem.extents[Q] * problem.extents[S]
    assert all(small <= large for small, large in zip(part.extents, problem.extents, strict=True))


@settings(max_examples=100, deadline=None)
@given(SMALL, st.integers(1, 4), st.integers(1, 8))
def test_every_grid_of_the_cores_is_there_but_for_cores_that_would_have_nothing(
    problem: Problem, n_clusters: int, n_cores: int
) -> None:
    """Whole grids by brute force: where no dimension is shorter than its parts, all of them are offered."""
    found = partitions(problem, n_clusters, n_cores)
    assert len(set(found)) == len(found) > 0
    extents = [problem.extents[dim] for dim in (N, K, C, P)]
    for one in found:
        assert one.clusters.n_parts <= n_clusters
        assert one.cores.n_parts <= n_cores
        cut = [getattr(one.clusters, name) * getattr(one.cores, name) for name in "nkcp"]
        assert all(parts == 1 or parts < 2 * extent for parts, extent in zip(cut, extents, strict=True))
    for across, inside in product(_grids(n_clusters), _grids(n_cores)):
        if all(a * b <= extent for a, b, extent in zip(across, inside, extents, strict=True)):
            assert Partition(Grid(*across), Grid(*inside)) in found


def _grids(n: int) -> list[tuple[int, ...]]:
    return [grid for grid in product(range(1, n + 1), repeat=4) if prod(grid) == n]


def test_halo_rows_of_two_clusters_by_hand() -> None:
    """Six rows of 3 x 3 windows, padded: rows 0 to 2 read inputs 0 to 3, rows 3 to 5 inputs 2 to 5."""
    problem = layer(k=8, c=5, p=6, q=4, r=3, s=3)
    words = moved(problem, Partition(Grid(p=2)), Layout(channels=(0, 5), rows=(0, 3, 6)))
    assert words.inputs == 5 * (4 + 4) * 6  # 6 columns
    assert words.inputs_crossing.tolist() == [5 * 6, 5 * 6]  # row 3 and row 2
    assert words.weights == 2 * 8 * 5 * 9  # each cluster has all filters


def test_filters_cut_over_clusters_read_the_whole_map_in_each() -> None:
    problem = layer(k=8, c=4, p=6, r=1, pad=0)
    words = moved(problem, Partition(Grid(k=4)), Layout(channels=(0, 1, 2, 3, 4), rows=(0, 6)))
    plane = 6 * 2
    assert words.inputs == 4 * 4 * plane
    assert words.inputs_crossing.tolist() == [3 * plane] * 4
    assert words.weights == 8 * 4


def test_a_spread_input_crosses_but_for_the_share_of_each_cluster() -> None:
    problem = layer(k=8, c=4, p=8, r=1, pad=0)
    words = moved(problem, Partition(Grid(p=4)))
    needed = 4 * 2 * 2
    assert words.inputs_crossing.tolist() == [needed * 3 // 4] * 4


def test_groups_are_cut_whole_and_bring_only_their_channels() -> None:
    """32 groups of 2 filters over 4 channels (depthwise-like): 8 groups a cluster, 4 x 8 channels each."""
    problem = layer(g=32, k=2, c=4, p=5, q=1, r=1, pad=0)
    words = moved(problem, Partition(Grid(k=4)))
    assert words.inputs == 32 * 4 * 5
    assert words.weights == 32 * 2 * 4
    assert largest_part(problem, Partition(Grid(k=4), Grid(k=2))).extents[:4] == (1, 4, 2, 4)
    assert largest_part(problem, Partition(Grid(k=4), Grid(k=16))).extents[:4] == (1, 1, 1, 4)
    assert not any(one.clusters.c * one.cores.c > 1 for one in partitions(problem, 4, 8))


def test_rows_in_the_middle_of_a_map_meet_no_padding() -> None:
    problem = layer(p=9, r=3, pad=1)
    assert largest_part(problem, Partition(cores=Grid(p=3))).windows[0] == (1, 1, 0, 5)
    assert largest_part(problem, Partition(cores=Grid(p=2))).windows[0] == (1, 1, 1, 6)
    assert largest_part(problem, Partition()).windows[0] == problem.windows[0]


def test_partitions_print_clusters_before_cores() -> None:
    assert str(Partition()) == "whole"
    assert str(Partition(cores=Grid(k=4, p=2))) == "K 4 x P 2"
    assert str(Partition(Grid(p=4), Grid(k=8))) == "P 4 | K 8"
    assert str(Partition(Grid(c=2))) == "C 2 | whole"


@pytest.mark.parametrize(("extent", "n"), [(7, 4), (4, 4), (10, 3), (5, 1)])
def test_parts_differ_by_one_at_most_and_leave_nothing_out(extent: int, n: int) -> None:
    sizes = np.diff(bounds(extent, n))
    assert sizes.sum() == extent
    assert sizes.max() - sizes.min() <= 1
    assert sizes.max() == -(-extent // n)
