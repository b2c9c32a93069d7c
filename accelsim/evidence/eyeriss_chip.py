"""What the model of `eyeriss` says of a convolution on the chip, from a row of a table: shared by its cases.

A row has the layer's shape, the zero fractions of its maps and the mapping's parameters; where these are
empty the search finds them. A row TOTAL is all others of the table of its mapping, one after the other.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from typing import Final, TypeVar

import numpy as np

import accelsim
from accelsim.base.errors import InputError
from accelsim.base.errors import Problem as Message
from accelsim.cost.compression import Zeros, with_zeros
from accelsim.cost.evaluate import evaluate
from accelsim.evidence.case import Value
from accelsim.mapper.found import SearchOptions
from accelsim.mapper.request import Request, room_of_tiles
from accelsim.mapper.solve import Solver
from accelsim.mapping.dataflows import RS
from accelsim.mapping.dataflows.base import spatial_trips
from accelsim.tables.dims import N, O
from accelsim.tables.layer_cost import LayerCost
from accelsim.tables.machine import Machine
from accelsim.tables.nest import Problem

NEUTRAL: Final = {
    "control_cycles_per_pass": "array.passes.control.cycles=0",
    "clock_tree_mw": "core.clock_tree.value='0 mW'",
}
"""Fitted constants of the architecture file, and the setting that leaves each out."""
TOTAL: Final = "TOTAL"
ZERO_COLUMNS: Final = ("input_zero_frac", "output_zero_frac")
T = TypeVar("T", int, float)


@dataclass(frozen=True)
class Measured:
    """What is measured of a layer, in the units of the paper's tables."""

    active_pes: int
    processing_latency_ms: float
    total_latency_ms: float
    glb_mb: float
    dram_mb: float
    chip_mj: float
    """Of the chip alone, DRAM is not on it."""
    batch: int

    def columns(self) -> dict[str, Value]:
        return {
            "active_pes": self.active_pes,
            "processing_latency_ms": self.processing_latency_ms,
            "total_latency_ms": self.total_latency_ms,
            "glb_mb": self.glb_mb,
            "dram_mb": self.dram_mb,
            "power_mw": self.chip_mj / self.total_latency_ms * 1e3,
            "frames_per_s": self.batch / self.total_latency_ms * 1e3,
        }


def predict(rows: list[dict[str, str]], without: str | None = None) -> list[dict[str, Value]]:
    """The chip's figures for each row; `without` leaves a fitted constant of the architecture out."""
    machine = accelsim.arch("eyeriss", [NEUTRAL[without]] if without else ()).machine()
    found: list[dict[str, Value]] = []
    above: list[Measured] = []
    for row in rows:
        if row["layer"] != TOTAL:
            above.append(measured(row, machine))
            found.append(above[-1].columns())
        else:
            found.append(_sum(above).columns() if above else {})
            above = []
    return found


def measured(row: dict[str, str], machine: Machine) -> Measured:
    """One layer under its mapping, or under the best that the search finds."""
    problem = problem_of(row)
    inputs, outputs = (_number(row, key, float) if row[key] else None for key in ZERO_COLUMNS)
    zeros = Zeros(inputs, outputs, row["input_coded"] == "yes")
    own = with_zeros(machine, zeros)
    cost = given(row, problem, own) if row["m"] else searched(problem, own)
    dram, glb = machine.n_levels - 1, machine.level("glb")
    ms = 1e3 / machine.clock_hz
    accesses = cost.reads[glb].sum() + cost.writes[glb, O]  # the chip's count has no fills from DRAM
    return Measured(
        cost.active_pes,
        (cost.latency_cycles - cost.exposed_cycles) * ms,
        cost.latency_cycles * ms,
        float(accesses) * 2 / 1e6,
        float(cost.read_bytes[dram].sum() + cost.write_bytes[dram].sum()) / 1e6,
        (cost.energy_pj - float(cost.level_pj[dram].sum())) / 1e9,
        problem.extents[N],
    )


def problem_of(row: dict[str, str]) -> Problem:
    """The loops of a row's convolution: square maps and filters, C and M of one group."""
    n, g, m, c, h, r, stride, pad = (
        _number(row, key, int) for key in ("N", "groups", "M", "C", "H", "R", "stride", "pad")
    )
    side = (h + 2 * pad - r) // stride + 1
    window = (stride, 1, pad, h)
    return Problem((n, g, m, c, side, side, r, r, 1, 1), (window, window, (1, 1, 0, 1)))


def given(row: dict[str, str], problem: Problem, machine: Machine) -> LayerCost:
    """The cost of the mapping of a row."""
    parameters = {name: np.array([_number(row, name, int)]) for name in RS.parameters}
    nest = RS.nest(problem, machine, RS.keep(machine, _homes(machine)), parameters)
    return evaluate(problem, nest, machine, "rs").point(0, int(spatial_trips(nest, None)[0]))


def searched(problem: Problem, machine: Machine) -> LayerCost:
    """The cost of the best mapping for energy times delay."""
    homes = _homes(machine)
    room = room_of_tiles(machine, machine.capacity_bytes, homes)
    request = Request(problem, replace(machine, capacity_bytes=room), homes, SearchOptions("edp"), "layer")
    (found,) = _solver().solve([request])
    return found.best.cost


def _number(row: dict[str, str], key: str, kind: type[T]) -> T:
    """A cell's number; InputError where it is none, or not above 0 (pads and zeros may be 0)."""
    try:
        value = kind(row[key])
        if value > 0 or (value == 0 and key in ("pad", *ZERO_COLUMNS)):
            return value
    except ValueError:
        pass
    raise InputError(Message(f"{row[key]!r} of {row['layer']} is no {key}", key=key, expected="a number"))


def _homes(machine: Machine) -> tuple[int, int, int]:
    dram = machine.n_levels - 1
    return dram, dram, dram


@cache
def _solver() -> Solver:
    return Solver()


def _sum(parts: list[Measured]) -> Measured:
    """Layers one after the other; PEs weighted by time, as in the paper's last line."""
    ms = [part.processing_latency_ms for part in parts]
    pes = sum(part.active_pes * t for part, t in zip(parts, ms, strict=True)) / sum(ms)
    return Measured(
        round(pes),
        sum(ms),
        sum(part.total_latency_ms for part in parts),
        sum(part.glb_mb for part in parts),
        sum(part.dram_mb for part in parts),
        sum(part.chip_mj for part in parts),
        parts[0].batch,
    )
