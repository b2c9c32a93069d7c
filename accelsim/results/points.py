"""The mappings that `map` returns beside the best one, as a table of their own: a line a mapping."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

Row = Mapping[str, Any]

COSTS: Final = (
    "energy_pj",
    "latency_cycles",
    "edp_pj_cycles",
    "above_best_frac",
    "is_best",
    "dataflow",
)


def points_csv(rows: Iterable[Row]) -> str:
    """layer, number, costs and the mapping of every point, as a mapping file has it; equal layers once."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("layer", "number", *COSTS, "mapping"))
    for row in rows:
        if row["same_as"] is None:
            for at, point in enumerate(row["points"]):
                costs = (point[name] for name in COSTS)
                writer.writerow((row["layer"], at + 1, *costs, nest_as_yaml(point["nest"])))
    return text.getvalue()


def nest_as_yaml(nest: Sequence[Row]) -> str:
    """The nest on one line, as the value of a layer's name in a mapping file."""
    return f"[{', '.join(map(_level, nest))}]"


def _level(level: Row) -> str:
    parts = [f"level: {level['level']}", f"keep: [{', '.join(level['keeps'])}]"]
    for axis in ("time", "rows", "cols", "array"):
        loops = [f"{loop['dim']} {loop['trips']}" for loop in level["loops"] if loop["axis"] == axis]
        if loops:
            parts.append(f"{axis}: [{', '.join(loops)}]")
    return f"{{{', '.join(parts)}}}"
