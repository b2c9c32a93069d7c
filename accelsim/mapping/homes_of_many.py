"""`mapping.homes` for many machines at once: where each tensor lives on each of them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from accelsim.mapping.homes import roles_of
from accelsim.tables.dims import I, O
from accelsim.tables.machine import BEST_HOME
from accelsim.tables.machines import Machines
from accelsim.workload.graph import LayerGraph

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


def levels_of(machines: Machines) -> list[int]:
    """Levels where activations may live beside DRAM, the first choice first."""
    dram = machines.n_levels - 1
    if machines.activation_home != BEST_HOME:
        return [machines.activation_home] if machines.activation_home != dram else []
    inside = range(machines.fanout_level, dram)
    return [level for level in inside if machines.holds[level, I] and machines.holds[level, O]]


def homes_of_many(
    graph: LayerGraph, machines: Machines, reserve_frac: Floats
) -> Mapping[str, Ints]:  # tensor -> [A]
    """`find_homes` on A machines, whose reserve is [A]; what DRAM has room for is not asked."""
    dram, n = machines.n_levels - 1, machines.n
    home = {name: np.full(n, dram) for name in graph.tensors}
    levels = levels_of(machines)
    if not levels:
        return home
    step = {layer.name: at for at, layer in enumerate(graph.layers)}
    live = {level: np.zeros((len(graph.layers), n)) for level in levels}
    room = {level: machines.capacity_bytes[:, level] * (1 - reserve_frac) for level in levels}
    fixed = {*graph.inputs, *graph.outputs}
    for born, layer in enumerate(graph.layers):
        for name in layer.outputs:
            if name in fixed:
                continue
            users = graph.consumers.get(name, ())
            last = max((step[user.name] for user in users), default=born)
            placed = np.zeros(n, bool)
            for level in levels:
                if not all(machines.holds[level, t] for t in roles_of(name, layer, users)):
                    continue
                size = graph.tensors[name].n_words * machines.width(level, I)
                here = ~placed & (live[level][born : last + 1].max(axis=0) + size <= room[level])
                live[level][born : last + 1, here] += size[here]
                home[name][here] = level
                placed |= here
    return home
