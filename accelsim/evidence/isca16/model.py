"""Cells of the comparison: one layer on one dataflow, number of PEs and batch."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Final

from accelsim.base.errors import InputError, Problem, did_you_mean
from accelsim.compat.isca16 import LEVELS, Best, Shape, best_mapping
from accelsim.compat.isca16.machine import room
from accelsim.compat.isca16.search import form_of
from accelsim.evidence.case import Value

# side of the padded input, taps, stride, channels and filters of a group, groups: ISCA 2016, Table II
LAYERS: Final[dict[str, tuple[int, int, int, int, int, int]]] = {
    "CONV1": (227, 11, 4, 3, 96, 1),
    "CONV2": (31, 5, 1, 48, 128, 2),
    "CONV3": (15, 3, 1, 256, 384, 1),
    "CONV4": (15, 3, 1, 192, 192, 2),
    "CONV5": (15, 3, 1, 192, 128, 2),
    "FC1": (6, 6, 1, 256, 4096, 1),
    "FC2": (1, 1, 1, 4096, 4096, 1),
    "FC3": (1, 1, 1, 4096, 1000, 1),
}
OPERANDS: Final = ("ifmap", "weight", "psum")


def predict(rows: list[dict[str, str]], without: str | None = None) -> list[dict[str, Value]]:
    """The columns of the table for each row's dataflow, num_pes, batch, layer; `invalid` where none fits."""
    return [_cell(row) for row in rows]


def _cell(row: Mapping[str, str]) -> dict[str, Value]:
    form, num_pes = form_of(row["dataflow"]), whole(row, "num_pes")
    best = best_cell(form.name, num_pes, whole(row, "batch"), row["layer"])
    shape = shape_of(row["layer"], whole(row, "batch"))
    found: dict[str, Value] = {
        "rf_bytes_per_pe": form.rf_bytes,
        "glb_bytes": room(num_pes, form.rf_bytes).glb_bytes,
        "valid": "invalid" if best is None else "ok",
        "macs": shape.macs,
    }
    if best is None:
        return found
    found |= {
        f"{level}_{operand}": round(float(best.counts[at, t]))
        for at, level in enumerate(LEVELS)
        for t, operand in enumerate(OPERANDS)
    }
    found |= {f"E_{level}": float(best.level_energy[at]) for at, level in enumerate(LEVELS)}
    return found | {
        "active_pes": best.active_pes,
        "E_alu": shape.macs,
        "norm_energy_per_mac": best.energy / shape.macs,
        "dram_access_per_mac": float(best.counts[0].sum()) / shape.macs,
        "mapping": best.mapping,
    }


def shape_of(layer: str, batch: int) -> Shape:
    """A layer of AlexNet by its name in the paper; InputError for others."""
    if layer not in LAYERS:
        raise InputError(
            Problem(
                f"no layer {layer!r} in the comparison",
                expected=", ".join(LAYERS),
                hint=did_you_mean(layer, LAYERS),
            )
        )
    side, taps, stride, channels, filters, groups = LAYERS[layer]
    return Shape(N=batch, G=groups, C=channels, M=filters, H=side, R=taps, U=stride)


@cache
def best_cell(dataflow: str, num_pes: int, batch: int, layer: str) -> Best | None:
    """The mapping of least energy of a cell; None where none fits. Kept, for the cases share cells."""
    return best_mapping(dataflow, shape_of(layer, batch), num_pes)


def whole(row: Mapping[str, str], key: str) -> int:
    """A positive whole number of a row; InputError for anything else."""
    text = row[key]
    if not text.isdecimal() or int(text) < 1:
        raise InputError(Problem(f"{key} is {text!r}", expected="a whole number of at least 1"))
    return int(text)
