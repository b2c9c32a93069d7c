"""Pairs of searches of which the second can only be better: it may do more, or its machine has more."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy
from numpy.typing import NDArray
from support.exhaustive import at_most

from accelsim.base.errors import InfeasibleError
from accelsim.mapper.found import OBJECTIVES, SearchOptions
from accelsim.mapper.search import search
from accelsim.mapping.dataflows import ANY, DATAFLOWS
from accelsim.tables.machine import Machine
from accelsim.testing.search_cases import SearchCase, search_cases

Change = Callable[[Machine], Machine]

NAMED = tuple(name for name in DATAFLOWS if name != ANY.name)


@dataclass(frozen=True)
class Pair:
    """A layer, a machine, and what is changed for the better: the dataflow, the tiles or the machine."""

    case: SearchCase
    objective: str
    change: str
    dataflow: str
    level: int
    factor: float

    def values(self) -> tuple[float, float]:
        """Optimum before and after, infinite where nothing fits."""
        (machine,) = self.case.machines
        ragged = self.case.ragged
        flow, after = self.dataflow, machine
        if self.change == "free choice":
            flow = ANY.name
        elif self.change == "ragged":
            return self.best(self.dataflow, machine, False), self.best(self.dataflow, machine, True)
        else:
            after = CHANGES[self.change](machine, self.level, self.factor)
        return self.best(self.dataflow, machine, ragged), self.best(flow, after, ragged)

    def best(self, flow: str, machine: Machine, ragged: bool) -> float:
        options = SearchOptions(self.objective, ragged)
        try:
            machine = replace(machine, dataflow=flow)
            found = search(self.case.problem, machine, DATAFLOWS[flow], self.case.homes, options, "layer")
        except InfeasibleError:
            return np.inf
        return found.best.value

    def holds(self) -> bool:
        before, after = self.values()
        return at_most(after, before)


def larger(machine: Machine, level: int, factor: float) -> Machine:
    return replace(machine, capacity_bytes=scaled(machine.capacity_bytes, level, factor))


def faster(machine: Machine, level: int, factor: float, read: bool = True, write: bool = True) -> Machine:
    speeds = machine.read_bytes_per_cycle, machine.write_bytes_per_cycle
    reads, writes = (
        scaled(speed, level, factor) if chosen else speed
        for speed, chosen in zip(speeds, (read, write), strict=True)
    )
    return replace(machine, read_bytes_per_cycle=reads, write_bytes_per_cycle=writes)


def wider(machine: Machine, level: int, factor: float) -> Machine:
    """More PEs; without fill and drain, whose length is that of the array."""
    rows, cols = (machine.rows, machine.cols + 1) if level % 2 else (machine.rows + 1, machine.cols)
    return replace(machine, rows=rows, cols=cols)


def holding(machine: Machine, level: int, factor: float) -> Machine:
    """A level may keep every operand."""
    holds = machine.holds.copy()
    holds[level] = True
    return replace(machine, holds=holds)


def scaled(values: NDArray[np.float64], level: int, factor: float) -> NDArray[np.float64]:
    values = values.copy()
    values[level] *= factor
    return values


CHANGES: dict[str, Callable[[Machine, int, float], Machine]] = {
    "buffer": larger,
    "bandwidth": faster,
    "read bandwidth": partial(faster, write=False),
    "write bandwidth": partial(faster, read=False),
    "array": wider,
    "holds": holding,
}
SPACE_OF_ANY = ("array", "holds")
"""Changes that widen the free choice; what a named dataflow proposes is its own for each machine."""


def pairs(max_splits: int = 4000) -> SearchStrategy[Pair]:
    """A change of every kind; named dataflows and the free choice."""

    @st.composite
    def pair(draw: DrawFn) -> Pair:
        case = draw(search_cases(1, max_splits))
        (machine,) = case.machines
        change = draw(st.sampled_from(("free choice", "ragged", *CHANGES)))
        flows = NAMED if change == "free choice" else (ANY.name, ANY.name, *NAMED)
        flow = ANY.name if change in SPACE_OF_ANY else draw(st.sampled_from(flows))
        ragged = case.ragged or change == "ragged"  # their folds depend on all orders: minutes a search
        if change == "array" or ragged:
            case = replace(case, machines=(replace(machine, fold="broadcast"),))
        level = draw(st.integers(0, machine.n_levels - 1))
        factor = draw(st.sampled_from((1.5, 2.0, 3.0, 64.0)))
        return Pair(case, draw(st.sampled_from(OBJECTIVES)), change, flow, level, factor)

    return pair()
