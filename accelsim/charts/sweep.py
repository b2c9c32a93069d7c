"""Charts of a sweep's points: the Pareto front over all of them, and parallel coordinates of the front."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator
from numpy.typing import NDArray

from accelsim.charts import style
from accelsim.charts.margins import Margins
from accelsim.charts.thin import thinned, unit, wide
from accelsim.results.format import digits_apart, quantity

GREY: Final = "#BBBBBB"
FRONT: Final = "#0072B2"
KNEE: Final = "#D55E00"
MOST_LINES: Final = 400
TICKS: Final = 8
"""Steps that an axis has at most: its texts shall tell two neighbours apart."""
FEW_DECADES: Final = 3.0
"""A logarithmic axis of fewer decades has ticks at 2 and 5, too."""


@dataclass(frozen=True, slots=True)
class Axis:
    """Values of all points on one axis: numbers with their unit, or the codes of texts."""

    name: str
    values: NDArray[Any]  # [n]
    unit: str = ""
    labels: tuple[str, ...] = ()  # of codes 0, 1, ...
    maximise: bool = False

    @property
    def label(self) -> str:
        """With what is wanted of it."""
        return f"{self.name}, more is better" if self.maximise else self.name

    def said(self, value: float, digits: int = 3) -> str:
        """A value as people read it."""
        if self.labels:
            at = round(value)
            return self.labels[at] if at == value and 0 <= at < len(self.labels) else ""
        return quantity(value, self.unit, digits)


def pareto(
    x: Axis,
    y: Axis,
    front: NDArray[np.int64],
    knee: int | None,
    title: str = "",
    colour: Axis | None = None,
    n_points: int | None = None,
) -> Figure:
    """Dominated points grey, the front in colour with its knee ringed.

    `colour` is a third objective: the front's points then have its colour, and no line joins them. `n_points`
    is the number of all points, where the axes have not all of the dominated ones.
    """
    figure, (axes,) = style.canvas(7.0, 5.0, layout=Margins())
    xs, ys = np.asarray(x.values, dtype=np.float64), np.asarray(y.values, dtype=np.float64)
    known = np.isfinite(xs) & np.isfinite(ys)
    rest = known.copy()
    rest[front] = False
    scale(axes, "x", x, xs[known])
    scale(axes, "y", y, ys[known])
    thin = thinned(xs[rest], ys[rest])
    axes.scatter(xs[rest][thin], ys[rest][thin], s=6, color=GREY, linewidths=0, label="dominated")
    if colour is None:
        order = front[np.argsort(xs[front], kind="stable")]
        best_first = "steps-pre" if x.maximise else "steps-post"
        axes.plot(xs[order], ys[order], drawstyle=best_first, color=FRONT, linewidth=1.0, zorder=2)
        axes.scatter(xs[front], ys[front], s=18, color=FRONT, zorder=3, label="Pareto front")
    else:
        third = np.asarray(colour.values, dtype=np.float64)
        dots = axes.scatter(
            xs[front], ys[front], s=20, c=third[front], cmap="viridis", zorder=3, label="Pareto front"
        )
        bar = figure.colorbar(
            dots, ax=axes, fraction=0.05, pad=0.03, format=FuncFormatter(lambda value, _: colour.said(value))
        )
        bar.set_label(colour.label, fontsize=9, color=style.INK)
        bar.ax.tick_params(labelsize=8)
    if knee is not None:
        axes.scatter(
            xs[knee],
            ys[knee],
            s=120,
            facecolors="none",
            edgecolors=KNEE,
            linewidths=1.8,
            zorder=4,
            label="knee",
        )
    axes.legend(frameon=False, fontsize=8, loc="best")
    n_all = int(known.sum()) if n_points is None else n_points
    style.heading(
        figure, title or f"{y.name} over {x.name}", f"{len(front):,} of {n_all:,} points on the front"
    )
    return figure


def parallel(axes_of: Sequence[Axis], knee: int | None, title: str = "") -> Figure:
    """A line a point across all axes, coloured by the last; the knee is thick. Of many 400 are shown."""
    n = len(axes_of[0].values)
    shown = np.unique(np.linspace(0, n - 1, min(n, MOST_LINES)).astype(np.int64))
    if knee is not None:
        shown = np.unique(np.append(shown, knee))
    places = np.stack([_place(axis) for axis in axes_of], axis=1)  # [n, axes]
    figure, (axes,) = style.canvas(max(6.0, 1.45 * len(axes_of) + 0.8), 4.4, layout=Margins())
    at = np.arange(len(axes_of))
    lines = np.stack([np.broadcast_to(at, (len(shown), len(at))), places[shown]], axis=2)
    drawn = LineCollection(list(lines), cmap="viridis", linewidths=0.9, alpha=0.75)
    drawn.set_array(places[shown, -1])
    axes.add_collection(drawn)
    if knee is not None:
        axes.plot(at, places[knee], color=KNEE, linewidth=2.4, zorder=3, label="knee")
        axes.legend(frameon=False, fontsize=8, loc="upper right", bbox_to_anchor=(1.0, 1.12))
    for place, axis in enumerate(axes_of):
        axes.axvline(place, color="#999999", linewidth=0.8, zorder=1)
        for height, text in _ticks(axis):
            axes.annotate(
                text,
                (place, height),
                xytext=(3, 0),
                textcoords="offset points",
                fontsize=7,
                va="center",
                color=style.INK,
                bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.7, "pad": 0.4},
            )
    axes.set_xticks(at, [axis.label.replace(", ", "\n") for axis in axes_of], fontsize=8)
    axes.set_yticks([])
    axes.spines[["left", "bottom"]].set_visible(False)
    axes.set_xlim(-0.2, len(at) - 0.5)
    axes.set_ylim(-0.04, 1.04)
    few = "" if len(shown) >= n else f" ({len(shown):,} shown)"
    style.heading(figure, title or "parallel coordinates", f"{n:,} points of the front{few}")
    return figure


def scale(axes: Axes, which: str, axis: Axis, values: NDArray[Any]) -> None:
    """The axis of one quantity, with its label and its ticks as people read them."""
    one = axes.xaxis if which == "x" else axes.yaxis
    if not axis.labels and wide(values):
        (axes.set_xscale if which == "x" else axes.set_yscale)("log")
        decades = float(np.log10(values.max() / values.min()))
        one.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0) if decades < FEW_DECADES else (1.0,)))
        one.set_minor_locator(NullLocator())
    least, most = (float(values.min()), float(values.max())) if len(values) else (0.0, 0.0)
    digits = digits_apart(least, least + (most - least) / TICKS, axis.unit)
    one.set_major_formatter(FuncFormatter(lambda value, _: axis.said(value, digits)))
    one.set_label_text(axis.label, fontsize=9, color=style.INK)
    axes.grid(axis="x" if which == "x" else "y", color="#DDDDDD", linewidth=0.6)


def _place(axis: Axis) -> NDArray[np.float64]:
    """Height on a parallel coordinate: texts in equal steps, numbers on their scale."""
    if axis.labels:
        return np.asarray(axis.values / max(1, len(axis.labels) - 1), dtype=np.float64)
    return unit(np.asarray(axis.values, dtype=np.float64))


def _ticks(axis: Axis) -> list[tuple[float, str]]:
    """The values where there are few, else the ends."""
    found, first = np.unique(axis.values, return_index=True)
    heights = _place(axis)[first]
    digits = digits_apart(float(found[0]), float(found[-1]), axis.unit)
    pairs = [
        (float(height), axis.said(float(value), digits)) for height, value in zip(heights, found, strict=True)
    ]
    return pairs if len(pairs) <= 6 else [pairs[0], pairs[-1]]
