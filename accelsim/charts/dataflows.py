"""Chart of a comparison of dataflows: energy per MAC by level, a bar a dataflow, a panel a way to count."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from matplotlib.figure import Figure

from accelsim.charts import style

LEVELS: Final = {
    "mac": style.MAC,
    "rf": "#E69F00",
    "array": "#0072B2",
    "glb": "#56B4E9",
    "dram": style.DRAM,
}
"""From the multiplier outwards, as in the paper's figures."""

Panel = tuple[str, Mapping[str, Mapping[str, float]]]
"""Title, and of each dataflow the energy per MAC by level, in MACs."""


def energy_by_dataflow(panels: Sequence[Panel], title: str = "") -> Figure:
    """Stacked bars on one scale, so that panels compare; behind a bar its sum and what it is of the first."""
    n_bars = max(len(bars) for _, bars in panels)
    figure, axes_of = style.canvas(4.6 * len(panels), 1.7 + 0.34 * n_bars, len(panels))
    most = max(sum(parts.values()) for _, bars in panels for parts in bars.values())
    for axes, (name, bars) in zip(axes_of, panels, strict=True):
        first = sum(next(iter(bars.values())).values())
        for place, parts in enumerate(bars.values()):
            left = 0.0
            for level, colour in LEVELS.items():
                width = parts.get(level, 0.0)
                axes.barh(
                    place, width, left=left, height=0.72, color=colour, edgecolor="white", linewidth=0.3
                )
                left += width
            axes.annotate(
                f"{left:.2f}, {left / first:.2f}x",
                (left, place),
                xytext=(4, 0),
                textcoords="offset points",
                va="center",
                fontsize=7.5,
                color=style.INK,
            )
        axes.set_yticks(range(len(bars)), [dataflow.upper() for dataflow in bars], fontsize=8)
        axes.set_ylim(len(bars) - 0.4, -0.6)
        axes.set_xlim(0, most * 1.28)
        style.quantity_axis(axes, "", f"energy per MAC in MACs: {name}")
    style.legend(axes_of[0], LEVELS)
    style.heading(figure, title or "energy per MAC by level")
    return figure
