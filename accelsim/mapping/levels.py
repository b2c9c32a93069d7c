"""What one mapping makes of each memory level: its loops, its instances, the tile of each operand in it."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, prod

import numpy as np

from accelsim.mapping.footprint import level_bytes, tile_bytes, tile_words, word_bytes
from accelsim.mapping.mapping import Loop, from_nest
from accelsim.tables.machine import Machine
from accelsim.tables.nest import Nest, Problem


@dataclass(frozen=True)
class Tile:
    """The largest tile of an operand in one instance of a level; at its home the operand as a whole."""

    words: int
    bytes: int
    is_home: bool


@dataclass(frozen=True)
class LevelUse:
    """One level under one mapping."""

    level: str
    keeps: tuple[str, ...]
    loops: tuple[Loop, ...]  # outer to inner, in time first
    n_instances: int
    """Of the level, that have work side by side."""
    tiles: dict[int, Tile]  # by operand, of those that it keeps
    passing_bytes: int
    """Room that the tiles take in an instance, twice with double buffering; what has its home here apart."""


def level_uses(
    problem: Problem, nest: Nest, machine: Machine, whole_words: tuple[int, int, int]
) -> tuple[LevelUse, ...]:
    """The levels from the outermost to the multiplier, of a nest of one point.

    `whole_words` are the distinct words of I, W and O that the layer touches: what lies at their homes.
    """
    uses = []
    for described in from_nest(nest, 0, machine.level_names).levels:
        level = machine.level(described.level)
        tiles: dict[int, Tile] = {}
        for t in map(int, np.flatnonzero(nest.keep[level])):
            if nest.kept_levels(t)[-1] == level:
                words = whole_words[t]
                tiles[t] = Tile(words, ceil(words * word_bytes(machine, level, t)), True)
                continue
            padded, box = bool(machine.padding_stored[level]), bool(machine.fetch_box[level])
            n_words = int(tile_words(problem, nest, t, level, padded, box)[0])
            tiles[t] = Tile(n_words, ceil(float(tile_bytes(problem, nest, machine, t, level)[0])), False)
        instances = prod(
            int(nest.trips[j, 0]) for j in range(len(nest.dims)) if nest.spatial[j] and nest.levels[j] > level
        )
        uses.append(
            LevelUse(
                described.level,
                described.keeps,
                described.loops,
                instances,
                tiles,
                ceil(float(level_bytes(problem, nest, machine, level)[0])),
            )
        )
    return tuple(uses)
