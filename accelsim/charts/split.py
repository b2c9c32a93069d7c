"""Heat maps of a split: its objective over model and data parallelism, over batch and threads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from accelsim.charts import style
from accelsim.results.grid import FIGURES, loss
from accelsim.results.grid import figure as figure_of

Row = Mapping[str, Any]
COLOURS: Final = "viridis"  # even steps of lightness, for every kind of colour vision
ABSENT: Final = {"oom": ("#DDDDDD", "no memory"), "infeasible": ("#FFFFFF", "")}


def heat_maps(grid: Sequence[Row], best: Row, title: str = "") -> Figure | None:
    """The objective's figure: left each split with its best threads and batch, right the best split.

    A panel with a single cell is left out; None where both are.
    """
    of_best = [cell for cell in grid if (cell["mp"], cell["dp"]) == (best["mp"], best["dp"])]
    over = "best over threads and batch" if len(of_best) > 1 else _named(best, "threads", "batch")
    drawn = [
        (cells, axes, said)
        for cells, axes, said in (
            (grid, ("dp", "mp"), over),
            (of_best, ("threads", "batch"), _named(best, "mp", "dp")),
        )
        if len({(cell[axes[0]], cell[axes[1]]) for cell in cells}) > 1
    ]
    if not drawn:
        return None
    figure, panels = style.canvas(6.5 * len(drawn), 5.6, len(drawn))
    for panel, (cells, axes, said) in zip(panels, drawn, strict=True):
        _heat(panel, cells, axes, best)
        panel.set_title(said, loc="left", fontsize=9, color=style.INK)
    name, cell = FIGURES[best["objective"]][0], _named(best, "mp", "dp", "threads", "batch")
    style.heading(figure, title or "split", f"{name} and its limit; best {best['objective']}: {cell}")
    return figure


def _named(cell: Row, *names: str) -> str:
    return ", ".join(f"{name} {cell[name]}" for name in names)


def _heat(axes: Axes, cells: Sequence[Row], names: tuple[str, str], best: Row) -> None:
    """A square a cell, the best of those that share it: its figure and limit, the brighter the better."""
    objective = best["objective"]
    across, down = (sorted({cell[name] for cell in cells}) for name in names)
    shown: dict[tuple[int, int], Row] = {}
    for cell in sorted(cells, key=lambda cell: _worst_last(cell, objective)):
        shown.setdefault((down.index(cell[names[1]]), across.index(cell[names[0]])), cell)
    values = np.full((len(down), len(across)), np.nan)
    least = loss(best, objective)
    for (y, x), cell in shown.items():
        if cell["status"] == "ok":
            values[y, x] = least / (loss(cell, objective) or 1.0)
    axes.imshow(values, cmap=COLOURS, vmin=0.0, vmax=1.0, aspect="auto", origin="lower")
    for (y, x), cell in shown.items():
        colour, word = ABSENT.get(cell["status"], ("", ""))
        if cell["status"] == "ok":
            word = f"{figure_of(cell, objective)}\n{cell['limit']}"
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


def _worst_last(cell: Row, objective: str) -> tuple[int, float]:
    order = ("ok", "oom", "infeasible").index(cell["status"])
    return order, loss(cell, objective) if order == 0 else 0.0
