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
from accelsim.tables.dims import I, O, W
from accelsim.tables.nest import Nest

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


MAX_ORDERS = 2000
"""Orders of one mapping that are counted; on systolic arrays there may be more: that is a gap then."""


class Leaves:
    """Counts complete mappings and offers them to the pool."""

    def __init__(self, space: Space, pool: Pool) -> None:
        self.space, self.pool = space, pool
        self.n_evaluated = 0
        self.left_at = np.inf
        """The least objective of mappings of which not all orders were counted."""

    def count(self, variant: Variant, leaves: Partials, energy_pj: Floats, cycles: Floats) -> None:
        """One order of each that may be wanted, the one that lets inputs stay best as a rule."""
        time, space = orders.trips_of(variant, leaves)
        rows, cols, good = orders.on_axes(variant, time, space)
        for i in good:
            part = slice(i, i + 1)
            if not self.pool.worth(energy_pj[part], cycles[part])[0]:
                continue
            order = orders.usual_order(variant, leaves, time, i)
            self._offer(orders.nest_of(variant, order, time[:, :, part], rows[:, part], cols[:, part]))

    def count_others(self, variant: Variant, leaves: Partials, energy_pj: Floats, cycles: Floats) -> None:
        """All other orders of each that could matter, as long as its bound leaves room for a better one."""
        time, space = orders.trips_of(variant, leaves)
        rows, cols, good = orders.on_axes(variant, time, space)
        for i in good:
            part = slice(i, i + 1)
            for n, order in enumerate(self._others(variant, leaves, time, i)):
                if not self.pool.worth(energy_pj[part], cycles[part])[0]:
                    break
                if n == MAX_ORDERS:
                    rank = self.pool.rank(energy_pj[part], cycles[part])
                    self.left_at = min(self.left_at, float(rank[0]))
                    break
                self._offer(orders.nest_of(variant, order, time[:, :, part], rows[:, part], cols[:, part]))

    def _others(self, variant: Variant, leaves: Partials, time: Ints, i: int) -> Iterable[orders.Order]:
        """The other orders that could be wanted."""
        flow = variant.systolic_flow
        if flow is not None:
            return orders.fold_orders(variant, time, i, {"ws": W, "os": O, "is": I}[flow])
        if self.pool.options.n_best > 1:
            return orders.every_order(variant, leaves, time, i)
        return orders.other_orders(variant, leaves, time, i)

    def _offer(self, nest: Nest) -> None:
        machine = self.space.machine
        flow = followed(nest, machine, ANY)
        cost = evaluate(self.space.problem, nest, machine, flow.name)
        self.n_evaluated += 1
        point = cost.point(0, int(spatial_trips(nest, None)[0]))
        value = float(cost.objective(self.pool.options.objective)[0])
        self.pool.offer(Point(nest, point, value, flow.name))
