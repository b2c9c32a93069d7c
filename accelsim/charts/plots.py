"""The pictures behind `result.plot`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from accelsim.results.result import Result
from accelsim.results.save import PICTURES
from accelsim.results.show import title

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class Plots:
    """Each method gives a matplotlib Figure, or None where the rows have not what it shows."""

    def __init__(self, result: Result) -> None:
        self._result = result

    def energy(self) -> Figure | None:
        """Energy of each layer by memory level."""
        if not self._has("energy_pj_by_level"):
            return None
        from accelsim.charts.bars import energy_by_level

        return energy_by_level(self._result.rows, title(self._result.inputs))

    def accesses(self) -> Figure | None:
        """Accesses of the network by level and operand."""
        if not self._result.totals.get("accesses"):
            return None
        from accelsim.charts.accesses import accesses_by_operand

        return accesses_by_operand(self._result.totals, title(self._result.inputs))

    def cycles(self) -> Figure | None:
        """Cycles of each layer by cause."""
        if not self._has("latency_cycles"):
            return None
        from accelsim.charts.bars import cycles_parts

        return cycles_parts(self._result.rows, title(self._result.inputs))

    def work(self) -> Figure | None:
        """MACs and bytes of each layer, as `inspect` counts them."""
        if not self._has("output_bytes"):
            return None
        from accelsim.charts.work import work_by_layer

        return work_by_layer(self._result.rows, title(self._result.inputs))

    def reuse(self) -> Figure | None:
        """Accesses per MAC under each kind of reuse, and what a machine achieves."""
        if not (self._result.totals.get("no_reuse") and self._result.totals.get("macs")):
            return None
        from accelsim.charts.reuse import accesses_per_mac

        return accesses_per_mac(self._result.totals, title(self._result.inputs))

    def front(self) -> Figure | None:
        """Energy against latency of the mappings that no other one beats in both, a panel a layer."""
        if not any(len(row.get("points") or ()) > 1 for row in self._result.rows):
            return None
        if not self._result.inputs["options"].get("front"):
            return None
        from accelsim.charts.front import pareto_fronts

        return pareto_fronts(self._result.rows, title(self._result.inputs))

    def gantt(self) -> Figure | None:
        """When each layer ran in the simulation, and how its core spent the time."""
        if not self._has("n_tile_steps"):
            return None
        from accelsim.charts.gantt import layers_over_time

        clock_hz = float(self._result.inputs["arch"]["clock_hz"])
        return layers_over_time(self._result.rows, clock_hz, title(self._result.inputs))

    def split(self) -> Figure | None:
        """The objective of a chip over its splits, and over threads and batch of the best one."""
        if not self._result.more.get("grid"):
            return None
        from accelsim.charts.split import heat_maps

        return heat_maps(self._result.more["grid"], self._result.more["best"], title(self._result.inputs))

    def cases(self) -> Iterator[tuple[str, Figure]]:
        """Of `validate`: name and picture of each case, published values beside ours."""
        if not self._result.more.get("cases"):
            return
        from accelsim.charts.agreement import agreement

        for case in self._result.more["cases"]:
            rows = [row for row in self._result.rows if row["case"] == case["case"]]
            figure = agreement(case, rows)
            if figure is not None:
                yield f"validation_{case['case']}", figure

    def pictures(self) -> Iterator[tuple[str, Figure]]:
        """Every picture that this result has, with its name."""
        for name in PICTURES:
            figure = getattr(self, name)()
            if figure is not None:
                yield name, figure
        yield from self.cases()

    def __repr__(self) -> str:
        return (
            "<charts: energy(), accesses(), cycles() of run; gantt() of simulate; front() of map; "
            "work() of inspect; reuse() of reuse; split() of split; cases() of validate>"
        )

    def _has(self, column: str) -> bool:
        return any(row.get(column) for row in self._result.rows)
