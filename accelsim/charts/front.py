"""Chart of Pareto fronts: what more speed costs in energy, a panel a layer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import ceil
from typing import Any, Final

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from accelsim.charts import style
from accelsim.charts.bars import shorten
from accelsim.results.format import energy, si

MAX_PANELS: Final = 12
PER_LINE: Final = 3
LINE: Final = "#0072B2"
BEST: Final = "#D55E00"


def pareto_fronts(rows: Sequence[Mapping[str, Any]], title: str = "") -> Figure:
    """Energy over latency of all mappings that none beats in both; layers that are equal share a panel.

    The line between two points is a staircase: each mapping is the cheapest up to the next faster one. A
    network of more than 12 different fronts shows those with most energy.
    """
    fronts = [row for row in rows if row["same_as"] is None and len(row["points"]) > 1]
    most = sorted(fronts, key=lambda row: -float(row["energy_pj"]))[:MAX_PANELS]
    shown = [row for row in fronts if row in most]
    n_columns = min(PER_LINE, len(shown))
    n_lines = ceil(len(shown) / n_columns)
    width = 7.0 if n_columns == 1 else 4.2 * n_columns
    figure, panels = style.panels(width, 1.0 + (4.2 if n_columns == 1 else 2.7) * n_lines, n_lines, n_columns)
    for axes, row in zip(panels, shown, strict=False):
        _front(axes, row)
    for axes in panels[len(shown) :]:
        axes.set_visible(False)
    objective = shown[0]["certificate"]["objective"]
    one_word = "energy x cycles" if objective == "edp" else f"the least {objective}"
    detail = f"Pareto front of energy and latency; ringed: best {one_word}"
    if len(shown) < len(fronts):
        detail += f" ({len(shown)} of {len(fronts)} layers, those with most energy)"
    style.heading(figure, title or "front", detail)
    return figure


def _front(axes: Axes, row: Mapping[str, Any]) -> None:
    """In percent above the least of each: a front is often narrow, and panels compare."""
    points = sorted(row["points"], key=lambda point: (point["latency_cycles"], -point["energy_pj"]))
    least_cycles = min(point["latency_cycles"] for point in points)
    least_pj = min(point["energy_pj"] for point in points)
    places = {
        id(point): (
            100 * (point["latency_cycles"] / least_cycles - 1),
            100 * (point["energy_pj"] / least_pj - 1) if least_pj else 0.0,
        )
        for point in points
    }
    xs, ys = zip(*places.values(), strict=True)
    axes.plot(xs, ys, drawstyle="steps-post", color=LINE, linewidth=1.0, marker="o", markersize=4.0, zorder=2)
    best = min(points, key=lambda point: point["above_best_frac"])
    x, y = places[id(best)]
    axes.plot(
        x,
        y,
        marker="o",
        markersize=10,
        markerfacecolor="none",
        markeredgecolor=BEST,
        markeredgewidth=1.6,
        linestyle="none",
        zorder=3,
    )
    axes.set_title(shorten(str(row["layer"])), loc="left", fontsize=9, color=style.INK)
    axes.set_xlabel(f"cycles, % above {si(least_cycles)}", fontsize=9, color=style.INK)
    axes.set_ylabel(f"energy, % above {energy(least_pj)}", fontsize=9, color=style.INK)
    axes.locator_params(axis="both", nbins=5)
    axes.grid(color="#DDDDDD", linewidth=0.6)
    axes.margins(0.08)
