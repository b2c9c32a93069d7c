"""Methods dataflow and any: each distinct machine x network mapped by the search that `run` does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from accelsim.explore.sweep.distinct import distinct
from accelsim.explore.sweep.machines import Answer, Makers, evaluate_one, metrics
from accelsim.explore.sweep.points import Points
from accelsim.explore.sweep.space import Space


class Searched:
    """Evaluates points by the mapper, `free` of any dataflow or inside the machine's; searches are remembered
    on disk (`cache`), so that a point that was interrupted begins where it was."""

    def __init__(self, space: Space, cache: bool = True, free: bool = False) -> None:
        self.makers, self.cache, self.free = Makers(space), cache, free

    def __call__(self, points: Points) -> dict[str, NDArray[Any]]:
        n = len(points.index)
        answer = Answer.empty(n)
        # machines of the same array one after the other, large memories in the PEs first: what their searches
        # share is then at hand
        near = sorted(points.columns, key=lambda name: not self._shapes_array(name))
        first, which = distinct([points.columns[name] for name in near], n)
        order = np.argsort(which, kind="stable")
        ends = np.searchsorted(which[order], np.arange(len(first) + 1))
        for number, at in reversed(list(enumerate(first.tolist()))):
            place = order[ends[number] : ends[number + 1]]
            evaluate_one(
                self.makers, answer, place, points.row(at), self._metrics, "any" if self.free else None
            )
        return answer.done()

    def _shapes_array(self, name: str) -> bool:
        key = self.makers.keys.get(name, "")
        return key in ("", "core.dataflow") or key.startswith(("core.array.", "core.pe.", "core.mac."))

    def _metrics(self, arch: Any, row: Mapping[str, Any]) -> dict[str, Any]:
        """The totals that `run` has, and what the searches may have missed."""
        from accelsim import flow
        from accelsim.mapper.found import SearchOptions
        from accelsim.results.totals import totals

        network, batch = self.makers.network_of(row)
        graph = self.makers.graph(network, batch, arch.fuses)
        options = SearchOptions(self.makers.space.objective)
        rows, costing, _ = flow.costed_rows(graph, arch, options, cache=self.cache, why=False, columns=False)
        machine = costing.machine
        total = totals(rows, machine.macs_per_cycle, machine.clock_hz)
        found = metrics(
            total["latency_cycles"],
            total["energy_pj"],
            machine.clock_hz,
            graph.batch,
            total["macs"],
            machine.macs_per_cycle,
        )
        found["utilization_frac"] = total["utilization_frac"]
        found["dram_bytes"] = total["dram_read_bytes"] + total["dram_write_bytes"]
        found["sram_bytes"] = int(np.ceil(sum(row.get("sram_bytes", 0.0) for row in rows)))
        gaps = (one.certificate.gap_frac for one in costing.found.values() if not one.certificate.proven)
        found["gap_frac"] = max(gaps, default=0.0)
        return found
