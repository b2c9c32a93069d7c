"""What a storage level fetches while the loops outside it run, by Timeloop's rules, for B mappings at once.

Walk the temporal loops above a tile from the innermost outwards. The first that moves the tile, j, decides
what a step fetches: delta = tile - overlap(tile, tile shifted by j's step). Each pass of j then starts with a
jump (the step of the loop outside minus what the loops inside go back): a jump of zero fetches nothing, one
equal to j's step fetches delta, any other the whole tile (Timeloop forgets what it holds where the stride
changes). Timeloop runs each loop at its first two steps only and multiplies, so "what the loops inside go
back" is one step of each, not all: it undercounts where that makes the jump zero. With R(j) = (n_j - 1) delta
and, for each loop k outside j, R(k) = n_k R + (n_k - 1) jump(k):

    fetched = tile + R

and in the plain case, no special jump, (tile + (n_j - 1) delta) x product of n_k over the loops outside j.
Words per instance of the child. Source: Timeloop's nest analysis (src/loop-analysis/nest-analysis.cpp).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from accelsim.compat.timeloop.model import Ints, Mappings, Tensor


@dataclass(frozen=True)
class Loops:
    """The temporal loops of B mappings at their places, and how far each step goes."""

    dim: Ints  # [L, D, B] or [L, D, 1]
    trips: Ints  # [L, D, B]
    step: Ints  # [L, D, B]
    inside: Ints  # [L + 1, D, B]
    """Extent of each dim within level l: the product of all its loops at levels < l."""

    @property
    def tile(self) -> Ints:
        """Extent of each dim in the tile of each level.  [L, D, B]"""
        return self.inside[1:]


def loops_of(mappings: Mappings) -> Loops:
    """Steps and extents: loops in space stand inside the loops in time of their level."""
    trips = mappings.time * mappings.space
    inside = np.concatenate([np.ones_like(trips[:1]), np.cumprod(trips, axis=0)])
    step = inside[:-1] * mappings.space
    order = np.broadcast_to(mappings.order, mappings.time.shape)
    return Loops(
        mappings.order,
        np.take_along_axis(mappings.time, order, axis=1),
        np.take_along_axis(step, order, axis=1),
        inside,
    )


def sides(tensor: Tensor, extents: Ints) -> Ints:
    """Sides of a tensor's box over extents of the dims: 1 + sum of coefficient x (extent - 1).  [R, B]"""
    ones = np.ones(extents.shape[1:], np.int64)
    return np.stack(
        [ones + sum(coefficient * (extents[dim] - 1) for dim, coefficient in rank) for rank in tensor.ranks]
    )


def slides(tensor: Tensor) -> bool:
    """Whether tiles can overlap: some axis is a sum of two dims."""
    return any(len(rank) > 1 for rank in tensor.ranks)


def fetched(tensor: Tensor, child: int, loops: Loops, *, extrapolates: bool = True) -> Ints:
    """Words that one instance of level `child` (-1: a multiplier) fetches in all; see the module.  [B]"""
    n_levels, n_places, n_mappings = loops.trips.shape
    coefficients = tensor.coefficients(loops.inside.shape[1])
    box = sides(tensor, loops.inside[child + 1])
    tile: Ints = box.prod(axis=0)
    may_slide = slides(tensor)
    found = np.zeros(n_mappings, bool)
    rest: Ints = np.zeros_like(tile)
    delta: Ints = np.zeros_like(tile)
    first, back = np.zeros_like(box), np.zeros_like(box)
    for level in range(child + 1, n_levels):
        for place in range(n_places):
            trips = loops.trips[level, place]
            many = trips > 1
            if not many.any():
                continue
            shift = coefficients[:, loops.dim[level, place]] * loops.step[level, place]  # [R, B]
            moves = many & shift.any(axis=0)
            starts = moves & ~found
            jump = tile
            if may_slide and found.any():
                vector = shift - back
                jump = np.where((vector == first).all(axis=0), delta, tile)
                jump = np.where(vector.any(axis=0), jump, 0)
            rest = np.where(found, trips * rest + (trips - 1) * jump, rest)
            if starts.any():
                fresh = tile - np.maximum(box - shift, 0).prod(axis=0)
                delta = np.where(starts, fresh, delta)
                rest = np.where(starts, (trips - 1) * fresh, rest)
                first = np.where(starts, shift, first)
            if may_slide:
                back = back + np.where(moves, shift if extrapolates else shift * (trips - 1), 0)
            found |= moves
    total: Ints = tile + rest
    return total
