"""The least that a network costs on many machines, whatever mappings a search may choose."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from accelsim import flow
from accelsim.cost.least import ArrayWork, Least, least_array, moved_cost
from accelsim.costing import Costing, compulsory_words, status_of
from accelsim.mapper.found import SearchOptions
from accelsim.mapping.homes_of_many import homes_of_many, levels_of
from accelsim.mapping.lower import lower
from accelsim.tables.machine import Machine
from accelsim.tables.machines import Machines
from accelsim.workload.graph import LayerGraph
from accelsim.workload.layer import Layer

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

SURE: Final = 1 - 1e-9
"""Of a bound what is left for sums in another order."""


@dataclass(frozen=True)
class NetworkLeast:
    """At least so much in one pass."""

    cycles: Floats  # [A]
    pj: Floats  # [A]
    dram_bytes: Floats  # [A]
    inside_bytes: Floats  # [A], of the memories between array and DRAM

    def least_of(self, other: NetworkLeast) -> NetworkLeast:
        return NetworkLeast(*(np.minimum(a, b) for a, b in zip(_parts(self), _parts(other), strict=True)))


def least_network(graph: LayerGraph, machine: Machine, machines: Machines) -> NetworkLeast:
    """Of a graph that is fused as the machines fuse it; `machine` is any of them.

    A search that finds no room for a layer's tiles keeps more of the activations' home free (`costed_rows`):
    the least over all shares that it may come to counts.
    """
    tensors, known = _Tensors(graph, machine), None
    own = machines.activation_reserve_frac
    shares = [own, *(np.maximum(own, share) for share in flow.RESERVES)] if levels_of(machines) else [own]
    seen: set[bytes] = set()
    for share in shares:
        homes = homes_of_many(graph, machines, share)
        told = b"".join(home.astype(np.int8).tobytes() for home in homes.values())
        if told in seen:
            continue
        seen.add(told)
        found = tensors.least(machines, homes)
        known = found if known is None else known.least_of(found)
    assert known is not None
    return known


class _Tensors:
    """The layers of a graph with the words that each of them moves."""

    def __init__(self, graph: LayerGraph, machine: Machine) -> None:
        self.graph = graph
        unlimited = replace(machine, capacity_bytes=np.full(machine.n_levels, np.inf))
        self.costing = Costing(graph, unlimited, SearchOptions())

    def least(self, machines: Machines, homes: Mapping[str, Ints]) -> NetworkLeast:
        self.costing.homes = _Homes(homes)  # type: ignore[assignment]
        known: dict[Any, Least] = {}
        n, dram = machines.n, machines.n_levels - 1
        cycles, pj, outside, inside = (np.zeros(n) for _ in range(4))
        for layer in self.graph.layers:
            if status_of(layer, self.costing.machine)[0] == "not_costed":
                continue
            for index, least in self._of(layer, machines, known):
                moved = (least.read_bytes + least.write_bytes).sum(2)
                cycles[index] += least.cycles
                pj[index] += least.pj
                outside[index] += moved[:, dram]
                inside[index] += moved[:, machines.fanout_level : dram].sum(1)
        return NetworkLeast(cycles, pj * SURE, outside * SURE, inside * SURE)

    def _of(self, layer: Layer, machines: Machines, known: dict[Any, Least]) -> Iterator[tuple[Ints, Least]]:
        """The layer on machines of equal homes; equal layers are looked up."""
        every = np.arange(machines.n)
        if layer.kind != "array":
            inputs, outputs = self.costing.flows(layer)
            flows = [(one.operand, one.words, np.asarray(one.home), False) for one in inputs]
            flows += [(one.operand, one.words, np.asarray(one.home), True) for one in outputs]
            ops = layer.vector_ops if layer.kind == "vector" else None
            at = [(operand, words, home.tobytes(), writes) for operand, words, home, writes in flows]
            key: Any = (ops, *at)
            if key not in known:
                whole = [(t, words, np.broadcast_to(home, machines.n), out) for t, words, home, out in flows]
                known[key] = moved_cost(machines, ops, whole)
            yield every, known[key]
            return
        problem = lower(layer)
        names = list(self.costing.array_homes(layer))
        beside = [(self.costing.words((name,)), self.costing.homes.of(name)) for name in layer.fused_inputs]
        columns = [np.broadcast_to(home, machines.n) for home in (*names, *(home for _, home in beside))]
        kinds, which = np.unique(np.stack(columns), axis=1, return_inverse=True)
        for number, kind in enumerate(kinds.T.tolist()):
            index = np.flatnonzero(which.ravel() == number)
            extra = tuple((words, home) for (words, _), home in zip(beside, kind[3:], strict=True))
            inputs_, weights, outputs_ = kind[:3]
            work = ArrayWork(
                problem, compulsory_words(problem)[0], layer.repeat, (inputs_, weights, outputs_), extra
            )
            key = (work, index.tobytes())
            if key not in known:
                known[key] = least_array(work, machines if len(index) == machines.n else machines.take(index))
            yield index, known[key]


@dataclass(frozen=True)
class _Homes:
    """`mapping.homes.Homes` of many machines: a column for each tensor."""

    level: Mapping[str, Ints]

    def of(self, tensor: str) -> Any:
        return self.level[tensor]


def _parts(least: NetworkLeast) -> tuple[Floats, ...]:
    return least.cycles, least.pj, least.dram_bytes, least.inside_bytes
