"""The metrics of a sweep's points; their names are those of `run` where they mean the same."""

from __future__ import annotations

from typing import Final

from accelsim.tables.column import Column, Dtype


def _metric(name: str, unit: str, description: str, formula: str = "", dtype: Dtype = "float") -> Column:
    return Column(name, dtype, unit, description, formula, commands=("sweep",))


METRICS: Final = (
    _metric("latency_cycles", "cycles", "Time of a pass of the network.", dtype="int"),
    _metric("latency_s", "s", "Time of a pass.", "latency_cycles / clock"),
    _metric("energy_j", "J", "Energy of a pass; of an image with method split."),
    _metric("edp_js", "J s", "Energy-delay product.", "energy_j x latency_s"),
    _metric("throughput_fps", "images/s", "Images a second.", "batch / latency_s; split: of all threads"),
    _metric("utilization_frac", "1", "Share of the array's (split: all cores') multipliers at work."),
    _metric("macs", "MACs", "Multiply-accumulates of a pass; split: of an image.", dtype="int"),
    _metric("dram_bytes", "B", "Bytes to and from DRAM in a pass; split: of a replica.", dtype="int"),
    _metric("sram_bytes", "B", "Bytes to and from the shared memories on the chip; split: 0.", dtype="int"),
    _metric("area_mm2", "mm2", "Of the chip's parts that have an area."),
    _metric("power_w", "W", "Mean power.", "energy_j / latency_s; split: energy_j x throughput_fps"),
    _metric("gap_frac", "1", "What the search may have missed; 0 where the optimum is proven."),
    _metric(
        "status",
        "",
        "`ok`, `excluded` (breaks a constraint), `infeasible`, `error`, `screened`.",
        dtype="str",
    ),
    _metric("reason", "", "Why a point is not ok.", dtype="str"),
)
"""What `accelsim sweep` writes for a point beside its variables."""

NUMBERED: Final = (
    _metric(
        "index", "", "The point's number among all combinations; with it those of its variables.", dtype="int"
    ),
    _metric(
        "roles",
        "",
        "Of an answer's points: `front`, `knee`, `best` of an objective.",
        dtype="list",
    ),
)
"""What names a point, before its variables and metrics."""

UNITS: Final = {column.name: column.unit for column in METRICS}
