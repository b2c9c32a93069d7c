"""Chart of a case of `validate`: a panel a quantity, theirs beside ours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import ceil
from textwrap import fill
from typing import Any, Final

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import Formatter, FuncFormatter, LogLocator, NullFormatter

from accelsim.charts import style
from accelsim.results.format import si

THEIRS: Final = "#999999"
OURS: Final = "#0072B2"
COLOURS: Final = (OURS, "#D55E00", "#009E73", "#E69F00", "#CC79A7", "#333333")
"""Of the checks of a panel, as in style.PALETTE."""
FEW: Final = 16
"""Up to so many rows are bars with their names; more are points on the diagonal."""
WIDE: Final = 3
"""Panels side by side."""

Entry = Mapping[str, Any]


def agreement(case: Entry, rows: Sequence[Entry]) -> Figure | None:
    """Published values beside ours, for each quantity that is not asked to be equal; None where all are."""
    asked: dict[str, list[Entry]] = {}
    for check in case["checks"]:
        asked.setdefault(check["quantity"], []).append(check)
    shown = [
        (checks, _both(rows, name))
        for name, checks in asked.items()
        if any(check["rule"] not in ("exact", "accuracy") for check in checks) and len(_both(rows, name)) > 1
    ]
    if not shown:
        return None
    n_lines = ceil(len(shown) / WIDE)
    height = max(2.9, 0.28 * max((len(r) for _, r in shown if len(r) <= FEW), default=0) + 1.4)
    n_wide = min(WIDE, len(shown))
    width = 6.4 if n_wide == 1 else 3.9 * n_wide
    figure, panels = style.panels(width, height * n_lines, n_lines, n_wide)
    for axes, (checks, both) in zip(panels, shown, strict=False):
        (_bars if len(both) <= FEW else _points)(axes, both)
        axes.set_title(_title(checks, few=len(both) <= FEW), fontsize=8, loc="left", color=style.INK)
    for axes in panels[len(shown) :]:
        axes.set_visible(False)
    style.heading(figure, fill(case["title"], int(11 * width)), _legend(case, [len(r) for _, r in shown]))
    return figure


def _title(checks: Sequence[Entry], few: bool) -> str:
    """The quantity and its unit: bars have the first check's name, points what the names have in common."""
    names = list(dict.fromkeys(check["name"].split(", ")[0] for check in checks))
    name = names[0] if few or len(names) == 1 else str(checks[0]["quantity"])
    unit = str(checks[0]["unit"])
    silent = unit in ("", "1") or unit.lower() in name.lower().split() or name.endswith(f"_{unit.lower()}")
    return name if silent else f"{name}, {unit}"


def _legend(case: Entry, n_rows: Sequence[int]) -> str:
    """What grey and the colours are, in bars and in points."""
    bars = f"grey: {case['against']}; blue: accelsim" if min(n_rows) <= FEW else ""
    points = f"points: theirs ({case['against']}) and ours, on the grey line where equal"
    return "; ".join(part for part in (bars, points if max(n_rows) > FEW else "") if part)


def _both(rows: Sequence[Entry], quantity: str) -> list[Entry]:
    """The rows of a quantity with two numbers."""
    numbers = (int, float)
    return [
        row
        for row in rows
        if row["quantity"] == quantity
        and isinstance(row["theirs"], numbers)
        and isinstance(row["ours"], numbers)
    ]


def _bars(axes: Axes, rows: Sequence[Entry]) -> None:
    """A pair of bars a row, the first row on top, with the signed error behind ours."""
    most = max(max(row["theirs"], row["ours"]) for row in rows)
    for at, row in enumerate(rows):
        axes.barh(at - 0.2, row["theirs"], 0.38, color=THEIRS)
        axes.barh(at + 0.2, row["ours"], 0.38, color=OURS)
        error = row["error_frac"]
        text = "0 %" if error == 0 else "theirs is 0" if error is None else f"{100 * error:+.1f} %"
        axes.text(row["ours"] + 0.01 * most, at + 0.2, text, fontsize=6, va="center", color=style.INK)
    axes.set_yticks(range(len(rows)), [str(row["row"]) for row in rows], fontsize=7)
    axes.invert_yaxis()
    axes.set_xlim(0, 1.18 * most)
    axes.locator_params(axis="x", nbins=5)
    axes.xaxis.set_major_formatter(_ticks())


def _points(axes: Axes, rows: Sequence[Entry]) -> None:
    """A point a row over the diagonal, a colour a check; logarithmic where all values are above zero."""
    theirs, ours = [float(row["theirs"]) for row in rows], [float(row["ours"]) for row in rows]
    least, most = min(*theirs, *ours), max(*theirs, *ours)
    axes.plot([least, most], [least, most], color=THEIRS, linewidth=1.0)
    names = list(dict.fromkeys(row["check"] for row in rows))
    for at, name in enumerate(names):
        own = [row for row in rows if row["check"] == name]
        x, y = [float(row["theirs"]) for row in own], [float(row["ours"]) for row in own]
        colour = COLOURS[at % len(COLOURS)]
        label = name.partition(", ")[2] or name
        axes.scatter(x, y, s=12, color=colour, edgecolors="white", linewidths=0.3, zorder=3, label=label)
    if len(names) > 1:
        axes.legend(fontsize=6, frameon=False, loc="best", handletextpad=0.1, borderaxespad=0.2)
    if least > 0 and most > 5 * least:
        _logarithmic(axes, most / least)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(_ticks())
    axes.set_xlabel("theirs", fontsize=8, color=style.INK)
    axes.set_ylabel("ours", fontsize=8, color=style.INK)


def _logarithmic(axes: Axes, ratio: float) -> None:
    """Both axes in decades; where these are few, 2 and 5 have ticks too."""
    axes.set_xscale("log")
    axes.set_yscale("log")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(LogLocator(subs=(1, 2, 5) if ratio < 200 else (1,), numticks=7))
        axis.set_minor_formatter(NullFormatter())


def _ticks() -> Formatter:
    """Plain numbers, prefixes where they are long."""
    return FuncFormatter(
        lambda value, _: f"{value:g}" if 1e-5 < abs(value) < 1e4 or value == 0 else si(value)
    )
