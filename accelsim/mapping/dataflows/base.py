"""What a dataflow is: which operand stays in the array, and which dimensions each axis of it may unroll."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from accelsim.tables.dims import DIMS, OPERANDS
from accelsim.tables.grid import Grid
from accelsim.tables.machine import Machine
from accelsim.tables.nest import Nest, Problem

Bools = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class ParameterSpace:
    """A dataflow's parameters as a grid: every mapping that they make."""

    grid: Grid
    bound: FamilyBound | None = None


@dataclass(frozen=True, eq=False)
class FamilyBound:
    """Families of a grid's mappings: those that agree in all but the choice of dimension `d`.

    Family i has the choices first[i] to first[i + 1] - 1. The last of them costs no more than any other,
    legal or not; the first has the smallest tiles.
    """

    d: int
    first: NDArray[np.int64]  # [n + 1]
    exempt: Mapping[int, Bools] = field(default_factory=dict)
    """By dimension the choices [n_d] that together make a family for which the bound is not known to hold."""


@dataclass(frozen=True)
class Dataflow(ABC):
    """A constraint on mappings. A subclass says how its own parameters make loop nests (`spaces`)."""

    name: str
    title: str
    rows: tuple[int, ...]
    """Dimensions that the array's rows may unroll, the first one first."""
    cols: tuple[int, ...]
    in_array: tuple[int, ...] = ()
    """Operands that memories inside the PEs may keep."""

    def keep(self, machine: Machine, homes: tuple[int, int, int]) -> Bools:  # [L, T]
        """Which level keeps what: all that hold an operand up to its home, inside the PEs only `in_array`."""
        keep = machine.holds.copy()
        for t, home in enumerate(homes):
            keep[home + 1 :, t] = False
            keep[home, t] = True
            if t not in self.in_array:
                keep[: machine.fanout_level, t] = False
        return keep

    @abstractmethod
    def spaces(
        self, problem: Problem, machine: Machine, keep: Bools, wider: bool = False
    ) -> Iterator[ParameterSpace]:
        """All values of the dataflow's parameters, whatever the capacities and bandwidths of the machine.

        `wider`: there may be more mappings that do not fit, so that other machines have the same space.
        """

    def fits_array(self, nest: Nest, machine: Machine) -> Bools:  # [B]
        """Whether the spatial loops of rows and cols fit the array."""
        fits = np.ones(nest.n_points, np.bool_)
        for axis, size in (("rows", machine.rows), ("cols", machine.cols)):
            fits &= spatial_trips(nest, axis) <= size
        return fits & (spatial_trips(nest, None) <= machine.rows * machine.cols)

    def refusals(self, nest: Nest, machine: Machine) -> list[str]:
        """What in one given mapping this dataflow does not allow, a line each."""
        reasons = []
        for j, d in enumerate(nest.dims):
            allowed = {"rows": self.rows, "cols": self.cols, "array": self.rows + self.cols}.get(nest.axis[j])
            if allowed is not None and d not in allowed and nest.trips[j].max() > 1:
                names = " ".join(DIMS[e] for e in allowed) or "nothing"
                reasons.append(f"{self.name} unrolls {names} on {nest.axis[j]}, not {DIMS[d]}")
        for level in range(machine.fanout_level):
            for t in np.flatnonzero(nest.keep[level]):
                if int(t) not in self.in_array:
                    level_name = machine.level_names[level]
                    reasons.append(f"{self.name} keeps no {OPERANDS[int(t)]} inside the array ({level_name})")
        return reasons


def spatial_trips(nest: Nest, axis: str | None) -> NDArray[np.int64]:  # [B]
    """Instances along one axis of the array; None: along all."""
    trips = np.ones(nest.n_points, np.int64)
    for j, name in enumerate(nest.axis):
        if name and axis in (None, name):
            trips = trips * nest.trips[j]
    return trips


@lru_cache(maxsize=4096)
def ladder(extent: int, limit: int | None = None) -> NDArray[np.int64]:
    """The smallest tile for each distinct number of tiles, ceil(extent / i), ascending, up to a limit.

    Other tiles need as many steps and more room, so none of them can be better.
    """
    i = np.arange(1, int(np.sqrt(extent)) + 2)
    tiles = np.unique(np.concatenate([-(-extent // i), i[i <= extent]]))
    tiles = np.unique(-(-extent // -(-extent // tiles)))
    return tiles[tiles <= limit] if limit is not None else tiles
