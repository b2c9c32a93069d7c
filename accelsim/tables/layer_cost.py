"""What one layer costs, as plain arrays: the form in which every kind of layer leaves the cost model."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from accelsim.tables.dims import N_OPERANDS

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

WHOLE = 1 - 1e-12
"""What cycles are worth before they are rounded up: those whole but for float64's rounding stay so."""


def whole_cycles(cycles: Floats) -> Floats:
    """Transfers end with a cycle: bytes over bandwidth, rounded up."""
    whole: Floats = np.ceil(cycles * WHOLE)
    return whole


@dataclass(frozen=True)
class LayerCost:
    """Counts of one layer on one machine; L levels, T operands."""

    reads: Ints  # [L, T] words
    writes: Ints  # [L, T] words, fills and updates
    read_bytes: Floats  # [L, T]
    write_bytes: Floats  # [L, T]
    transfer_cycles: Floats  # [L]
    beside_cycles: Floats  # [L], of operands that move beside compute
    apart_cycles: Floats  # [L], of those that move while nothing is computed
    compute_cycles: int
    fill_drain_cycles: int
    latency_cycles: int
    level_pj: Floats  # [L, T]
    compute_pj: float  # arithmetic: multiply-accumulates, or operations of the vector engine
    hop_pj: Floats  # [T]
    idle_pj: float
    active_pes: int = 0
    wait_cycles: int = 0
    """Of the fill and drain, what transfers run beside: an array that waits for its next weights."""

    @property
    def stall_cycles(self) -> int:
        return self.latency_cycles - self.compute_cycles - self.fill_drain_cycles

    @property
    def exposed_cycles(self) -> int:
        """Of the latency, transfers during which nothing is computed."""
        return int(whole_cycles(self.apart_cycles).sum())

    @property
    def energy_pj(self) -> float:
        return float(self.level_pj.sum() + self.compute_pj + self.hop_pj.sum() + self.idle_pj)

    def repeated(self, times: int) -> LayerCost:
        """The cost of runs one after the other that share nothing."""
        if times == 1:
            return self
        return replace(
            self,
            reads=self.reads * times,
            writes=self.writes * times,
            read_bytes=self.read_bytes * times,
            write_bytes=self.write_bytes * times,
            transfer_cycles=self.transfer_cycles * times,
            beside_cycles=self.beside_cycles * times,
            apart_cycles=self.apart_cycles * times,
            compute_cycles=self.compute_cycles * times,
            fill_drain_cycles=self.fill_drain_cycles * times,
            latency_cycles=self.latency_cycles * times,
            level_pj=self.level_pj * times,
            compute_pj=self.compute_pj * times,
            hop_pj=self.hop_pj * times,
            idle_pj=self.idle_pj * times,
            wait_cycles=self.wait_cycles * times,
        )


def empty_counts(n_levels: int) -> Ints:
    return np.zeros((n_levels, N_OPERANDS), np.int64)  # [L, T]
