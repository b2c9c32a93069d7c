"""The cells of `split` as a table of their own."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any, Final

from accelsim.results.format import si
from accelsim.results.plain import plain

FIGURES: Final = {
    "throughput": ("images a second", ""),
    "latency": ("latency", "s"),
    "energy": ("energy of an image", "J"),
    "edp": ("energy x latency", "J s"),
}
"""What tables and pictures show for each objective, and its unit."""


def loss(cell: Mapping[str, Any], objective: str) -> float:
    """What is to be small: seconds an image, seconds of a pass, joules of an image, joules x seconds."""
    if objective == "throughput":
        return float(1 / cell["throughput_fps"])
    if objective == "edp":
        return float(cell["energy_j"] * cell["latency_s"])
    return float(cell["latency_s" if objective == "latency" else "energy_j"])


def figure(cell: Mapping[str, Any], objective: str) -> str:
    """A cell that runs, in the figure of its objective."""
    value = cell["throughput_fps"] if objective == "throughput" else loss(cell, objective)
    return si(value, FIGURES[objective][1])


def grid_csv(rows: Sequence[Mapping[str, Any]]) -> str:
    """One line a cell; what is unknown stays empty."""
    out = io.StringIO()
    writer = csv.DictWriter(out, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: plain(value) for name, value in row.items()} for row in rows)
    return out.getvalue()
