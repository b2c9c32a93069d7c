"""`compat: scalesim`: the points of a space by SCALE-Sim's rules, whose memories never stall in CALC mode.

Metrics are the totals of `run --compat scalesim`; what SCALE-Sim has none of (energy) or only by simulation
(DRAM words) is unknown.
"""

from __future__ import annotations

import numpy as np

from accelsim.compat.scalesim.array import Products, network_cycles, products_of, sram_words
from accelsim.cost.closed_machines import SystolicMachines
from accelsim.cost.network_form import NetworkForm
from accelsim.explore.sweep.closed_form import ClosedForm
from accelsim.explore.sweep.space import Space
from accelsim.hardware import Arch


class ScaleSim(ClosedForm):
    """Evaluates points by SCALE-Sim's closed form of cycles and SRAM words."""

    unknown = ("dram_bytes",)

    def __init__(self, space: Space) -> None:
        self._products: dict[tuple[str, int | None, tuple[str, ...]], Products] = {}
        super().__init__(space)

    def _form(
        self, run: tuple[str, int | None, tuple[str, ...]], arch: Arch, machines: SystolicMachines
    ) -> tuple[NetworkForm, int]:
        if run not in self._products:
            self._products[run] = products_of(self.makers.graph(*run))
        products = self._products[run]
        n = machines.n
        rows, cols = (np.broadcast_to(side, n) for side in (machines.rows, machines.cols))
        none, unknown = np.zeros(n), np.full(n, np.nan)
        form = NetworkForm(
            latency_cycles=network_cycles(products, rows, cols, machines.kind.dataflow),
            energy_pj=unknown,
            dram_read_bytes=unknown,
            dram_write_bytes=unknown,
            sram_bytes=sram_words(products, rows, cols, machines.kind.dataflow),
            needs_bytes=none,
            needs_dram_bytes=none,
        )
        return form, products.macs
