"""Each row's case evaluated in Timeloop's semantics, from the file of that name or any path."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

from accelsim.base.errors import InputError, Problem, did_you_mean
from accelsim.compat.timeloop.answer import evaluate_timeloop
from accelsim.evidence.case import Value

FOLDER = Path(__file__).resolve().parent
COUNTS = ("reads", "fills", "updates", "partition", "capacity", "instances")


def predict(rows: list[dict[str, str]], without: str | None = None) -> list[dict[str, Value]]:
    """Words, cycles and energies of each row's level and data space; `case` is a shipped one or a path."""
    del without  # nothing is fitted
    return [_row(row) for row in rows]


def _row(row: dict[str, str]) -> dict[str, Value]:
    report = _report(row["case"])
    words = report["levels"].get(row["level"], {}).get(row["data_space"])
    if words is None:
        known = [f"{level} {name}" for level, spaces in report["levels"].items() for name in spaces]
        raise InputError(
            Problem(f"{row['case']} has no {row['level']} {row['data_space']}", expected=", ".join(known))
        )
    return {
        **{key: words[key] for key in COUNTS},
        "energy_pj": words["energy_total_pJ"],
        "cycles": report["cycles"],
        "fj_per_compute": report["fJ_per_compute"]["Total"],
        "utilization_pct": float(report["utilization"].rstrip("%")),
    }


@lru_cache(maxsize=64)
def _report(case: str) -> dict[str, Any]:
    shipped = FOLDER / f"{case}.yaml"
    path = shipped if shipped.is_file() else Path(case)
    if not path.exists():
        known = sorted(file.stem for file in FOLDER.glob("*.yaml") if file.stem != "case")
        raise InputError(
            Problem(
                f"no case {case!r}", expected="a path, or " + ", ".join(known), hint=did_you_mean(case, known)
            )
        )
    return evaluate_timeloop(path).to_dict()
