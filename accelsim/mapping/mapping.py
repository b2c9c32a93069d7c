"""The mapping of one layer as data: which loop runs at which level, in time or in space, in which order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from accelsim.tables.dims import DIMS, OPERANDS
from accelsim.tables.nest import Nest

AXES = ("rows", "cols", "array")


@dataclass(frozen=True, slots=True)
class Loop:
    """`trips` steps of a dimension, one after the other; with an axis they are instances side by side."""

    dim: str
    trips: int
    axis: str = ""


@dataclass(frozen=True, slots=True)
class LevelLoops:
    """The loops of one memory level, outer to inner, temporal first, and the operands that it keeps."""

    level: str
    keeps: tuple[str, ...]
    loops: tuple[Loop, ...]


@dataclass(frozen=True, slots=True)
class Mapping:
    """Levels from the outermost to the multiplier; prints as a loop nest."""

    levels: tuple[LevelLoops, ...]

    def __str__(self) -> str:
        lines, depth = [], 0
        for level in self.levels:
            lines.append(f"{'  ' * depth}{level.level} keeps {' '.join(level.keeps) or 'nothing'}")
            for loop in level.loops:
                if loop.trips > 1:
                    kind = f"for {loop.dim} in 0:{loop.trips}"
                    kind = f"parallel {kind} on {loop.axis}" if loop.axis else kind
                    depth += 1
                    lines.append(f"{'  ' * depth}{kind}")
            depth += 1
        lines.append(f"{'  ' * depth}multiply-accumulate")
        return "\n".join(lines)

    def spatial_trips(self) -> int:
        """Processing elements that have work: the product of all spatial trips."""
        trips = 1
        for level in self.levels:
            for loop in level.loops:
                trips *= loop.trips if loop.axis else 1
        return trips

    def to_nest(self, level_names: Sequence[str]) -> Nest:
        """The mapping as arrays of one point; levels that it does not name keep nothing.

        Raises KeyError for a level that the machine does not have; `mapping.files` reports it.
        """
        number = {name: i for i, name in enumerate(level_names)}
        loops = [(loop, number[level.level]) for level in self.levels for loop in level.loops]
        keep = np.zeros((len(level_names), len(OPERANDS)), np.bool_)
        for level in self.levels:
            for operand in level.keeps:
                keep[number[level.level], OPERANDS.index(operand)] = True
        return Nest(
            tuple(DIMS.index(loop.dim) for loop, _ in loops),
            tuple(level for _, level in loops),
            tuple(loop.axis for loop, _ in loops),
            np.array([[loop.trips] for loop, _ in loops], np.int64).reshape(len(loops), 1),
            keep,
        )


def from_nest(nest: Nest, point: int, level_names: Sequence[str]) -> Mapping:
    """One point of a nest as a mapping, loops of a single trip left out."""
    levels = []
    for level in range(len(level_names) - 1, -1, -1):
        loops = tuple(
            Loop(DIMS[nest.dims[j]], int(nest.trips[j, point]), nest.axis[j])
            for j in range(len(nest.dims))
            if nest.levels[j] == level and nest.trips[j, point] > 1
        )
        keeps = tuple(name for t, name in enumerate(OPERANDS) if nest.keep[level, t])
        levels.append(LevelLoops(level_names[level], keeps, loops))
    return Mapping(tuple(levels))
