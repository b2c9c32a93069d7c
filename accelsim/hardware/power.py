"""Area, leakage and peak power of an architecture's parts: the most that each can draw."""

from __future__ import annotations

import math
from dataclasses import dataclass

from accelsim.hardware.constants import (
    access_pj_per_byte,
    accumulate_bits,
    components,
    mac_pj,
    word_bits,
)
from accelsim.hardware.lower import rates
from accelsim.hardware.model import ArchFile, Memory

W_PER_PJ_HZ = 1e-12


@dataclass(frozen=True, slots=True)
class Draw:
    """All instances of a part; None where neither file nor technology says."""

    name: str
    count: int
    area_mm2: float | None
    leakage_w: float | None
    peak_w: float | None
    source: str | None  # of the area


def draws(spec: ArchFile) -> tuple[Draw, ...]:
    """Every component with its peak, then what has power alone: hops, vector engine, clock, leakage, DRAM.

    Peak power is energy per action times the most actions a second: each multiplier multiplies in every
    cycle, each memory in a PE gives it its operands (a sum is read and written), each PE hands an input and a
    sum on, each shared memory moves what its bandwidth allows. An upper bound: no mapping has all at once.
    Leakage is the chip's own figure where its file has one, else the sum of what the technology gives.
    """
    core, clock = spec.core, spec.clock.value
    n_pe = core.count * core.array.rows * core.array.cols
    peaks = {"mac": n_pe * core.mac.per_pe * mac_pj(spec) * clock * W_PER_PJ_HZ}
    for memory in core.pe.memories:
        peaks[memory.name] = n_pe * core.mac.per_pe * _per_mac_pj(memory, spec) * clock * W_PER_PJ_HZ
    for memories, count in ((core.memories, core.count), (spec.memories, 1)):
        for memory in memories:
            peaks[memory.name] = count * _port_w(memory, spec)
    found = [
        Draw(
            part.name,
            part.count,
            part.total_area_mm2,
            None if part.leakage_mw is None else 1e-3 * part.count * part.leakage_mw,
            peaks.get(part.name),
            part.source,
        )
        for part in components(spec)
    ]
    if core.array.hop is not None:
        word = core.array.hop.energy.value.per_byte(core.mac.bits)
        n_bytes = (core.mac.bits + accumulate_bits(spec)) / 8
        found.append(Draw("hops", n_pe, None, None, n_pe * word * n_bytes * clock * W_PER_PJ_HZ, None))
    if core.vector is not None:
        watts = core.count * core.vector.lanes * core.vector.energy.value.value * clock * W_PER_PJ_HZ
        found.append(Draw("vector", core.count, None, None, watts, None))
    if core.clock_tree is not None:
        found.append(
            Draw("clock tree", core.count, None, None, 1e-3 * core.count * core.clock_tree.value.value, None)
        )
    if core.leakage is not None:
        found = [Draw(d.name, d.count, d.area_mm2, None, d.peak_w, d.source) for d in found]
        found.append(
            Draw(
                "leakage",
                core.count,
                None,
                1e-3 * core.count * core.leakage.value.value,
                None,
                core.leakage.source,
            )
        )
    found.append(Draw("dram", 1, None, None, peaks["dram"], None))
    return tuple(found)


def _per_mac_pj(memory: Memory, spec: ArchFile) -> float:
    """Energy of what one multiply-accumulate takes from a memory of its PE and leaves there."""
    read, write = access_pj_per_byte(memory, spec)
    n_bytes = word_bits(memory, spec) / 8
    total = 0.0
    for operand in memory.holds:
        total += (read + write) * n_bytes if operand == "O" else read * n_bytes
    return total


def _port_w(memory: Memory, spec: ArchFile) -> float:
    """Power of a memory whose ports are never idle; a shared port does the dearer of the two."""
    read, write = access_pj_per_byte(memory, spec)
    reads, writes = rates(memory.bandwidth, spec.clock.value, word_bits(memory, spec))
    if not math.isfinite(reads) or not math.isfinite(writes):
        return 0.0
    shared = memory.bandwidth is not None and memory.bandwidth.value is not None
    pj = max(read, write) * reads if shared else read * reads + write * writes
    return pj * spec.clock.value * W_PER_PJ_HZ
