"""Method split: the best split of a chip's cores for each distinct point, as `accelsim split` finds it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from accelsim.explore.sweep.distinct import distinct
from accelsim.explore.sweep.machines import Answer, Makers, evaluate_one
from accelsim.explore.sweep.points import Points
from accelsim.explore.sweep.space import Space

CHOICES = ("mp", "dp", "threads")
"""Variables that fix a choice of the split; what does not vary is chosen by it."""


class Splits:
    """Evaluates points by `explore.split`: latency is of a thread's pass, energy and MACs are of an image.

    `edp_js` is that energy times that latency, which the objective `edp` makes least. Words inside the cores
    are not counted (`sram_bytes` 0).
    """

    def __init__(self, space: Space, cache: bool = True) -> None:
        self.makers, self.cache = Makers(space), cache

    def __call__(self, points: Points) -> dict[str, NDArray[Any]]:
        n = len(points.index)
        answer = Answer.empty(n)
        first, which = distinct(list(points.columns.values()), n)
        for number, at in enumerate(first.tolist()):
            place = np.flatnonzero(which == number)
            evaluate_one(self.makers, answer, place, points.row(at), self._metrics)
        return answer.done()

    def _metrics(self, arch: Any, row: Mapping[str, Any]) -> dict[str, Any]:
        """The best cell; bytes are those of a replica's pass."""
        from accelsim.explore.split import split

        network, _ = self.makers.network_of(row)
        graph = self.makers.graph(network, None, None)
        given: dict[str, Any] = {name: int(row[name]) for name in (*CHOICES, "batch") if name in row}
        result = split(graph, arch, objective=self.makers.space.objective, cache=self.cache, **given)
        best, machine = result.best, arch.machine()
        rate, latency_s, energy_j = best["throughput_fps"], best["latency_s"], best["energy_j"]
        macs = sum(layer.macs for layer in graph.layers) // graph.batch
        moved = ("read_bytes", "write_bytes", "weight_read_bytes")
        return {
            "latency_cycles": round(latency_s * machine.clock_hz),
            "latency_s": latency_s,
            "energy_j": energy_j,
            "edp_js": energy_j * latency_s,
            "throughput_fps": rate,
            "utilization_frac": macs * rate / (machine.macs_per_cycle * machine.n_cores * machine.clock_hz),
            "macs": macs,
            "dram_bytes": int(np.ceil(sum(line.get(name) or 0.0 for line in result.rows for name in moved))),
            "sram_bytes": 0,
            "power_w": energy_j * rate,
            "gap_frac": 0.0,
        }
