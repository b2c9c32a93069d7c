"""Tile steps a second of the simulated chip, and the seconds of a whole grid of cells.

ResNet-50 at 32x32 on mlu100, one process: 36 splits x 8 threads x 11 batches without those out of memory. The
work of the layers is made before the clock starts. CPU seconds; target 150,000 executed tile steps a second.

    python benchmarks/bench_chip.py
"""

from __future__ import annotations

import time

import accelsim
from accelsim.cost.chip import cell_costs
from accelsim.explore.work import replica_works
from accelsim.sim.chip import ChipSimulation
from accelsim.tables.chip import Cells

POWERS = [2**i for i in range(11)]


def main() -> None:
    """Prints one line a level."""
    machine = accelsim.arch("mlu100")
    chip = machine.chip()
    splits = [n for n in POWERS if n <= chip.n_cores]
    works = replica_works(accelsim.load("resnet50_cifar10"), machine, splits)
    grid = Cells.of(
        (mp, dp, threads, batch)
        for mp in splits
        for dp in splits
        for threads in POWERS[:8]
        for batch in POWERS
    )
    ok = cell_costs(chip, works, grid).ok
    rows = [row for row, fits in zip(grid.rows(), ok.tolist(), strict=True) if fits]
    simulation = ChipSimulation(chip, works)
    start = time.process_time()
    for row in rows:
        simulation.device_pass(*row)
    seconds = time.process_time() - start
    passes = simulation.passes.values()
    n_steps, n_events = sum(p.n_steps for p in passes), sum(p.n_events for p in passes)
    print(
        f"device: {len(passes)} situations, {n_steps:,} tile steps, {n_events:,} events in {seconds:.1f} s:"
        f" {n_steps / seconds:,.0f} tile steps, {n_events / seconds:,.0f} events a second"
    )
    start = time.process_time()
    found = simulation.cells(Cells.of(rows))
    seconds = time.process_time() - start
    n_events = found.n_events - n_events
    print(
        f"stations: {len(rows)} cells, {n_events:,} events in {seconds:.1f} s:"
        f" {n_events / seconds:,.0f} events a second; {found.exact.mean():.0%} of cells periodic"
    )


if __name__ == "__main__":
    main()
