"""Charts of what a sweep's variables do: effects as bars, a heat map over two, and the hypervolume found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator
from numpy.typing import NDArray

from accelsim.charts import style
from accelsim.charts.margins import EM, TICK, Margins
from accelsim.charts.sweep import Axis, scale
from accelsim.charts.thin import wide

MOST_BARS: Final = 10
MOST_NUMBERS: Final = 12
"""Cells along an axis up to which each has its number."""
MOST_WIDE: Final = 16
"""Cells along an axis beyond which they get smaller: a picture of a hundred would be six thousand pixels."""
PAIR: Final = "#56B4E9"
SINGLE: Final = "#0072B2"

Share = tuple[Sequence[str], float]
"""Names of one variable or two, and the share of variance that they explain."""


def effects(panels: Mapping[str, Sequence[Share]], title: str = "") -> Figure:
    """The greatest shares of each objective's variance, a panel an objective."""
    n_bars = max(1, *(min(MOST_BARS, len(shares)) for shares in panels.values()))
    longest = max((len(" x ".join(names)) for shares in panels.values() for names, _ in shares), default=0)
    width = max(4.4, 2.6 + longest * EM * TICK / 72)  # the bars keep their room beside long names
    figure, axes_of = style.canvas(width * len(panels), 1.5 + 0.3 * n_bars, len(panels), Margins())
    for axes, (objective, shares) in zip(axes_of, panels.items(), strict=True):
        shown = list(shares)[:MOST_BARS]
        for place, (names, share) in enumerate(shown):
            axes.barh(place, 100 * share, height=0.7, color=SINGLE if len(names) == 1 else PAIR)
            axes.annotate(
                f"{100 * share:.1f}",
                (100 * share, place),
                xytext=(3, 0),
                textcoords="offset points",
                va="center",
                fontsize=7.5,
                color=style.INK,
            )
        axes.set_yticks(range(len(shown)), [" x ".join(names) for names, _ in shown], fontsize=8)
        axes.set_ylim(n_bars - 0.4, -0.6)
        axes.set_xlim(0, 112)
        axes.set_xlabel(f"% of the variance of {objective}", fontsize=9, color=style.INK)
        axes.grid(axis="x", color="#DDDDDD", linewidth=0.6)
    style.legend(axes_of[0], {"a variable": SINGLE, "two together": PAIR})
    style.heading(figure, title or "what matters")
    return figure


def heat(x: Axis, y: Axis, values: NDArray[Any], shown: Axis, title: str = "", detail: str = "") -> Figure:
    """`values` [levels of y, levels of x] of one quantity; NaN (no such point) stays white.

    The axes' `values` are their levels in order; the brighter the better.
    """
    across, down = [x.said(float(v)) for v in x.values], [y.said(float(v)) for v in y.values]
    figure, (axes,) = style.canvas(
        2.2 + 0.55 * min(max(6, len(across)), MOST_WIDE),
        1.8 + 0.42 * min(max(5, len(down)), MOST_WIDE),
        layout=Margins(),
    )
    known = values[np.isfinite(values)]
    log = wide(known)
    drawn = np.log10(values) if log else values  # of which the numbers' ink follows
    colours = "viridis" if shown.maximise else "viridis_r"
    norm = LogNorm(known.min(), known.max()) if log else None
    image = axes.imshow(
        values, cmap=colours, norm=norm, aspect="auto", origin="lower", interpolation="nearest"
    )  # Matplotlib's own choice blends the cells of large maps
    bar = figure.colorbar(image, ax=axes, fraction=0.05, pad=0.03)
    if log:
        bar.locator = LogLocator(subs=(1.0, 2.0, 5.0))
    bar.formatter = FuncFormatter(lambda value, _: shown.said(value))
    bar.update_ticks()
    bar.ax.yaxis.set_minor_locator(NullLocator())
    bar.set_label(shown.label, fontsize=9, color=style.INK)
    bar.ax.tick_params(labelsize=8)
    if len(across) <= MOST_NUMBERS and len(down) <= MOST_NUMBERS and len(known):
        low, span = np.nanmin(drawn), float(np.ptp(drawn[np.isfinite(drawn)])) or 1.0
        for row, column in np.argwhere(np.isfinite(drawn)).tolist():
            bright = (drawn[row, column] - low) / span
            dark = bright < 0.6 if shown.maximise else bright > 0.4
            axes.text(
                column,
                row,
                shown.said(float(values[row, column])),
                ha="center",
                va="center",
                fontsize=6.5,
                color="white" if dark else style.INK,
            )
    axes.set_xticks(*_few(across))
    axes.set_yticks(*_few(down))
    axes.set_xlabel(x.name, fontsize=9, color=style.INK)
    axes.set_ylabel(y.name, fontsize=9, color=style.INK)
    style.heading(figure, title or f"{shown.name} over {x.name} and {y.name}", detail)
    return figure


def hypervolume(
    evaluations: NDArray[Any], volume: NDArray[Any], whole: float | None, title: str = ""
) -> Figure:
    """Hypervolume of the front found so far against points evaluated; `whole` is that of all points."""
    figure, (axes,) = style.canvas(6.5, 4.0, layout=Margins())
    axes.plot(evaluations, volume, drawstyle="steps-post", color=SINGLE, linewidth=1.4, label="found")
    if whole is not None:
        axes.axhline(whole, color="#D55E00", linewidth=1.0, linestyle="--", label="all points")
        axes.legend(frameon=False, fontsize=8, loc="lower right")
    scale(axes, "x", Axis("points evaluated", evaluations), np.asarray(evaluations, dtype=np.float64))
    axes.set_ylabel("hypervolume", fontsize=9, color=style.INK)
    axes.grid(axis="y", color="#DDDDDD", linewidth=0.6)
    reached = ""
    if whole:
        reached = f"{100 * float(volume[-1]) / whole:.1f} % of all points' after {int(evaluations[-1]):,}"
    style.heading(figure, title or "hypervolume", reached)
    return figure


def _few(labels: Sequence[str]) -> tuple[list[int], list[str]]:
    """Places and labels of at most 16 ticks."""
    step = -(-len(labels) // 16)
    places = list(range(0, len(labels), step))
    return places, [labels[place] for place in places]
