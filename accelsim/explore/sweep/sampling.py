"""Some points of a space instead of all: at random, or as a Latin hypercube; distinct, and by their seed.

Points that break a constraint on variables are no points: others are drawn for them.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from accelsim.explore.sweep.work import Indices, Space

ENUMERABLE: Final = 2**20
"""Spaces up to here are listed, so that a sample of nearly all of them ends."""
MAX_ROUNDS: Final = 64
"""Draws in a row that may find nothing new, before a sample stays smaller than asked for."""
MAX_DRAW: Final = 2**20


class Sample(Protocol):
    """What a space file says of its sample."""

    @property
    def points(self) -> int: ...

    @property
    def seed(self) -> int: ...


def random_sample(space: Space, sample: Sample) -> Indices:
    """Each set of so many points is as likely as any other  # [points] or fewer where there are no more"""
    rng = np.random.default_rng(sample.seed)
    if space.n_raw <= ENUMERABLE:
        return rng.permutation(space.points(0, space.n_raw).index)[: sample.points]
    return _collect(space, sample, lambda n: rng.integers(0, space.n_raw, n, np.int64))


def latin_hypercube(space: Space, sample: Sample) -> Indices:
    """Each variable's values are spread as evenly as they can be  # [points] or fewer where there are no more

    Of n points each of k values is taken n/k times, rounded up or down (McKay, Beckman and Conover,
    Technometrics 21(2), 1979, on ordered values): n strata of [0, 1), a point in each, shuffled by variable.
    Where combinations repeat or break a constraint, the missing ones are a hypercube of their own.
    """
    rng = np.random.default_rng(sample.seed)
    if sample.points >= space.n_raw:
        return random_sample(space, sample)

    def draw(n: int) -> Indices:
        index = np.zeros(n, np.int64)
        for size in space.shape:
            index = index * size + _strata(rng, n, size)
        return index

    found = _collect(space, sample, draw)
    if len(found) == sample.points or space.n_raw > ENUMERABLE:
        return found
    rest = np.setdiff1d(space.points(0, space.n_raw).index, found)  # what chance does not find
    return np.concatenate([found, rng.permutation(rest)[: sample.points - len(found)]])


SAMPLERS: Final = {"random": random_sample, "lhs": latin_hypercube}


def _strata(rng: np.random.Generator, n: int, size: int) -> NDArray[np.int64]:
    """A value for each of n points: the strata of [0, 1) in random order, as positions among `size`  # [n]"""
    where = (rng.permutation(n) + rng.random(n)) / n
    return np.minimum((where * size).astype(np.int64), size - 1)


def _collect(space: Space, sample: Sample, draw: Callable[[int], Indices]) -> Indices:
    """Draws until there are enough distinct points that meet the constraints, in the order of drawing."""
    found = np.empty(0, np.int64)
    idle, share = 0, 1.0
    while len(found) < sample.points and idle < MAX_ROUNDS:
        n = min(MAX_DRAW, math.ceil((sample.points - len(found)) / share))
        drawn = draw(n)
        _, first = np.unique(drawn, return_index=True)
        drawn = drawn[np.sort(first)]
        kept = space.points_at(drawn[~np.isin(drawn, found)]).index
        idle = 0 if len(kept) else idle + 1
        share = max(len(kept) / n, 0.01)
        found = np.concatenate([found, kept[: sample.points - len(found)]])
    return found
