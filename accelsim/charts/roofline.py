"""Chart of a roofline: what a machine could do at an intensity, and what was measured and predicted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from accelsim.charts import style


def roofline(
    points: Sequence[Mapping[str, Any]],
    peak: float,
    slope: float,
    unit: str = "TOPS",
    intensity: str = "operations a byte",
    title: str = "",
) -> Figure:
    """min(peak, slope x intensity), both axes logarithmic; `points`: name, intensity, measured, predicted.

    `slope` is in `unit` for each operation a byte. Measured are filled, predicted are rings.
    """
    figure, (axes,) = style.canvas(7.0, 4.6)
    at = [float(point["intensity"]) for point in points]
    ends = min(*at, peak / slope) / 2, max(*at, peak / slope) * 2
    line = np.array([ends[0], peak / slope, ends[1]])
    axes.plot(line, np.minimum(peak, slope * line), color=style.INK, linewidth=1.2)
    for name, marker, face in (("measured", "o", style.PALETTE[1]), ("predicted", "D", "none")):
        axes.scatter(
            at,
            [float(point[name]) for point in points],
            s=34,
            marker=marker,
            facecolors=face,
            edgecolors=style.PALETTE[1] if face != "none" else style.DRAM,
            linewidths=1.2,
            label=name,
            zorder=3,
        )
    for point in points:
        low = min(float(point["measured"]), float(point["predicted"]))
        place = float(point["intensity"]), low
        axes.annotate(
            str(point["name"]), place, (0, -13), textcoords="offset points", ha="center", fontsize=8
        )
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlim(*ends)
    axes.set_xlabel(intensity, fontsize=9, color=style.INK)
    axes.set_ylabel(unit, fontsize=9, color=style.INK)
    axes.grid(color="#DDDDDD", linewidth=0.6)
    axes.legend(loc="lower right", frameon=False, fontsize=8)
    style.heading(figure, title or "roofline", f"peak {peak:.3g} {unit}, ridge at {peak / slope:,.0f}")
    return figure
