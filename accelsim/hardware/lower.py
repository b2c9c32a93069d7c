"""An architecture lowered into the arrays of tables.machine: units gone, bytes and cycles left."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from accelsim.hardware.constants import access_pj_per_byte, accumulate_bits, mac_pj, word_bits
from accelsim.hardware.model import ArchFile, Core, Memory
from accelsim.hardware.parts import Bandwidth
from accelsim.tables.dims import OPERANDS
from accelsim.tables.machine import BEST_HOME, Machine, RunLength


def lower(spec: ArchFile, dataflow: str) -> Machine:
    """The Machine of one core of `spec` running `dataflow`; a memory of zero bytes holds nothing.

    Where cores sit in clusters, the outermost memory's bandwidth is at most that of one cluster's channel:
    what a core can draw while the others rest.
    """
    core, mac, array = spec.core, spec.core.mac, spec.core.array
    clock_hz = spec.clock.value
    memories = (*core.pe.memories, *core.memories, *spec.memories)
    n_pe = len(core.pe.memories)
    names = tuple(memory.name for memory in memories)
    words = [word_bits(memory, spec) for memory in memories]
    pace = [rates(memory.bandwidth, clock_hz, word) for memory, word in zip(memories, words, strict=True)]
    if spec.clusters is not None:
        channel = rates(spec.clusters.channel.bandwidth, clock_hz, mac.bits)
        pace[-1] = (min(pace[-1][0], channel[0]), min(pace[-1][1], channel[1]))
    energy = [access_pj_per_byte(memory, spec) for memory in memories]
    capacity = [
        memory.size.per_byte(word) if memory.size is not None else math.inf
        for memory, word in zip(memories, words, strict=True)
    ]
    home = spec.activations.home
    return Machine(
        name=spec.name,
        clock_hz=clock_hz,
        n_cores=core.count,
        n_clusters=spec.clusters.count if spec.clusters is not None else 1,
        level_names=names,
        capacity_bytes=np.array(capacity, np.float64),
        holds=np.array(
            [
                [operand in memory.holds and room > 0 for operand in OPERANDS]
                for memory, room in zip(memories, capacity, strict=True)
            ]
        ),
        word_bits=np.array([memory.bits or 0 for memory in memories], np.int64),
        read_pj_per_byte=np.array([read for read, _ in energy], np.float64),
        write_pj_per_byte=np.array([write for _, write in energy], np.float64),
        read_bytes_per_cycle=np.array([read for read, _ in pace], np.float64),
        write_bytes_per_cycle=np.array([write for _, write in pace], np.float64),
        shared_port=np.array([m.bandwidth is not None and m.bandwidth.value is not None for m in memories]),
        double_buffered=np.array([memory.double_buffered for memory in memories]),
        overlap=np.array([_beside(memory) for memory in memories]),
        padding_stored=np.array([memory.padding == "stored" for memory in memories]),
        fetch_box=np.array([memory.fetch == "box" for memory in memories]),
        fanout_level=n_pe,
        rows=array.rows,
        cols=array.cols,
        per_pe=mac.per_pe,
        fold=array.fold,
        multicast=np.array([operand in array.multicast for operand in OPERANDS]),
        reduce=array.reduce,
        diagonal=array.diagonal,
        bits=np.array([mac.bits, mac.weight_bits or mac.bits, mac.bits], np.int64),
        accumulate_bits=accumulate_bits(spec),
        mac_pj=mac_pj(spec),
        hop_pj_per_byte=array.hop.energy.value.per_byte(mac.bits) if array.hop is not None else 0.0,
        idle_pj_per_cycle=idle_mw(core) * 1e9 / clock_hz,
        clock_pj_per_cycle=core.clock_tree.value.value * 1e9 / clock_hz if core.clock_tree else 0.0,
        vector_lanes=core.vector.lanes if core.vector is not None else 0,
        vector_pj_per_op=core.vector.energy.value.value if core.vector is not None else 0.0,
        vector_level=names.index(core.vector.memory if core.vector is not None else "dram"),
        dataflows=core.dataflow,
        dataflow=dataflow,
        activation_home=BEST_HOME if home == "best" else names.index(home),
        activation_reserve_frac=spec.activations.reserve.value,
        **_pass_rules(spec),
        **_zero_rules(spec, memories),
    )


def idle_mw(core: Core) -> float:
    """Milliwatts of a core while a layer runs, whatever it does: leakage and clock."""
    return sum(power.value.value for power in (core.leakage, core.clock_tree) if power is not None)


def _pass_rules(spec: ArchFile) -> dict[str, Any]:
    """What a row-stationary pass costs before it starts."""
    passes = spec.core.array.passes
    if passes is None:
        return {}
    pace = rates(passes.bandwidth, spec.clock.value, spec.core.mac.weight_bits or spec.core.mac.bits)
    return {"pass_cycles": float(passes.control.cycles), "pass_bytes_per_cycle": min(pace)}


def _zero_rules(spec: ArchFile, memories: tuple[Memory, ...]) -> dict[str, Any]:
    """The code of maps in the outermost memory, and what rests in a PE where an input is zero."""
    coding, gating = memories[-1].coding, spec.core.pe.zero_gating
    rules: dict[str, Any] = {}
    if coding is not None:
        rules["coding"] = RunLength(coding.run_bits, coding.value_bits, coding.pairs, coding.word_bits)
    if gating is not None:
        rules["gates_mac"] = "mac" in gating.rests
        rules["gated"] = np.array([memory.name in gating.rests for memory in memories])
    return rules


def _beside(memory: Memory) -> list[bool]:  # [T]
    """Operands whose transfers at a memory run beside compute."""
    some = OPERANDS if memory.overlap is True else memory.overlap or ()
    return [operand in some for operand in OPERANDS]


def rates(bandwidth: Bandwidth | None, clock_hz: float, word_bits: int) -> tuple[float, float]:
    """Bytes a cycle of reads and of writes, inf where none are given."""
    if bandwidth is None:
        return math.inf, math.inf
    found = []
    for rate in (bandwidth.read or bandwidth.value, bandwidth.write or bandwidth.value):
        assert rate is not None  # checks.faults: either value, or read and write
        amount = rate.per_byte(word_bits)
        found.append(amount if rate.is_per_cycle else amount / clock_hz)
    return found[0], found[1]
