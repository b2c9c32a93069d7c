"""The best of all mappings by trying each, and what a search's answer must be against it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from math import prod

import numpy as np
from numpy.typing import NDArray
from support.spaces import legal_mappings

from accelsim.cost.evaluate import assemble, evaluate, links_of
from accelsim.cost.traffic import Traffic, count_traffic
from accelsim.mapper.found import Found, SearchOptions
from accelsim.mapping.dataflows import ANY, DATAFLOWS, followed
from accelsim.mapping.legality import legal
from accelsim.tables.machine import Machine
from accelsim.tables.nest import Nest, Problem
from accelsim.testing.all_mappings import all_mappings
from accelsim.testing.search_cases import without_limits

Floats = NDArray[np.float64]
Pair = tuple[float, int]  # energy in pJ, latency in cycles

WITHIN = 1e-9
"""Sums of the same numbers in another order agree to rounding."""


@dataclass(frozen=True)
class Costs:
    """Energy and latency of every mapping of one layer on one machine."""

    energy_pj: Floats  # [B]
    latency_cycles: Floats  # [B]

    def objective(self, name: str) -> Floats:  # [B]
        return {
            "energy": self.energy_pj,
            "latency": self.latency_cycles,
            "edp": self.energy_pj * self.latency_cycles,
        }[name]

    def least(self, objective: str) -> float:
        return float(self.objective(objective).min())

    @cached_property
    def front(self) -> list[Pair]:
        """Pairs that no other one beats in both, least energy first."""
        front: list[Pair] = []
        for i in np.lexsort((self.latency_cycles, self.energy_pj)):
            energy, cycles = float(self.energy_pj[i]), int(self.latency_cycles[i])
            if front and cycles >= front[-1][1]:
                continue
            if front and close(energy, front[-1][0]):  # equal but for rounding, and faster
                front.pop()
            front.append((energy, cycles))
        return front

    def best(self, objective: str, n: int) -> list[float]:
        """Values of the n best mappings that differ in energy or latency, best first."""
        values = self.objective(objective)
        chosen: list[Pair] = []
        found: list[float] = []
        for i in np.argsort(values, kind="stable"):
            pair = float(self.energy_pj[i]), int(self.latency_cycles[i])
            if any(pair[1] == other[1] and close(pair[0], other[0]) for other in chosen):
                continue
            chosen.append(pair)
            found.append(float(values[i]))
            if len(found) == n:
                break
        return found


def close(a: float, b: float) -> bool:
    return abs(a - b) <= WITHIN * max(abs(a), abs(b))


def at_most(a: float, b: float) -> bool:
    return a <= b or close(a, b)


class AllMappings:
    """Every mapping of a layer on machines that differ only in prices and room; the words counted once."""

    def __init__(
        self, problem: Problem, machine: Machine, homes: tuple[int, int, int], ragged: bool = False
    ) -> None:
        self.problem = problem
        links = links_of(machine)
        self.counted: list[tuple[Nest, Traffic, str]] = [
            (nest, count_traffic(problem, nest, links), followed(nest, machine, ANY).name)
            for nest in all_mappings(problem, without_limits(machine), homes, ragged)
        ]

    @property
    def n_mappings(self) -> int:
        return sum(nest.n_points for nest, _, _ in self.counted)

    def costs(self, machine: Machine) -> Costs:
        """Of all mappings that this machine has room for."""
        energy, latency = [], []
        for nest, traffic, flow in self.counted:
            fits = legal(self.problem, nest, machine, followed(nest, machine, ANY))
            cost = assemble(self.problem, nest, machine, traffic, flow)
            energy.append(cost.energy_pj[fits])
            latency.append(cost.latency_cycles[fits].astype(np.float64))
        return Costs(np.concatenate(energy), np.concatenate(latency))


def least(problem: Problem, machine: Machine, homes: tuple[int, int, int], objective: str) -> float:
    """The least objective of all mappings in whole factors."""
    return AllMappings(problem, machine, homes).costs(machine).least(objective)


def least_named(problem: Problem, machine: Machine, homes: tuple[int, int, int], objective: str) -> float:
    """The least of the parameters of all dataflows that the machine names; infinite if nothing fits."""
    best = np.inf
    for flow in (DATAFLOWS[name] for name in machine.dataflows if name != ANY.name):
        for nest in legal_mappings(problem, machine, flow, homes):
            values = evaluate(problem, nest, machine, flow.name).objective(objective)
            best = min(best, float(values.min()))
    return best


# --- what a search's answer must be


def assert_mappings_are_real(
    found: Found, problem: Problem, machine: Machine, homes: tuple[int, int, int], options: SearchOptions
) -> None:
    """Each is one legal mapping of the space asked for, and costs what the search says, counted again."""
    assert found.points
    for point in found.points:
        nest = point.nest
        flow = followed(nest, machine, ANY)
        assert nest.n_points == 1
        assert legal(problem, nest, machine, flow).all()
        for d, extent in enumerate(problem.extents):
            assert_split(extent, [int(nest.trips[j, 0]) for j in loops_of(nest, d)], options.ragged)
        allowed = machine.holds.copy()
        for t, home in enumerate(homes):
            assert nest.keep[home, t]
            allowed[home, t] = True
            allowed[home + 1 :, t] = False
        assert not (nest.keep & ~allowed).any()
        assert all(level == machine.fanout_level for level in outside_time(nest))
        cost = evaluate(problem, nest, machine, flow.name)
        assert point.dataflow == flow.name
        assert point.cost.latency_cycles == cost.latency_cycles[0]
        assert close(point.cost.energy_pj, float(cost.energy_pj[0]))
        assert close(point.value, float(cost.objective(options.objective)[0]))


def loops_of(nest: Nest, dim: int) -> list[int]:
    return [j for j, d in enumerate(nest.dims) if d == dim]


def assert_split(extent: int, trips: list[int], ragged: bool) -> None:
    """Whole factors; ragged, they cover the extent and no loop makes a trip in vain."""
    covered = prod(trips)
    assert covered >= extent if ragged else covered == extent, (extent, trips)
    assert all(n == 1 or covered // n * (n - 1) < extent for n in trips), (extent, trips)


def outside_time(nest: Nest) -> Iterator[int]:
    """Levels of the loops that lie side by side."""
    return (level for level, spatial in zip(nest.levels, nest.spatial, strict=True) if spatial)


def assert_optimum(found: Found, costs: Costs, options: SearchOptions) -> None:
    """The value is the least of all mappings, and the certificate proves it."""
    least = costs.least(options.objective)
    assert close(found.best.value, least), f"found {found.best.value!r}, least {least!r}"
    assert_bound(found, costs, options)
    assert found.certificate.proven


def assert_bound(found: Found, costs: Costs, options: SearchOptions) -> None:
    """What the certificate says is true, even of a search that was stopped."""
    certificate, least = found.certificate, costs.least(options.objective)
    assert certificate.objective == options.objective
    assert certificate.best == min(point.value for point in found.points)
    assert at_most(certificate.lower_bound, least), f"bound {certificate.lower_bound!r}, least {least!r}"
    assert at_most(least, certificate.best), f"best {certificate.best!r} beats all mappings, {least!r}"
    assert certificate.n_evaluated >= 1


def assert_best_few(found: Found, costs: Costs, options: SearchOptions) -> None:
    """The n best distinct mappings, best first."""
    values = [point.value for point in found.points]
    expected = costs.best(options.objective, options.n_best)
    assert len(values) == len(expected), (values, expected)
    assert all(map(close, values, expected)), (values, expected)


def assert_front(found: Found, costs: Costs) -> None:
    """All that no other mapping beats in both energy and latency, least energy first."""
    pairs = [(point.cost.energy_pj, point.cost.latency_cycles) for point in found.points]
    expected = costs.front
    assert len(pairs) == len(expected), (pairs, expected)
    assert all(
        cycles == least and close(energy, pj)
        for (energy, cycles), (pj, least) in zip(pairs, expected, strict=True)
    ), (pairs, expected)
