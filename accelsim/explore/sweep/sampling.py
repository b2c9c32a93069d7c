"""Some machines of a space instead of all, each with all of its networks: at random, or as a Latin hypercube;
distinct, and by their seed.

A machine of which a point breaks a constraint on variables is none: another is drawn for it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from accelsim.explore.sweep.numbering import Numbering
from accelsim.explore.sweep.work import Indices, Space

ENUMERABLE: Final = 2**20
"""Spaces of so many machines are listed, so that a sample of nearly all of them ends."""
MAX_ROUNDS: Final = 64
"""Draws in a row that may find nothing new, before a sample stays smaller than asked for."""
MAX_DRAW: Final = 2**20


class Sample(Protocol):
    """What a space file says of its sample."""

    @property
    def method(self) -> str: ...

    @property
    def points(self) -> int: ...

    @property
    def seed(self) -> int: ...


class Machines:
    """What samples draw: the machines of a space; a machine is there when all its networks are."""

    def __init__(self, space: Space) -> None:
        self._space, self._numbering = space, Numbering(space.variables)
        self.n_networks = self._numbering.n_networks
        self.n = self._numbering.n_machines
        drawn = space.variables if self.n_networks == 1 else self._numbering.factors
        self.shape = tuple(len(one.values) for one in drawn)

    def asked(self, sample: Sample) -> int:
        """Machines that a sample asks for, one at least, whether there are so many or not."""
        return max(1, sample.points // self.n_networks)

    def most(self, sample: Sample) -> int:
        """Points that a sample has at the most; exactly, where machines are few enough to be listed."""
        there = self.n if self.n > ENUMERABLE else len(self.every())
        return min(self.asked(sample), there) * self.n_networks

    def points(self, machine: Indices) -> Indices:
        """Their points, a machine's networks together  # [n] -> [n * networks]"""
        return self._numbering.point(machine[:, None], np.arange(self.n_networks)).ravel()

    def there(self, machine: Indices) -> Indices:
        """Those of which all points meet the constraints on variables, in their order."""
        points = self.points(machine)
        kept = np.isin(points, self._space.points_at(points).index)
        return machine[kept.reshape(-1, self.n_networks).all(axis=1)]

    def every(self) -> Indices:
        """All that are there, in rising order."""
        return self.there(np.arange(self.n, dtype=np.int64))


def drawn(space: Space, sample: Sample) -> Indices:
    """The points of a sample, machine by machine in the order of drawing; fewer where there are no more."""
    machines = Machines(space)
    rng = np.random.default_rng(sample.seed)
    return machines.points(SAMPLERS[sample.method](machines, machines.asked(sample), rng))


def _random(machines: Machines, wanted: int, rng: np.random.Generator) -> Indices:
    """Each set of so many machines is as likely as any other."""
    if machines.n <= ENUMERABLE:
        return rng.permutation(machines.every())[:wanted]
    return _collect(machines, wanted, lambda n: rng.integers(0, machines.n, n, np.int64))


def _latin_hypercube(machines: Machines, wanted: int, rng: np.random.Generator) -> Indices:
    """Each variable's values are spread as evenly as they can be.

    Of n machines each of k values is taken n/k times, rounded up or down (McKay, Beckman and Conover,
    Technometrics 21(2), 1979, on ordered values): n strata of [0, 1), a point in each, shuffled by variable.
    Where combinations repeat or break a constraint, the missing ones are a hypercube of their own.
    """
    if wanted >= machines.n:
        return _random(machines, wanted, rng)

    def draw(n: int) -> Indices:
        index = np.zeros(n, np.int64)
        for size in machines.shape:
            index = index * size + _strata(rng, n, size)
        return index

    found = _collect(machines, wanted, draw)
    if len(found) == wanted or machines.n > ENUMERABLE:
        return found
    rest = np.setdiff1d(machines.every(), found)  # what chance does not find
    return np.concatenate([found, rng.permutation(rest)[: wanted - len(found)]])


SAMPLERS: Final = {"random": _random, "lhs": _latin_hypercube}


def _strata(rng: np.random.Generator, n: int, size: int) -> NDArray[np.int64]:
    """A value for each of n machines: strata of [0, 1) in random order, as positions among `size`  # [n]"""
    where = (rng.permutation(n) + rng.random(n)) / n
    return np.minimum((where * size).astype(np.int64), size - 1)


def _collect(machines: Machines, wanted: int, draw: Callable[[int], Indices]) -> Indices:
    """Draws until there are enough distinct machines, in the order of drawing."""
    found = np.empty(0, np.int64)
    idle, share = 0, 1.0
    while len(found) < wanted and idle < MAX_ROUNDS:
        n = min(MAX_DRAW, math.ceil((wanted - len(found)) / share))
        some = draw(n)
        _, first = np.unique(some, return_index=True)
        some = some[np.sort(first)]
        kept = machines.there(some[~np.isin(some, found)])
        idle = 0 if len(kept) else idle + 1
        share = max(len(kept) / n, 0.01)
        found = np.concatenate([found, kept[: wanted - len(found)]])
    return found
