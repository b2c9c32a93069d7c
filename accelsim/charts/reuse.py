"""Chart of reuse: accesses that are left a MAC under each kind of it, and those of a machine."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from matplotlib.figure import Figure

from accelsim.charts import style

KINDS: Final = {
    "no_reuse": "no reuse",
    "convolutional": "convolutional alone",
    "image": "image alone",
    "filter": "filter alone",
    "partial_sum": "partial-sum alone",
    "all": "all together",
}
GAP: Final = 0.8
COLOURS: Final = {"kind of reuse": "#0072B2", "achieved at each level": "#E69F00"}


def accesses_per_mac(totals: Mapping[str, Any], title: str = "") -> Figure:
    """Words read and written per multiply-accumulate of the network: 4 without reuse, one bar a kind of it.

    Below, where a machine is given, what its mapping achieves at each level (all instances).
    """
    macs = float(totals["macs"])
    achieved: Mapping[str, float] = totals.get("achieved") or {}
    bars = [(name, float(totals[kind]) / macs, False) for kind, name in KINDS.items() if kind in totals]
    bars += [(level, float(words) / macs, True) for level, words in achieved.items()]
    figure, (axes,) = style.canvas(9.0, 1.8 + 0.3 * len(bars))
    places = [at + (GAP if is_level else 0.0) for at, (_, _, is_level) in enumerate(bars)]
    kind_colour, level_colour = COLOURS.values()
    axes.barh(
        places,
        [count for _, count, _ in bars],
        height=0.8,
        color=[level_colour if is_level else kind_colour for *_, is_level in bars],
    )
    for place, (_, count, _) in zip(places, bars, strict=True):
        axes.annotate(
            f"{count:.3g}",
            (count, place),
            xytext=(4, 0),
            textcoords="offset points",
            va="center",
            fontsize=8,
            color=style.INK,
        )
    axes.set_yticks(places, [name for name, *_ in bars], fontsize=9)
    axes.set_ylim(places[-1] + 0.7, -0.7)
    axes.set_xlim(0, max(count for _, count, _ in bars) * 1.1)
    style.quantity_axis(axes, "", "accesses per MAC (words)")
    if achieved:
        style.legend(axes, COLOURS)
    style.heading(figure, title or "reuse", "accesses per MAC that each kind of reuse leaves")
    return figure
