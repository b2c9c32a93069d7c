"""Words that a partition moves: what the clusters of a replica read, and what of it crosses between them.

What one core of a cluster reads, the others get by multicast, so that

    input words  = sum over clusters of the words that its windows touch: halo rows count in each
    weight words = sum over clusters of its filters x its input channels x R S V
    partial sums = (cores that add to an output - 1) x output words, written and read again

A word lives in the memory of the cluster that made it; of a word read, what another cluster made crosses.
Clusters are numbered as in `mapping.partition`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from math import prod

import numpy as np
from numpy.typing import NDArray

from accelsim.mapping.partition import Grid, Partition, bounds, filter_bounds
from accelsim.mapping.touched import Axis, Tile, n_touched
from accelsim.tables import dims as d
from accelsim.tables.nest import Problem

Ints = NDArray[np.int64]
_Owned = list[tuple[Ints, Ints]]
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Layout:
    """Where the parts begin and end that clusters own of a tensor, rows innermost in the clusters' order."""

    images: tuple[int, ...] = (0, 1)
    channels: tuple[int, ...] = (0, 1)
    rows: tuple[int, ...] = (0, 1)

    @property
    def n_parts(self) -> tuple[int, int, int]:
        return len(self.images) - 1, len(self.channels) - 1, len(self.rows) - 1


@dataclass(frozen=True)
class Moved:
    """Words that a layer moves between cores and their clusters' memories."""

    inputs: int
    inputs_crossing: Ints  # [s] of each cluster's inputs, what others own
    weights: int
    outputs: int
    partial_sums: int
    """Written, read again and added to others."""
    sums_crossing: Ints  # [s] partial sums that each cluster takes from others


class _Reach:
    """What each of the s clusters of a partition reads of the input: images, channels, rows."""

    def __init__(self, problem: Problem, partition: Partition) -> None:
        e, grid = problem.extents, partition.clusters
        self.n, self.k, self.c, self.p = (i.ravel() for i in np.indices(grid.parts))  # [s] each
        self.images, self.out_rows = bounds(e[d.N], grid.n), bounds(e[d.P], grid.p)
        self.filters = filter_bounds(problem, grid.k)
        ends = _input_channels(problem, grid, self.filters)
        self.first, self.last = (edge[self.k * grid.c + self.c] for edge in ends)  # [s]
        rows = rows_touched(problem, self.out_rows)  # [P parts, H]
        self.upto = np.concatenate(
            [np.zeros((len(rows), 1), np.int64), rows.cumsum(1)], 1
        )  # [P parts, H + 1]
        self.plane = _plane(problem)
        self.shape = e[d.N], e[d.G] * e[d.C], rows.shape[1]
        self.n_images = np.diff(self.images)[self.n]  # [s]
        self.needed: Ints = self.n_images * (self.last - self.first) * self.upto[self.p, -1] * self.plane

    def shared_images(self, own: tuple[Ints, Ints]) -> Ints:  # [s]
        """Images that each cluster reads, of those from `own[0]` up to `own[1]`."""
        return _overlap(self.images[self.n], self.images[self.n + 1], own)

    def shared(self, own: _Owned) -> Ints:  # [s]
        """Words that each cluster reads, of the images, channels and rows of an owner."""
        words = self.shared_images(own[0]) * _overlap(self.first, self.last, own[1])
        found: Ints = words * (self.upto[self.p, own[2][1]] - self.upto[self.p, own[2][0]]) * self.plane
        return found


def moved(problem: Problem, partition: Partition, home: Layout | None = None) -> Moved:
    """Words of the whole replica; `home` says who owns the input, None: everybody an equal share of it."""
    e, grid = problem.extents, partition.clusters
    reach = _Reach(problem, partition)
    needed, channels = reach.needed, reach.last - reach.first
    per_filter = (channels if e[d.G] == 1 else e[d.C]) * e[d.R] * e[d.S] * e[d.V]
    weights = np.diff(reach.filters)[reach.k] * per_filter
    own = _owned(home, len(needed), reach.shape) if home is not None else None
    crossing = needed - (reach.shared(own) if own is not None else needed // len(needed))
    n_adding = int(np.minimum(np.diff(bounds(e[d.C], grid.c)), partition.cores.c).sum())
    ending = np.diff(_summed_bounds(problem, grid))[reach.k * grid.c + reach.c]  # filters whose sums end here
    sums = reach.n_images * ending * np.diff(reach.out_rows)[reach.p] * e[d.Q] * e[d.Z]
    return Moved(
        inputs=int(needed.sum()),
        inputs_crossing=crossing,
        weights=int((weights * (reach.n_images if problem.weight_has_batch else 1)).sum()),
        outputs=problem.n_output_words,
        partial_sums=(n_adding - 1) * problem.n_output_words,
        sums_crossing=(grid.c - 1) * sums,
    )


def crossing(problem: Problem, partition: Partition, homes: Sequence[Layout], per_card: int) -> Ints:
    """Input words that each cluster takes from others, [2, homes, s]: all, and of these from other cards.

    As `moved` has them, for many homes at once; `per_card` clusters are on a card. Where a map's shape has
    changed too much since it was made (it was made flat), the clusters that own an image have equal shares.
    """
    reach = _Reach(problem, partition)
    needed, n_clusters = reach.needed, len(reach.needed)
    n_owners = max(n_clusters, *(prod(home.n_parts) for home in homes))
    n_owners = -(-n_owners // per_card) * per_card  # whole cards
    found = np.empty((2, len(homes), n_clusters), np.int64)
    card = np.arange(n_clusters) // per_card
    for at, home in enumerate(homes):
        own = _owned(home, n_owners, reach.shape)

        def held(owner: Ints, own: _Owned | None = own, home: Layout = home) -> Ints:  # [s]
            """Words that each cluster needs and another one, its `owner`, has."""
            if own is None:
                images, sharers = _image_owner(home, owner)
                words = reach.shared_images(images) * needed
                return np.asarray(words // np.maximum(1, reach.n_images) // sharers)
            return reach.shared([(first[owner], last[owner]) for first, last in own])

        here = held(np.arange(n_clusters))
        found[0, at] = needed - here
        found[1, at] = 0
        if n_clusters > per_card or n_owners > per_card:
            steps = (card * per_card + (np.arange(n_clusters) + step) % per_card for step in range(per_card))
            found[1, at] = needed - sum(held(owner) for owner in steps)
    return found


def inputs_needed(problem: Problem, partition: Partition) -> Ints:  # [s]
    """Input words that each cluster reads: what crosses where none of them is there."""
    return _Reach(problem, partition).needed


def _image_owner(home: Layout, cluster: Ints) -> tuple[tuple[Ints, Ints], int]:
    """First and last + 1 image that the group of each cluster has, and how many clusters are in a group."""
    n_images, *rest = home.n_parts
    group = np.minimum(cluster // prod(rest), n_images - 1)
    edge = np.array(home.images)
    owns = cluster < prod(home.n_parts)
    return (np.where(owns, edge[group], 0), np.where(owns, edge[group + 1], 0)), prod(rest)


def made_by(problem: Problem, partition: Partition) -> Layout:
    """Where the outputs live; sums of cut input channels end evenly among the clusters that added them."""
    e, grid = problem.extents, partition.clusters
    return Layout(
        tuple(bounds(e[d.N], grid.n).tolist()),
        tuple(_summed_bounds(problem, grid).tolist()),
        tuple(bounds(e[d.P], grid.p).tolist()),
    )


def _summed_bounds(problem: Problem, grid: Grid) -> Ints:  # [K parts x C parts + 1]
    """The same, each part once more cut among the clusters that share its sums."""
    edges = filter_bounds(problem, grid.k)
    inner = [first + bounds(last - first, grid.c)[:-1] for first, last in pairwise(edges.tolist())]
    return np.concatenate([*inner, edges[-1:]])


def _input_channels(problem: Problem, grid: Grid, filters: Ints) -> tuple[Ints, Ints]:  # [K x C parts] each
    """First and last + 1 input channel that each part reads: those of the groups that its filters are in."""
    e = problem.extents
    if e[d.G] > 1:
        return filters[:-1] // e[d.K] * e[d.C], -(-filters[1:] // e[d.K]) * e[d.C]
    edges = bounds(e[d.C], grid.c)
    return np.tile(edges[:-1], grid.k), np.tile(edges[1:], grid.k)


def rows_touched(problem: Problem, outputs: Ints) -> Bools:  # [parts, H] of bounds [parts + 1]
    """Which stored input rows the windows of each part's output rows read."""
    stride, dilation, pad, size = problem.windows[0]
    row = np.arange(size)
    touched = np.zeros((len(outputs) - 1, size), np.bool_)
    for r in range(problem.extents[d.R]):
        output, beside = np.divmod(row + pad - r * dilation, stride)
        inside = (output >= outputs[:-1, None]) & (output < outputs[1:, None])
        touched |= inside & (beside == 0)
    return touched


@lru_cache(maxsize=1024)  # asked for every partition of a layer
def _plane(problem: Problem) -> int:
    """Touched words of the two axes that are never cut, columns and depth."""
    return prod(
        int(
            n_touched(
                Tile(*map(np.array, (0, problem.extents[out], 0, problem.extents[taps]))),
                Axis(*problem.windows[axis]),
            )
        )
        for axis, (out, taps) in enumerate(d.WINDOWS)
        if axis
    )


def _owned(home: Layout, n_clusters: int, shape: tuple[int, int, int]) -> list[tuple[Ints, Ints]] | None:
    """First and last + 1 image, channel and row that each cluster owns; None where the shape has changed so
    much (a map made flat) that the parts have lost their meaning."""
    cluster = np.arange(n_clusters)
    owns = cluster < prod(home.n_parts)
    place = np.unravel_index(np.where(owns, cluster, 0), home.n_parts)
    found = []
    for extent, edges, at in zip(shape, (home.images, home.channels, home.rows), place, strict=True):
        if extent != edges[-1] and extent < len(edges) - 1:
            return None
        edge = np.array(edges) * extent // edges[-1]
        found.append((np.where(owns, edge[at], 0), np.where(owns, edge[at + 1], 0)))
    return found


def _overlap(first: Ints, last: Ints, own: tuple[Ints, Ints]) -> Ints:
    overlap: Ints = np.maximum(np.minimum(last, own[1]) - np.maximum(first, own[0]), 0)
    return overlap
