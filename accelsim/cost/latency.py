"""How compute and transfers add up to the busy time of a layer."""

from __future__ import annotations

from dataclasses import dataclass

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


@dataclass(frozen=True)
class Transfers:
    """Cycles of the ports of one instance of each level."""

    all: Floats  # [L, ...]
    beside: Floats  # [L, ...], of the operands that move while the array computes
    apart: Floats  # [L, ...], of those that move while it rests

    def __add__(self, other: Transfers) -> Transfers:
        return Transfers(self.all + other.all, self.beside + other.beside, self.apart + other.apart)

    @property
    def apart_cycles(self) -> Floats:  # [...]
        """Whole cycles in which nothing is computed."""
        total: Floats = whole_cycles(self.apart).sum(0)
        return total


def transfers_of(machine: Machine, read_bytes: Floats, write_bytes: Floats) -> Transfers:
    """The transfers of one instance of each level from the bytes of each operand, [L, T, ...]."""
    if machine.overlap.all():
        together = port_cycles(machine, read_bytes.sum(1), write_bytes.sum(1))
        return Transfers(together, together, np.zeros_like(together))
    overlap = machine.overlap[(..., *(None,) * (read_bytes.ndim - 2))]

    def cycles(some: NDArray[np.bool_] | bool) -> Floats:
        return port_cycles(machine, (read_bytes * some).sum(1), (write_bytes * some).sum(1))

    return Transfers(cycles(True), cycles(overlap), cycles(~overlap))


def busy_cycles(compute: Ints, transfers: Transfers) -> Ints:  # [...] of [...]
    """The slowest of compute and the transfers that run beside it, then the transfers that do not."""
    beside = whole_cycles(transfers.beside).max(0)
    busy: Ints = (np.maximum(compute, beside) + transfers.apart_cycles).astype(np.int64)
    return busy


def transfers_of_cost(cost: LayerCost) -> Transfers:
    return Transfers(cost.transfer_cycles, cost.beside_cycles, cost.apart_cycles)


def together(machine: Machine, cost: LayerCost, extra: LayerCost) -> LayerCost:
    """A layer that also does what a layer fused into it does: one stream of transfers, one drain."""
    transfers = transfers_of_cost(cost) + transfers_of_cost(extra)
    compute = cost.compute_cycles + extra.compute_cycles
    pace = np.array(compute + cost.wait_cycles)
    latency = int(busy_cycles(pace, transfers)) + cost.fill_drain_cycles - cost.wait_cycles
    return LayerCost(
        reads=cost.reads + extra.reads,
        writes=cost.writes + extra.writes,
        read_bytes=cost.read_bytes + extra.read_bytes,
        write_bytes=cost.write_bytes + extra.write_bytes,
        transfer_cycles=transfers.all,
        beside_cycles=transfers.beside,
        apart_cycles=transfers.apart,
        compute_cycles=compute,
        fill_drain_cycles=cost.fill_drain_cycles,
        latency_cycles=latency,
        level_pj=cost.level_pj + extra.level_pj,
        compute_pj=cost.compute_pj + extra.compute_pj,
        hop_pj=cost.hop_pj + extra.hop_pj,
        idle_pj=latency * machine.idle_pj_per_cycle,
        active_pes=cost.active_pes,
        wait_cycles=cost.wait_cycles,
    )
