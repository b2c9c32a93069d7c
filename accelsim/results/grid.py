"""The cells of `split` as a table of their own."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any

from accelsim.results.plain import plain


def loss(cell: Mapping[str, Any], objective: str) -> float:
    """What is to be small: seconds an image, seconds of a pass, joules of an image, joules x seconds."""
    if objective == "throughput":
        return float(1 / cell["throughput_fps"])
    if objective == "edp":
        return float(cell["energy_j"] * cell["latency_s"])
    return float(cell["latency_s" if objective == "latency" else "energy_j"])


def grid_csv(rows: Sequence[Mapping[str, Any]]) -> str:
    """One line a cell; what is unknown stays empty."""
    out = io.StringIO()
    writer = csv.DictWriter(out, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: plain(value) for name, value in row.items()} for row in rows)
    return out.getvalue()
