"""The best complete mappings so far, and which bounds are still worth looking into."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from accelsim.mapper.found import Point, SearchOptions
from accelsim.mapper.objective import SAME, objective

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


class Pool:
    """The n best mappings, or with `front` all that no other one beats in both energy and latency."""

    def __init__(self, options: SearchOptions) -> None:
        self.options = options
        self.points: list[Point] = []
        self._front = np.zeros((2, 0))

    def rank(self, energy_pj: Floats, cycles: Floats) -> Floats:
        """The order in which partial mappings are looked into; for a front the product, from its middle."""
        name = "edp" if self.options.front else self.options.objective
        return objective(name, energy_pj, cycles)

    @property
    def limit(self) -> float:
        """A mapping is wanted if its objective is below this."""
        if len(self.points) < self.options.n_best:
            return np.inf
        return self.points[-1].value * (1 - max(self.options.gap_frac, SAME))

    def worth(self, energy_pj: Floats, cycles: Floats) -> Bools:
        """Whether mappings of at least this energy and latency could be wanted."""
        if not self.options.front:
            return np.asarray(objective(self.options.objective, energy_pj, cycles) < self.limit)
        energies, latencies = self._front
        if not len(energies):
            return np.ones(len(energy_pj), np.bool_)
        cut = max(self.options.gap_frac, SAME)
        place = np.searchsorted(energies * (1 - cut), energy_pj, side="right") - 1
        return np.asarray((place < 0) | (latencies[np.maximum(place, 0)] * (1 - SAME) > cycles))

    def offer(self, point: Point) -> None:
        """Keep a mapping if it is wanted."""
        energy, cycles = point.cost.energy_pj, float(point.cost.latency_cycles)
        if not self.worth(np.array([energy]), np.array([cycles]))[0]:
            return
        if self.options.front:
            self.points = [
                p
                for p in self.points
                if p.cost.energy_pj < energy or p.cost.latency_cycles < point.cost.latency_cycles
            ]
            self.points.append(point)
            self.points.sort(key=lambda p: p.cost.energy_pj)
            self._front = np.array(
                [(p.cost.energy_pj, p.cost.latency_cycles) for p in self.points], np.float64
            ).T
            return
        for p in self.points:
            if abs(p.cost.energy_pj - energy) <= SAME * energy and p.cost.latency_cycles == cycles:
                return
        self.points.append(point)
        self.points.sort(key=lambda p: p.value)
        del self.points[self.options.n_best :]
