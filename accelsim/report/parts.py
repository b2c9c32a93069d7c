"""Parts that several reports have: heading, accesses by level, notes, where more is to be found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from accelsim.report.blocks import Block, Head, Lines, Table
from accelsim.results.format import UNKNOWN, energy, percent, si
from accelsim.results.show import summary, title

if TYPE_CHECKING:
    from accelsim.results.result import Result

Row = Mapping[str, Any]

_FUSED: Final = {
    True: "batch norm and activations fused into the layers before them",
    False: "operators as the file has them",
}


def heading(result: Result) -> Lines:
    """What was asked, with the options that matter; what came out in all."""
    options = result.inputs.get("options") or {}
    said = ", ".join(
        _FUSED[value] if key == "fuse" else key if value is True else f"{key} {_said(value)}"
        for key, value in options.items()
        if key == "fuse" or value not in (None, [], (), False)
    )
    head = title(result.inputs) + (f"  ({said})" if said else "")
    return Lines((head, summary(result.totals)), style="bold")


def levels_table(totals: Row) -> Table:
    """Accesses by level and operand, read and write apart, with each level's share of the energy."""
    accesses: Row = totals.get("accesses") or {}
    by_level: Row = totals.get("energy_pj_by_level") or {}
    whole = totals.get("energy_pj")
    operands = list(dict.fromkeys(operand for level in accesses.values() for operand in level))
    heads = (
        Head("level", "left"),
        *(Head(f"{operand} {rw}") for operand in operands for rw in ("read", "write")),
        Head("energy"),
        Head("share %"),
    )
    rows = []
    for level in (*(name for name in by_level if name not in accesses), *accesses):
        counts = accesses.get(level) or {}
        rows.append(
            (
                str(level),
                *(si((counts.get(o) or {}).get(rw)) for o in operands for rw in ("read", "write")),
                energy(by_level.get(level)),
                percent(over(by_level.get(level), whole)),
            )
        )
    return Table("Accesses (words, all instances) and energy by level", heads, tuple(rows))


def note_lines(notes: Sequence[str]) -> list[Block]:
    """What the reader must know beside the numbers."""
    return [Lines(tuple(f"note: {note}" for note in notes))] if notes else []


def more(where: str) -> Lines:
    """The last line: which options show more."""
    return Lines((f"More: {where}",), style="dim")


def over(part: float | None, whole: float | None) -> float | None:
    """A share; None where it has no meaning."""
    return None if part is None or not whole else part / whole


def ratio(value: float | None) -> str:
    """Three digits of a number near one."""
    if value is None:
        return UNKNOWN
    return f"{value:.3g}" if 1e-3 <= abs(value) < 1e3 else si(value)


def _said(value: Any) -> str:
    if isinstance(value, Mapping):  # a file: its whole provenance is in --json
        return str(value.get("file", value.get("name")))
    return " ".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)
