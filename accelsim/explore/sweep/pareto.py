"""Pareto front, knee and bests of a table of points; costs are [n, k], smaller is better in every column."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]
Columns = Mapping[str, NDArray[Any]]

MOST_OBJECTIVES: Final = 4
"""Beyond four nearly every point is on the front: it answers nothing."""

BLOCK: Final = 256
CELLS: Final = 2**18
"""Rivals, and pairs of a rival and a point, that are compared at a time: they stay in a cache."""


@dataclass(frozen=True, slots=True)
class Objective:
    """A metric column of which least or most is wanted."""

    name: str
    maximise: bool = False

    def cost(self, values: NDArray[Any]) -> Floats:
        """The values so that smaller is better."""
        plain = np.asarray(values, dtype=np.float64)
        return -plain if self.maximise else plain


def front(costs: Floats) -> Indices:
    """Indices of the points that no other dominates, by their first cost, then the next ones, then the index.

    p dominates q where p_i <= q_i for all i and p_i < q_i for one. Equal points do not dominate one another:
    all of them are kept. A point with a cost that is not finite is never on the front. Two objectives take
    O(n log n), more O(n f) of f points on the front.
    """
    known = np.flatnonzero(np.isfinite(costs).all(axis=1))
    if len(known) == 0:
        return known
    known = known[_survivors(costs[known])]
    order = _sorted(costs[known], known)
    rows = costs[known][order]
    kept = _staircase(rows) if rows.shape[1] <= 2 else _by_blocks(rows)
    return np.asarray(known[order][kept], dtype=np.int64)


def _sorted(costs: Floats, index: Indices) -> Indices:
    """Order in which no point comes before one that dominates it; equal ones by their index."""
    return np.lexsort((index, *costs.T[::-1]))


def _survivors(costs: Floats) -> NDArray[np.bool_]:
    """Those that the best compromises do not dominate: a cheap look that spares most points of a large table.

    The compromises are the least sums of costs between their ends, under a few weights.
    """
    left = np.ones(len(costs), dtype=bool)
    if len(costs) <= BLOCK:
        return left
    low, span = costs.min(axis=0), np.ptp(costs, axis=0)
    scaled = (costs - low) / np.where(span > 0, span, 1.0)
    k = costs.shape[1]
    weights = np.vstack([np.ones(k), *(np.where(np.eye(k) > 0, heavy, 1.0) for heavy in (0.1, 10.0))])
    rivals = np.unique(costs[np.argmin(scaled @ weights.T, axis=0)], axis=0)
    for rival in rivals:
        left &= ~dominated(costs, rival[None])
    return left


def _staircase(rows: Floats) -> NDArray[np.bool_]:
    """Of one or two costs in order: what is below all before it, and what equals such a one."""
    last = rows[:, -1]
    below = np.empty(len(rows), dtype=bool)
    below[0] = True
    below[1:] = last[1:] < np.minimum.accumulate(last)[:-1]
    if rows.shape[1] == 1:
        return np.asarray(last == last[0])
    leader = np.maximum.accumulate(np.where(below, np.arange(len(rows)), 0))
    return np.asarray((rows == rows[leader]).all(axis=1))


def _by_blocks(rows: Floats) -> NDArray[np.bool_]:
    """Of three costs and more in order: the front of a block drops what it dominates from all that follows.

    On distinct rows, as ranks (half the bytes), by their sum: a dominator has the smaller one, and the points
    that dominate most come first.
    """
    new = np.ones(len(rows), dtype=bool)
    new[1:] = (rows[1:] != rows[:-1]).any(axis=1)
    ranks = np.stack([np.unique(column, return_inverse=True)[1] for column in rows[new].T], axis=1)
    ranks = ranks.astype(np.int32)
    at = np.argsort(ranks.sum(axis=1, dtype=np.int64), kind="stable")
    kept = np.zeros(len(ranks), dtype=bool)
    while len(at):
        block, at = at[:BLOCK], at[BLOCK:]
        own = block[~dominated(ranks[block], ranks[block])]
        kept[own] = True
        at = at[~dominated(ranks[at], ranks[own])]
    return np.asarray(kept[np.cumsum(new) - 1])


def dominated(points: NDArray[Any], rivals: NDArray[Any]) -> NDArray[np.bool_]:
    """Which points [n, k] one of the rivals [m, k] dominates, a slice of points at a time."""
    found = np.zeros(len(points), dtype=bool)
    step = max(1, CELLS // max(1, len(rivals)))
    for start in range(0, len(points), step):
        columns = [np.ascontiguousarray(column) for column in points[start : start + step].T]
        no_worse = rivals[:, 0, None] <= columns[0]
        for theirs, mine in zip(rivals.T[1:], columns[1:], strict=True):
            no_worse &= theirs[:, None] <= mine
        some = np.flatnonzero(no_worse.any(axis=0))  # few of a slice: the others need no second look
        equal = (rivals[:, None, :] == points[start + some][None, :, :]).all(axis=2)
        found[start + some] = (no_worse[:, some] & ~equal).any(axis=0)
    return found


def knee(costs: Floats) -> int:
    """Row of a front [f, k] that is farthest below the chord between the front's ends.

    Costs are scaled to 0..1 over the front. With two, the chord joins (0, 1) and (1, 0), and the distance of
    a point is (1 - x - y) / sqrt 2 (Das, Structural Optimization 18, 1999: the bulge of the front over the
    plane of its ends); with more, the plane of equal sums takes the chord's place. The first of equals.
    """
    span = np.ptp(costs, axis=0)
    scaled = (costs - costs.min(axis=0)) / np.where(span > 0, span, 1.0)
    return int(np.argmin(scaled.sum(axis=1)))


def best_of(costs: Floats, on_front: Indices) -> list[int]:
    """For each cost the point with the least; of those that tie, the one that is on the front by the others.

    Costs [n, k] of all points and the indices of their front; none where the front is empty.
    """
    if len(on_front) == 0:
        return []
    rows = costs[on_front]
    return [int(on_front[np.lexsort((*rows.T[::-1], rows[:, i]))[0]]) for i in range(rows.shape[1])]
