"""Chart of a case of `validate`: a panel a quantity, theirs beside ours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import ceil
from textwrap import fill
from typing import Any, Final

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from accelsim.charts import style

THEIRS: Final = "#999999"
OURS: Final = "#0072B2"
FEW: Final = 16
"""Up to so many rows are bars with their names; more are points on the diagonal."""
WIDE: Final = 3
"""Panels side by side."""


def agreement(case: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> Figure | None:
    """Published values beside ours, for each quantity that is not asked to be equal; None where all are."""
    checks: dict[str, Mapping[str, Any]] = {}
    for check in case["checks"]:
        if check["rule"] not in ("exact", "accuracy"):
            checks.setdefault(check["quantity"], check)  # the first names it, others look at further rows
    shown = [(check, _both(rows, name)) for name, check in checks.items() if len(_both(rows, name)) > 1]
    if not shown:
        return None
    n_lines = ceil(len(shown) / WIDE)
    height = max(2.9, 0.28 * max((len(r) for _, r in shown if len(r) <= FEW), default=0) + 1.4)
    n_wide = min(WIDE, len(shown))
    width = 6.4 if n_wide == 1 else 3.9 * n_wide
    figure, panels = style.panels(width, height * n_lines, n_lines, n_wide)
    for axes, (check, both) in zip(panels, shown, strict=False):
        (_bars if len(both) <= FEW else _points)(axes, both)
        unit = f", {check['unit']}" if check["unit"] else ""
        axes.set_title(f"{check['name']}{unit}", fontsize=8, loc="left", color=style.INK)
    for axes in panels[len(shown) :]:
        axes.set_visible(False)
    style.heading(figure, fill(case["title"], int(11 * width)), f"grey: {case['against']}; blue: accelsim")
    return figure


def _both(rows: Sequence[Mapping[str, Any]], quantity: str) -> list[Mapping[str, Any]]:
    """The rows of a quantity with two numbers."""
    numbers = (int, float)
    return [
        row
        for row in rows
        if row["quantity"] == quantity
        and isinstance(row["theirs"], numbers)
        and isinstance(row["ours"], numbers)
    ]


def _bars(axes: Axes, rows: Sequence[Mapping[str, Any]]) -> None:
    """A pair of bars a row, the first row on top, with the signed error behind ours."""
    most = max(max(row["theirs"], row["ours"]) for row in rows)
    for at, row in enumerate(rows):
        axes.barh(at - 0.2, row["theirs"], 0.38, color=THEIRS)
        axes.barh(at + 0.2, row["ours"], 0.38, color=OURS)
        if row["error_frac"] is not None:
            text = f"{row['error_frac']:+.1%}"
            axes.text(row["ours"] + 0.01 * most, at + 0.2, text, fontsize=6, va="center", color=style.INK)
    axes.set_yticks(range(len(rows)), [str(row["row"]) for row in rows], fontsize=7)
    axes.invert_yaxis()
    axes.set_xlim(0, 1.18 * most)
    axes.locator_params(axis="x", nbins=5)


def _points(axes: Axes, rows: Sequence[Mapping[str, Any]]) -> None:
    """A point a row over the diagonal; logarithmic where all values are above zero."""
    theirs, ours = [float(row["theirs"]) for row in rows], [float(row["ours"]) for row in rows]
    least, most = min(*theirs, *ours), max(*theirs, *ours)
    axes.scatter(theirs, ours, s=12, color=OURS, edgecolors="white", linewidths=0.3, zorder=3)
    axes.plot([least, most], [least, most], color=THEIRS, linewidth=1.0)
    if least > 0 and most > 5 * least:
        axes.set_xscale("log")
        axes.set_yscale("log")
    axes.set_xlabel("theirs", fontsize=8, color=style.INK)
    axes.set_ylabel("ours", fontsize=8, color=style.INK)
