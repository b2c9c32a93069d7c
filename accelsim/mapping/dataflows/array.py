"""Dataflows of one stationary operand (or none): spatial loops on rows and columns, tiles in the buffers.

The parameters are the tile sizes of K, C, rows and images in each buffer, the filter taps on the array and
the order of the loops around the outermost buffer. A buffer that keeps partial sums between the array and
the outermost one (accumulators) has a tile of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from math import prod

from accelsim.mapping.dataflows.array_grid import array_grid
from accelsim.mapping.dataflows.base import Bools, Dataflow, ParameterSpace, ladder
from accelsim.tables.dims import C, K, N, O, P, Q, R, S, V
from accelsim.tables.machine import Machine
from accelsim.tables.nest import Problem

Unroll = dict[int, int]


@dataclass(frozen=True)
class ArrayDataflow(Dataflow):
    """WS, OS, IS and NLR: what stays decides which loops run innermost."""

    inner: tuple[int, ...] = field(default=())
    """Loops inside the innermost buffer, outer to inner; those that leave what is stationary come last."""

    def spaces(
        self, problem: Problem, machine: Machine, keep: Bools, wider: bool = False
    ) -> Iterator[ParameterSpace]:
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


def _fillings(problem: Problem, dims: tuple[int, ...], size: int) -> list[Unroll]:
    """Ways to unroll dimensions onto an axis: the first takes what the others leave, but not in vain."""
    if not dims:
        return [{}]
    fillings: list[Unroll] = [{}]
    for d in reversed(dims[1:]):
        fillings = [
            {**filling, d: int(trips)}
            for filling in fillings
            for trips in ladder(problem.extents[d], size // prod(filling.values()))
        ]
    first = dims[0]
    out = []
    for filling in fillings:
        most = min(problem.extents[first], size // prod(filling.values()))
        out.append({**filling, first: -(-problem.extents[first] // -(-problem.extents[first] // most))})
    return out


_PIXELS = (N, P, Q)

WS = ArrayDataflow(
    "ws",
    "weight-stationary: a weight stays in each PE, inputs stream in, sums stream out",
    rows=(C, S, R),
    cols=(K,),
    in_array=(1,),
    inner=(K, C, V, R, S, *_PIXELS),
)
OS = ArrayDataflow(
    "os",
    "output-stationary: a sum stays in each PE, inputs and weights stream in",
    rows=(Q, P, N),
    cols=(K,),
    in_array=(2,),
    inner=(*_PIXELS, K, C, V, R, S),
)
IS = ArrayDataflow(
    "is",
    "input-stationary: an input stays in each PE, weights stream in, sums stream out",
    rows=(C, S, R),
    cols=(Q, P, N),
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
