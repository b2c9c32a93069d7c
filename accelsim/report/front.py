"""The Pareto front of a layer: a table of its points and a plot of them in letters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from accelsim.report.blocks import Block, Head, Lines, Table
from accelsim.report.parts import Row
from accelsim.report.scatter import Dot, scatter
from accelsim.report.top import STOPPED
from accelsim.results.format import energy, si

MAX_SHOWN: Final = 32
"""Points of a front that the table has; the rest is in --json and points.csv."""

DIGITS: Final = 5
"""A front is often narrow."""


def front_blocks(row: Row) -> list[Block]:
    """No other mapping beats one of these in both energy and latency."""
    points: Sequence[Row] = row["points"]
    if len(points) == 1:
        both = "one mapping has both the least energy and the least latency"
        if not row["certificate"]["complete"]:
            both = f"one mapping so far: {STOPPED}"
        return [Lines((f"{row['layer']}: {both}",))]
    shown = _spread(points)
    best = min(points, key=lambda point: point["above_best_frac"])
    objective = row["certificate"]["objective"]
    heads = (
        Head("point", "left"),
        Head("energy"),
        Head("cycles"),
        Head("energy x cycles"),
        Head("energy above least %", least_width=90),
        Head("cycles above least %", least_width=90),
    )
    least_pj = min(point["energy_pj"] for point in points)
    least_cycles = min(point["latency_cycles"] for point in points)
    lines = [
        (
            f"{at + 1} best {objective}" if points[at] is best else str(at + 1),
            _energy(points[at]["energy_pj"]),
            _cycles(points[at]["latency_cycles"]),
            f"{points[at]['edp_pj_cycles']:.{DIGITS}g}",
            f"{100 * (points[at]['energy_pj'] / least_pj - 1):.3g}" if least_pj else "",
            f"{100 * (points[at]['latency_cycles'] / least_cycles - 1):.3g}",
        )
        for at in shown
    ]
    title = f"{row['layer']}: Pareto front of {len(points)} mappings"
    if len(shown) < len(points):
        title += f", {len(shown)} of them shown"
    if not row["certificate"]["complete"]:
        title += f" so far: {STOPPED}"
    dots = [Dot(float(point["latency_cycles"]), float(point["energy_pj"])) for point in points]
    dots.append(Dot(float(best["latency_cycles"]), float(best["energy_pj"]), "*"))
    plot = scatter(dots, _cycles, _energy, "cycles", f"energy; * has the best {objective}")
    return [Table(title, heads, tuple(lines)), Lines(plot)]


def _spread(points: Sequence[Row]) -> list[int]:
    """At most `MAX_SHOWN` places, evenly along the front, both ends and the best among them."""
    n = len(points)
    if n <= MAX_SHOWN:
        return list(range(n))
    even = {round(at * (n - 1) / (MAX_SHOWN - 2)) for at in range(MAX_SHOWN - 1)}
    best = min(range(n), key=lambda at: points[at]["above_best_frac"])
    return sorted(even | {best})


def _energy(pj: float) -> str:
    return energy(pj, DIGITS)


def _cycles(n: float) -> str:
    return si(n, digits=DIGITS)
