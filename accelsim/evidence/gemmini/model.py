"""Tiles of a product, one after the other: their loads, and their blocks on the array.

    load ends     = start + bytes / rate of the L2 cache's hits or misses
    compute ends  = max(start + blocks x 16 + 2 a weight tile, load ends + the last step of K)

A load starts when the one before has ended and the tile before the last has left its half of the scratchpad.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

from accelsim.evidence.case import Value
from accelsim.evidence.gemmini.tiles import Memories, Tile, tiles
from accelsim.flow import arch

BANKS: Final = 4
"""Of the scratchpad (Gemmini's default configuration, sp_banks); the halves are two each."""
L2_BYTES: Final = 512 * 1024
"""Chipyard's default inclusive cache (WithInclusiveCache, capacityKB = 512)."""


@dataclass(frozen=True)
class Constants:
    """What no source gives, fitted to the table: see case.yaml."""

    miss_bytes_per_cycle: float = 9.0
    start_cycles: float = 2500.0
    weight_tile_cycles: float = 2.0


NEUTRAL: Final = {"miss_bytes_per_cycle": 16.0, "start_cycles": 0.0, "weight_tile_cycles": 0.0}


def predict(rows: list[dict[str, str]], without: str | None = None) -> list[dict[str, Value]]:
    """`rtl_cycles` of each product of M, K and N."""
    constants = Constants(**{without: NEUTRAL[without]}) if without else Constants()
    machine = arch("gemmini_16x16").machine()
    capacity = dict(zip(machine.level_names, machine.capacity_bytes.tolist(), strict=True))
    dim = machine.rows
    memories = Memories(dim, int(capacity["scratchpad"]) // dim, int(capacity["accumulator"]) // (4 * dim))
    bus = float(machine.read_bytes_per_cycle[machine.level("dram")])
    found: list[dict[str, Value]] = []
    for row in rows:
        walk = tiles(int(row["M"]), int(row["K"]), int(row["N"]), memories)
        found.append({"rtl_cycles": cycles([*walk], memories, bus, constants)})
    return found


def cycles(walk: list[Tile], memories: Memories, bus_bytes_per_cycle: float, constants: Constants) -> int:
    """Cycles of tiles in their order; `bus_bytes_per_cycle` is the rate of what the L2 cache holds."""
    cache = Cache(L2_BYTES)
    block_bytes = memories.dim**2
    loaded, ends = 0.0, [0.0, 0.0]  # the last load, the last two tiles
    for tile in walk:
        load = 0.0
        for name, place, blocks in (("A", tile.a, tile.i * tile.k), ("B", tile.b, tile.k * tile.j)):
            if place is not None:
                hit = cache.touch((name, *place), blocks * block_bytes)
                rate = bus_bytes_per_cycle if hit else constants.miss_bytes_per_cycle
                load += blocks * block_bytes / rate
        start = max(loaded, ends[0])
        loaded = start + load
        extra = constants.weight_tile_cycles + memories.dim * same_bank_frac(tile, memories)
        compute = (tile.i * tile.j * memories.dim + tile.j * extra) * tile.k
        first = max(start + load / tile.k, ends[1])
        ends = [ends[1], max(first + compute, loaded + compute / tile.k)]
        if tile.last_k:
            cache.touch(("C", *tile.c), tile.i * tile.j * block_bytes)
    return round(ends[1] + constants.start_cycles)


def same_bank_frac(tile: Tile, memories: Memories) -> float:
    """How often a block of A and the weights that load beside it lie in one bank: then they take turns.

    A lies at the beginning of its half, B at the end; both are taken to be read evenly.
    """
    bank = memories.scratchpad_rows // BANKS
    a_rows, b_rows = tile.i * tile.k * memories.dim, tile.k * tile.j * memories.dim
    half = memories.scratchpad_rows // 2
    found = 0.0
    for low in range(0, half, bank):
        a = max(0, min(a_rows, low + bank) - low) / a_rows
        b = max(0, min(half, low + bank) - max(half - b_rows, low)) / b_rows
        found += a * b
    return found


class Cache:
    """The L2 cache by whole tiles, the one that was not used for longest leaves first."""

    def __init__(self, size: int) -> None:
        self.size, self.held = size, OrderedDict[tuple[object, ...], int]()

    def touch(self, name: tuple[object, ...], n_bytes: int) -> bool:
        """Use some bytes; whether they were there."""
        hit = name in self.held
        self.held[name] = n_bytes
        self.held.move_to_end(name)
        while sum(self.held.values()) > self.size:
            self.held.popitem(last=False)
        return hit
