"""Chart of predictions against measurements: a point a cell, and how far it is off."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from matplotlib.figure import Figure

from accelsim.charts import style

MARKERS: Final = "osD^vP*X"
"""One a limit besides its colour, so that the picture reads in grey."""


def against_measured(
    cells: Sequence[Mapping[str, Any]], unit: str, title: str = "", band: float = 0.15
) -> Figure:
    """Both axes logarithmic, the diagonal exact, grey within `band`; `cells`: measured, predicted, limit."""
    figure, (axes,) = style.canvas(6.4, 5.6)
    least = min(min(float(cell[name]) for name in ("measured", "predicted")) for cell in cells) / 1.2
    most = max(max(float(cell[name]) for name in ("measured", "predicted")) for cell in cells) * 1.2
    ends = np.array([least, most])
    axes.fill_between(ends, ends * (1 - band), ends * (1 + band), color="#DDDDDD", linewidth=0)
    axes.plot(ends, ends, color=style.INK, linewidth=0.8)
    limits = sorted({str(cell["limit"]) for cell in cells})
    for limit, colour, marker in zip(limits, style.PALETTE, MARKERS, strict=False):
        here = [cell for cell in cells if cell["limit"] == limit]
        axes.scatter(
            [float(cell["measured"]) for cell in here],
            [float(cell["predicted"]) for cell in here],
            s=26,
            marker=marker,
            color=colour,
            edgecolors=style.INK,
            linewidths=0.5,
            label=f"{limit} ({len(here)})",
            zorder=3,
        )
    axes.set_xscale("log")
    axes.set_yscale("log")
    ticks = [value for value in (1, 2, 5, 10, 20, 50, 100) if least <= value <= most]
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_ticks(ticks, [str(value) for value in ticks])
        axis.set_ticks([], minor=True)
    axes.set_xlim(least, most)
    axes.set_ylim(least, most)
    axes.set_xlabel(f"measured, {unit}", fontsize=9, color=style.INK)
    axes.set_ylabel(f"predicted, {unit}", fontsize=9, color=style.INK)
    axes.legend(title="limited by", loc="lower right", frameon=False, fontsize=8, title_fontsize=8)
    error = np.array([float(cell["predicted"]) / float(cell["measured"]) - 1 for cell in cells])
    detail = f"{len(cells)} cells, median error {np.median(np.abs(error)):.1%}, grey: within {band:.0%}"
    style.heading(figure, title or "measured and predicted", detail)
    return figure
