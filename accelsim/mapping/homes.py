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

from accelsim.base.errors import InfeasibleError, Problem
from accelsim.tables.dims import I, O, W
from accelsim.tables.machine import BEST_HOME, Machine
from accelsim.workload.graph import LayerGraph
from accelsim.workload.layer import Layer


@dataclass(frozen=True)
class Homes:
    """The level of every tensor, and the bytes that live at each level while each layer runs."""

    level: Mapping[str, int]
    live_bytes: NDArray[np.float64]  # [n_layers, L]

    def of(self, tensor: str) -> int:
        return self.level[tensor]

    def any_inside(self, dram: int) -> bool:
        """Whether any tensor lives further in than DRAM."""
        return any(level < dram for level in self.level.values())


def find_homes(graph: LayerGraph, machine: Machine) -> Homes:
    """First come, first served in the order of the layers; a tensor that does not fit goes to DRAM.

    Raises InfeasibleError where weights and live tensors together exceed DRAM.
    """
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
                if not all(machine.holds[level, t] for t in roles_of(name, layer, users)):
                    continue
                room = machine.capacity_bytes[level] * (1 - machine.activation_reserve_frac)
                width = float(machine.word_bits[level] or machine.bits[I]) / 8
                size = graph.tensors[name].n_words * width
                if live[born : last + 1, level].max() + size <= room:
                    live[born : last + 1, level] += size
                    home[name] = level
                    break
    live[:, dram] = _in_dram(graph, machine, home, step)
    weights = sum(layer.params for layer in graph.layers) * float(machine.bits[W]) / 8
    _check_dram(graph, machine, live[:, dram] + weights)
    return Homes(home, live)


def _in_dram(
    graph: LayerGraph, machine: Machine, home: Mapping[str, int], step: Mapping[str, int]
) -> NDArray[np.float64]:  # [n_layers]
    """Bytes of activations in DRAM while each layer runs; inputs wait from the start, outputs stay."""
    dram, n = machine.n_levels - 1, len(graph.layers)
    live = np.zeros(n)
    width = float(machine.word_bits[dram] or machine.bits[I]) / 8
    for name, tensor in graph.tensors.items():
        if home[name] != dram:
            continue
        born = step[graph.producer[name].name] if name in graph.producer else 0
        users = [step[user.name] for user in graph.consumers.get(name, ())]
        last = n - 1 if name in graph.outputs else max(users, default=born)
        live[born : last + 1] += tensor.n_words * width
    return live


def _check_dram(graph: LayerGraph, machine: Machine, demand: NDArray[np.float64]) -> None:
    limit = float(machine.capacity_bytes[machine.n_levels - 1])
    if len(demand) and demand.max() > limit:
        layer = graph.layers[int(demand.argmax())].name
        raise InfeasibleError(
            Problem(
                f"dram needs {demand.max():,.0f} B of {limit:,.0f} B for weights and what is live at {layer}",
                key=layer,
                hint="lower --batch, or raise dram.size",
            )
        )


def roles_of(tensor: str, producer: Layer, users: Iterable[Layer]) -> set[int]:
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
