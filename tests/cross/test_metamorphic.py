"""What must hold between runs and between columns, whatever the numbers are (design, section 9).

Shipped networks on shipped architectures. The search is exact, so a better machine never loses anything.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest
from support.spaces import legal_mappings

import accelsim
from accelsim.cost.evaluate import evaluate
from accelsim.costing import Costing
from accelsim.mapper.found import SearchOptions
from accelsim.mapper.solve import Solver
from accelsim.mapping.dataflows import DATAFLOWS
from accelsim.results.result import Result
from accelsim.tables.dims import OPERANDS
from accelsim.tables.machine import Machine
from accelsim.tables.nest import Nest, Problem
from accelsim.workload.graph import LayerGraph
from accelsim.workload.layer import Layer
from accelsim.workload.passes import drop_noops, fuse

ARCHITECTURES = (
    "eyeriss",
    "eyeriss_isca16_256",
    "systolic_32x32",
    "systolic_128x128",
    "tpu_v1",
    "gemmini_16x16",
    "mlu100",
)
NETWORKS = ("lenet", "alexnet", "gpt2_decode")
ROUNDING = 1 + 1e-12
VALUES = {
    "latency": lambda row: row["latency_cycles"],
    "energy": lambda row: row["energy_pj"],
    "edp": lambda row: row["latency_cycles"] * row["energy_pj"],
}

everywhere = pytest.mark.parametrize("arch", ARCHITECTURES)
networks = pytest.mark.parametrize("network", NETWORKS)


@cache
def load(network: str, batch: int | None = None) -> LayerGraph:
    return accelsim.load(network, batch)


@cache
def machine(arch: str) -> Machine:
    return accelsim.arch(arch).machine()


@cache
def result(network: str, arch: str) -> Result:
    return accelsim.run(load(network), accelsim.arch(arch))


def costed(network: str, arch: str) -> Iterator[Mapping[str, Any]]:
    rows = [row for row in result(network, arch).rows if row["status"] != "not_costed"]
    assert rows
    yield from rows


@cache
def rows_at(network: str, batch: int, arch: str, objective: str) -> list[dict[str, Any]]:
    return rows_on(load(network, batch), machine(arch), arch, objective)


def rows_on(graph: LayerGraph, at: Machine, arch: str, objective: str) -> list[dict[str, Any]]:
    """The rows of a graph on a machine that no file describes."""
    graph = fuse(drop_noops(graph), frozenset(accelsim.arch(arch).fuses))
    costing = Costing(graph, at, SearchOptions(objective)).solve(Solver())
    return [costing.row(step) for step in range(len(graph.layers))]


# --- between the columns of one row


@everywhere
@networks
def test_latency_is_compute_and_fill_and_drain_and_stalls(network: str, arch: str) -> None:
    for row in costed(network, arch):
        parts = [row["compute_cycles"], row["fill_drain_cycles"], row["stall_cycles"]]
        assert min(parts) >= 0, row["layer"]
        assert sum(parts) == row["latency_cycles"], row["layer"]
        assert row["latency_s"] == row["latency_cycles"] / machine(arch).clock_hz


@everywhere
@networks
def test_energy_is_the_sum_of_its_parts_by_level_and_by_operand(network: str, arch: str) -> None:
    for row in costed(network, arch):
        by_level = row["energy_pj_by_level"]
        assert min(by_level.values()) >= 0
        assert sum(by_level.values()) == pytest.approx(row["energy_pj"], rel=1e-12), row["layer"]
        without = sum(by_level.get(part, 0.0) for part in ("mac", "leakage", "clock"))
        by_operand = sum(row["energy_pj_by_operand"].values()) + without
        assert by_operand == pytest.approx(row["energy_pj"], rel=1e-12), row["layer"]


@everywhere
@networks
def test_no_layer_beats_its_bounds(network: str, arch: str) -> None:
    for row in costed(network, arch):
        assert row["latency_cycles"] >= row["compute_bound_cycles"], row["layer"]
        assert row["latency_cycles"] >= row["memory_bound_cycles"], row["layer"]
        assert row["energy_pj"] >= row["energy_bound_pj"] * (1 - 1e-12), row["layer"]
        assert row["dram_read_bytes"] + row["dram_write_bytes"] >= row["compulsory_dram_bytes"], row["layer"]
        assert row["utilization_frac"] is None or 0 <= row["utilization_frac"] <= 1


@everywhere
@networks
def test_bytes_of_dram_are_its_words_times_their_width(network: str, arch: str) -> None:
    """Unfinished sums may be wider than finished outputs, so those words lie between the two widths."""
    at = machine(arch)
    width = [float(at.word_bits[-1] or at.bits[t]) / 8 for t in range(3)]
    wide = max(float(at.word_bits[-1] or at.accumulate_bits) / 8, width[2])
    for row in costed(network, arch):
        words = row["accesses"]["dram"]
        for rw in ("read", "write"):
            least = sum(words[name][rw] * width[t] for t, name in enumerate(OPERANDS))
            assert least <= row[f"dram_{rw}_bytes"] <= least + words["O"][rw] * (wide - width[2]), row[
                "layer"
            ]
        if words["O"]["read"] == 0:  # no sum ever left unfinished
            assert row["dram_write_bytes"] == math.ceil(words["O"]["write"] * width[2]), row["layer"]


@everywhere
@networks
def test_totals_are_the_sums_of_the_rows(network: str, arch: str) -> None:
    rows, totals = list(costed(network, arch)), result(network, arch).totals
    for column in (
        "macs",
        "params",
        "latency_cycles",
        "compute_cycles",
        "dram_read_bytes",
        "dram_write_bytes",
    ):
        assert totals[column] == sum(row[column] for row in rows), column
    assert totals["energy_pj"] == pytest.approx(math.fsum(row["energy_pj"] for row in rows), rel=1e-12)
    for level, operands in totals["accesses"].items():
        for name, counts in operands.items():
            for rw, words in counts.items():
                assert words == sum(row["accesses"][level][name][rw] for row in rows)
    work = sum(row["macs"] for row in rows)
    capacity = totals["latency_cycles"] * machine(arch).macs_per_cycle
    assert totals["utilization_frac"] == pytest.approx(work / capacity)


@everywhere
def test_equal_runs_give_equal_bytes_outside_run(arch: str) -> None:
    again = accelsim.run(accelsim.load("lenet"), accelsim.arch(arch)).to_dict()
    assert {**again, "run": None} == {**result("lenet", arch).to_dict(), "run": None}


# --- names


def renamed(graph: LayerGraph) -> LayerGraph:
    """The same network with other names of layers and tensors, which sort in another order."""
    layer_name = {layer.name: f"{hash_of(layer.name)}-layer" for layer in graph.layers}
    name = {tensor: f"{hash_of(tensor)}-tensor" for tensor in graph.tensors}

    def of(layer: Layer) -> Layer:
        return replace(
            layer,
            name=layer_name[layer.name],
            inputs=tuple(name[t] for t in layer.inputs),
            outputs=tuple(name[t] for t in layer.outputs),
            fused_inputs=tuple(name[t] for t in layer.fused_inputs),
        )

    return replace(
        graph,
        layers=tuple(of(layer) for layer in graph.layers),
        tensors={name[t]: replace(tensor, name=name[t]) for t, tensor in graph.tensors.items()},
        inputs=tuple(name[t] for t in graph.inputs),
        outputs=tuple(name[t] for t in graph.outputs),
    )


def hash_of(word: str) -> int:
    return int.from_bytes(word.encode()[::-1], "big") % 1_000_003


@everywhere
def test_names_change_nothing(arch: str) -> None:
    graph = renamed(load("lenet"))
    assert len({layer.name for layer in graph.layers}) == len(graph.layers)
    rows = accelsim.run(graph, accelsim.arch(arch)).rows
    unnamed = {"layer": "", "fused": []}
    assert [{**row, **unnamed} for row in rows] == [{**row, **unnamed} for row in result("lenet", arch).rows]


# --- a better machine, a larger batch


def faster(at: Machine, level: int, factor: float) -> Machine:
    read, write = at.read_bytes_per_cycle.copy(), at.write_bytes_per_cycle.copy()
    read[level] *= factor
    write[level] *= factor
    return replace(at, read_bytes_per_cycle=read, write_bytes_per_cycle=write)


def larger(at: Machine, level: int) -> Machine:
    capacity = at.capacity_bytes.copy()
    capacity[level] *= 2
    return replace(at, capacity_bytes=capacity)


CONVOLUTION = Problem((2, 1, 24, 12, 9, 9, 3, 3, 1, 1), ((1, 1, 1, 9), (1, 1, 1, 9), (1, 1, 0, 1)))


def some_legal(at: Machine) -> Iterator[tuple[Nest, str]]:
    for nest in legal_mappings(CONVOLUTION, at, DATAFLOWS[at.dataflow], most=2000):
        yield nest, at.dataflow


@everywhere
def test_no_mapping_is_slower_with_more_bandwidth(arch: str) -> None:
    """Mapping by mapping, level by level; energy moves with the leakage only, so it never rises."""
    at = machine(arch)
    for nest, flow in some_legal(at):
        slow = evaluate(CONVOLUTION, nest, at, flow)
        for level in range(at.n_levels):
            fast = evaluate(CONVOLUTION, nest, faster(at, level, 3), flow)
            assert (fast.latency_cycles <= slow.latency_cycles).all(), at.level_names[level]
            assert (fast.energy_pj <= slow.energy_pj).all()
            assert (fast.compute_cycles == slow.compute_cycles).all()


@everywhere
def test_endless_bandwidth_leaves_compute_and_fill_and_drain(arch: str) -> None:
    at = machine(arch)
    for level in range(at.n_levels):
        at = faster(at, level, np.inf)
    for nest, flow in some_legal(at):
        cost = evaluate(CONVOLUTION, nest, at, flow)
        assert (cost.stall_cycles == 0).all()


@pytest.mark.parametrize(
    ("network", "arch"), [*(("lenet", arch) for arch in ARCHITECTURES), ("squeezenet1_1", "gemmini_16x16")]
)
def test_best_latency_does_not_suffer_from_more_bandwidth(network: str, arch: str) -> None:
    at = machine(arch)
    slow = rows_at(network, 1, arch, "latency")
    for level in range(at.fanout_level, at.n_levels):
        for before, after in zip(
            slow, rows_on(load(network), faster(at, level, 2), arch, "latency"), strict=True
        ):
            assert after["latency_cycles"] <= before["latency_cycles"], after["layer"]


@everywhere
@pytest.mark.parametrize("objective", VALUES)
def test_larger_buffer_does_not_worsen_the_optimum(objective: str, arch: str) -> None:
    """At equal energy an access; activations stay where they were, as each layer's own optimum is meant."""
    at, value = machine(arch), VALUES[objective]
    at = replace(at, activation_home=at.n_levels - 1)
    small = rows_on(load("lenet"), at, arch, objective)
    for level in range(at.n_levels - 1):
        for before, after in zip(
            small, rows_on(load("lenet"), larger(at, level), arch, objective), strict=True
        ):
            assert value(after) <= ROUNDING * value(before), (after["layer"], at.level_names[level])


@everywhere
@pytest.mark.parametrize(
    ("network", "objective"),
    [*(("lenet", objective) for objective in VALUES), ("alexnet", "latency"), ("gpt2_decode", "edp")],
)
def test_two_images_are_never_cheaper_than_one(network: str, objective: str, arch: str) -> None:
    value = VALUES[objective]
    one, two = rows_at(network, 1, arch, objective), rows_at(network, 2, arch, objective)
    cheaper = [
        before["layer"]
        for before, after in zip(one, two, strict=True)
        if value(after) * (1 + 1e-9) < value(before)
    ]
    assert cheaper == []
    for before, after in zip(one, two, strict=True):
        assert after["macs"] == 2 * before["macs"]
