"""What is kept of the points of a view as they pass; it does not grow with their number."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from accelsim.charts.thin import Cloud
from accelsim.explore.sweep.cells import Cells, Floats, Ints
from accelsim.explore.sweep.pareto import Objective
from accelsim.explore.sweep.running_front import RunningFront
from accelsim.explore.sweep.source import ABSENT, OK


class Seen:
    """Numbers of points, their front, what each variable's values come to, the dots of each picture."""

    def __init__(self, sizes: Sequence[int], objectives: Sequence[Objective], pictured: bool) -> None:
        self._signs = np.array([-1.0 if one.maximise else 1.0 for one in objectives])
        self.n_points = self.n_ok = 0
        self.front = RunningFront(len(objectives))
        self.cells = Cells(sizes, self._signs.tolist())
        pairs = combinations(range(len(objectives)), 2) if pictured else ()
        self.clouds = {pair: Cloud() for pair in pairs}

    def add(self, machine: Ints, codes: Sequence[Ints], status: NDArray[np.int8], values: Floats) -> None:
        """Machines with the place of their values of each variable, and metrics [k, m] that may be NaN."""
        self.n_points += int((status != ABSENT).sum())
        known = np.isfinite(values).all(axis=0)
        if not known.all():
            machine, status, values = machine[known], status[known], values[:, known]
            codes = [one[known] for one in codes]
        ok = status == OK
        self.n_ok += int(ok.sum())
        self.cells.add(codes, values, ok)
        if not ok.all():
            machine, values = machine[ok], values[:, ok]
        self.front.add(machine, (values * self._signs[:, None]).T)
        for (x, y), cloud in self.clouds.items():
            cloud.add(machine, values[x], values[y])

    def merge(self, other: Seen) -> None:
        """What was seen of points that come after these."""
        self.n_points += other.n_points
        self.n_ok += other.n_ok
        self.front.add(other.front.numbers, other.front.costs)
        self.cells.merge(other.cells)
        for pair, cloud in self.clouds.items():
            more = other.clouds[pair]
            cloud.add(more.numbers, more.xs, more.ys)
