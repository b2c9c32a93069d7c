"""Machines among the points of a space: a machine is a combination of all variables but the network."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from accelsim.explore.sweep.points import digits_of

NETWORK: Final = "network"
Ints = NDArray[np.int64]


class Varies(Protocol):
    """What a space says of a variable."""

    @property
    def name(self) -> str: ...
    @property
    def values(self) -> Sequence[Any]: ...


class Numbering:
    """Numbers of points (mixed radix over all variables) and of machines (over all but the network)."""

    def __init__(self, variables: Sequence[Varies]) -> None:
        names = [one.name for one in variables]
        at = names.index(NETWORK) if NETWORK in names else None
        self.networks: tuple[Any, ...] = (None,) if at is None else tuple(variables[at].values)
        self.factors = tuple(one for one in variables if one.name != NETWORK)
        self.shape = tuple(len(one.values) for one in self.factors)
        self.n_machines = math.prod(self.shape)
        self._below = math.prod(self.shape[at:]) if at is not None else self.n_machines

    @property
    def n_networks(self) -> int:
        return len(self.networks)

    def split(self, index: Ints) -> tuple[Ints, Ints]:
        """(machine, network) of points."""
        rest, below = np.divmod(index, self._below)
        above, network = np.divmod(rest, self.n_networks)
        return above * self._below + below, network

    def point(self, machine: Ints, network: Ints | int) -> Ints:
        """The points of machines with a network; arrays of shapes that go together."""
        above, below = np.divmod(machine, self._below)
        found = (above * self.n_networks + network) * self._below + below
        return np.asarray(found, np.int64)

    def codes(self, machine: Ints) -> list[Ints]:
        """The place of each machine's value among those of each variable  # len(factors) x [n]"""
        return digits_of(machine, self.shape)

    def neighbours(self, machine: int) -> list[tuple[int, int, int, int]]:
        """(factor, direction, place of its value, machine) one step down and up in each variable."""
        found, stride = [], self.n_machines
        for at, size in enumerate(self.shape):
            stride //= size
            here = machine // stride % size
            for direction in (-1, 1):
                if 0 <= here + direction < size:
                    found.append((at, direction, here + direction, machine + direction * stride))
        return found
