"""Work that is no multiply-accumulate loop: pooling, elementwise, normalisation, and words that only move.

The engine stands at one level. An input that lives further out passes through that level on its way in (a
fill and a read), an output on its way out; movement goes from home to home without the engine.

    latency = max(operations / lanes, bytes / bandwidth level by level), transfers that do not overlap added
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from accelsim.cost.latency import busy_cycles, transfers_of
from accelsim.tables.dims import N_OPERANDS, I, O, W
from accelsim.tables.layer_cost import LayerCost, empty_counts
from accelsim.tables.machine import Machine

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Flow:
    """Words of one operand that a layer reads or writes once, and the level where they live."""

    operand: int
    words: int
    home: int


def vector_cost(machine: Machine, ops: int, inputs: Sequence[Flow], outputs: Sequence[Flow]) -> LayerCost:
    """Cost of `ops` scalar operations of the vector engine on the words of its inputs and outputs."""
    reads, writes = empty_counts(machine.n_levels), empty_counts(machine.n_levels)
    at = machine.vector_level
    for flow in inputs:
        reads[flow.home, flow.operand] += flow.words
        if flow.home != at:
            writes[at, flow.operand] += flow.words
            reads[at, flow.operand] += flow.words
    for flow in outputs:
        writes[flow.home, flow.operand] += flow.words
        if flow.home != at:
            writes[at, flow.operand] += flow.words
            reads[at, flow.operand] += flow.words
    return _assemble(machine, reads, writes, -(-ops // machine.vector_lanes), ops * machine.vector_pj_per_op)


def movement_cost(machine: Machine, inputs: Sequence[Flow], outputs: Sequence[Flow]) -> LayerCost:
    """Cost of reading words at their homes and writing them at others, without arithmetic."""
    reads, writes = empty_counts(machine.n_levels), empty_counts(machine.n_levels)
    for flow in inputs:
        reads[flow.home, flow.operand] += flow.words
    for flow in outputs:
        writes[flow.home, flow.operand] += flow.words
    return _assemble(machine, reads, writes, 0, 0.0)


def _assemble(
    machine: Machine, reads: NDArray[np.int64], writes: NDArray[np.int64], compute: int, compute_pj: float
) -> LayerCost:
    width = np.stack(
        [np.where(machine.word_bits > 0, machine.word_bits, machine.bits[t]) / 8 for t in (I, W, O)], 1
    )
    read_bytes, write_bytes = reads * width, writes * width  # [L, T]
    transfers = transfers_of(machine, read_bytes, write_bytes)
    latency = int(busy_cycles(np.array(compute), transfers))
    level_pj = (
        read_bytes * machine.read_pj_per_byte[:, None] + write_bytes * machine.write_pj_per_byte[:, None]
    )
    return LayerCost(
        reads=reads,
        writes=writes,
        read_bytes=read_bytes,
        write_bytes=write_bytes,
        transfer_cycles=transfers.all,
        beside_cycles=transfers.beside,
        apart_cycles=transfers.apart,
        compute_cycles=int(compute),
        fill_drain_cycles=0,
        latency_cycles=latency,
        level_pj=level_pj,
        compute_pj=compute_pj,
        hop_pj=np.zeros(N_OPERANDS),
        idle_pj=latency * machine.idle_pj_per_cycle,
    )
