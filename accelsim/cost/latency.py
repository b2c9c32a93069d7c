"""How compute and transfers add up to the busy time of a layer."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from accelsim.tables.layer_cost import LayerCost, whole_cycles
from accelsim.tables.machine import Machine

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


def port_cycles(machine: Machine, read_bytes: Floats, write_bytes: Floats) -> Floats:  # [L, ...]
    """Bytes of one instance over its bandwidth; a shared port takes reads and writes one after the other."""
    tail = (slice(None), *(None,) * (read_bytes.ndim - 1))
    read = read_bytes / machine.read_bytes_per_cycle[tail]
    write = write_bytes / machine.write_bytes_per_cycle[tail]
    return np.where(machine.shared_port[tail], read + write, np.maximum(read, write))


def busy_cycles(machine: Machine, compute: Ints, transfer: Floats) -> Ints:  # [...] of [...] and [L, ...]
    """The slowest of compute and the transfers that run beside it, then the transfers that do not."""
    overlap = machine.overlap[(slice(None), *(None,) * (transfer.ndim - 1))]
    whole = whole_cycles(transfer)
    beside = np.where(overlap, whole, 0.0).max(0)
    apart = np.where(overlap, 0.0, whole).sum(0)
    busy: Ints = (np.maximum(compute, beside) + apart).astype(np.int64)
    return busy


def together(machine: Machine, cost: LayerCost, extra: LayerCost) -> LayerCost:
    """A layer that also does what a layer fused into it does: one stream of transfers, one drain."""
    transfer = cost.transfer_cycles + extra.transfer_cycles
    compute = cost.compute_cycles + extra.compute_cycles
    pace = np.array(compute + cost.wait_cycles)
    latency = int(busy_cycles(machine, pace, transfer)) + cost.fill_drain_cycles - cost.wait_cycles
    return LayerCost(
        reads=cost.reads + extra.reads,
        writes=cost.writes + extra.writes,
        read_bytes=cost.read_bytes + extra.read_bytes,
        write_bytes=cost.write_bytes + extra.write_bytes,
        transfer_cycles=transfer,
        compute_cycles=compute,
        fill_drain_cycles=cost.fill_drain_cycles,
        latency_cycles=latency,
        level_pj=cost.level_pj + extra.level_pj,
        compute_pj=cost.compute_pj + extra.compute_pj,
        hop_pj=cost.hop_pj + extra.hop_pj,
        leakage_pj=latency * machine.leakage_pj_per_cycle,
        active_pes=cost.active_pes,
        wait_cycles=cost.wait_cycles,
    )
