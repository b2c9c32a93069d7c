"""`screen:` of a space file, and what a screening can't answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from accelsim.base.units import UnitError, quantity_of
from accelsim.base.yaml_lines import Key
from accelsim.explore.sweep.space import Answers, Sample, Screen

if TYPE_CHECKING:
    from accelsim.explore.sweep.read import Reader

SEARCHES: Final = ("dataflow", "any")
KEYS: Final = ("method", "refine", "gap")

LEAST: Final = ("latency_cycles", "latency_s", "energy_j", "edp_js", "dram_bytes", "sram_bytes")
"""Metrics of which a point is known to have at least so much, whatever its mapping."""
MOST: Final = ("throughput_fps", "utilization_frac")
"""Metrics of which it is known to have at most so much."""
EXACT: Final = ("area_mm2", "macs")
"""Metrics that no mapping changes."""


def read_screen(reader: Reader, method: str, answers: Answers, sample: Sample | None) -> Screen | None:
    """Notes what is wrong with the key, and each answer that has no bound in its direction."""
    data = reader.mapping("screen", KEYS)
    if method != "screen":
        if data is not None:
            reader.note(("screen",), "has no effect", hint="method: screen", key=True)
        return None
    if sample is not None and sample.method == "evolve":
        said = "evolve chooses points by their answers, and so does a screening"
        reader.note(("sample", "method"), said, "lhs or random")
    _check_answers(reader, answers)
    data = data or {}
    search = reader.choice("method", SEARCHES, "dataflow", ("screen",)) if data else "dataflow"
    refine = data.get("refine")
    if refine is not None and (isinstance(refine, bool) or not isinstance(refine, int) or refine < 1):
        reader.note(("screen", "refine"), f"{refine!r} does not fit", "a whole number of points from 1")
        refine = None
    return Screen(search, refine, _gap(reader, data.get("gap", 0)))


def _gap(reader: Reader, value: Any) -> float:
    """A share, as a number or in percent."""
    try:
        found = quantity_of(value) if isinstance(value, str) else None
        share = float(found.value if found is not None else value)
        is_share = found is None or found.dimension == "fraction"
        if is_share and not isinstance(value, bool) and 0 <= share < 1:
            return share
    except (UnitError, TypeError, ValueError):
        pass
    reader.note(("screen", "gap"), f"{value!r} does not fit", "a share from 0 to below 1, as 0.05 or 5%")
    return 0.0


def _check_answers(reader: Reader, answers: Answers) -> None:
    wanted = {"minimise": (answers.minimise, LEAST), "maximise": (answers.maximise, MOST)}
    given = reader.data.get("answers")
    for word, (names, bounded) in wanted.items():
        known = (*bounded, *EXACT)
        for place, name in enumerate(names):
            if name not in known:
                written = given.get(word) if isinstance(given, dict) else None
                path: Key = ("answers", word, place) if isinstance(written, list) else ("answers", word)
                side = "below" if word == "minimise" else "above"
                said = f"{name} has no bound from {side} that holds for any mapping"
                reader.note(
                    path, said, f"one of {', '.join(known)}", "method: dataflow evaluates every point"
                )
