"""Groups of layers: CONV1-5 or FC1-3 together on one dataflow, also relative to row-stationary."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np

from accelsim.base.errors import InputError, Problem
from accelsim.compat.isca16 import LEVELS
from accelsim.compat.isca16.search import form_of
from accelsim.evidence.case import Value
from accelsim.evidence.isca16.model import LAYERS, best_cell, whole

GROUPS: Final = {
    "CONV": tuple(name for name in LAYERS if name.startswith("CONV")),
    "FC": tuple(name for name in LAYERS if name.startswith("FC")),
}


@dataclass(frozen=True, slots=True)
class Group:
    """Layers one after the other; energies per MAC, in MACs."""

    levels: tuple[float, ...]  # dram, glb, array, rf
    dram_accesses: float
    active_pes: float
    """MACs over the sum of MACs / active PEs of the layers."""

    @property
    def energy(self) -> float:
        return 1.0 + sum(self.levels)


def predict(rows: list[dict[str, str]], without: str | None = None) -> list[dict[str, Value]]:
    """The columns of the table for each row's dataflow, num_pes, batch and layers."""
    found: list[dict[str, Value]] = []
    for row in rows:
        if row["layers"] not in GROUPS:
            raise InputError(Problem(f"no group of layers {row['layers']!r}", expected=", ".join(GROUPS)))
        cell = whole(row, "num_pes"), whole(row, "batch"), row["layers"]
        own, rs = group(form_of(row["dataflow"]).name, *cell), group("rs", *cell)
        found.append({"all_valid": 0} if own is None else _columns(own, rs))
    return found


def _columns(own: Group, rs: Group | None) -> dict[str, Value]:
    return {
        "all_valid": 1,
        "energy_per_mac": own.energy,
        "alu": 1.0,
        **dict(zip(LEVELS, own.levels, strict=True)),
        "dram_access_per_mac": own.dram_accesses,
        "avg_active_pes": own.active_pes,
        "energy_vs_RS": own.energy / rs.energy if rs else None,
        "edp_vs_RS": own.energy / rs.energy * rs.active_pes / own.active_pes if rs else None,
    }


@cache
def group(dataflow: str, num_pes: int, batch: int, layers: str) -> Group | None:
    """A dataflow's layers together; None where one of them does not fit."""
    cells = [best_cell(dataflow, num_pes, batch, name) for name in GROUPS[layers]]
    fit = [cell for cell in cells if cell is not None]
    if len(fit) < len(cells):
        return None
    macs = sum(cell.shape.macs for cell in fit)
    return Group(
        tuple(float(e) / macs for e in np.sum([cell.level_energy for cell in fit], axis=0)),
        sum(float(cell.counts[0].sum()) for cell in fit) / macs,
        macs / sum(cell.shape.macs / cell.active_pes for cell in fit),
    )
