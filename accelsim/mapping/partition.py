"""One layer over the cores of a replica: who computes which outputs, and what has to move for it.

A partition cuts output channels (K, over all groups), output rows (P), images (N) and input channels (C:
partial sums are added afterwards) first over the s clusters that the replica spans, then over the cores of
each. Cluster j = ((n K + k) C + c) P + p of its grid. Cuts are ragged: parts differ by one at most.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from math import prod

import numpy as np
from numpy.typing import NDArray

from accelsim.tables import dims as d
from accelsim.tables.nest import Problem

Ints = NDArray[np.int64]


@dataclass(frozen=True, order=True)
class Grid:
    """Parts of each dimension that is cut."""

    n: int = 1
    k: int = 1
    c: int = 1
    p: int = 1

    @property
    def parts(self) -> tuple[int, int, int, int]:
        return self.n, self.k, self.c, self.p

    @property
    def n_parts(self) -> int:
        return prod(self.parts)

    def __str__(self) -> str:
        named = (("N", self.n), ("K", self.k), ("C", self.c), ("P", self.p))
        return " x ".join(f"{name} {parts}" for name, parts in named if parts > 1)


@dataclass(frozen=True, order=True)
class Partition:
    """Parts over the clusters, and of each of these over the cores of a cluster."""

    clusters: Grid = Grid()
    cores: Grid = Grid()

    @property
    def n_cores(self) -> int:
        return self.clusters.n_parts * self.cores.n_parts

    def __str__(self) -> str:
        """`K 4 x P 2` of one cluster, `P 4 | K 8`: clusters before the bar, cores behind it."""
        inside = str(self.cores) or "whole"
        return inside if self.clusters.n_parts == 1 else f"{self.clusters} | {inside}"


# --- enumeration


def partitions(problem: Problem, n_clusters: int, cores_per_cluster: int) -> tuple[Partition, ...]:
    """Every grid of n_clusters parts times every grid of cores_per_cluster parts, without empty parts.

    Where a dimension has fewer words than parts, its other cores rest; cuts that become equal count once, and
    of those with equal cuts over the clusters none is kept that only has fewer parts inside.
    """
    extents = _extents(problem)
    found: dict[Grid, set[Grid]] = {}
    for clusters in _grids(n_clusters, extents):
        inside = set(_grids(cores_per_cluster, _rest(extents, clusters)))
        found[clusters] = {one for one in inside if not any(_finer(other, one) for other in inside)}
    return tuple(
        Partition(clusters, cores) for clusters in sorted(found) for cores in sorted(found[clusters])
    )


def _grids(parts: int, most: Grid) -> Iterator[Grid]:
    """Products of `parts` over the dimensions that can be cut, each cut at most as often as it has words."""
    can = [extent > 1 for extent in most.parts]
    for factors in _products(parts, sum(can)):
        left = iter(factors)
        n, k, c, p = (next(left) if it else 1 for it in can)
        yield Grid(min(n, most.n), min(k, most.k), min(c, most.c), min(p, most.p))


@cache
def _products(number: int, n_factors: int) -> tuple[tuple[int, ...], ...]:
    """All ways to write a number as so many factors, in order; without a factor the empty way."""
    if n_factors < 2:
        return ((number,) * n_factors,)
    first = (i for i in range(1, number + 1) if number % i == 0)
    return tuple((i, *rest) for i in first for rest in _products(number // i, n_factors - 1))


def _extents(problem: Problem) -> Grid:
    """The most parts of each dimension; input channels of groups stay together."""
    e = problem.extents
    return Grid(e[d.N], e[d.G] * e[d.K], e[d.C] if e[d.G] == 1 else 1, e[d.P])


def _rest(extents: Grid, grid: Grid) -> Grid:
    """What the largest part leaves to be cut further."""
    return Grid(*(-(-extent // parts) for extent, parts in zip(extents.parts, grid.parts, strict=True)))


def _finer(one: Grid, other: Grid) -> bool:
    """Whether one cuts nothing less and something more."""
    least = (min(a, b) for a, b in zip(one.parts, other.parts, strict=True))
    return one != other and tuple(least) == other.parts


# --- what one core computes


def largest_part(problem: Problem, partition: Partition) -> Problem:
    """The loops of the core that has most to do; in the middle of a map, where no window meets padding."""
    e = list(problem.extents)
    across, inside = partition.clusters, partition.cores
    e[d.N] = -(-e[d.N] // (across.n * inside.n))
    e[d.G], e[d.K] = _largest_channels(e[d.G], e[d.K], (across.k, inside.k))
    e[d.C] = -(-e[d.C] // (across.c * inside.c))
    n_rows = across.p * inside.p
    rows = -(-e[d.P] // n_rows)
    stride, dilation, pad, size = problem.windows[0]
    if n_rows > 1:
        pad = pad if n_rows == 2 else 0
        reach = (rows - 1) * stride + (e[d.R] - 1) * dilation + 1
        size = max(1, min(size, reach - pad))
    e[d.P] = rows
    return replace(problem, extents=tuple(e), windows=((stride, dilation, pad, size), *problem.windows[1:]))


def _largest_channels(groups: int, filters: int, cuts: tuple[int, int]) -> tuple[int, int]:
    """Whole groups as long as there are enough of them, then the filters of a group."""
    for parts in cuts:
        if parts <= groups:
            groups = -(-groups // parts)
        else:
            groups, filters = 1, -(-groups * filters // parts)
    return groups, filters


def bounds(extent: int, parts: int) -> Ints:  # [parts + 1]
    """Where the parts begin and end: the largest has ceil(extent / parts)."""
    return np.arange(parts + 1) * extent // parts


def filter_bounds(problem: Problem, parts: int) -> Ints:  # [parts + 1]
    """Bounds in the output channels of all groups; whole groups where there are enough of them."""
    groups, filters = problem.extents[d.G], problem.extents[d.K]
    return bounds(groups, parts) * filters if parts <= groups else bounds(groups * filters, parts)
