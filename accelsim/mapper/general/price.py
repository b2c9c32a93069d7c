"""From the linear costs of partial mappings to the least energy and latency that they can lead to."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from accelsim.cost.systolic import fold_cycles
from accelsim.mapper.general.boundary import latency
from accelsim.mapper.general.pool import Pool
from accelsim.mapper.general.variant import Variant
from accelsim.tables.dims import I, O, W

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


def price(variant: Variant, costs: Floats, m: Floats, spread: Ints) -> tuple[Floats, Floats]:  # [B] each
    """Least energy in pJ and cycles of partial mappings, from linear costs [r, B] and loops on the array.

    Where only the first row is given, that of energy, the ports are taken to be no limit.
    Costs of which parts are not counted yet may be negative: what they lead to never is, and a product of two
    negative numbers would be no bound.
    """
    space, machine = variant.space, variant.space.machine
    n_pes, steps = space.elements[spread], space.steps[spread]
    compute = np.ceil(steps / machine.per_pe)
    waits: Floats = np.zeros_like(compute)
    fill_drain = waits
    flow = variant.systolic_flow
    if flow is not None:
        operand = {"ws": W, "os": O, "is": I}[flow]
        own = float(np.prod([float(space.problem.extents[d]) for d in space.relevant[operand]]))
        folds = np.maximum(np.floor(own * m[operand] / n_pes * (1 + 1e-12)), 1).astype(np.int64)
        streamed = -(-compute.astype(np.int64) // folds)
        rule = machine.fold
        _, filling = fold_cycles(folds, streamed, machine.rows, machine.cols, flow, rule)
        fill_drain = np.asarray(filling, np.float64)
        if rule == "overlapped" and flow != "os":
            waits = (folds - 1.0) * np.maximum(machine.rows - streamed, 0)
    possible = np.isfinite(costs.sum(0))  # no cost is -inf
    if not possible.all():
        costs = np.where(possible, costs, 0.0)
    ports = variant.forms.ports if len(costs) > 1 else ()
    cycles = costs[1:] / np.where(variant.forms.inside[1 : len(costs), None], n_pes, 1.0)
    total = latency(machine, ports, cycles, compute, waits, fill_drain)
    energy = costs[0] + total * machine.idle_pj_per_cycle
    return np.where(possible, np.maximum(energy, 0), np.inf), np.where(possible, np.maximum(total, 0), np.inf)


def least_of(
    variant: Variant, ways: Floats, m: Floats, spread: Ints, pool: Pool
) -> tuple[Floats, Floats]:  # [B] each
    """Least energy and cycles of the best of A ways for each partial mapping, from linear costs [A, r, B].

    On a front another way may be better in one of them: the least of each then.
    """
    n_ways, n_r, n = ways.shape
    costs = ways.transpose(1, 0, 2).reshape(n_r, n_ways * n)
    both = np.array(price(variant, costs, np.tile(m, n_ways), np.tile(spread, n_ways)))
    energy, cycles = both.reshape(2, n_ways, n)
    if pool.options.front:
        return energy.min(0), cycles.min(0)
    best = np.where(np.isfinite(energy), pool.rank(energy, cycles), np.inf).argmin(0), np.arange(n)
    return energy[best], cycles[best]
