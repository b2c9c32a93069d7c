"""SCALE-Sim 3.0.0's compute report, to the digit: its formulas, its averages in its order, its faults.

Source: SCALE-Sim 3.0.0 (scalesim/compute/systolic_compute_{os,ws,is}.py, single_layer_sim.py).
"""

from __future__ import annotations

from typing import Final

import numpy as np

from accelsim.compat.scalesim.folds import Folds

MAX_EXACT_FOLDS: Final = 2**25
"""Up to here averages are summed fold by fold, as SCALE-Sim rounds them; it could not hold more in memory."""
CHUNK: Final = 2**20


def compute_report(folds: Folds, total_cycles: int, stall_cycles: int) -> dict[str, int | float | None]:
    """Cycles, utilisations and SRAM accesses; `compute_cycles` (lines) is ours, the rest its columns.

    With Fr, Fc row and column folds of an R x C array, M, N, K the product and T the streamed extent:

        total_cycles       the cycle in which the last line is served, lines - 1 + stalls: one too few
        mapping_eff        100 mean over folds of (PEs used / R C)
        compute_util       100 mean over folds of (PEs used T / (R C D)), D = T+R+C-2 os, T+2R+2C-3 ws and is
        overall_util       100 M N K / (total_cycles R C), None where total_cycles is 0
        sram_ifmap_reads   os, ws Fc M K; is M K
        sram_filter_reads  os Fr K N; ws K N; is Fc K N
        sram_ofmap_writes  os M N + Fr Fc (R + C) (its bug: shapes are added); ws, is Fr M N
        sram_*_bandwidth   words / total_cycles

    Cycles, percent, words.
    """
    m, n, k, dataflow = folds.m, folds.n, folds.k, folds.dataflow
    mapping_eff, compute_util = _averages(folds)
    row: dict[str, int | float | None] = {
        "compute_cycles": folds.lines,
        "total_cycles": total_cycles,
        "stall_cycles": stall_cycles,
        "overall_util": (m * n * k * 100) / (total_cycles * folds.rows * folds.cols)
        if total_cycles
        else None,
        "mapping_eff": mapping_eff,
        "compute_util": compute_util,
    }
    accesses = {
        "sram_ifmap_reads": m * k * (1 if dataflow == "is" else folds.col_folds),
        "sram_filter_reads": k * n * {"os": folds.row_folds, "ws": 1, "is": folds.col_folds}[dataflow],
        "sram_ofmap_writes": m * n + folds.n_folds * (folds.rows + folds.cols)
        if dataflow == "os"
        else folds.row_folds * m * n,
    }
    for name, words in accesses.items():
        row[name] = words
        row[f"{name.rpartition('_')[0]}_bandwidth"] = words / total_cycles if total_cycles else None
    return row


def _averages(folds: Folds) -> tuple[float, float]:
    """Mean mapping efficiency and compute utilisation in percent, rounded as SCALE-Sim's sums are."""
    n_pes = folds.rows * folds.cols
    # by what compute_util divides; for ws and is not the lines of a fold
    span = folds.span if folds.dataflow == "os" else folds.span + folds.cols - 1
    last_row = folds.on_rows - (folds.row_folds - 1) * folds.rows
    last_col = folds.on_cols - (folds.col_folds - 1) * folds.cols
    n_folds = folds.n_folds
    if n_folds > MAX_EXACT_FOLDS:
        used = folds.on_rows * folds.on_cols
        return (
            100 * used / (n_folds * n_pes),
            100 * used * folds.streamed / (n_folds * n_pes * span),
        )
    used_full = [folds.rows * folds.cols, last_row * folds.cols]
    used_last = [folds.rows * last_col, last_row * last_col]

    def mean_percent(scale: int, over: int) -> float:
        full, last = ([used * scale / over for used in kind] for kind in (used_full, used_last))
        total = _add_columns(0.0, full[0], full[1], folds.row_folds, folds.col_folds - 1)
        return _add_columns(total, last[0], last[1], folds.row_folds, 1) / n_folds * 100

    return mean_percent(1, n_pes), mean_percent(folds.streamed, n_pes * span)


def _add_columns(start: float, inner: float, last: float, row_folds: int, columns: int) -> float:
    """Add, one by one and in order, `columns` times (row_folds - 1 values `inner`, then one `last`).

    `np.add.accumulate` adds from left to right, where `np.sum` adds in pairs and rounds otherwise.
    """
    n = row_folds * columns
    total = start
    for first in range(0, n, CHUNK):
        index = np.arange(first + 1, min(first + CHUNK, n) + 1)
        values = np.where(index % row_folds == 0, last, inner)
        values[0] += total
        total = float(np.add.accumulate(values)[-1])
    return total
