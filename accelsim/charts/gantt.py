"""A network over time: a bar a layer where it ran, parted by how the array spent it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from matplotlib.figure import Figure

from accelsim.charts import style
from accelsim.charts.bars import INCH_A_BAR, MAX_BARS, shorten
from accelsim.results.format import si

Row = Mapping[str, Any]
CAUSES: Final = {
    "compute": "#0072B2",
    "fill and drain": "#56B4E9",
    "memory channel": "#D55E00",
    "port": "#E69F00",
    "barrier": "#CC79A7",
    "host": "#009E73",
    "dependency": "#999999",
}


def layers_over_time(rows: Sequence[Row], clock_hz: float, title: str = "") -> Figure:
    """A bar a layer from its start to its end; within it the shares of compute, fill and drain and stalls.

    Where there are more layers than a page can hold, the longest ones.
    """
    ran = [row for row in rows if row.get("latency_cycles")]
    longest = sorted(range(len(ran)), key=lambda i: (-ran[i]["latency_cycles"], i))[:MAX_BARS]
    shown = [ran[i] for i in sorted(longest)]
    several = len({row["core"] for row in shown}) > 1
    figure, (axes,) = style.canvas(9.0, 1.7 + INCH_A_BAR * max(len(shown), 4))
    parts = [_parts(row) for row in shown]
    left = [row["start_cycle"] / clock_hz for row in shown]
    used = [name for name in CAUSES if any(part.get(name) for part in parts)]
    for name in used:
        widths = [part.get(name, 0) / clock_hz for part in parts]
        axes.barh(range(len(shown)), widths, left=left, height=0.8, color=CAUSES[name])
        left = [start + width for start, width in zip(left, widths, strict=True)]
    labels = [shorten(row["layer"]) + (f" [{row['core']}]" if several else "") for row in shown]
    axes.set_yticks(range(len(shown)), labels, fontsize=7)
    axes.set_ylim(len(shown) - 0.4, -0.6)
    axes.set_xlim(left=0)
    style.quantity_axis(axes, "s", "time; in a bar, the shares of what the array did")
    style.legend(axes, {name: CAUSES[name] for name in used})
    end = max((row["start_cycle"] + row["latency_cycles"] for row in shown), default=0) / clock_hz
    style.heading(figure, title or "layers over time", f"simulated, {si(end, 's')} in all")
    return figure


def _parts(row: Row) -> dict[str, int]:
    """Cycles by name; they add up to the latency."""
    stalls = {cause.replace("_", " "): n for cause, n in row["stall_cycles_by_cause"].items()}
    return {"compute": row["compute_cycles"], "fill and drain": row["fill_drain_cycles"], **stalls}
