"""Chart of the SRAM model against its rows: energy of an access over size, a panel a node."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import ceil, log2
from typing import Any, Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from accelsim.charts import style

MARKERS: Final = "osD^vP*X"


def sram_fit(
    rows: Sequence[Mapping[str, Any]],
    curves: Mapping[str, Callable[[float, float], float]],
    quantity: str,
    unit: str,
    title: str = "",
) -> Figure:
    """Points: `rows` (tech, size_bytes, width_bits, `quantity`); lines: `curves[tech](bytes, bits)`.

    Both axes logarithmic, so that equal distances are equal errors.
    """
    techs = list(curves)
    n_columns = min(3, len(techs))
    n_lines = ceil(len(techs) / n_columns)
    figure, panels = style.panels(3.6 * n_columns, 0.9 + 3.0 * n_lines, n_lines, n_columns)
    for axes, tech in zip(panels, techs, strict=False):
        here = [row for row in rows if row["tech"] == tech]
        _panel(axes, tech, here, curves[tech], quantity)
        axes.set_ylabel(unit, fontsize=9, color=style.INK)
    for axes in panels[len(techs) :]:
        axes.set_visible(False)
    panels[0].legend(title="bits an access", frameon=False, fontsize=7, title_fontsize=7, loc="upper left")
    off = [
        abs(
            curves[str(row["tech"])](float(row["size_bytes"]), float(row["width_bits"]))
            / float(row[quantity])
            - 1
        )
        for row in rows
        if row["tech"] in curves
    ]
    detail = f"lines: fit, points: {len(off)} rows, mean error {np.mean(off):.1%}, worst {max(off):.0%}"
    style.heading(figure, title or quantity, detail)
    return figure


def _panel(
    axes: Axes,
    tech: str,
    rows: Sequence[Mapping[str, Any]],
    curve: Callable[[float, float], float],
    quantity: str,
) -> None:
    widths = sorted({int(row["width_bits"]) for row in rows})
    for width, colour, marker in zip(widths, style.PALETTE, MARKERS, strict=False):
        of_width = sorted(
            (float(row["size_bytes"]), float(row[quantity]))
            for row in rows
            if int(row["width_bits"]) == width
        )
        sizes = [size for size, _ in of_width]
        axes.scatter(
            sizes, [value for _, value in of_width], s=12, marker=marker, color=colour, linewidths=0, zorder=3
        )
        line = np.geomspace(sizes[0], sizes[-1], 60)
        axes.plot(line, [curve(size, width) for size in line], color=colour, linewidth=1.0, label=str(width))
    axes.set_xscale("log", base=2)
    axes.set_yscale("log")
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: _size(value)))
    axes.set_title(tech, loc="left", fontsize=9, color=style.INK)
    axes.grid(color="#DDDDDD", linewidth=0.6)


def _size(n_bytes: float) -> str:
    """64 B, 4 KiB, 1 MiB: ticks are powers of two."""
    power = int(log2(max(n_bytes, 1)) // 10)
    return f"{n_bytes / 1024**power:g} {('B', 'KiB', 'MiB', 'GiB')[power]}"
