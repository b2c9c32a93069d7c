"""The metrics of a point: names that constraints on results and answers may use, with their dimension."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Metric:
    """One column of results: its dimension, and what one of its unit is in base units (pJ, mW, s, ...)."""

    dimension: str
    scale: float
    meaning: str


METRICS: Final[dict[str, Metric]] = {
    "latency_cycles": Metric("cycle", 1, "cycles of one pass of the network"),
    "latency_s": Metric("time", 1, "seconds of one pass"),
    "energy_j": Metric("energy", 1e12, "joules of one pass"),
    "edp_js": Metric("energy*time", 1e12, "energy times latency"),
    "throughput_fps": Metric("1/time", 1, "images a second"),
    "utilization_frac": Metric("", 1, "MACs over what the array could have done"),
    "macs": Metric("", 1, "multiply-accumulates of one pass"),
    "dram_bytes": Metric("data", 1, "bytes to and from DRAM"),
    "sram_bytes": Metric("data", 1, "bytes to and from the memories between array and DRAM"),
    "area_mm2": Metric("area", 1, "area of the chip"),
    "power_w": Metric("power", 1e3, "energy over latency"),
    "gap_frac": Metric("", 1, "what the search may have missed, 0 where it is proven"),
}

UNKNOWN: Final = {"scalesim": ("energy_j", "edp_js", "power_w", "dram_bytes")}
"""Metrics that another simulator's rules do not give, or not in closed form."""

SHORT: Final = {"area": "area_mm2", "energy": "energy_j", "latency": "latency_s", "power": "power_w"}
"""Metrics that constraints may call by a name without unit, beside quantities with one: `area <= 50 mm2`."""
