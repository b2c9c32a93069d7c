"""Cells of a card of cores by the event simulation, as the cases of the MLU100 ask for them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import accelsim
from accelsim.cost.chip import cell_costs
from accelsim.explore.work import replica_works
from accelsim.sim.chip import ChipSimulation
from accelsim.tables.chip import Cells

Cell = tuple[int, int, int, int]
"""Model parallelism, data parallelism, host threads, batch."""


@dataclass(frozen=True, slots=True)
class CellFound:
    """Images a second in steady state and seconds for the data set; nothing where it is out of memory."""

    throughput_fps: float | None
    data_set_s: float | None

    @property
    def status(self) -> str:
        return "oom" if self.throughput_fps is None else "ok"


def cells(
    model: str, arch: str, asked: Sequence[Cell], sets: Sequence[str] = (), images: int | None = None
) -> dict[Cell, CellFound]:
    """What each cell comes to; `images` also asks for the time of a data set, start and drain included."""
    machine = accelsim.arch(arch, sets=sets)
    chip = machine.chip()
    works = replica_works(accelsim.load(model), machine, sorted({cell[0] for cell in asked}))
    different = list(dict.fromkeys(asked))
    runs = [
        cell
        for cell, ok in zip(different, cell_costs(chip, works, Cells.of(different)).ok, strict=True)
        if ok
    ]
    simulation = ChipSimulation(chip, works)
    rates = simulation.cells(Cells.of(runs)).throughput_fps
    found = dict.fromkeys(different, CellFound(None, None))
    for cell, rate in zip(runs, rates, strict=True):
        found[cell] = CellFound(float(rate), simulation.run_s(*cell, images) if images else None)
    return found
