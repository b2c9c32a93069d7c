"""The loops of one mapping as positions: which steps there are, and where each dimension stands in them.

Steps are lock-step positions of the loops in time, from the outermost in. Looking only at the first k loops,
a *row* is one valid position of them; a *grain* is a row of the loops that the simulation steps through, and
what lies inside it is one tile step. Shapes: n rows; positions are kept by dimension, those with loops only.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from math import prod

import numpy as np
from numpy.typing import NDArray

from accelsim.tables.dims import N_DIMS, N_OPERANDS, relevant_dims
from accelsim.tables.nest import Nest, Problem

Ints = NDArray[np.int64]
Bases = dict[int, Ints]
"""Position of each dimension, [n]."""

MAX_ROWS = 2**17
"""Rows that are laid out at once: memory stays bounded however long the loops are."""
MAX_GRAINS = 2**21
"""Tile steps of a layer; beyond it the grain grows to the tile of the next level."""


@dataclass(frozen=True, slots=True)
class Loop:
    dim: int
    level: int
    trips: int
    step: int


class Loops:
    """One point of a nest, loops of a single trip left out."""

    def __init__(self, problem: Problem, nest: Nest) -> None:
        self.problem, self.nest = problem, nest
        loops = [
            (nest.spatial[j], Loop(d, nest.levels[j], int(nest.trips[j, 0]), int(nest.step[j, 0])))
            for j, d in enumerate(nest.dims)
            if nest.trips[j, 0] > 1
        ]
        self.time = tuple(loop for spatial, loop in loops if not spatial)
        self.space = tuple(loop for spatial, loop in loops if spatial)
        self.extents = problem.extents
        self.dims = tuple(d for d in range(N_DIMS) if any(loop.dim == d for _, loop in loops))
        self.relevant = tuple(relevant_dims(t, problem.weight_has_batch) for t in range(N_OPERANDS))

    def block(self, d: int, level: int) -> int:
        """Positions that the loops at and below a level cover (-1: none)."""
        return prod(x.trips for x in (*self.time, *self.space) if x.dim == d and x.level <= level)

    def n_time(self, level: int) -> int:
        """Loops in time outside a level's tile: a prefix of `time`."""
        return sum(loop.level > level for loop in self.time)

    def last_moving(self, dims: tuple[int, ...], n_loops: int) -> int:
        """Of the first n loops, so many are needed to tell the positions of these dimensions."""
        return max((i + 1 for i in range(n_loops) if self.time[i].dim in dims), default=0)

    def instances(self, d: int, level: int, until: int | None = None) -> Ints:
        """Offsets of the instances that the fan-outs above `level` (up to that of `until`) make along d."""
        loops = [x for x in self.space if x.dim == d and x.level > level]
        return _offsets([x for x in loops if until is None or x.level <= until])

    def ever_used(self, d: int, level: int) -> int:
        """Instances along d on the fan-outs above a level that have work at least once."""
        loops = [x for x in self.space if x.dim == d and x.level > level]
        return prod(-(-min(self.extents[d], x.trips * x.step) // x.step) for x in loops)

    def positions(self, d: int, n_time: int, spread: Ints) -> Ints:
        """Offsets that the loops in time beyond the first n make, times those of instances; ascending."""
        inner = _offsets([x for x in self.time[n_time:] if x.dim == d])
        return np.sort((inner[:, None] + spread).ravel())

    def offsets_between(self, d: int, first: int, last: int) -> Ints:
        """Offsets along d that the loops in time first..last - 1 make."""
        return np.sort(_offsets([x for x in self.time[first:last] if x.dim == d]))

    def inside(self, d: int, base: Ints, n_time: int) -> Ints:
        """What of a position the loops in time beyond the first n make; instances stand at zero."""
        outer = [x.step for x in self.time[:n_time] if x.dim == d]
        return base % min(outer) if outer else base

    @cached_property
    def _last(self) -> dict[tuple[int, int], int]:
        return {}

    def last_base(self, d: int, n_time: int) -> int:
        """The last position that the first n loops in time take along d."""
        if (d, n_time) not in self._last:
            offsets = _offsets([x for x in self.time[:n_time] if x.dim == d])
            self._last[d, n_time] = int(offsets[offsets < self.extents[d]].max())
        return self._last[d, n_time]

    def n_valid(self, n_time: int) -> int:
        """Rows of the first n loops that are work."""
        offsets = (_offsets([x for x in self.time[:n_time] if x.dim == d]) for d in self.dims)
        return prod(int((at < self.extents[d]).sum()) for d, at in zip(self.dims, offsets, strict=True))

    def n_rows(self, n_time: int) -> int:
        """Rows of the first n loops, those beyond the extents counted too."""
        return prod(loop.trips for loop in self.time[:n_time])

    def rows(self, n_grain: int, n_time: int, first: int, last: int) -> Iterator[tuple[Bases, Ints]]:
        """The valid rows of n_time loops within grains first..last - 1 of the first n_grain loops.

        Yields their positions and the number of the grain that each belongs to, at most MAX_ROWS at once.
        """
        inside = self.n_rows(n_time) // self.n_rows(n_grain)
        for start in range(first * inside, last * inside, MAX_ROWS):
            index = np.arange(start, min(start + MAX_ROWS, last * inside), dtype=np.int64)
            grain = index // inside
            bases: Bases = {d: np.zeros(len(index), np.int64) for d in self.dims}
            for loop in reversed(self.time[:n_time]):
                index, digit = np.divmod(index, loop.trips)
                bases[loop.dim] += digit * loop.step
            valid = np.ones(len(grain), np.bool_)
            for d, base in bases.items():
                valid &= base < self.extents[d]
            if not valid.all():
                bases = {d: base[valid] for d, base in bases.items()}
                grain = grain[valid]
            if len(grain):
                yield bases, grain


def _offsets(loops: list[Loop]) -> Ints:
    """All sums of index x step."""
    sums = np.zeros(1, np.int64)
    for loop in loops:
        sums = (sums[:, None] + np.arange(loop.trips, dtype=np.int64) * loop.step).ravel()
    return sums


def covered(base: Ints, block: int, instances: Ints, extent: int) -> Ints:
    """Words along one dimension of the tiles that all instances hold, the last one clipped."""
    if len(instances) == 1 and instances[0] == 0 and extent % block == 0:
        return np.full(len(base), block, np.int64)
    values, where = np.unique(base, return_inverse=True)
    words = np.clip(extent - values[:, None] - instances, 0, block).sum(1)
    return np.asarray(words[where], np.int64)


def below(base: Ints, offsets: Ints, extent: int) -> Ints:
    """How many of the positions base + offset are work, below the extent; offsets ascend."""
    return np.searchsorted(offsets, extent - base, side="left").astype(np.int64)


def choose_grain(loops: Loops, kept_inside: list[int], fanout_level: int, n_levels: int) -> int:
    """How many loops in time the simulation steps through, so that a step is a tile and not a cycle.

    The finest of: what the array computes with its own loops; the steps while what the array keeps stays; the
    tile of the innermost shared memory, then of the next one out. A step takes more than one compute step.
    """
    whole, shared = loops.n_time(fanout_level - 1), loops.n_time(fanout_level)
    candidates = [whole]
    if kept_inside:
        dims = tuple(d for t in kept_inside for d in loops.relevant[t])
        candidates.append(max(shared, loops.last_moving(dims, whole)))
    candidates += [loops.n_time(level) for level in range(fanout_level, n_levels)]
    total = loops.n_rows(len(loops.time))
    for n in candidates:
        if loops.n_rows(n) < total and loops.n_rows(n) <= MAX_GRAINS:
            return n
    return 0
