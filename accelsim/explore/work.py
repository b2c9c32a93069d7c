"""A network cut over the cores of one replica: each layer by the partition that takes it the least time.

    time = slowest core / kernel efficiency + bytes / (s channels) + bytes from other clusters / link

of one image, s clusters, weights as often as they are read. The slowest core's part is mapped as any layer
is; all that crosses between cores goes through their clusters' memories. Decided layer after layer, each
knowing where its inputs were left by those before it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from accelsim.base.errors import InfeasibleError
from accelsim.costing import status_of
from accelsim.explore.on_core import OUTSIDE, CorePart, Inside, OnCore
from accelsim.hardware import Arch
from accelsim.mapper.solve import Solver, open_cache
from accelsim.mapping.exchange import Layout, Moved, made_by, moved
from accelsim.mapping.lower import lower
from accelsim.mapping.partition import Partition, largest_part, partitions
from accelsim.tables.chip import Chip, ReplicaWork
from accelsim.tables.dims import I, O, W
from accelsim.tables.machine import Machine
from accelsim.tables.nest import Problem
from accelsim.workload.graph import LayerGraph
from accelsim.workload.layer import Layer
from accelsim.workload.passes import drop_noops, fuse

Homes = tuple[int | None, int | None]
"""Levels of the cores where inputs and outputs live, None: in the clusters' memories."""


@dataclass(frozen=True)
class LayerWork:
    """A layer on all cores of a replica, for one image; fields as in `tables.chip.ReplicaWork`."""

    partition: str
    compute_s: float
    in_bytes: float
    out_bytes: float
    exchange_bytes: float
    weight_bytes: float
    energy_j: float
    weight_energy_j: float

    def repeated(self, times: int) -> LayerWork:
        """Runs one after the other that share nothing."""
        rates = {name: value * times for name, value in vars(self).items() if name != "partition"}
        return replace(self, **rates)


@dataclass(frozen=True)
class Cut:
    """One way to cut a layer: the part of the busiest core, and the words that move."""

    problem: Problem
    partition: Partition
    part: Problem
    words: Moved


class Works:
    """The work of a replica of one network for any number of cores; each is made once."""

    def __init__(self, graph: LayerGraph, machine: Machine, chip: Chip, solver: Solver) -> None:
        self.graph, self.machine, self.chip = graph, machine, chip
        self.core = OnCore(machine, solver)
        self.layers = tuple(layer for layer in graph.layers if status_of(layer, machine)[0] != "not_costed")
        self.pieces: dict[tuple[Problem, Partition, Inside], LayerWork] = {}
        """Of `explore.states`: parts of layers that have been costed."""
        self._even: dict[tuple[str, int, Homes], LayerWork] = {}
        self._known: dict[int, ReplicaWork] = {}
        self._chosen: dict[tuple[Problem, Layout | None, int], tuple[LayerWork, Layout]] = {}

    def of(self, mp: int) -> ReplicaWork:
        """Raises InfeasibleError where a layer has no legal mapping on any partition."""
        if mp not in self._known:
            self._known[mp] = self._made(mp)
        return self._known[mp]

    def _made(self, mp: int) -> ReplicaWork:
        homes: dict[str, Layout | None] = {}
        found = []
        for layer in self.layers:
            found.append(
                self._array(layer, mp, homes) if layer.kind == "array" else self._other(layer, mp, homes)
            )

        def column(name: str) -> NDArray[np.float64]:
            return np.array([getattr(work, name) for work in found], np.float64)

        return ReplicaWork(
            mp=mp,
            layers=tuple(layer.name for layer in self.layers),
            partition=tuple(work.partition for work in found),
            compute_s=column("compute_s"),
            in_bytes=column("in_bytes"),
            out_bytes=column("out_bytes"),
            exchange_bytes=column("exchange_bytes"),
            weight_bytes=column("weight_bytes"),
            energy_j=column("energy_j"),
            weight_energy_j=column("weight_energy_j"),
            live_bytes=live_bytes(self.graph, self.core.word_bytes[O]),
            n_weights=float(sum(layer.params for layer in self.layers)),
            input_words=float(sum(self.graph.tensors[name].n_words for name in self.graph.inputs)),
        )

    # --- layers of multiply-accumulates

    def _array(self, layer: Layer, mp: int, homes: dict[str, Layout | None]) -> LayerWork:
        problem, home = lower(layer), homes.get(layer.inputs[0])
        key = problem, home, mp
        if key not in self._chosen:
            self._chosen[key] = self._best(layer.name, problem, home, mp)
        work, homes[layer.outputs[0]] = self._chosen[key]
        work = work.repeated(layer.repeat)
        if layer.fused_inputs:
            words = sum(self.words(name) for name in layer.fused_inputs)
            work = self.with_inputs(work, words, self._strange_bytes(words, mp), mp)
        return work

    def _best(self, name: str, problem: Problem, home: Layout | None, mp: int) -> tuple[LayerWork, Layout]:
        """The partition of least time; those that even a full array could not make faster are not mapped."""
        n_clusters = self.chip.clusters_of(mp)
        candidates = []
        for partition in partitions(problem, n_clusters, max(1, mp // n_clusters)):
            cut = Cut(problem, partition, largest_part(problem, partition), moved(problem, partition, home))
            full = CorePart(-(-cut.part.n_macs // self.machine.macs_per_cycle) / self.machine.clock_hz)
            candidates.append((self._time(self.cost(cut, full), mp), partition, cut))
        best: tuple[float, LayerWork, Partition] | None = None
        refused: InfeasibleError | None = None
        for least, partition, cut in sorted(candidates, key=lambda one: one[:2]):
            if best is not None and least >= best[0]:
                break
            try:
                work = self.cost(cut, self.core.array(cut.part, name))
            except InfeasibleError as error:
                refused = error
                continue
            seconds = self._time(work, mp)
            if best is None or seconds < best[0]:
                best = seconds, work, partition
        if best is None:
            assert refused is not None
            raise refused
        return best[1], made_by(problem, best[2])

    def cost(self, cut: Cut, core: CorePart, inside: Inside = OUTSIDE) -> LayerWork:
        """What a cut comes to whose busiest core needs so much."""
        problem, words = cut.problem, cut.words
        machine = self.machine
        i_bytes, w_bytes, o_bytes = self.core.word_bytes
        sum_bytes = machine.accumulate_bits / 8
        in_bytes = words.inputs * i_bytes * core.refetch[I] if inside.homes[0] is None else 0.0
        weight_bytes = words.weights * self.chip.runtime.weight_bytes
        again = (
            words.weights * w_bytes * (core.refetch[W] - 1)
        )  # within an image: what the core has no room for
        if problem.weight_has_batch:
            again, weight_bytes = words.weights * w_bytes * core.refetch[W], 0.0
        out_bytes = words.outputs * o_bytes * core.refetch[O] if inside.homes[1] is None else 0.0
        sums = words.partial_sums * sum_bytes
        crossing = words.inputs_crossing * i_bytes + words.sums_crossing * sum_bytes  # [s]
        if problem.weight_has_batch:
            crossing = crossing + again / len(crossing) * (1 - 1 / len(crossing))
        n_busy = problem.n_macs / cut.part.n_macs  # cores, as if all had as much to do as the busiest
        returned = out_bytes * (1 - 1 / core.refetch[O]) / 2  # sums without room: written and read
        energy_pj = (
            core.inside_pj * n_busy
            + (in_bytes + again + sums + returned) * self._read_pj
            + (out_bytes - returned + sums) * self._write_pj
            + float(crossing.sum()) * self.chip.wire(cut.partition.n_cores)[1]
            + words.partial_sums * machine.vector_pj_per_op
        )
        adds = words.partial_sums / n_busy / (machine.vector_lanes or machine.cols) / machine.clock_hz
        return LayerWork(
            partition=str(cut.partition),
            compute_s=core.seconds + adds,
            in_bytes=in_bytes + again,
            out_bytes=out_bytes + 2 * sums,
            exchange_bytes=float(crossing.max()),
            weight_bytes=weight_bytes,
            energy_j=energy_pj * 1e-12,
            weight_energy_j=1e-12 * (core.weight_fill_pj * n_busy + weight_bytes * self._read_pj),
        )

    def _time(self, work: LayerWork, mp: int) -> float:
        chip, n_clusters = self.chip, self.chip.clusters_of(mp)
        moving = work.in_bytes + work.out_bytes + work.weight_bytes * chip.weight_share(1)
        return (
            self._seconds(work.compute_s)
            + moving / (n_clusters * chip.channel_bytes_per_s)
            + work.exchange_bytes / chip.wire(mp)[0]
        )

    def _seconds(self, compute_s: float) -> float:
        return compute_s / self.chip.runtime.kernel_efficiency

    # --- layers of other work

    def _other(self, layer: Layer, mp: int, homes: dict[str, Layout | None]) -> LayerWork:
        """Vector work and movement: every core does an equal share of the words that its cluster owns.

        Inputs that live otherwise than the first one cross like any that is spread evenly. The halo of
        pooling windows and the totals of a reduction over rows are not counted.
        """
        first = homes.get(layer.inputs[0]) if layer.inputs else None
        inputs = (*layer.inputs, *layer.fused_inputs)
        strange = sum(self.words(name) for name in inputs if homes.get(name) != first)
        layout = first if layer.kind == "vector" or _joins_maps(layer, homes, first) else None
        homes.update(dict.fromkeys(layer.outputs, layout))
        return self.with_inputs(self.even(layer, mp), 0, self._strange_bytes(strange, mp), mp)

    def even(self, layer: Layer, mp: int, inside: Homes = (None, None)) -> LayerWork:
        """Vector work and movement of an image, shared evenly by `mp` cores that read from their cluster."""
        key = layer.name, mp, inside
        if key not in self._even:
            self._even[key] = self._shared_evenly(layer, mp, inside)
        return self._even[key]

    def _shared_evenly(self, layer: Layer, mp: int, inside: Homes) -> LayerWork:
        words = sum(map(self.words, (*layer.inputs, *layer.fused_inputs)))
        made = sum(map(self.words, layer.outputs))
        params = layer.params if layer.weight_words is None else layer.weight_words
        if layer.kind == "movement":  # a look-up reads as many words of its table as it gives out
            words, params = words + min(params, made), 0
            core = self.core.movement(-(-words // mp), -(-made // mp))
            whole = self.core.movement(words, made)
        else:
            core = self.core.vector(
                -(-layer.vector_ops // mp), -(-words // mp), params, -(-made // mp), inside
            )
            whole = self.core.vector(layer.vector_ops, words, params, made, inside)
        i_bytes, _, o_bytes = self.core.word_bytes
        in_bytes = words * i_bytes if inside[0] is None else 0.0
        out_bytes = made * o_bytes if inside[1] is None else 0.0
        weight_bytes = params * self.chip.runtime.weight_bytes
        pj = whole.inside_pj + in_bytes * self._read_pj + out_bytes * self._write_pj
        return LayerWork(
            partition="even",
            compute_s=core.seconds,
            in_bytes=in_bytes,
            out_bytes=out_bytes,
            exchange_bytes=0.0,
            weight_bytes=weight_bytes,
            energy_j=pj * 1e-12,
            weight_energy_j=(whole.weight_fill_pj + weight_bytes * self._read_pj) * 1e-12,
        )

    def with_inputs(self, work: LayerWork, words: int, strange_bytes: float, mp: int) -> LayerWork:
        """The same layer reading more: shortcuts that are fused into it."""
        more = words * self.core.word_bytes[I]
        pj = more * self._read_pj + strange_bytes * self.chip.clusters_of(mp) * self.chip.wire(mp)[1]
        return replace(
            work,
            in_bytes=work.in_bytes + more,
            exchange_bytes=work.exchange_bytes + strange_bytes,
            energy_j=work.energy_j + pj * 1e-12,
        )

    def _strange_bytes(self, words: int, mp: int) -> float:
        """What one cluster takes from others, of words that it needs an equal share of."""
        s = self.chip.clusters_of(mp)
        return words * self.core.word_bytes[I] / s * (1 - 1 / s)

    def words(self, name: str) -> int:
        """Of a tensor."""
        return self.graph.tensors[name].n_words

    @property
    def _read_pj(self) -> float:
        return float(self.machine.read_pj_per_byte[self.core.dram])

    @property
    def _write_pj(self) -> float:
        return float(self.machine.write_pj_per_byte[self.core.dram])


def _joins_maps(layer: Layer, homes: Mapping[str, Layout | None], first: Layout | None) -> bool:
    """Whether a concatenation leaves every word in its cluster: maps cut over rows alone, all alike."""
    alike = first is not None and all(homes.get(name) == first for name in layer.inputs)
    return alike and layer.op == "concat" and first is not None and first.n_parts[1] == 1


def live_bytes(graph: LayerGraph, word_bytes: float) -> float:
    """Activations of an image that a card keeps: every tensor its own buffer, elementwise work in place."""
    in_place = {
        layer.outputs[0]
        for layer in graph.layers
        if layer.kind == "vector"
        and layer.inputs
        and graph.tensors[layer.inputs[0]].n_words == graph.tensors[layer.outputs[0]].n_words
    }
    return word_bytes * sum(t.n_words for name, t in graph.tensors.items() if name not in in_place)


def replica_works(
    graph: LayerGraph, machine: Arch, mps: Iterable[int], cache: bool = True
) -> dict[int, ReplicaWork]:
    """The work of one image for each number of cores of a replica; `graph` as it was loaded, at batch 1."""
    graph = fuse(drop_noops(graph), frozenset(machine.fuses))
    works = Works(graph, machine.machine(), machine.chip(), Solver(disk=open_cache() if cache else None))
    return {mp: works.of(mp) for mp in sorted(set(mps))}
