"""A small layer on a small machine under one mapping, and the positions that its loops take.

Positions are mixed radix: the step of a loop is the product of the trips of the loops of the same dimension
inside it, a position is the sum of index x step, and it is work only where it is below the extent. Time runs
in lock step: all spatial instances stand at the same temporal indices.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from operator import lt

from accelsim.base.errors import InputError
from accelsim.tables.dims import DIMS, N_DIMS, OPERANDS, WINDOWS, C, G, I, K, N, O, R, S, V, W

Loop = tuple[int, str, int, bool]
"""(level, dimension, trips, spatial); a spatial loop of a level is the fan-out to its children."""
Word = tuple[int, ...]
Position = tuple[int, ...]  # [D]
Instance = tuple[int, ...]  # indices of the spatial loops outside the instance, outermost first
Indices = tuple[int, ...]  # of temporal loops, outermost first


@dataclass(frozen=True)
class Case:
    """One layer, one machine, one mapping: all that the walk needs, in plain numbers."""

    extents: dict[str, int]
    windows: tuple[tuple[int, int, int, int], ...]  # (stride, dilation, pad, size) of rows, columns, depth
    weight_has_batch: bool
    loops: tuple[Loop, ...]  # outer to inner; within a level the temporal ones first
    n_levels: int
    keep: tuple[tuple[bool, bool, bool], ...]  # [L][T]; the home is the outermost level that keeps
    multicast: tuple[bool, bool]  # of every link, for I and for W
    reduce: bool
    diagonal: bool
    padding_stored: tuple[bool, ...]  # [L]
    fetch_box: tuple[bool, ...]  # [L]

    def __post_init__(self) -> None:
        """Refuse what has no meaning: InputError with all that is wrong."""
        wrong = [f"loop extent of {d} is {self.extents.get(d)}" for d in DIMS if self.extents.get(d, 0) < 1]
        ranks = [(-level, spatial) for level, _, _, spatial in self.loops]
        if ranks != sorted(ranks):
            wrong.append("loops must run from the outermost level in, temporal before spatial in each level")
        for d in DIMS:
            trips = math.prod(loop[2] for loop in self.loops if loop[1] == d)
            if trips < self.extents.get(d, 1):
                wrong.append(f"loops of {d} make {trips} trips for an extent of {self.extents[d]}")
        if any(not 0 <= loop[0] < self.n_levels or loop[2] < 1 for loop in self.loops):
            wrong.append(f"a loop stands outside the {self.n_levels} levels or has no trip")
        if not len(self.keep) == len(self.padding_stored) == len(self.fetch_box) == self.n_levels:
            wrong.append(f"keep, padding_stored and fetch_box need {self.n_levels} levels each")
        kept = zip(*self.keep, strict=True)  # [T][L]
        wrong += [f"no level keeps {t}" for t, at in zip(OPERANDS, kept, strict=True) if not any(at)]
        if wrong:
            raise InputError("; ".join(wrong))

    @cached_property
    def sizes(self) -> Position:
        return tuple(self.extents[d] for d in DIMS)

    def kept_levels(self, operand: int) -> list[int]:
        """Levels that keep the operand, innermost first; the last is its home."""
        return [level for level in range(self.n_levels) if self.keep[level][operand]]

    @cached_property
    def has(self) -> tuple[frozenset[int], frozenset[int], frozenset[int]]:
        """The dimensions that each operand has: those whose loops change which words it is about."""
        i_dims = frozenset(range(N_DIMS)) - {K}
        w_dims = frozenset({G, K, C, R, S, V}) | (frozenset({N}) if self.weight_has_batch else frozenset())
        return i_dims, w_dims, frozenset(range(N_DIMS)) - {C, R, S, V}


@dataclass(frozen=True)
class Axis:
    """One loop as the walk uses it: the dimension's number and what one index adds to the position."""

    level: int
    dim: int
    trips: int
    step: int


class LoopSpace:
    """The positions and tiles of a case."""

    def __init__(self, case: Case) -> None:
        self.case = case
        axes = []
        for j, (level, d, trips, spatial) in enumerate(case.loops):
            step = math.prod(inner[2] for inner in case.loops[j + 1 :] if inner[1] == d)
            axes.append((spatial, Axis(level, DIMS.index(d), trips, step)))
        self.time = [axis for spatial, axis in axes if not spatial]
        self.fanout = [axis for spatial, axis in axes if spatial]
        # loops outside a level are a prefix of the list, so an instance's index is a prefix of a multiplier's
        self.n_time = [sum(axis.level > level for axis in self.time) for level in range(case.n_levels)]
        self.n_fanout = [sum(axis.level > level for axis in self.fanout) for level in range(case.n_levels)]
        self.block = [
            tuple(math.prod(x[2] for x in case.loops if x[0] <= level and x[1] == d) for d in DIMS)
            for level in range(case.n_levels)
        ]  # [L][D] positions that the loops at and below a level cover
        self._tiles: dict[tuple[int, int, Position], frozenset[Word]] = {}

    def lock_steps(self) -> Iterator[tuple[Indices, Position]]:
        """Temporal indices and position, in order of time; trips that lie beyond the extent are not made."""
        for indices in itertools.product(*(range(axis.trips) for axis in self.time)):
            now = self.offset(self.time, indices)
            if self.valid(now):
                yield indices, now

    def valid(self, position: Position) -> bool:
        """Whether there is work at a position: it is below the extent in every dimension."""
        return all(map(lt, position, self.case.sizes))

    @staticmethod
    def offset(axes: list[Axis], indices: tuple[int, ...]) -> Position:
        """Position that the first len(indices) of the loops stand at."""
        position = [0] * N_DIMS
        for axis, index in zip(axes, indices, strict=False):
            position[axis.dim] += index * axis.step
        return tuple(position)

    def places(self, level: int) -> list[tuple[Instance, Position]]:
        """All instances of a level with their share of the position; level -1 stands for the multipliers."""
        axes = self.fanout if level < 0 else self.fanout[: self.n_fanout[level]]
        indices = itertools.product(*(range(axis.trips) for axis in axes))
        return [(at, self.offset(axes, at)) for at in indices]

    def ever_works(self, operand: int, instance: Instance) -> bool:
        """Whether an instance counts along the loops of dimensions that the operand does not have."""
        return all(
            axis.dim in self.case.has[operand] or index * axis.step < self.case.sizes[axis.dim]
            for axis, index in zip(self.fanout, instance, strict=False)
        )

    def tile(self, operand: int, level: int, base: Position) -> frozenset[Word]:
        """Words of the operand that the loops at and below the level touch, seen from position `base`."""
        key = operand, level, tuple(base[d] for d in sorted(self.case.has[operand]))
        if key not in self._tiles:
            covered = [
                range(base[d], min(base[d] + self.block[level][d], self.case.sizes[d])) for d in range(N_DIMS)
            ]
            self._tiles[key] = frozenset(itertools.product(*self._axes_of(operand, level, covered)))
        return self._tiles[key]

    def _axes_of(self, operand: int, level: int, covered: list[range]) -> list[set[int] | range]:
        if operand == O:
            return [covered[d] for d in sorted(self.case.has[O])]
        if operand == W:
            # a weight without a batch dimension is the same word for all n
            batch = covered[N] if self.case.weight_has_batch else range(1)
            return [batch, *(covered[d] for d in (G, K, C, R, S, V))]
        sides: list[set[int] | range] = [covered[N], covered[G], covered[C]]
        for (out, tap), window in zip(WINDOWS, self.case.windows, strict=True):
            stride, dilation, pad, size = window
            touched = {p * stride + r * dilation - pad for p in covered[out] for r in covered[tap]}
            if not self.case.padding_stored[level]:
                touched = {h for h in touched if 0 <= h < size}
            if self.case.fetch_box[level] and touched:
                touched = set(range(min(touched), max(touched) + 1))
            sides.append(touched)
        return sides

    def word(self, operand: int, position: Position) -> Word:
        """The word of an operand that the multiply-accumulate at a position uses, be it padding."""
        n, g, k, c, p, q, r, s, z, v = position
        if operand == O:
            return n, g, k, p, q, z
        if operand == W:
            return n if self.case.weight_has_batch else 0, g, k, c, r, s, v
        h, w, d = (
            out * stride + tap * dilation - pad
            for (out, tap), (stride, dilation, pad, _) in zip(
                ((p, r), (q, s), (z, v)), self.case.windows, strict=True
            )
        )
        return n, g, c, h, w, d

    def exists(self, operand: int, word: Word) -> bool:
        """False for padding: a word of the input outside the stored tensor."""
        if operand != I:
            return True
        rows, columns, depths = (window[3] for window in self.case.windows)
        return 0 <= word[3] < rows and 0 <= word[4] < columns and 0 <= word[5] < depths
