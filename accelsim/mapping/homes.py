"""Where every tensor lives between the layer that makes it and the layers that use it.

Liveness: a tensor lives from its producer's step to its last user's. It lives at the home level that the
architecture names if that level holds it beside all else that lives there at the same time, else in DRAM.
The network's inputs and outputs are in DRAM.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from accelsim.tables.dims import I, O, W
from accelsim.tables.machine import BEST_HOME, Machine
from accelsim.workload.graph import LayerGraph
from accelsim.workload.layer import Layer


@dataclass(frozen=True)
class Homes:
    """The level of every tensor, and the bytes that live at each level while each layer runs."""

    level: Mapping[str, int]
    live_bytes: NDArray[np.float64]  # [n_layers, L], DRAM's not counted

    def of(self, tensor: str) -> int:
        return self.level[tensor]


def find_homes(graph: LayerGraph, machine: Machine) -> Homes:
    """First come, first served in the order of the layers; a tensor that does not fit goes to DRAM."""
    dram = machine.n_levels - 1
    live = np.zeros((len(graph.layers), machine.n_levels))
    step = {layer.name: i for i, layer in enumerate(graph.layers)}
    home = dict.fromkeys(graph.tensors, dram)
    levels = candidate_levels(machine)
    fixed = {*graph.inputs, *graph.outputs}
    for born, layer in enumerate(graph.layers):
        for name in layer.outputs:
            if name in fixed or not levels:
                continue
            users = graph.consumers.get(name, ())
            last = max((step[user.name] for user in users), default=born)
            for level in levels:
                if not all(machine.holds[level, t] for t in _roles(name, layer, users)):
                    continue
                room = machine.capacity_bytes[level] * (1 - machine.activation_reserve_frac)
                width = float(machine.word_bits[level] or machine.bits[I]) / 8
                size = graph.tensors[name].n_words * width
                if live[born : last + 1, level].max() + size <= room:
                    live[born : last + 1, level] += size
                    home[name] = level
                    break
    return Homes(home, live)


def _roles(tensor: str, producer: Layer, users: Iterable[Layer]) -> set[int]:
    """Operands that arrays take a tensor for; other layers take it from anywhere."""
    roles = {O} if producer.kind == "array" else set()
    for user in users:
        if user.kind == "array" and tensor in user.inputs:
            second = user.weight_is_activation and tensor == user.inputs[-1]
            roles.add(W if second else I)
    return roles


def candidate_levels(machine: Machine) -> list[int]:
    """Levels where activations may live, the first choice first; DRAM is the last resort."""
    dram = machine.n_levels - 1
    if machine.activation_home != BEST_HOME:
        return [machine.activation_home] if machine.activation_home != dram else []
    return [
        level
        for level in range(machine.fanout_level, dram)
        if machine.holds[level, I] and machine.holds[level, O]
    ]
