"""Dataflows of one stationary operand (or none): spatial loops on rows and columns, tiles in the buffers.

The parameters are the tile sizes of K, C, rows and images in each buffer, the filter taps on the array and
the order of the loops around the outermost buffer. A buffer that keeps partial sums between the array and
the outermost one (accumulators) has a tile of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from accelsim.mapping.dataflows.array_grid import array_grid
from accelsim.mapping.dataflows.base import Bools, Dataflow, ParameterSpace, ladder, thinned
from accelsim.tables.dims import N_DIMS, C, G, K, N, O, P, Q, R, S, V, Z
from accelsim.tables.machine import Machine
from accelsim.tables.nest import Nest, Problem

Ints = NDArray[np.int64]
Unroll = dict[int, int]

MAX_UNROLLS = 4
"""Ways to fill the array that are tried, those of the fewest folds; the rest only waste more of it."""
MAX_SIZES, MAX_NESTED_SIZES, MAX_INNER_SIZES = 32, 10, 3
"""Tile sizes of a dimension that are tried: in one buffer (a layer of usual size has fewer), in the outer one
of two nested buffers, and in the inner one for each size of the outer."""


@dataclass(frozen=True)
class ArrayDataflow(Dataflow):
    """WS, OS, IS and NLR: what stays decides which loops run innermost."""

    inner: tuple[int, ...] = field(default=())
    """Loops inside the innermost buffer, outer to inner; those that leave what is stationary come last."""

    def candidates(self, problem: Problem, machine: Machine, keep: Bools) -> Iterator[Nest]:
        """One nest for each order of the loops around the outermost buffer."""
        tiled = self._tiled(problem)
        tables = [
            self._tiles(problem, machine, keep, unroll, tiled) for unroll in self._unrolls(problem, machine)
        ]
        table = np.concatenate(tables, axis=2)  # [4, D, B]: spatial, innermost, middle, DRAM trips
        for level in sorted({machine.fanout_level, self._sums(machine, keep)}):
            for order, new in _distinct_orders(_orders(tiled), table):
                yield self._nest(machine, keep, table[:, :, new], order, level)

    def spaces(self, problem: Problem, machine: Machine, keep: Bools) -> Iterator[ParameterSpace]:
        """One grid for each level that may have the loops of the innermost tile: see `array_grid`."""
        for level in sorted({machine.fanout_level, self._sums(machine, keep)}):
            buffer = self._middle(machine, keep)
            yield ParameterSpace(array_grid(self, problem, machine, keep, level, buffer))

    def unrolls(self, problem: Problem, machine: Machine) -> dict[int, tuple[int, ...]]:
        """Trips of each dimension on the array, in any filling of its rows or columns."""
        found: dict[int, set[int]] = {}
        for dims, size in ((self.rows, machine.rows), (self.cols, machine.cols)):
            for filling in _fillings(problem, dims, size):
                for d, trips in filling.items():
                    found.setdefault(d, set()).add(trips)
        return {d: tuple(sorted(trips)) for d, trips in found.items()}

    def _tiled(self, problem: Problem) -> tuple[int, ...]:
        """Dimensions that buffers tile: output columns where there is one row only, else rows."""
        along = P if problem.extents[P] > 1 else Q
        return (K, C, along, N)

    def _unrolls(self, problem: Problem, machine: Machine) -> list[tuple[Unroll, Unroll]]:
        """Fillings of rows and columns, fewest folds first."""
        rows = _fillings(problem, self.rows, machine.rows)
        cols = _fillings(problem, self.cols, machine.cols)
        pairs = [(r, c) for r in rows for c in cols if not set(r) & set(c)]

        def folds(pair: tuple[Unroll, Unroll]) -> int:
            count = 1
            for side in pair:
                for d, trips in side.items():
                    count *= -(-problem.extents[d] // trips)
            return count

        return sorted(pairs, key=folds)[:MAX_UNROLLS]

    def _tiles(
        self,
        problem: Problem,
        machine: Machine,
        keep: Bools,
        unroll: tuple[Unroll, Unroll],
        tiled: tuple[int, ...],
    ) -> Ints:  # [4, D, B]
        spatial = np.ones(N_DIMS, np.int64)
        for side in unroll:
            for d, trips in side.items():
                spatial[d] = trips
        folds = -(-np.array(problem.extents, np.int64) // spatial)
        two_tiers = self._middle(machine, keep) is not None
        axes = []
        for d in tiled:
            sizes = ladder(int(folds[d]))
            if not two_tiers:
                pairs = [(b, b) for b in thinned(sizes, MAX_SIZES)]
            elif d == C:  # sums must not leave the inner buffer between channels of one tile
                pairs = [(b, b) for b in thinned(sizes, MAX_NESTED_SIZES)]
            else:
                pairs = [
                    (a, b)
                    for b in thinned(sizes, MAX_NESTED_SIZES)
                    for a in thinned(ladder(int(b)), MAX_INNER_SIZES)
                ]
            axes.append(np.array(pairs, np.int64))
        grid = np.meshgrid(*(np.arange(len(axis)) for axis in axes), indexing="ij")
        n = grid[0].size
        table = np.ones((4, N_DIMS, n), np.int64)
        table[0] = spatial[:, None]
        table[1] = folds[:, None]
        for d, axis, index in zip(tiled, axes, grid, strict=True):
            inner, outer = axis[index.ravel()].T
            table[1, d] = inner
            table[2, d] = -(-outer // inner)
            table[3, d] = -(-folds[d] // (inner * table[2, d]))
        for d in (G, Z):  # neither shares anything between its steps
            table[3, d], table[1, d] = table[1, d].copy(), 1
        return table

    def _middle(self, machine: Machine, keep: Bools) -> int | None:
        """The outermost buffer, where another one inside it keeps partial sums of its own."""
        buffers = [level for level in range(machine.fanout_level, machine.n_levels - 1) if keep[level].any()]
        return buffers[-1] if buffers and self._sums(machine, keep) < buffers[-1] else None

    def _sums(self, machine: Machine, keep: Bools) -> int:
        """The innermost buffer of sums: buffers inside it hold no more than the array takes at once."""
        for level in range(machine.fanout_level, machine.n_levels - 1):
            if keep[level, O]:
                return level
        return machine.fanout_level

    def _nest(self, machine: Machine, keep: Bools, table: Ints, order: tuple[int, ...], at: int) -> Nest:
        """The nest with the loops of the innermost tile at level `at`."""
        spatial, inner, middle, outer = table
        top, fan = machine.n_levels - 1, machine.fanout_level
        loops: list[tuple[int, int, str, Ints]] = [(d, top, "", outer[d]) for d in (G, Z, *order)]
        level = self._middle(machine, keep)
        if level is not None:
            loops += [(d, level, "", middle[d]) for d in order]
        loops += [(d, at, "", inner[d]) for d in self.inner]
        loops += [(d, fan, "rows", spatial[d]) for d in self.rows if d not in self.cols]
        loops += [(d, fan, "cols", spatial[d]) for d in self.cols]
        dims, levels, axis, trips = zip(*loops, strict=True)
        return Nest(dims, levels, axis, np.stack(trips), keep)


def _fillings(problem: Problem, dims: tuple[int, ...], size: int) -> list[Unroll]:
    """Ways to unroll dimensions onto an axis: the first takes what the others leave, but not in vain."""
    if not dims:
        return [{}]
    fillings: list[Unroll] = [{}]
    for d in reversed(dims[1:]):
        fillings = [
            {**filling, d: int(trips)}
            for filling in fillings
            for trips in ladder(problem.extents[d], size // _product(filling))
        ]
    first = dims[0]
    out = []
    for filling in fillings:
        most = min(problem.extents[first], size // _product(filling))
        out.append({**filling, first: -(-problem.extents[first] // -(-problem.extents[first] // most))})
    return out


def _product(filling: Unroll) -> int:
    product = 1
    for trips in filling.values():
        product *= trips
    return product


def _distinct_orders(
    orders: list[tuple[int, ...]], table: Ints
) -> Iterator[tuple[tuple[int, ...], NDArray[np.int64]]]:
    """Each order with the points of the table for which no order before it is the same.

    Loops of one trip do not count: two orders that agree on the others are one mapping.
    """
    dims = orders[0]
    repeats = np.concatenate([table[2, list(dims)] > 1, table[3, list(dims)] > 1])  # [2 x 4, B]
    codes, code_of = np.unique(repeats, axis=1, return_inverse=True)
    seen: list[set[tuple[int, ...]]] = [set() for _ in range(codes.shape[1])]
    for order in orders:
        fresh = np.zeros(codes.shape[1], np.bool_)
        for i, code in enumerate(codes.T):
            halves = code[:4], code[4:]
            middle, outer = ({d for d, r in zip(dims, half, strict=True) if r} for half in halves)
            left = (*(d for d in order if d in outer), -1, *(d for d in order if d in middle))
            fresh[i] = left not in seen[i]
            seen[i].add(left)
        points = np.flatnonzero(fresh[code_of])
        if len(points):
            yield order, points


def _orders(tiled: tuple[int, ...]) -> list[tuple[int, ...]]:
    """Orders around a buffer that differ in which operand stays: rows and images move together."""
    k, c, along, n = tiled
    return [
        (k, n, along, c),
        (n, along, k, c),
        (k, c, n, along),
        (c, k, n, along),
        (c, n, along, k),
        (n, along, c, k),
    ]


_PIXELS = (N, P, Q)

WS = ArrayDataflow(
    "ws",
    "weight-stationary: a weight stays in each PE, inputs stream in, sums stream out",
    rows=(C, S, R),
    cols=(K,),
    stationary=1,
    in_array=(1,),
    inner=(K, C, V, R, S, *_PIXELS),
)
OS = ArrayDataflow(
    "os",
    "output-stationary: a sum stays in each PE, inputs and weights stream in",
    rows=(Q, P, N),
    cols=(K,),
    stationary=2,
    in_array=(2,),
    inner=(*_PIXELS, K, C, V, R, S),
)
IS = ArrayDataflow(
    "is",
    "input-stationary: an input stays in each PE, weights stream in, sums stream out",
    rows=(C, S, R),
    cols=(Q, P, N),
    stationary=0,
    in_array=(0,),
    inner=(C, V, R, S, *_PIXELS, K),
)
NLR = ArrayDataflow(
    "nlr",
    "no local reuse: nothing stays in the PEs; channels are added across rows, filters lie along columns",
    rows=(C,),
    cols=(K,),
    inner=(*_PIXELS, K, C, V, R, S),
)
