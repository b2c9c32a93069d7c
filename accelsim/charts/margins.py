"""Room for what stands around a figure's panels, from the lengths of its texts.

Matplotlib's constrained layout measures every text twice, which takes as long as the picture; a sweep draws
five.
"""

from __future__ import annotations

from typing import Any, Final

from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.layout_engine import LayoutEngine

EM: Final = 0.62
"""Width of a letter by the size of its font: DejaVu Sans has 0.64 for digits, 0.6 for words."""
LINE: Final = 1.25
"""Height of a line by the size of its font."""
TICK, LABEL, HEADING, LEGEND = 8.0, 9.0, 11.0, 8.0
"""Sizes of fonts, as `style` and the charts have them, in points."""
GAP: Final = 8.0
"""Between a figure's edge and its texts, and between a panel and what belongs to the next one, in points."""
MARK: Final = 7.0
"""From an axis to its ticks' texts."""
COLORBAR: Final = "<colorbar>"
"""The label that Matplotlib gives its axes."""


class Margins(LayoutEngine):
    """Of figures whose panels lie in a grid, with a heading on top and legends above panels."""

    _adjust_compatible = True
    _colorbar_gridspec = True

    def execute(self, fig: Figure) -> None:
        """Sets the edges of the grid of panels, in the figure's own units."""
        width, height = (72 * side for side in fig.get_size_inches())
        panels = [axes for axes in fig.axes if axes.get_label() != COLORBAR]
        bars = [axes for axes in fig.axes if axes.get_label() == COLORBAR]
        left = max(max(_beside(axes.yaxis), _overhang(axes.xaxis, 0)) for axes in panels)
        right = max((_beside(axes.yaxis) for axes in bars), default=0.0)
        right = max(right, max(_overhang(axes.xaxis, -1) for axes in panels))
        bottom = max(_below(axes.xaxis) for axes in panels)
        above = max(_legend_above(axes) for axes in panels)
        heading: Any = getattr(fig, "_suptitle", None)
        lines = heading.get_text().count("\n") + 1 if heading is not None else 0
        top = lines * LINE * HEADING + above
        n = max(spec.get_gridspec().ncols for axes in panels if (spec := axes.get_subplotspec()) is not None)
        between = left + GAP
        inside = (width - left - right - 2 * GAP - (n - 1) * between) / n
        fig.subplots_adjust(
            left=(left + GAP) / width,
            right=1 - (right + GAP) / width,
            bottom=(bottom + GAP) / height,
            top=1 - (top + 1.5 * GAP) / height,
            wspace=max(between / inside, 0.0),
        )


def _texts(axis: Axis) -> list[str]:
    """Of the ticks, as they will be."""
    return list(axis.get_major_formatter().format_ticks(axis.get_majorticklocs().tolist()))


def _width(texts: list[str]) -> float:
    """Points of the longest line."""
    return EM * TICK * max((len(line) for text in texts for line in text.split("\n")), default=0)


def _overhang(axis: Axis, end: int) -> float:
    """Points of the first or last tick's text beyond its panel, where the tick is at the edge."""
    return _width([text for text in _texts(axis) if text][end:][:1]) / 2


def _beside(axis: Axis) -> float:
    """Points that a vertical axis takes beside its panel."""
    ticks = _width(_texts(axis))
    label = LINE * LABEL + GAP / 2 if axis.get_label_text() else 0.0
    return (ticks + MARK if ticks else 0.0) + label


def _below(axis: Axis) -> float:
    """Points that a horizontal axis takes below its panel."""
    n_lines = max((text.count("\n") + 1 for text in _texts(axis) if text), default=0)
    label = LINE * LABEL + GAP / 2 if axis.get_label_text() else 0.0
    return (n_lines * LINE * TICK + MARK if n_lines else 0.0) + label


def _legend_above(axes: Axes) -> float:
    """Points of a legend that is anchored above its panel; others lie inside."""
    legend = axes.get_legend()
    above: Any = getattr(legend, "_bbox_to_anchor", None)
    return LINE * LEGEND + GAP if above is not None else 0.0
