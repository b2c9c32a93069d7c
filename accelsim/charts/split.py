"""Heat maps of a split: throughput over model and data parallelism, over batch and threads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from accelsim.charts import style
from accelsim.results.format import si

Row = Mapping[str, Any]
COLOURS: Final = "viridis"  # even steps of lightness, for every kind of colour vision
ABSENT: Final = {"oom": ("#DDDDDD", "no memory"), "infeasible": ("#FFFFFF", "")}


def heat_maps(grid: Sequence[Row], best: Row, title: str = "") -> Figure:
    """Images a second: left the best of each split over threads and batch, right those of the best split."""
    of_best = [cell for cell in grid if (cell["mp"], cell["dp"]) == (best["mp"], best["dp"])]
    figure, (left, right) = style.canvas(13.0, 5.6, n_panels=2)
    most = max(float(cell["throughput_fps"]) for cell in grid if cell["status"] == "ok")
    _heat(left, grid, ("dp", "mp"), most)
    _heat(right, of_best, ("threads", "batch"), most)
    left.set_title("best over threads and batch", loc="left", fontsize=9, color=style.INK)
    right.set_title(f"mp {best['mp']}, dp {best['dp']}", loc="left", fontsize=9, color=style.INK)
    cell = ", ".join(f"{name} {best[name]}" for name in ("mp", "dp", "threads", "batch"))
    style.heading(
        figure, title or "split", f"images a second and their limit; best {best['objective']}: {cell}"
    )
    return figure


def _heat(axes: Axes, cells: Sequence[Row], names: tuple[str, str], most: float) -> None:
    """A square a cell, the best of those that share it; ringed by nothing, named by its figure and limit."""
    across, down = (sorted({cell[name] for cell in cells}) for name in names)
    shown: dict[tuple[int, int], Row] = {}
    for cell in sorted(cells, key=_worst_last):
        shown.setdefault((down.index(cell[names[1]]), across.index(cell[names[0]])), cell)
    values = np.full((len(down), len(across)), np.nan)
    for (y, x), cell in shown.items():
        if cell["status"] == "ok":
            values[y, x] = cell["throughput_fps"] / most
    axes.imshow(values, cmap=COLOURS, vmin=0.0, vmax=1.0, aspect="auto", origin="lower")
    for (y, x), cell in shown.items():
        colour, word = ABSENT.get(cell["status"], ("", ""))
        if cell["status"] == "ok":
            word = f"{si(cell['throughput_fps'])}\n{cell['limit']}"
        else:
            axes.fill(
                [x - 0.5, x + 0.5, x + 0.5, x - 0.5], [y - 0.5, y - 0.5, y + 0.5, y + 0.5], color=colour
            )
        ink = "white" if values[y, x] < 0.6 else style.INK
        axes.text(x, y, word, ha="center", va="center", fontsize=6.5, color=ink)
    axes.set_xticks(range(len(across)), [str(value) for value in across])
    axes.set_yticks(range(len(down)), [str(value) for value in down])
    axes.set_xlabel(names[0], fontsize=9, color=style.INK)
    axes.set_ylabel(names[1], fontsize=9, color=style.INK)


def _worst_last(cell: Row) -> tuple[int, float]:
    order = ("ok", "oom", "infeasible").index(cell["status"])
    return order, -float(cell["throughput_fps"]) if order == 0 else 0.0
