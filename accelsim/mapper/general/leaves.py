"""Complete mappings counted exactly."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from accelsim.cost.evaluate import evaluate
from accelsim.mapper.found import Point
from accelsim.mapper.general import orders
from accelsim.mapper.general.partial import Partials
from accelsim.mapper.general.pool import Pool
from accelsim.mapper.general.space import Space
from accelsim.mapper.general.variant import Variant
from accelsim.mapping.dataflows import ANY, followed
from accelsim.mapping.dataflows.base import spatial_trips
from accelsim.tables.nest import Nest

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


class Leaves:
    """Counts complete mappings and offers them to the pool."""

    def __init__(self, space: Space, pool: Pool) -> None:
        self.space, self.pool = space, pool
        self.n_evaluated = 0

    def count(self, variant: Variant, leaves: Partials, energy_pj: Floats, cycles: Floats) -> None:
        """One order of each; where its bound leaves room for a better one, all orders that could matter."""
        time, space = orders.trips_of(variant, leaves)
        rows, cols, good = orders.on_axes(variant, time, space)
        others = orders.every_order if self.pool.options.n_best > 1 else orders.other_orders
        for i in good:
            part = slice(i, i + 1)

            def nests(found: Iterable[orders.Order], part: slice = part) -> Iterable[Nest]:
                for order in found:
                    yield orders.nest_of(variant, order, time[:, :, part], rows[:, part], cols[:, part])

            if not self.pool.worth(energy_pj[part], cycles[part])[0]:
                continue
            usual = orders.usual_order(variant, leaves, time, i)
            for nest in nests([usual]):
                self._offer(nest)
            for nest in nests(others(variant, leaves, time, i)):
                if not self.pool.worth(energy_pj[part], cycles[part])[0]:
                    break
                self._offer(nest)

    def _offer(self, nest: Nest) -> None:
        machine = self.space.machine
        flow = followed(nest, machine, ANY)
        cost = evaluate(self.space.problem, nest, machine, flow.name)
        self.n_evaluated += 1
        point = cost.point(0, int(spatial_trips(nest, None)[0]))
        value = float(cost.objective(self.pool.options.objective)[0])
        self.pool.offer(Point(nest, point, value, flow.name))
