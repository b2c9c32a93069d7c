"""Mappings a second of the grid kernel, each with its exact energy and latency, halos counted.

The layer: a 3x3 convolution of 128 to 128 channels on 28x28, stride 1, padded. The machine: 16 x 16 PEs with
a register file each, a global buffer and DRAM, all three operands kept at all three levels. The grid: all
368,640,000 perfect splits of K, C, P, Q, R and S over the two outer levels in time, the array and the
register file, so that no two mappings are the same. CPU seconds, one thread; a sample of each kernel's
mappings is counted again by `evaluate`.

    python benchmarks/bench_kernel.py
"""

from __future__ import annotations

import os

os.environ |= dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")

import importlib.util
import time
from dataclasses import replace

import numpy as np

import accelsim
from accelsim.cost.evaluate import evaluate
from accelsim.cost.grid_kernel import GridBlock, grid_costs
from accelsim.tables.dims import C, K, P, Q, R, S
from accelsim.tables.grid import Grid
from accelsim.tables.machine import Machine
from accelsim.tables.nest import Problem

LAYER = Problem((1, 1, 128, 128, 28, 28, 3, 3, 1, 1), ((1, 1, 1, 28), (1, 1, 1, 28), (1, 1, 0, 1)))
DATAFLOW = "nlr"
SECONDS = 3.0
TARGETS = {"numpy": 3, "numba": 50}
SAMPLE = 200


def main() -> None:
    """Prints one line a kernel."""
    machine = three_levels()
    grid = every_split(machine)
    assert grid.n_points == 120 * 120 * 160 * 160
    print(f"{grid.n_points:,} mappings of {len(grid.dims)} loops")
    for kernel, target in TARGETS.items():
        if kernel == "numba" and importlib.util.find_spec("numba") is None:
            print("numba: not installed")
            continue
        start = time.process_time()
        blocks = grid_costs(LAYER, grid, machine, DATAFLOW, kernel)
        check(machine, next(blocks))
        first = time.process_time() - start
        start, n = time.process_time(), 0
        while (seconds := time.process_time() - start) < SECONDS:
            block = next(blocks)
            n += len(block.energy_pj)
        check(machine, block)
        print(
            f"{kernel}: {n / seconds / 1e6:.1f} million mappings a second (target {target}); tables of"
            f" factors, the first block and compiling: {first:.2f} s; {2 * SAMPLE} equal to evaluate()"
        )


def three_levels() -> Machine:
    """The 256 PEs of ISCA 2016 with register files that keep all operands."""
    machine = accelsim.arch("eyeriss_isca16_256", (), DATAFLOW).machine()
    sizes = np.where(np.arange(machine.n_levels) == 0, 512.0, machine.capacity_bytes)
    return replace(machine, holds=np.ones_like(machine.holds), capacity_bytes=sizes, diagonal=False)


def every_split(machine: Machine) -> Grid:
    """All perfect splits over four places a dimension; in time in the order K C P Q R S."""
    dims = (K, C, P, Q, R, S)
    loops = [(d, level, "") for level in (2, 1) for d in dims]
    loops += [(d, 1, "rows" if d in (C, R, S) else "cols") for d in dims]
    loops += [(d, 0, "") for d in (P, Q, C, R, S, K)]
    choices = {d: np.array(splits(LAYER.extents[d], 4), np.int64).T for d in dims}
    which, levels, axis = zip(*loops, strict=True)
    return Grid(which, levels, axis, machine.holds, choices)


def splits(extent: int, n_places: int) -> list[tuple[int, ...]]:
    """All products of so many whole numbers that make an extent."""
    if n_places == 1:
        return [(extent,)]
    divisors = [i for i in range(1, extent + 1) if extent % i == 0]
    return [(i, *rest) for i in divisors for rest in splits(extent // i, n_places - 1)]


def check(machine: Machine, block: GridBlock) -> None:
    """A sample of a block against the exact count of each mapping by itself."""
    points = np.linspace(0, len(block.energy_pj) - 1, SAMPLE).astype(np.int64)
    cost = evaluate(LAYER, block.nest(points), machine, DATAFLOW)
    assert (cost.latency_cycles == block.latency_cycles[points]).all()
    np.testing.assert_allclose(block.energy_pj[points], cost.energy_pj, rtol=1e-12)


if __name__ == "__main__":
    main()
