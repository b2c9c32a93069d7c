"""Words that a partition moves: what the clusters of a replica read, and what of it crosses between them.

What one core of a cluster reads, the others get by multicast, so that

    input words  = sum over clusters of the words that its windows touch: halo rows count in each
    weight words = sum over clusters of its filters x its input channels x R S V
    partial sums = (cores that add to an output - 1) x output words, written and read again

A word lives in the memory of the cluster that made it; of a word read, what another cluster made crosses.
Clusters are numbered as in `mapping.partition`.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from math import prod

import numpy as np
from numpy.typing import NDArray

from accelsim.mapping.partition import Grid, Partition, bounds, filter_bounds
from accelsim.mapping.touched import Axis, Tile, n_touched
from accelsim.tables import dims as d
from accelsim.tables.nest import Problem

Ints = NDArray[np.int64]
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


def moved(problem: Problem, partition: Partition, home: Layout | None = None) -> Moved:
    """Words of the whole replica; `home` says who owns the input, None: everybody an equal share of it."""
    e, grid = problem.extents, partition.clusters
    n, k, c, p = (i.ravel() for i in np.indices(grid.parts))  # [s]
    images, out_rows = bounds(e[d.N], grid.n), bounds(e[d.P], grid.p)
    filters = filter_bounds(problem, grid.k)
    first, last = (edge[k * grid.c + c] for edge in _input_channels(problem, grid, filters))  # [s]
    rows = rows_touched(problem, out_rows)  # [P parts, H]
    plane = _plane(problem)
    n_images, n_filters = np.diff(images)[n], np.diff(filters)[k]
    needed = n_images * (last - first) * rows.sum(1)[p] * plane
    per_filter = (last - first if e[d.G] == 1 else e[d.C]) * e[d.R] * e[d.S] * e[d.V]
    weights = n_filters * per_filter * (n_images if problem.weight_has_batch else 1)
    own = _owned(home, len(needed), (e[d.N], e[d.G] * e[d.C], rows.shape[1])) if home is not None else None
    if own is None:
        crossing = needed - needed // len(needed)
    else:
        here = _overlap(images[n], images[n + 1], own[0]) * _overlap(first, last, own[1])
        upto = np.concatenate([np.zeros((len(rows), 1), np.int64), rows.cumsum(1)], 1)  # [P parts, H + 1]
        crossing = needed - here * (upto[p, own[2][1]] - upto[p, own[2][0]]) * plane
    n_adding = int(np.minimum(np.diff(bounds(e[d.C], grid.c)), partition.cores.c).sum())
    summed = np.diff(_summed_bounds(problem, grid))[k * grid.c + c]  # filters whose sums end in the cluster
    sums = n_images * summed * np.diff(out_rows)[p] * e[d.Q] * e[d.Z]
    return Moved(
        inputs=int(needed.sum()),
        inputs_crossing=crossing,
        weights=int(weights.sum()),
        outputs=problem.n_output_words,
        partial_sums=(n_adding - 1) * problem.n_output_words,
        sums_crossing=(grid.c - 1) * sums,
    )


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
