"""Colours and axes that all charts share: distinct for every kind of colour vision, and in grey."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import floor, log10
from typing import Final, Literal

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import LayoutEngine
from matplotlib.ticker import FuncFormatter

from accelsim.results.format import si

# Okabe and Ito, "Color Universal Design", 2008, ordered so that neighbours in a stack differ in lightness
PALETTE: Final = ("#E69F00", "#0072B2", "#56B4E9", "#009E73", "#CC79A7", "#F0E442", "#D55E00", "#999999")
DRAM: Final = "#D55E00"
MAC: Final = "#444444"
OPERAND: Final = {"I": "#0072B2", "W": "#E69F00", "O": "#009E73"}
OPERAND_NAME: Final = {"I": "inputs", "W": "weights", "O": "outputs and partial sums"}
CYCLES: Final = {"compute": "#0072B2", "fill and drain": "#56B4E9", "stall": "#D55E00"}
INK: Final = "#333333"


Layout = Literal["constrained"] | LayoutEngine


def level_colours(levels: Iterable[str]) -> dict[str, str]:
    """One colour a level: arithmetic and DRAM keep theirs, so that pictures of two machines compare."""
    fixed = {"mac": MAC, "dram": DRAM}
    free = iter(colour for colour in PALETTE * 4 if colour != DRAM)
    return {level: fixed[level] if level in fixed else next(free) for level in levels}


def canvas(
    width: float, height: float, n_panels: int = 1, layout: Layout = "constrained"
) -> tuple[Figure, list[Axes]]:
    """A figure of panels side by side, without pyplot: nothing global, nothing to close, no display."""
    return panels(width, height, 1, n_panels, layout)


def panels(
    width: float, height: float, n_lines: int, n_columns: int, layout: Layout = "constrained"
) -> tuple[Figure, list[Axes]]:
    """A figure of panels in a grid, line after line; `layout` finds the room around them."""
    figure = Figure(figsize=(width, height), layout=layout)
    made = figure.subplots(n_lines, n_columns, squeeze=False)
    every: list[Axes] = [axes for line in made for axes in line]
    for axes in every:
        axes.spines[["top", "right"]].set_visible(False)
        axes.spines[["left", "bottom"]].set_color("#999999")
        axes.tick_params(colors=INK, labelsize=8, length=3)
        axes.set_axisbelow(True)
    return figure, every


def quantity_axis(axes: Axes, unit: str, label: str, scale: float = 1.0) -> None:
    """The value axis: SI prefixes on the ticks, the quantity and its unit below."""
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: si(value * scale, unit)))
    axes.locator_params(axis="x", nbins=6)
    axes.set_xlabel(label, fontsize=9, color=INK)
    axes.grid(axis="x", color="#DDDDDD", linewidth=0.6)


def log_axis(axes: Axes, least: float, most: float, label: str) -> None:
    """A logarithmic value axis in decades, with room for what stands behind the points."""
    axes.set_xscale("log")
    axes.set_xlim(10 ** floor(log10(max(least, 1.0)) - 0.3), most * (most / max(least, 1.0)) ** 0.2 * 2)
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: si(value)))
    axes.minorticks_off()
    axes.set_xlabel(label, fontsize=9, color=INK)
    axes.grid(axis="x", color="#DDDDDD", linewidth=0.6)


def heading(figure: Figure, text: str, detail: str = "") -> None:
    """What the picture shows and of what, at its top left."""
    figure.suptitle(f"{text}\n{detail}" if detail else text, x=0.01, ha="left", fontsize=11, color=INK)


def legend(axes: Axes, colours: Mapping[str, str], title: str = "") -> None:
    """Swatches by name, in the order of the stack."""
    from matplotlib.patches import Patch

    swatches = [Patch(facecolor=colour, label=name) for name, colour in colours.items()]
    axes.legend(
        handles=swatches,
        title=title or None,
        loc="lower left",
        bbox_to_anchor=(0.0, 1.0),
        ncols=6,
        frameon=False,
        fontsize=8,
        borderaxespad=0.2,
        handlelength=1.2,
        columnspacing=1.2,
    )
