"""Chart of the accesses of a network, by level and operand."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from matplotlib.figure import Figure

from accelsim.charts import style
from accelsim.results.format import si

GROUP_GAP: Final = 0.9


def accesses_by_operand(totals: Mapping[str, Any], title: str = "") -> Figure:
    """Reads and writes of the whole network by level and operand, in decades as levels differ by them.

    Points, not bars: a logarithmic axis has no zero, so that a length on it would mean nothing. Reads are
    filled, writes hollow.
    """
    accesses: Mapping[str, Mapping[str, Mapping[str, float]]] = totals.get("accesses") or {}
    bars = [
        (level, operand, rw, float(counts.get(rw) or 0))
        for level, operands in accesses.items()
        for operand, counts in operands.items()
        for rw in ("read", "write")
        if counts.get(rw)
    ]
    figure, (axes,) = style.canvas(9.0, 1.6 + 0.2 * max(len(bars), 4) + 0.18 * len(accesses))
    place, places, previous = 0.0, [], None
    for level, operand, rw, count in bars:
        place += GROUP_GAP if previous not in (None, level) else 0.0
        previous = level
        axes.plot(
            count,
            place,
            marker="o",
            markersize=6.5,
            color=style.OPERAND[operand],
            markerfacecolor=style.OPERAND[operand] if rw == "read" else "white",
            markeredgewidth=1.5,
        )
        axes.axhline(place, color="#EEEEEE", linewidth=0.6, zorder=0)
        axes.annotate(
            f"{operand} {rw} {si(count)}",
            (count, place),
            xytext=(7, 0),
            textcoords="offset points",
            va="center",
            fontsize=7,
            color=style.INK,
        )
        places.append((level, place))
        place += 1.0
    middles = {level: [at for name, at in places if name == level] for level, _ in places}
    axes.set_yticks([sum(at) / len(at) for at in middles.values()], list(middles), fontsize=9)
    axes.set_ylim(place - 0.3, -0.7)
    counts = [count for *_, count in bars] or [1.0]
    style.log_axis(
        axes,
        min(counts),
        max(counts),
        "words, all instances of the level (logarithmic: compare places, from decade to decade)",
    )
    style.legend(axes, {style.OPERAND_NAME[name]: colour for name, colour in style.OPERAND.items()})
    style.heading(
        figure,
        title or "accesses",
        "accesses by level and operand: reads filled, writes (fills plus updates) hollow",
    )
    return figure
