"""The plan of a split's best cell, layer by layer, and how far its search went."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from accelsim.report.blocks import Block, Head, Lines, Table
from accelsim.report.parts import Row
from accelsim.results.format import percent, si

if TYPE_CHECKING:
    from accelsim.results.result import Result

MOST: Final = 30
"""Of more layers, those that are cut in one way share a line."""


def plan_blocks(result: Result) -> list[Block]:
    """Nothing where all layers have one split because no other was asked for."""
    if "plan" not in result.more:
        return []
    best = result.more["best"]
    if best["strategy"] == "uniform":
        said = "no plan is better than one split for all layers"
        return [Lines((said, _search(result.more)))]
    return [_table(result.more["plan"], best["strategy"]), Lines((_search(result.more),))]


def _table(plan: Sequence[Row], strategy: str) -> Table:
    """Which cores run which layers, in which parts."""
    heads = (
        Head("layer", "left"),
        *((Head("stage"), Head("cores")) if strategy == "pipeline" else ()),
        Head("mp"),
        Head("dp"),
        Head("partition", "left"),
        Head("time"),
        Head("hand-over"),
        Head("J/image", least_width=80),
        Head("on chip", "left", 100),
    )
    rows = []
    for run in _runs(plan):
        row, last = run[0], run[-1]
        stage = (str(row["stage"] + 1), str(row["stage_cores"])) if strategy == "pipeline" else ()
        kept = [one["fused_with"] for one in run if one["fused_with"]]
        name = str(row["layer"]) if len(run) == 1 else f"{row['layer']} to {last['layer']} ({len(run)})"
        rows.append(
            (
                name,
                *stage,
                str(row["mp"]),
                str(row["dp"]),
                str(row["partition"]),
                si(sum(one["layer_s"] for one in run), "s"),
                si(sum(one["exchange_s"] for one in run), "s"),
                si(sum(one["energy_j"] for one in run), "J"),
                f"from {kept[0]}" if len(run) == 1 and kept else str(len(kept) or ""),
            )
        )
    return Table("The plan of the best, its times in closed form", heads, tuple(rows))


def _runs(plan: Sequence[Row]) -> list[list[Row]]:
    """Layers one by one; of long networks those together that are cut in one way."""
    runs: list[list[Row]] = []
    alike = ("stage", "mp", "dp", "partition")
    for row in plan:
        if len(plan) <= MOST or not runs or any(row[name] != runs[-1][-1][name] for name in alike):
            runs.append([])
        runs[-1].append(row)
    return runs


def _search(more: Row) -> str:
    """What the search covered and how far its best is above a bound."""
    n, of = more["n_places_planned"], more["n_places"]
    covered = "all plans compared" if more["exhaustive"] else "not all plans compared"
    if n < of:
        covered += f", for {n} of {of} combinations of cores and images"
    if more["gap_frac"] is None:
        return covered
    return f"{covered}; the best is {percent(more['gap_frac'])} % above the least that the layers could take"
