"""What one layer of any kind costs: the array's loops are mapped and counted, other work directly."""

from __future__ import annotations

from collections.abc import Collection
from collections.abc import Mapping as Mapping_
from dataclasses import dataclass, field, replace
from functools import cache
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from accelsim.base.errors import InfeasibleError, InputError, did_you_mean
from accelsim.base.errors import Problem as Message
from accelsim.cost.closed_machines import columns_of
from accelsim.cost.compression import Zeros, with_zeros
from accelsim.cost.evaluate import evaluate
from accelsim.cost.latency import together
from accelsim.cost.layer_of_form import layer_cost
from accelsim.cost.network_form import (
    ArrayWork,
    MovedWork,
    NetworkForm,
    NetworkWork,
    Work,
    layer_form,
    network_form,
)
from accelsim.cost.reuse import reuse_table, touched_input_words
from accelsim.cost.systolic import gemm_view
from accelsim.cost.vector import Flow, movement_cost, vector_cost
from accelsim.mapper.found import Found, SearchOptions
from accelsim.mapper.found_columns import Place, found_columns
from accelsim.mapper.request import Request, room_of_tiles
from accelsim.mapper.solve import Progress, Solver
from accelsim.mapping.dataflows import DATAFLOWS, RS, followed
from accelsim.mapping.dataflows.base import spatial_trips
from accelsim.mapping.files import GivenMapping, MappingFile, RowStationaryParameters
from accelsim.mapping.footprint import moved_bytes
from accelsim.mapping.homes import Homes, find_homes
from accelsim.mapping.legality import reasons, structure_problems
from accelsim.mapping.lower import lower
from accelsim.mapping.mapping import Mapping, from_nest
from accelsim.results.row import bound_columns, cost_columns, sum_columns
from accelsim.tables.dims import I, O, W, relevant_dims
from accelsim.tables.layer_cost import LayerCost
from accelsim.tables.machine import Machine
from accelsim.tables.nest import Nest, Problem
from accelsim.workload.graph import LayerGraph
from accelsim.workload.layer import Layer
from accelsim.workload.zeros import load_zeros

NO_ENGINE = "the architecture has no vector engine or host that could do it"


@dataclass
class Costing:
    """Costs the layers of one graph on one machine, once `solve` has mapped those of the array.

    collect the distinct searches -> solve them -> a row for each layer
    """

    graph: LayerGraph
    machine: Machine
    options: SearchOptions
    given: MappingFile | None = None
    zeros: Mapping_[str, Zeros] = field(default_factory=dict)
    """By layer: zeros of its maps, where they are known."""

    def __post_init__(self) -> None:
        self.homes: Homes = find_homes(self.graph, self.machine)
        self.dram = self.machine.n_levels - 1
        self.effort: dict[str, Any] = {}  # what the searches took: equal runs may differ in it
        self.mappings: dict[str, Mapping] = {}
        self.found: dict[str, Found] = {}  # by the first layer of those that are equal
        self.searched_as: dict[str, str] = {}  # of each array layer, the first of those that are equal
        self._costs: dict[str, LayerCost] = {}  # of array layers, one run of each
        if self.given is not None:
            self._check_names(self.given)

    def solve(
        self, solver: Solver, progress: Progress | None = None, only: Collection[str] | None = None
    ) -> Costing:
        """Maps every array layer: as the file says, or as the solver finds. With `only`, the others need only
        have a legal mapping beside the tensors that live inside the chip.

        Raises InfeasibleError where a mapping of the file does not fit, NothingLegalError for the first layer
        for which none is legal.
        """
        for step, layer in self._array_layers():
            if self.given is not None and layer.name in self.given.layers:
                given = self.given.layers[layer.name]
                self._costs[layer.name], self.mappings[layer.name] = self._evaluate(layer, step, given)
                self.searched_as[layer.name] = layer.name
        requests = self.requests(only)
        if only is not None and self.homes.any_inside(self.dram):
            solver.check(self.requests().values())
        distinct = list(dict.fromkeys(requests.values()))
        found = solver.solve(distinct, progress)
        self.found = {request.layer: one for request, one in zip(distinct, found, strict=True)}
        for name, request in requests.items():
            best = self.found[request.layer].best
            self._costs[name] = best.cost
            self.mappings[name] = from_nest(best.nest, 0, self.machine.level_names)
            self.searched_as[name] = request.layer
        in_order = [layer.name for _, layer in self._array_layers() if layer.name in self.mappings]
        self.mappings = {name: self.mappings[name] for name in in_order}
        self.effort = solver.effort(len(in_order) - len(requests))
        return self

    def requests(self, only: Collection[str] | None = None) -> dict[str, Request]:
        """The search of each array layer that the file does not map (or of those named), in network order.

        Equal layers share one request, which has the name of the first of them.
        """
        given = self.given.layers if self.given is not None else {}
        known: dict[Any, Request] = {}
        requests = {}
        for step, layer in self._array_layers():
            if layer.name in given or (only is not None and layer.name not in only):
                continue
            problem, homes = lower(layer), self.array_homes(layer)
            room = room_of_tiles(self.machine, self._room(step), homes)
            key = problem, homes, room.tobytes(), self.zeros.get(layer.name)
            if key not in known:
                machine = replace(self.machine_of(layer), capacity_bytes=room)
                known[key] = Request(problem, machine, homes, self.options, layer.name)
            requests[layer.name] = known[key]
        return requests

    def row(self, step: int) -> dict[str, Any]:
        """The columns of the layer at one step of the graph's order."""
        layer = self.graph.layers[step]
        status, reason = status_of(layer, self.machine)
        row: dict[str, Any] = {
            "layer": layer.name,
            "op": layer.op,
            "status": status,
            "reason": reason,
            "fused": list(layer.fused),
            "macs": layer.macs,
            "vector_ops": layer.vector_ops,
            "params": layer.params,
            "params_bn_folded": layer.params_bn_folded,
        }
        if status == "not_costed":
            return row
        cost = self.cost(layer)
        if layer.kind == "array":
            row |= self._bounds(layer)
        row |= cost_columns(cost, self.machine, layer.macs)
        if layer.kind != "array":
            row |= self._moved_bounds(layer, cost)
        row["mapping"] = str(self.mappings[layer.name]) if layer.name in self.mappings else None
        return row

    def sums(self, step: int) -> dict[str, Any]:
        """Of a layer's columns those that the totals of a sweep are made of, and bytes inside the chip."""
        layer = self.graph.layers[step]
        row: dict[str, Any] = {"status": status_of(layer, self.machine)[0], "macs": layer.macs}
        if row["status"] == "not_costed":
            return row
        cost, inside = self.cost(layer), slice(self.machine.fanout_level, self.dram)
        moved = float(cost.read_bytes[inside].sum() + cost.write_bytes[inside].sum())
        return row | sum_columns(cost) | {"sram_bytes": moved, "utilization_frac": None}  # a ratio of sums

    def cost(self, layer: Layer) -> LayerCost:
        if layer.kind == "array":
            return self._array(layer)
        if layer.kind == "vector":
            return vector_cost(self.machine, layer.vector_ops, *self.flows(layer))
        return movement_cost(self.machine, *self.flows(layer))

    # --- layers of multiply-accumulates

    def machine_of(self, layer: Layer) -> Machine:
        """The machine with what the zeros of the layer's maps save."""
        zeros = self.zeros.get(layer.name)
        return self.machine if zeros is None else with_zeros(self.machine, zeros)

    def search_columns(self, step: int) -> dict[str, Any]:
        """The columns of `map` of an array layer whose row was made: certificate, nest, other points."""
        layer = self.graph.layers[step]
        first = self.searched_as[layer.name]
        problem = lower(layer)
        place = Place(problem, self.machine, compulsory_words(problem), self.homes.live_bytes[step])
        return {
            "same_as": None if first == layer.name else first,
            "runs": layer.repeat,
            **found_columns(self.found[first], place),
        }

    def _array_layers(self) -> list[tuple[int, Layer]]:
        return [(step, layer) for step, layer in enumerate(self.graph.layers) if layer.kind == "array"]

    def _room(self, step: int) -> NDArray[np.float64]:  # [L], DRAM's was checked for all layers
        left: NDArray[np.float64] = self.machine.capacity_bytes - self.homes.live_bytes[step]
        return left

    def _array(self, layer: Layer) -> LayerCost:
        cost = self._costs[layer.name].repeated(layer.repeat)
        if layer.fused_inputs:
            shortcuts = [self._flow(I, name) for name in layer.fused_inputs]
            cost = together(self.machine, cost, movement_cost(self.machine, shortcuts, []))
        return cost

    def array_homes(self, layer: Layer) -> tuple[int, int, int]:
        second = (
            self.homes.of(layer.inputs[1])
            if layer.weight_is_activation and len(layer.inputs) > 1
            else self.dram
        )
        return self.homes.of(layer.inputs[0]), second, self.homes.of(layer.outputs[0])

    def _evaluate(self, layer: Layer, step: int, given: GivenMapping) -> tuple[LayerCost, Mapping]:
        problem, homes = lower(layer), self.array_homes(layer)
        machine = replace(self.machine_of(layer), capacity_bytes=self._room(step))
        nest = self._given_nest(problem, machine, homes, layer, given)
        dataflow = RS if isinstance(given, RowStationaryParameters) else DATAFLOWS[machine.dataflow]
        wrong = reasons(problem, nest, machine, dataflow, layer.name)
        if wrong:
            place = self._place(layer)
            raise InfeasibleError(
                replace(m, file=place.file, line=place.line, column=place.column) for m in wrong
            )
        cost = evaluate(problem, nest, machine, followed(nest, machine, dataflow).name)
        active = int(spatial_trips(nest, None)[0])
        return cost.point(0, active), from_nest(nest, 0, machine.level_names)

    def _given_nest(
        self,
        problem: Problem,
        machine: Machine,
        homes: tuple[int, int, int],
        layer: Layer,
        given: GivenMapping,
    ) -> Nest:
        if isinstance(given, RowStationaryParameters):
            if machine.dataflow not in ("rs", "any"):
                raise InputError(
                    replace(
                        self._place(layer),
                        message=f"{machine.name} runs {machine.dataflow}, not row-stationary",
                    )
                )
            parameters = {name: np.array([value], np.int64) for name, value in given.values.items()}
            return RS.nest(problem, machine, RS.keep(machine, homes), parameters)
        wrong = structure_problems(given, machine)
        if wrong:
            place = self._place(layer)
            raise InputError(
                replace(place, message=m.message, expected=m.expected, hint=m.hint) for m in wrong
            )
        nest = given.to_nest(machine.level_names)
        keep = nest.keep.copy()
        for t, home in enumerate(homes):
            keep[home + 1 :, t] = False
            keep[home, t] = True
        return replace(nest, keep=keep)

    def _place(self, layer: Layer) -> Message:
        assert self.given is not None
        return self.given.where[layer.name]

    def _check_names(self, given: MappingFile) -> None:
        names = [layer.name for layer in self.graph.layers if layer.kind == "array"]
        unknown = [name for name in given.layers if name not in names]
        if unknown:
            raise InputError(
                replace(
                    given.where[name],
                    message=f"no layer {name!r} to map in {self.graph.name}",
                    hint=did_you_mean(name, names) or "accelsim inspect lists the layers",
                )
                for name in unknown
            )

    # --- bounds

    def _bounds(self, layer: Layer) -> dict[str, Any]:
        """The least that the layer could cost: compute bound and compulsory traffic of what lives in DRAM."""
        inputs, weights, outputs = compulsory_words(lower(layer))
        if layer.macs < lower(layer).n_macs * layer.repeat:  # loops padded beyond the layer's own words
            inputs, outputs = (
                min(n, self.words(names))
                for n, names in ((inputs, layer.inputs[:1]), (outputs, layer.outputs))
            )
            weights = min(weights, layer.params or weights)
        words = inputs, weights, outputs
        machine, total, energy = self.machine_of(layer), 0.0, 0.0
        for operand, home in zip((I, W, O), self.array_homes(layer), strict=True):
            if home != self.dram:
                continue
            runs = 1 if operand == W else layer.repeat  # weights could stay for all runs
            size = words[operand] * runs * moved_bytes(machine, home, operand)
            pj = machine.write_pj_per_byte if operand == O else machine.read_pj_per_byte
            total, energy = total + size, energy + size * float(pj[home])
        return bound_columns(layer.macs, machine.mac_pj, int(np.ceil(total)), energy, machine)

    def _moved_bounds(self, layer: Layer, cost: LayerCost) -> dict[str, Any]:
        """Each word moves once already; the engine's pace is the compute bound."""
        moved = int(np.ceil(cost.read_bytes[self.dram].sum() + cost.write_bytes[self.dram].sum()))
        energy = float(cost.level_pj[self.dram].sum()) + cost.compute_pj
        columns = bound_columns(0, 0.0, moved, energy, self.machine)
        return columns | {"compute_bound_cycles": cost.compute_cycles}

    def words(self, names: tuple[str, ...]) -> int:
        return sum(self.graph.tensors[name].n_words for name in names)

    # --- layers of other work

    def flows(self, layer: Layer) -> tuple[list[Flow], list[Flow]]:
        """Words that a layer without multiply-accumulates reads and writes, and where they live."""
        return self._inputs(layer), self._outputs(layer)

    def _inputs(self, layer: Layer) -> list[Flow]:
        flows = [self._flow(I, name) for name in (*layer.inputs, *layer.fused_inputs)]
        words = layer.params if layer.weight_words is None else layer.weight_words
        if layer.kind == "movement":  # a look-up reads as many words of its table as it gives out
            words = min(words, self.words(layer.outputs))
        if words:
            flows.append(Flow(W, words, self.dram))
        return flows

    def _outputs(self, layer: Layer) -> list[Flow]:
        return [self._flow(O, name) for name in layer.outputs]

    def _flow(self, operand: int, tensor: str) -> Flow:
        return Flow(operand, self.graph.tensors[tensor].n_words, self.homes.of(tensor))


class ClosedCosting(Costing):
    """Costs the layers of one graph by the closed form of a systolic array: nothing is mapped or searched."""

    def __post_init__(self) -> None:
        self.columns = columns_of(self.machine)
        super().__post_init__()

    def network(self) -> NetworkForm:
        """All layers together, as a sweep has them; InfeasibleError where the SRAM is too small."""
        form = network_form(network_work(self.graph, self.machine), self.columns)
        if form.needs_bytes[0] > self.columns.sram_bytes[0]:
            name = self.machine.level_names[-2]
            has = f"{form.needs_bytes[0]:,.0f} B of {self.columns.sram_bytes[0]:,.0f} B"
            raise InfeasibleError(
                Message(
                    f"{name} needs {has}: a word for each row and column in each operand's share",
                    key=f"{name}.size",
                    hint=f"raise {name}.size, or lower array.rows or array.cols",
                )
            )
        return form

    def cost(self, layer: Layer) -> LayerCost:
        work = work_of(layer, self)
        assert work is not None  # row() has asked for the status
        return layer_cost(layer_form(work, self.columns), self.machine)


def network_work(graph: LayerGraph, machine: Machine) -> NetworkWork:
    """The distinct layers of a graph as the closed form sees them; sizes and rates don't matter.

    The machine tells what its engine fuses and whether it has one; InputError as `lower` raises it.
    """
    unlimited = replace(machine, capacity_bytes=np.full(machine.n_levels, np.inf))
    costing = Costing(graph, unlimited, SearchOptions())
    works: dict[Work, int] = {}
    for layer in graph.layers:
        work = work_of(layer, costing)
        if work is not None:
            works[work] = works.get(work, 0) + 1
    width = float(machine.word_bits[-1] or machine.bits[I]) / 8
    live = costing.homes.live_bytes[:, -1] / width
    weights = sum(layer.params for layer in graph.layers)
    return NetworkWork(works, int(live.max(initial=0)), weights)


def work_of(layer: Layer, costing: Costing) -> Work | None:
    """A layer as the closed form sees it; None where no cost model knows it."""
    if layer.kind == "not_costed":
        return None
    if layer.kind != "array":
        inputs, outputs = costing.flows(layer)
        words = {t: sum(flow.words for flow in inputs if flow.operand == t) for t in (I, W)}
        moves = layer.kind == "movement"
        ops = 0 if moves else layer.vector_ops
        return MovedWork(ops, words[I], words[W], sum(flow.words for flow in outputs), moves)
    problem = lower(layer)
    gemm = gemm_view(np.array([problem.extents], np.int64).T, np.array([problem.weight_has_batch]))
    return ArrayWork(
        pixels=int(gemm.pixels[0]),
        filters=int(gemm.filters[0]),
        reduction=int(gemm.reduction[0]),
        groups=int(gemm.groups[0]),
        inputs=compulsory_words(problem)[0],
        runs=layer.repeat,
        macs=layer.macs,
        beside=costing.words(layer.fused_inputs),
    )


def refuse_options(given: Mapping_[str, Any]) -> None:
    """InputError for each option that the closed form knows nothing of."""
    wrong = [name for name, value in given.items() if value is not None]
    if wrong:
        raise InputError(
            Message(f"--closed-form knows no --{name}", hint=f"leave --{name} out") for name in wrong
        )


@cache
def compulsory_words(problem: Problem) -> tuple[int, int, int]:
    """Distinct words of I, W and O that the layer touches."""
    inputs = touched_input_words(np.array([problem.extents], np.int64), np.array([problem.windows], np.int64))
    weights = prod(problem.extents[d] for d in relevant_dims(W, problem.weight_has_batch))
    return int(inputs[0]), weights, problem.n_output_words


def zeros_of(
    graph: LayerGraph, machine: Machine, file: Path | str | None
) -> tuple[dict[str, Zeros], dict[str, str] | None]:
    """What a table of zero fractions says of the layers of a graph, and which table it is.

    InputError where the machine has no use for it: it neither codes maps nor rests at their zeros.
    """
    if file is None:
        return {}, None
    if machine.coding is None and machine.gated is None:
        raise InputError(
            Message(
                f"{machine.name} has no use for zeros: it neither codes maps nor rests at a zero",
                file=str(file),
                hint="leave --zeros out, or give the architecture pe.zero_gating or dram.coding",
            )
        )
    table = load_zeros(Path(file))
    first = {layer.name: layer.inputs[0] for layer in graph.layers if layer.inputs}
    known = {
        name: Zeros(inputs, outputs, first[name] in graph.producer)
        for name, (inputs, outputs) in table.of(graph).items()
    }
    return known, table.provenance


def status_of(layer: Layer, machine: Machine | None) -> tuple[str, str | None]:
    """costed, data_movement or not_costed with its reason."""
    if layer.kind == "not_costed":
        return "not_costed", layer.reason or "this operator has no cost model"
    if layer.kind == "movement":
        return "data_movement", None
    if layer.kind == "vector" and machine is not None and machine.vector_lanes == 0:
        return "not_costed", NO_ENGINE
    return "costed", None


def reuse_row(layer: Layer, achieved: dict[str, Any] | None) -> dict[str, Any]:
    """Accesses of one array layer without reuse, with each kind, with all, and what a mapping achieves."""
    problem = lower(layer)
    table = reuse_table(
        np.array([problem.extents], np.int64),
        np.array([problem.windows], np.int64),
        np.array([problem.weight_has_batch]),
        np.array([layer.repeat], np.int64),
    )
    row: dict[str, Any] = {"layer": layer.name, "op": layer.op, "status": "costed", "macs": layer.macs}
    for kind, found in table.items():
        row["no_reuse" if kind == "none" else kind] = int(found.total[0])
    if achieved is not None:
        row["achieved"] = {
            level: sum(sum(words.values()) for words in operands.values())
            for level, operands in achieved.items()
        }
    return row
