"""Gemmini's walk of tiles against one of single steps of K: a step computes once its blocks are there."""

from __future__ import annotations

import random

import pytest

from accelsim.evidence.gemmini.model import Cache, Constants, cycles, same_bank_frac
from accelsim.evidence.gemmini.tiles import Memories, Tile, tiles

MEMORIES = Memories(dim=4, scratchpad_rows=512, accumulator_rows=64)
CONSTANTS = Constants(miss_bytes_per_cycle=3, start_cycles=7, weight_tile_cycles=1)


def stepped(walk: list[Tile], bus: float) -> float:
    """Each step of K of each tile by itself: loads one after the other, steps one after the other."""
    cache, load_free, array_free = Cache(512 * 1024), 0.0, 0.0
    left_at: list[float] = []
    for number, tile in enumerate(walk):
        seconds = 0.0
        for name, place, blocks in (("A", tile.a, tile.i), ("B", tile.b, tile.j)):
            if place is not None:
                hit = cache.touch((name, *place), blocks * tile.k * 16)
                seconds += blocks * 16 / (bus if hit else CONSTANTS.miss_bytes_per_cycle)
        load_free = max(load_free, left_at[number - 2] if number >= 2 else 0.0)
        for _ in range(tile.k):
            load_free += seconds
            slow = 1 + 4 * same_bank_frac(tile, MEMORIES)
            array_free = max(array_free, load_free) + tile.i * tile.j * 4 + tile.j * slow
        left_at.append(array_free)
        cache.touch(("C", *tile.c), tile.i * tile.j * 16)
    return array_free + CONSTANTS.start_cycles


def test_walk_of_tiles_equals_walk_of_steps() -> None:
    rng = random.Random(5)
    for _ in range(200):
        walk = [*tiles(*(rng.randint(1, 150) for _ in range(3)), MEMORIES)]
        assert cycles(walk, MEMORIES, 8, CONSTANTS) == pytest.approx(stepped(walk, 8), abs=0.51)


def test_same_bank_counts_rows_of_both_operands_in_each_bank() -> None:
    """A in rows 0 to 15, B in rows 192 to 255, banks of 128: apart. With 160 rows of B, 32 lie beside A's."""
    assert same_bank_frac(Tile(1, 4, 4, (0, 0), (0, 0), (0, 0), True), MEMORIES) == 0
    assert same_bank_frac(Tile(1, 10, 4, (0, 0), (0, 0), (0, 0), True), MEMORIES) == 32 / 160
