"""What is known of points before any mapping is searched: bounds of their metrics, of all at once."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from accelsim.base.errors import AccelsimError
from accelsim.explore.sweep.distinct import distinct
from accelsim.explore.sweep.least_network import least_network
from accelsim.explore.sweep.machines import Makers, metrics, reason_of
from accelsim.explore.sweep.points import Points
from accelsim.explore.sweep.screen_key import EXACT, LEAST, MOST
from accelsim.explore.sweep.space import Space
from accelsim.tables.machines import stacked, structure_of

ALL: Final = (*LEAST, *MOST, *EXACT)


class Bounds:
    """Bounds of points for any mapping that a search may find; `free`: of any dataflow."""

    def __init__(self, space: Space, free: bool = False, makers: Makers | None = None) -> None:
        self.makers, self.free = makers or Makers(space), free

    def __call__(self, points: Points) -> dict[str, NDArray[Any]]:
        """Each metric's bound [n], nan where there is no machine, of which `fails` says why."""
        n = len(points.index)
        found: dict[str, NDArray[Any]] = {name: np.full(n, np.nan) for name in ALL}
        found["fails"] = np.full(n, "", object)
        first, which = distinct(list(points.columns.values()), n)
        every = {name: np.full(len(first), np.nan) for name in ALL}
        fails = np.full(len(first), "", object)
        groups: dict[Any, list[tuple[int, Any]]] = {}
        for number, at in enumerate(first.tolist()):
            row = points.row(at)
            arch = self.makers.arch(self.makers.sets(row), "any" if self.free else None)
            if isinstance(arch, str):
                fails[number] = arch
                continue
            run = (*self.makers.network_of(row), arch.fuses)
            groups.setdefault((run, structure_of(arch.machine())), []).append((number, arch))
        for (run, _), members in groups.items():
            place = np.array([number for number, _ in members])
            try:
                for name, values in self._of_group(run, [arch for _, arch in members]).items():
                    every[name][place] = values
            except AccelsimError as error:
                fails[place] = reason_of(error)
        for name in ALL:
            found[name] = every[name][which]
        found["fails"] = fails[which]
        return found

    def _of_group(self, run: tuple[Any, ...], archs: list[Any]) -> dict[str, Any]:
        """Machines of one structure, on one network."""
        from accelsim.hardware.constants import total_area_mm2

        graph = self.makers.graph(*run)
        columns = stacked([arch.machine() for arch in archs])
        least = least_network(graph, archs[0].machine(), columns)
        macs = sum(layer.macs for layer in graph.layers)
        with np.errstate(divide="ignore", invalid="ignore"):
            of_cycles = metrics(
                least.cycles, least.pj, columns.clock_hz, graph.batch, macs, columns.macs_per_cycle
            )
        areas = [total_area_mm2(arch.spec) for arch in archs]
        return {name: of_cycles[name] for name in (*LEAST, *MOST) if name in of_cycles} | {
            "dram_bytes": least.dram_bytes,
            "sram_bytes": least.inside_bytes,
            "area_mm2": np.array([np.nan if area is None else area for area in areas]),
            "macs": float(macs),
        }
