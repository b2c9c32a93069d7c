"""The Pareto front of the points that have passed."""

from __future__ import annotations

import numpy as np

from accelsim.explore.sweep.pareto import Floats, Indices, dominated, front, knee


class RunningFront:
    """As `front` has it of all points at once: the front of a union is that of the fronts."""

    def __init__(self, n_costs: int) -> None:
        self.costs: Floats = np.empty((0, n_costs))  # [f, k]
        self.numbers: Indices = np.empty(0, np.int64)  # [f]

    def add(self, numbers: Indices, costs: Floats) -> None:
        """Points by their number, with their costs [n, k]; of equal ones those added first come first."""
        if len(self.costs):  # most points go at the first look: some of the front dominate them
            for at in (knee(self.costs), len(self.costs) // 4, 3 * len(self.costs) // 4):
                left = ~dominated(costs, self.costs[at, None])
                numbers, costs = numbers[left], costs[left]
        numbers, costs = np.concatenate([self.numbers, numbers]), np.concatenate([self.costs, costs])
        kept = front(costs)
        self.numbers, self.costs = numbers[kept], costs[kept]
