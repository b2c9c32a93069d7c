"""SCALE-Sim 3.0.0's compute report, to the digit: its formulas, its averages in its order, its faults.

A layer is one im2col GEMM M x Kred x F (M = P Q Z output pixels, F = K filters, Kred = C R S V); batch is 1,
groups have no form. Column folds are the outer loop, row folds the inner one, strictly one after the other.
Source: SCALE-Sim 3.0.0 (scalesim/compute/systolic_compute_{os,ws,is}.py, single_layer_sim.py), checked
against its reports in evidence/scalesim_cycles.csv.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from accelsim.base.errors import InputError, Problem
from accelsim.cost.systolic import SYSTOLIC_DATAFLOWS, fold_cycles
from accelsim.tables.dims import C, G, K, N, P, Q, R, S, V, Z
from accelsim.tables.machine import Machine
from accelsim.workload.layer import Layer

REPORT_COLUMNS: Final = (
    "total_cycles",
    "overall_util",
    "mapping_eff",
    "compute_util",
    "sram_ifmap_reads",
    "sram_filter_reads",
    "sram_ofmap_writes",
)
"""Columns of the report; utilisations in percent, accesses in words, cycles with SCALE-Sim's stalls."""

MAX_EXACT_FOLDS: Final = 2**25
"""Up to here averages are summed fold by fold, as SCALE-Sim rounds them; it could not hold more in memory."""
CHUNK: Final = 2**20


@dataclass(frozen=True, slots=True)
class _Run:
    """One layer on one array. Letters as SCALE-Sim's paper: Sr on rows, Sc on columns, T in time."""

    m: int
    n: int
    k: int
    rows: int
    cols: int
    dataflow: str

    @property
    def on_rows(self) -> int:
        return self.m if self.dataflow == "os" else self.k

    @property
    def on_cols(self) -> int:
        return self.m if self.dataflow == "is" else self.n

    @property
    def streamed(self) -> int:
        return {"os": self.k, "ws": self.m, "is": self.n}[self.dataflow]

    @property
    def row_folds(self) -> int:
        return -(-self.on_rows // self.rows)

    @property
    def col_folds(self) -> int:
        return -(-self.on_cols // self.cols)

    @property
    def fold_span(self) -> int:
        """Cycles by which `compute_util` divides; for ws and is not the R + T + ... of the cycle count."""
        skew = self.rows + self.cols - 2
        return self.streamed + skew if self.dataflow == "os" else self.streamed + 2 * skew + 1


def unsupported(layer: Layer) -> Problem | None:
    """Why SCALE-Sim 3.0.0 has no form for a layer, or None: batch, groups, repeats and other operators."""
    found, hint = None, "leave out --compat scalesim"
    if layer.kind != "array":
        found = f"{layer.op} is no convolution or matrix product"
    elif layer.dims[G] > 1:
        found = f"{layer.op} has {layer.dims[G]} groups"
    elif layer.dims[N] > 1:
        found, hint = f"batch is {layer.dims[N]}, which SCALE-Sim fixes to 1", "take --batch 1"
    elif layer.repeat > 1:
        found = f"{layer.op} runs {layer.repeat} times"
    if found is None:
        return None
    return Problem(
        f"layer {layer.name}: {found}",
        file=layer.source or None,
        expected="an ungrouped convolution or GEMM of batch 1 under --compat scalesim",
        hint=hint,
    )


def scalesim_layer(
    layer: Layer, rows: int, cols: int, dataflow: str, stall_cycles: int = 0
) -> dict[str, int | float | None]:
    """One line of SCALE-Sim 3.0.0's reports, plus `compute_cycles` = total - stalls + 1.

    With Sr, Sc, T by dataflow (os M F Kred, ws Kred F M, is Kred M F), Fr = ceil(Sr / R), Fc = ceil(Sc / C):

        compute_cycles     Fr Fc (T + R + C - 2) os, Fr Fc (T + 2R + C - 2) ws and is
        total_cycles       compute_cycles - 1 + stalls: the index of the last cycle, one too few
        mapping_eff        100 mean over folds of (PEs used / R C)
        compute_util       100 mean over folds of (PEs used T / (R C D)), D = T+R+C-2 os, T+2R+2C-3 ws and is
        overall_util       100 M F Kred / (total_cycles R C), None where total_cycles is 0
        sram_ifmap_reads   os, ws Fc M Kred; is M Kred
        sram_filter_reads  os Fr Kred F; ws Kred F; is Fc Kred F
        sram_ofmap_writes  os M F + Fr Fc (R + C) (its bug: shapes are added); ws, is Fr M F

    Cycles, percent, words. InputError where the layer has no form in SCALE-Sim, where the dataflow is none of
    its three and where the array has no PE.
    """
    problems = [problem] if (problem := unsupported(layer)) else []
    if dataflow not in SYSTOLIC_DATAFLOWS:
        known = ", ".join(SYSTOLIC_DATAFLOWS)
        problems.append(Problem(f"SCALE-Sim has no dataflow {dataflow!r}", expected=known, key="dataflow"))
    if rows < 1 or cols < 1:
        problems.append(Problem(f"array of {rows} x {cols}", expected="at least 1 x 1", key="array"))
    if problems:
        raise InputError(problems)
    d = layer.dims
    run = _Run(d[P] * d[Q] * d[Z], d[K], d[C] * d[R] * d[S] * d[V], rows, cols, dataflow)
    m, n, k, row_folds, col_folds = run.m, run.n, run.k, run.row_folds, run.col_folds
    folds = row_folds * col_folds
    lines = sum(int(part) for part in fold_cycles(folds, run.streamed, rows, cols, dataflow, "sequential"))
    total = lines - 1 + stall_cycles
    mapping_eff, compute_util = _averages(run)
    return {
        "compute_cycles": lines,
        "total_cycles": total,
        "overall_util": (m * n * k * 100) / (total * rows * cols) if total else None,
        "mapping_eff": mapping_eff,
        "compute_util": compute_util,
        "sram_ifmap_reads": m * k * (1 if dataflow == "is" else col_folds),
        "sram_filter_reads": k * n * {"os": row_folds, "ws": 1, "is": col_folds}[dataflow],
        "sram_ofmap_writes": m * n + folds * (rows + cols) if dataflow == "os" else row_folds * m * n,
    }


def _averages(run: _Run) -> tuple[float, float]:
    """Mean mapping efficiency and compute utilisation in percent, rounded as SCALE-Sim's sums are."""
    n_pes = run.rows * run.cols
    last_row = run.on_rows - (run.row_folds - 1) * run.rows
    last_col = run.on_cols - (run.col_folds - 1) * run.cols
    folds = run.row_folds * run.col_folds
    if folds > MAX_EXACT_FOLDS:
        used = run.on_rows * run.on_cols
        return (
            100 * used / (folds * n_pes),
            100 * used * run.streamed / (folds * n_pes * run.fold_span),
        )
    used_full = [run.rows * run.cols, last_row * run.cols]
    used_last = [run.rows * last_col, last_row * last_col]

    def mean_percent(scale: int, over: int) -> float:
        full, last = ([used * scale / over for used in kind] for kind in (used_full, used_last))
        total = _add_columns(0.0, full[0], full[1], run.row_folds, run.col_folds - 1)
        return _add_columns(total, last[0], last[1], run.row_folds, 1) / folds * 100

    return mean_percent(1, n_pes), mean_percent(run.streamed, n_pes * run.fold_span)


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


def scalesim_row(layer: Layer, machine: Machine) -> dict[str, Any]:
    """A layer's row under SCALE-Sim's rules; what its report does not have (energy, DRAM) is unknown."""
    row: dict[str, Any] = {
        "layer": layer.name,
        "op": layer.op,
        "status": "costed" if layer.kind == "array" else "not_costed",
        "reason": None if layer.kind == "array" else "SCALE-Sim runs convolutions and matrix products only",
        "macs": layer.macs,
        "params": layer.params,
        "params_bn_folded": layer.params_bn_folded,
    }
    if layer.kind != "array":
        return row
    report = scalesim_layer(layer, machine.rows, machine.cols, machine.dataflow)
    cycles = int(report.pop("compute_cycles") or 0)
    return row | {
        "latency_cycles": cycles,
        "compute_cycles": cycles,
        "fill_drain_cycles": 0,
        "stall_cycles": 0,
        "latency_s": cycles / machine.clock_hz,
        "utilization_frac": layer.macs / (cycles * machine.rows * machine.cols),
        "energy_pj": None,
        "energy_pj_by_level": None,
        "dram_read_bytes": None,
        "dram_write_bytes": None,
        "accesses": {
            "sram": {
                "I": {"read": report["sram_ifmap_reads"], "write": 0},
                "W": {"read": report["sram_filter_reads"], "write": 0},
                "O": {"read": 0, "write": report["sram_ofmap_writes"]},
            }
        },
        "bound": "compute",
        "mapping": None,
        "scalesim": report,
    }
