"""The metrics of a point: names that constraints on results and answers may use, with their dimension."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Metric:
    """One column of results: its dimension, and what one of its unit is in base units (pJ, mW, s, ...)."""

    dimension: str
    scale: float


METRICS: Final[dict[str, Metric]] = {
    "latency_cycles": Metric("cycle", 1),
    "latency_s": Metric("time", 1),
    "energy_j": Metric("energy", 1e12),
    "edp_js": Metric("energy*time", 1e12),
    "throughput_fps": Metric("1/time", 1),
    "utilization_frac": Metric("", 1),
    "macs": Metric("", 1),
    "dram_bytes": Metric("data", 1),
    "sram_bytes": Metric("data", 1),
    "area_mm2": Metric("area", 1),
    "power_w": Metric("power", 1e3),
    "gap_frac": Metric("", 1),
}

OF_A_PASS: Final = ("latency_cycles", "latency_s", "energy_j", "edp_js")
"""Metrics that answers ask for and that grow with the batch."""

OF_AN_IMAGE: Final = {"split": ("energy_j",)}
"""Those that a method gives for an image."""

UNKNOWN: Final = {"scalesim": ("energy_j", "edp_js", "power_w", "dram_bytes")}
"""Metrics that another simulator's rules do not give, or not in closed form."""

SHORT: Final = {"area": "area_mm2", "energy": "energy_j", "latency": "latency_s", "power": "power_w"}
"""Metrics that constraints may call by a name without unit, beside quantities with one: `area <= 50 mm2`."""
