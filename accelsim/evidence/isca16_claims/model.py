"""What row-stationary gains over the five others, least and most."""

from __future__ import annotations

from accelsim.base.errors import InputError, Problem
from accelsim.compat.isca16 import FORMS
from accelsim.evidence.case import Value
from accelsim.evidence.isca16.model import whole
from accelsim.evidence.isca16_groups.model import group


def predict(rows: list[dict[str, str]], without: str | None = None) -> list[dict[str, Value]]:
    """`gain` (and `least_gain`, the same number) over each row's layers, lists of num_pes and of batch."""
    found: list[dict[str, Value]] = []
    for row in rows:
        if row["statistic"] not in ("min", "max"):
            raise InputError(Problem(f"no statistic {row['statistic']!r}", expected="min or max"))
        all_gains = [
            gain
            for pes in row["num_pes"].split()
            for batch in row["batch"].split()
            for gain in gains(
                row["layers"], whole({"num_pes": pes}, "num_pes"), whole({"batch": batch}, "batch")
            ).values()
        ]
        gain = (min if row["statistic"] == "min" else max)(all_gains, default=None)
        found.append({"gain": gain, "least_gain": gain})
    return found


def gains(layers: str, num_pes: int, batch: int) -> dict[str, float]:
    """Energy of each other dataflow that fits, in row-stationary's."""
    rs = group("rs", num_pes, batch, layers)
    others = {name: group(name, num_pes, batch, layers) for name in FORMS if name != "rs"}
    return {
        name: one.energy / rs.energy for name, one in others.items() if one is not None and rs is not None
    }
