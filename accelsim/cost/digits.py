"""Sums over the tiles of one dimension, ragged last tile included.

A dimension of extent D is walked by loops (digits of a mixed radix, outer to inner); digit k moves by step_k
and stands at 0..n_k - 1; the tile at a position is clipped at D. All arrays are [B].
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from accelsim.tables.nest import Nest

Ints = NDArray[np.int64]

WALKED, FIRST, SPREAD, INNER = range(4)
"""What a digit does in a sum. WALKED: time, outside the step looked at, every index. FIRST: index 0 only.
SPREAD: space, every index. INNER: time, inside the step: it returns from its last index to 0."""


@dataclass(frozen=True, slots=True)
class Digit:
    trips: Ints  # [B]
    step: Ints  # [B]
    role: int


def tile_sum(extent: int, digits: Sequence[Digit], tile: Ints, perfect: bool) -> Ints:
    """Sum of min(tile, what is left) over all indices of WALKED and SPREAD digits, the others at 0.

    Full blocks hold nominal counts; only the last block of each digit is short, so that one descent along
    the last blocks is enough: acc += full blocks x their content; go on in what is left.
    """
    if perfect:
        total = tile
        for digit in digits:
            if digit.role in (WALKED, SPREAD):
                total = total * digit.trips
        return total
    content = _full_contents(digits, tile)
    acc: Ints = np.zeros_like(tile)
    rest = np.full_like(tile, extent)
    for k, digit in enumerate(digits):
        if digit.role in (WALKED, SPREAD):
            full = np.minimum(rest // digit.step, digit.trips)
            acc = acc + full * content[k + 1]
            rest = np.where(full < digit.trips, rest - full * digit.step, 0)
        else:
            rest = np.minimum(rest, digit.step)
    return acc + np.minimum(np.maximum(rest, 0), tile)


def steps_down_to(nest: Nest, loop: int, d: int, extent: int) -> Ints:  # [B]
    """Steps of a dimension's loops in time down to `loop`, inner ones and instances at their first index."""
    digits = [
        Digit(nest.trips[j], nest.step[j], FIRST if nest.spatial[j] or j > loop else WALKED)
        for j, dim in enumerate(nest.dims)
        if dim == d
    ]
    return tile_sum(extent, digits, np.ones(nest.n_points, np.int64), perfect=False)


def held_sum(extent: int, digits: Sequence[Digit], tile: Ints, perfect: bool) -> Ints:
    """Sum of the tiles that stay where they are while all INNER digits return from their last index to 0.

    A tile stays only where no INNER digit has a second trip at this position (in lock step: seen from the
    instance with all SPREAD indices 0).
    """
    moves = [np.zeros_like(tile, dtype=np.bool_)]  # [k]: an INNER digit of more than one trip at or inside k
    for digit in reversed(digits):
        moves.append(moves[-1] | (digit.trips > 1) if digit.role == INNER else moves[-1])
    moves.reverse()
    if perfect:
        total = tile_sum(extent, digits, tile, perfect=True)
        return np.where(moves[0], 0, total)
    content = _full_contents(digits, tile)
    acc: Ints = np.zeros_like(tile)
    rest = np.full_like(tile, extent)
    for k, digit in enumerate(digits):
        if digit.role == WALKED:
            full = np.minimum(rest // digit.step, digit.trips)
            acc = acc + np.where(moves[k + 1], 0, full * content[k + 1])
            rest = np.where(full < digit.trips, rest - full * digit.step, 0)
        elif digit.role == SPREAD:
            full = np.minimum(rest // digit.step, digit.trips)
            acc = acc + np.where(moves[k + 1], 0, full * content[k + 1])
            left = np.where(full < digit.trips, rest - full * digit.step, 0)
            rest = np.where(moves[k + 1] & (rest >= digit.step), 0, left)
        elif digit.role == INNER:
            rest = np.where(rest <= digit.step, rest, 0)
        else:
            rest = np.minimum(rest, digit.step)
    return acc + np.minimum(np.maximum(rest, 0), tile)


def ever_used(extent: int, trips: Ints, step: Ints) -> Ints:
    """Indices of a spatial loop that have work at least once: ceil(min(D, n step) / step)."""
    used: Ints = -(-np.minimum(extent, trips * step) // step)
    return used


def _full_contents(digits: Sequence[Digit], tile: Ints) -> list[Ints]:
    """content[k]: the sum over digits k.. of a block that nothing clips."""
    contents = [tile]
    for digit in reversed(digits):
        walked = digit.role in (WALKED, SPREAD)
        contents.append(contents[-1] * digit.trips if walked else contents[-1])
    contents.reverse()
    return contents
