"""The best mappings side by side: what each costs, and where it differs from the best."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from accelsim.report.blocks import Head, Table
from accelsim.report.parts import Row
from accelsim.results.format import energy, si

STOPPED: Final = "the search was stopped, others may be missing"
DIGITS: Final = 5
"""The best mappings differ by little."""


def top_table(row: Row, wanted: int) -> Table:
    """One line a mapping and one for each further level and thing in which it differs from the first."""
    points: Sequence[Row] = row["points"]
    best = points[0]
    heads = (
        Head("#"),
        Head("energy"),
        Head("cycles"),
        Head("above %"),
        Head("differs at", "left"),
        Head("here", "left"),
        Head("in the best", "left"),
    )
    lines = []
    for at, point in enumerate(points):
        costs = (
            str(at + 1),
            energy(point["energy_pj"], DIGITS),
            si(point["latency_cycles"], digits=DIGITS),
            f"{100 * point['above_best_frac']:.3g}",
        )
        first, *others = differences(point["nest"], best["nest"]) or [("", "", "")]
        lines.append((*costs, *first))
        lines += [("", "", "", "", *other) for other in others]
    title = f"{row['layer']}: the {len(points)} best mappings"
    if len(points) == 1:
        title = f"{row['layer']}: the best mapping"
    if len(points) < wanted:
        title += f" ({wanted} wanted: no more differ in cost)"
    if wanted > 1 and not row["certificate"]["complete"]:
        title += f" so far: {STOPPED}"
    return Table(title, heads, tuple(lines), gives_way=6)


def differences(nest: Sequence[Row], best: Sequence[Row]) -> list[tuple[str, str, str]]:
    """(level and thing, here, in the best) for loops, operands kept and tiles that are not the same."""
    found = []
    for here, there in zip(nest, best, strict=True):
        level = str(here["level"])
        if here["keeps"] != there["keeps"]:
            found.append((f"{level} keeps", _keeps(here), _keeps(there)))
        for axis in ("time", "rows", "cols", "array"):
            mine, its = _loops(here, axis), _loops(there, axis)
            if mine != its:
                found.append((f"{level} {axis}", mine or "no loop", its or "no loop"))
        changed = [
            operand
            for operand in "IWO"
            if operand in here["tile_words"]
            and operand in there["tile_words"]
            and here["tile_words"][operand] != there["tile_words"][operand]
        ]
        if changed:
            found.append((f"{level} tile B", _tiles(here, changed), _tiles(there, changed)))
    return found


def _loops(level: Row, axis: str) -> str:
    return " ".join(f"{loop['dim']} {loop['trips']}" for loop in level["loops"] if loop["axis"] == axis)


def _keeps(level: Row) -> str:
    return " ".join(level["keeps"]) or "nothing"


def _tiles(level: Row, operands: Sequence[str]) -> str:
    return " ".join(f"{operand} {si(level['tile_bytes'][operand]).replace(' ', '')}" for operand in operands)
