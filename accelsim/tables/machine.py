"""The machine as arrays: what an architecture file is lowered into, and all that the kernels see of it.

Letters: L memory levels, numbered from the multiplier (0) to the outermost (L-1, always `dram`); T operands
I, W, O. One core of the machine: replicated cores are `n_cores`, their shared channel is not divided here.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from accelsim.tables.dims import I, O, W

Fold = Literal["broadcast", "sequential", "preload", "overlapped"]
FOLDS: Final[tuple[Fold, ...]] = ("broadcast", "sequential", "preload", "overlapped")
"""Cycles of one fold, T the streamed dimension on R rows and C columns: broadcast T (no skew); sequential
T + R + C - 2 (os), T + 2R + C - 2 (ws, is); preload T + R, fill and drain once a chain; overlapped max(T, R),
fill and drain once a chain."""

DATAFLOWS: Final = ("ws", "os", "is", "rs", "nlr", "dc", "any")

STATIONARY: Final = {"os": O, "ws": W, "is": I, "dc": W}
"""The operand that stays in the array for a fold, in the dataflows that have folds."""

BEST_HOME: Final = -1
"""`activation_home`: each tensor lives at the innermost level that can hold it."""


PARTS_OF_A_BIT: Final = 64
"""`moved_bits` are whole numbers of such parts: kernels and simulation then count them exactly."""


@dataclass(frozen=True)
class RunLength:
    """A code of zeros: a run of them and the value after it, so many pairs in a word of the link."""

    run_bits: int
    value_bits: int
    pairs: int
    word_bits: int


@dataclass(frozen=True, eq=False)
class Machine:
    """One core and the memories that it reaches, in base units: bytes, pJ, cycles of `clock_hz`.

    Capacities, bandwidths and energies of a level inside the array are those of one PE.
    """

    name: str
    clock_hz: float
    n_cores: int
    n_clusters: int  # groups of cores that share one channel to dram; 1 where the file names none

    level_names: tuple[str, ...]  # [L], inner first
    capacity_bytes: NDArray[np.float64]  # [L], inf where the file sets no limit
    holds: NDArray[np.bool_]  # [L, T]
    word_bits: NDArray[np.int64]  # [L], bits of an element where the memory has its own width, else 0
    read_pj_per_byte: NDArray[np.float64]  # [L]
    write_pj_per_byte: NDArray[np.float64]  # [L]
    read_bytes_per_cycle: NDArray[np.float64]  # [L], per instance, inf where none is given
    write_bytes_per_cycle: NDArray[np.float64]  # [L], per instance, inf where none is given
    shared_port: NDArray[np.bool_]  # [L], reads and writes share the one bandwidth that is given
    double_buffered: NDArray[np.bool_]  # [L], two tiles of each operand
    overlap: NDArray[np.bool_]  # [L, T], transfers of an operand at the level run beside compute
    padding_stored: NDArray[np.bool_]  # [L], padding is fetched and takes room
    fetch_box: NDArray[np.bool_]  # [L], strides fetch the words that they skip

    fanout_level: int  # innermost memory outside the array: spatial loops belong to it
    rows: int
    cols: int
    per_pe: int  # multipliers in a PE
    fold: Fold
    multicast: NDArray[np.bool_]  # [T], the array's links bring one read to many PEs
    reduce: bool  # the links add partial sums
    diagonal: bool  # input rows move along diagonals (row-stationary)
    bits: NDArray[np.int64]  # [T], of an element as it is stored between layers
    accumulate_bits: int  # of a partial sum
    mac_pj: float
    hop_pj_per_byte: float  # from PE to PE
    idle_pj_per_cycle: float  # whatever is done: leakage and clock

    vector_lanes: int  # operations a cycle of the vector engine or host, 0 where there is none
    vector_pj_per_op: float
    vector_level: int  # level that the vector engine reads and writes

    dataflows: tuple[str, ...]  # what the array can run; the first is the default
    dataflow: str  # the one that is chosen
    activation_home: int  # level index, or BEST_HOME
    activation_reserve_frac: float  # share of the home level kept free for tiles of what lives elsewhere

    clock_pj_per_cycle: float = 0.0  # of idle_pj_per_cycle: the wires and registers of the clock
    pass_cycles: float = 0.0  # row-stationary: control before each pass, whole cycles
    pass_bytes_per_cycle: float = inf  # row-stationary: weights of a pass on their way into resting PEs
    coding: RunLength | None = None  # of maps between layers, at the outermost level
    moved_bits: NDArray[np.float64] | None = None  # [L, T], of a finished word that moves coded; 0: as it is
    gates_mac: bool = False  # an input that is zero lets the multiplier rest
    gated: NDArray[np.bool_] | None = None  # [L], memories of the PE that rest then, too

    @property
    def n_levels(self) -> int:
        return len(self.level_names)

    @property
    def macs_per_cycle(self) -> int:
        return self.rows * self.cols * self.per_pe

    def level(self, name: str) -> int:
        """Index of a memory by its name; ValueError where there is none."""
        return self.level_names.index(name)
