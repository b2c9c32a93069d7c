"""Sums of ticks by port, on their way into a kind of tile step."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from fractions import Fraction
from math import ceil

import numpy as np
from numpy.typing import NDArray

from accelsim.sim.layout import Layout
from accelsim.sim.program import Kind, Moves


class Sum(dict[int, Fraction]):
    """Ticks by port number."""

    def add(self, number: int, ticks: Fraction) -> None:
        self[number] = self.get(number, Fraction(0)) + ticks

    def take(self, layout: Layout, level: int, way: int, ticks: Fraction) -> None:
        """An access of a level, on all ports that it takes."""
        for number in layout.at.get((level, way), ()):
            self.add(number, ticks)

    def update_from(self, other: Sum, numbers: Collection[int]) -> None:
        for number in sorted(numbers):
            self.add(number, other[number])

    def moves(self) -> Moves:
        return tuple((number, ceil(ticks)) for number, ticks in self.items() if ticks)

    def alone(self, layout: Layout, operand: int) -> list[int]:
        """The ports whose transfers of an operand do not run beside compute."""
        return [number for number in self if (layout.level[number], operand) in layout.apart]


def divide(moves: Sum, layout: Layout, operand: int, beside: Sum, apart: Sum, owed: Sum) -> None:
    """Moves of which a port stands alone: that one moves apart, the others owe theirs. Else all go beside."""
    alone = moves.alone(layout, operand)
    apart.update_from(moves, alone)
    (owed if alone else beside).update_from(moves, moves.keys() - alone)


def by_level(apart: Sum, layout: Layout) -> tuple[Moves, ...]:
    """Moves apart of several levels take place one after the other."""
    levels = sorted({layout.level[number] for number, ticks in apart.items() if ticks})
    moves = apart.moves()
    return tuple(tuple(move for move in moves if layout.level[move[0]] == level) for level in levels)


def pad_of(kinds: Sequence[Kind], steps: NDArray[np.int32], layout: Layout, cycle: int) -> int:
    """Ticks that are missing to whole cycles in the moves apart of all steps, level by level."""
    total: dict[int, int] = {}
    for kind, times in zip(kinds, np.bincount(steps, minlength=len(kinds)).tolist(), strict=True):
        for moves in kind.apart:
            level = layout.level[moves[0][0]]
            total[level] = total.get(level, 0) + times * max(ticks for _, ticks in moves)
    return sum(-ticks % cycle for ticks in total.values())
