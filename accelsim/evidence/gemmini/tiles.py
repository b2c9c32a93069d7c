"""The tiles into which Gemmini's library cuts a product, and the words that each of them loads.

Source: ucb-bar/gemmini-rocc-tests, include/gemmini.h, tiled_matmul_auto and tiled_matmul_outer for the
weight-stationary array; for 512x512x512 on the default configuration it gives 42 tiles of at most 5x6x32
blocks, as does buddy-compiler/buddy-mlir #933.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from math import ceil, isqrt


@dataclass(frozen=True)
class Memories:
    """What the library knows of the hardware: side of a block, rows of both memories."""

    dim: int
    scratchpad_rows: int  # of dim bytes
    accumulator_rows: int  # of dim sums


@dataclass(frozen=True)
class Tile:
    """Blocks of one tile, and of A and B the places from which they come (None: they are there already)."""

    i: int
    j: int
    k: int
    a: tuple[int, int] | None
    b: tuple[int, int] | None
    c: tuple[int, int]
    last_k: bool


def largest_tile(blocks: tuple[int, int, int], memories: Memories) -> tuple[int, int, int]:
    """Blocks (I, J, K) of a tile: half of each memory, near square in I and J, then as large as fits."""
    most_io = memories.scratchpad_rows // 2 // memories.dim
    most_c = memories.accumulator_rows // 2 // memories.dim
    side = isqrt(most_c)
    i, j, k = (min(n, limit) for n, limit in zip(blocks, (side, side, most_io // 2 // side), strict=True))
    while True:
        before = i, j, k
        if j < blocks[1] and (i + j + 1) * k <= most_io and i * (j + 1) <= most_c:
            j += 1
        if i < blocks[0] and (i + 1 + j) * k <= most_io and (i + 1) * j <= most_c:
            i += 1
        if k < blocks[2] and (i + j) * (k + 1) <= most_io:
            k += 1
        if (i, j, k) == before:
            return before


def tiles(m: int, k: int, n: int, memories: Memories) -> Iterator[Tile]:
    """All tiles of [m x k] [k x n] in the library's order: rows, columns, then the reduction.

    A stays where all of a row of tiles needs at most two, and so does B of a column.
    """
    blocks = ceil(m / memories.dim), ceil(n / memories.dim), ceil(k / memories.dim)
    sizes = largest_tile(blocks, memories)
    counts = [ceil(total / size) for total, size in zip(blocks, sizes, strict=True)]
    keep_a, keep_b = counts[0] * counts[2] <= 2, counts[1] * counts[2] <= 2
    for at in product(*(range(count) for count in counts)):
        i, j, k = (min(size, n - x * size) for x, size, n in zip(at, sizes, blocks, strict=True))
        a = None if keep_a and at[1] else (at[0], at[2])
        b = None if keep_b and at[0] else (at[2], at[1])
        yield Tile(i, j, k, a, b, (at[0], at[1]), at[2] == counts[2] - 1)
