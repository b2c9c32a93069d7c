"""A network under SCALE-Sim's rules: its layers one after the other, each alone."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from accelsim.base.errors import InputError
from accelsim.compat.scalesim.layer import Row, simulate_layer
from accelsim.compat.scalesim.setup import WORDS_PER_KB, Setup
from accelsim.compat.scalesim.work import Work, unsupported, work_of
from accelsim.tables.dims import OPERANDS, G
from accelsim.tables.machine import Machine
from accelsim.workload.graph import LayerGraph
from accelsim.workload.layer import Layer

UNLIMITED_KB = 2**20
"""The SRAM of an operand whose memory has no size."""
_SRAM_WORDS = {"I": "sram_ifmap_reads", "W": "sram_filter_reads", "O": "sram_ofmap_writes"}
_DRAM_WORDS = {"I": "dram_ifmap_reads", "W": "dram_filter_reads", "O": "dram_ofmap_writes"}


def setup_of(machine: Machine) -> Setup:
    """The array and, for each operand, its share of the innermost memory outside the array that holds it.

    SCALE-Sim has three private SRAMs: a memory that holds several operands is split evenly. Its own default
    memory mode, CALC.
    """
    shares = []
    for operand in range(len(OPERANDS)):
        levels = range(machine.fanout_level, machine.n_levels)
        level = next(level for level in levels if machine.holds[level, operand])
        room = float(machine.capacity_bytes[level]) / int(machine.holds[level].sum())
        shares.append(max(1, int(room) // WORDS_PER_KB) if math.isfinite(room) else UNLIMITED_KB)
    ifmap_kb, filter_kb, ofmap_kb = shares
    return Setup(machine.rows, machine.cols, machine.dataflow, ifmap_kb, filter_kb, ofmap_kb)


def simulate(graph: LayerGraph, setup: Setup, clock_hz: float | None) -> list[dict[str, Any]]:
    """Our row of every layer, with SCALE-Sim's report under `scalesim`; equal layers are simulated once.

    InputError where a layer has no form in SCALE-Sim, or where the setup is none that it runs.
    """
    if problems := setup.problems():
        raise InputError(problems)
    known: dict[Work, Row] = {}
    rows = []
    for layer in runs_of(graph):
        if layer.kind != "array":
            rows.append(_base(layer) | {"status": "not_costed", "reason": "no convolution or matrix product"})
            continue
        work = replace(work_of(layer, graph.format == "scalesim"), name="")
        if work not in known:
            known[work] = simulate_layer(work, setup)
        rows.append(_row(layer, known[work], setup, clock_hz))
    return rows


def runs_of(graph: LayerGraph) -> list[Layer]:
    """The layers as SCALE-Sim runs them: a depthwise line of a topology once a channel, with all its filters.

    InputError where a layer has no form in SCALE-Sim.
    """
    runs: list[Layer] = []
    for layer in graph.layers:
        groups = layer.dims[G]
        if graph.format != "scalesim" or groups == 1:
            runs.append(layer)
            continue
        dims = tuple(1 if axis == G else extent for axis, extent in enumerate(layer.dims))
        one = replace(layer, dims=dims, op="conv", macs=layer.macs // groups, params=layer.params // groups)
        one = replace(one, params_bn_folded=layer.params_bn_folded // groups)
        runs += [replace(one, name=f"{layer.name}Channel_{channel}") for channel in range(groups)]
    refused = [problem for run in runs if run.kind == "array" and (problem := unsupported(run)) is not None]
    if refused:
        raise InputError(refused)
    return runs


def _base(layer: Layer) -> dict[str, Any]:
    return {
        "layer": layer.name,
        "op": layer.op,
        "status": "costed",
        "reason": None,
        "macs": layer.macs,
        "params": layer.params,
        "params_bn_folded": layer.params_bn_folded,
    }


def _row(layer: Layer, report: Row, setup: Setup, clock_hz: float | None) -> dict[str, Any]:
    """Ours: latency is what the array takes, every line counted; SCALE-Sim's total is one cycle less."""
    lines, stalls = int(report["compute_cycles"] or 0), int(report["stall_cycles"] or 0)
    dram_reads = int(report["dram_ifmap_reads"] or 0) + int(report["dram_filter_reads"] or 0)
    return _base(layer) | {
        "latency_cycles": lines + stalls,
        "compute_cycles": lines,
        "fill_drain_cycles": 0,
        "stall_cycles": stalls,
        "latency_s": (lines + stalls) / clock_hz if clock_hz else None,
        "utilization_frac": layer.macs / ((lines + stalls) * setup.rows * setup.cols),
        "energy_pj": None,
        "energy_pj_by_level": None,
        "dram_read_bytes": dram_reads,
        "dram_write_bytes": report["dram_ofmap_writes"],
        "accesses": {"sram": _accesses(report, _SRAM_WORDS), "dram": _accesses(report, _DRAM_WORDS)},
        "bound": "dram" if stalls else "compute",
        "mapping": None,
        "scalesim": {name: value for name, value in report.items() if name != "compute_cycles"},
    }


def _accesses(report: Row, columns: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    return {
        operand: {"read": 0, "write": report[name]} if operand == "O" else {"read": report[name], "write": 0}
        for operand, name in columns.items()
    }
