"""Chart of a network by itself: work and bytes of each layer, side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from accelsim.charts import style
from accelsim.charts.bars import INCH_A_BAR, MAX_BARS, Row, Stack, shorten
from accelsim.results.format import si

COLUMNS: Final = {"weights": "weight_bytes", "inputs": "input_bytes", "outputs": "output_bytes"}
COLOURS: Final = {"weights": "#E69F00", "inputs": "#0072B2", "outputs": "#009E73"}


def work_by_layer(rows: Sequence[Row], title: str = "") -> Figure:
    """MACs of each layer beside the bytes that it must move once, and behind them their ratio."""
    layers = _tail_grouped(
        [
            (
                Stack(str(row["layer"]), {"macs": float(row.get("macs") or 0)}),
                Stack(str(row["layer"]), {n: float(row.get(column) or 0) for n, column in COLUMNS.items()}),
            )
            for row in rows
        ]
    )
    figure, (left, right) = style.canvas(10.0, 1.8 + INCH_A_BAR * max(len(layers), 4), n_panels=2)
    places = range(len(layers))
    left.barh(places, [work.total for work, _ in layers], height=0.8, color=style.MAC)
    start = [0.0] * len(layers)
    for name, colour in COLOURS.items():
        widths = [moved.parts[name] for _, moved in layers]
        right.barh(places, widths, left=start, height=0.8, color=colour, edgecolor="white", linewidth=0.2)
        start = [at + width for at, width in zip(start, widths, strict=True)]
    for place, (work, moved) in enumerate(layers):
        if work.total and moved.total:
            _say(right, si(work.total / moved.total), moved.total, place)
    left.set_yticks(places, [shorten(work.label) for work, _ in layers], fontsize=7)
    right.set_yticks(places, [""] * len(layers))
    for axes in (left, right):
        axes.set_ylim(len(layers) - 0.4, -0.6)
    style.quantity_axis(left, "", "MACs of the layer")
    style.quantity_axis(right, "B", "bytes, each tensor once (behind the bar: MACs/B)")
    right.set_xlim(0, max(*start, 1.0) * 1.08)
    style.legend(right, COLOURS)
    macs, moved_bytes = (sum(layer[at].total for layer in layers) for at in (0, 1))
    style.heading(
        figure, title or "work", f"{si(macs)} MACs and {si(moved_bytes, 'B')} in all layers together"
    )
    return figure


def _say(axes: Axes, text: str, x: float, y: float) -> None:
    axes.annotate(
        text, (x, y), xytext=(3, 0), textcoords="offset points", va="center", fontsize=6.5, color=style.INK
    )


def _tail_grouped(layers: Sequence[tuple[Stack, Stack]], most: int = MAX_BARS) -> list[tuple[Stack, Stack]]:
    """The layers with the largest share of work or bytes in network order, and one for all the others."""
    if len(layers) <= most:
        return list(layers)
    whole = [sum(layer[at].total for layer in layers) or 1.0 for at in (0, 1)]
    share = [max(layer[at].total / whole[at] for at in (0, 1)) for layer in layers]
    by_size = sorted(range(len(layers)), key=lambda at: (-share[at], at))
    tail = [layers[at] for at in by_size[most - 1 :]]
    label = f"{len(tail)} smaller layers"
    return [
        *(layers[at] for at in sorted(by_size[: most - 1])),
        (Stack(label, _sum(work for work, _ in tail)), Stack(label, _sum(moved for _, moved in tail))),
    ]


def _sum(stacks: Any) -> Mapping[str, float]:
    total: dict[str, float] = {}
    for stack in stacks:
        for name, value in stack.parts.items():
            total[name] = total.get(name, 0.0) + value
    return total
