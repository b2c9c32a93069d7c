"""Charts of a network, layer by layer: each a pure function of rows to a matplotlib Figure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from matplotlib.figure import Figure

from accelsim.charts import style
from accelsim.results.format import energy, si

Row = Mapping[str, Any]
MAX_BARS: Final = 72
"""More bars than this can't be read on a page: the smallest layers are added up in a last one."""
MAX_LABEL: Final = 34
INCH_A_BAR: Final = 0.17


@dataclass(frozen=True, slots=True)
class Stack:
    """One horizontal bar: its label and the parts that stand one after the other."""

    label: str
    parts: Mapping[str, float]
    mark: str = ""

    @property
    def total(self) -> float:
        return sum(self.parts.values())


def energy_by_level(rows: Sequence[Row], title: str = "") -> Figure:
    """Energy of each layer, stacked by memory level from the multiplier outwards; unit pJ in, J shown."""
    stacks = group_tail(_stacks(rows, "energy_pj_by_level"))
    levels = list(dict.fromkeys(level for stack in stacks for level in stack.parts))
    colours = style.level_colours(levels)
    whole = sum(stack.total for stack in stacks)
    return _draw(
        stacks, colours, title, f"energy by level, {energy(whole)} in all", "energy", "J", scale=1e-12
    )


def cycles_parts(rows: Sequence[Row], title: str = "") -> Figure:
    """Cycles of each layer by cause; a bar names its bound where that is not the multipliers."""
    named = {"compute_cycles": "compute", "fill_drain_cycles": "fill and drain", "stall_cycles": "stall"}
    stacks = group_tail(
        [
            Stack(
                str(row["layer"]),
                {name: float(row.get(column) or 0) for column, name in named.items()},
                "" if row.get("bound") in (None, "compute") else str(row["bound"]),
            )
            for row in rows
            if row.get("latency_cycles")
        ]
    )
    whole = sum(stack.total for stack in stacks)
    detail = f"cycles by cause, {si(whole)} in all; the name behind a bar is the level that limits it"
    return _draw(stacks, style.CYCLES, title, detail, "cycles", "")


def group_tail(stacks: Sequence[Stack], most: int = MAX_BARS) -> list[Stack]:
    """The largest bars in network order, and one last bar for all the others: the sum stays what it is."""
    if len(stacks) <= most:
        return list(stacks)
    by_size = sorted(range(len(stacks)), key=lambda at: (-stacks[at].total, at))
    kept = sorted(by_size[: most - 1])
    tail = [stacks[at] for at in by_size[most - 1 :]]
    names = dict.fromkeys(name for stack in tail for name in stack.parts)
    parts = {name: sum(stack.parts.get(name, 0.0) for stack in tail) for name in names}
    return [*(stacks[at] for at in kept), Stack(f"{len(tail)} smaller layers", parts)]


def shorten(label: str, most: int = MAX_LABEL) -> str:
    """A long name with its middle left out: files put what tells layers apart at both ends."""
    if len(label) <= most:
        return label
    head = (most - 1) // 3
    return f"{label[:head]}\N{HORIZONTAL ELLIPSIS}{label[len(label) - (most - 1 - head) :]}"


def _stacks(rows: Sequence[Row], column: str) -> list[Stack]:
    return [
        Stack(str(row["layer"]), {str(name): float(value or 0) for name, value in row[column].items()})
        for row in rows
        if row.get(column)
    ]


def _draw(
    stacks: Sequence[Stack],
    colours: Mapping[str, str],
    title: str,
    detail: str,
    quantity: str,
    unit: str,
    scale: float = 1.0,
) -> Figure:
    """Horizontal bars from the first layer down, so that names of any length can be read."""
    figure, (axes,) = style.canvas(9.0, 1.7 + INCH_A_BAR * max(len(stacks), 4))
    places = range(len(stacks))
    left = [0.0] * len(stacks)
    for name, colour in colours.items():
        widths = [stack.parts.get(name, 0.0) for stack in stacks]
        axes.barh(places, widths, left=left, height=0.8, color=colour, edgecolor="white", linewidth=0.2)
        left = [start + width for start, width in zip(left, widths, strict=True)]
    for place, stack in enumerate(stacks):
        if stack.mark:
            axes.annotate(
                stack.mark,
                (stack.total, place),
                xytext=(3, 0),
                textcoords="offset points",
                va="center",
                fontsize=6.5,
                color=style.INK,
            )
    axes.set_yticks(places, [shorten(stack.label) for stack in stacks], fontsize=7)
    axes.set_ylim(len(stacks) - 0.4, -0.6)
    style.quantity_axis(axes, unit, f"{quantity} of the layer", scale)
    style.legend(axes, colours)
    style.heading(figure, title or quantity, detail)
    return figure
