"""Points of sweeps that lie on the disk against one `accelsim.run` each: are they equal to the last digit?

200 random points of 1,003,520 systolic machines x ResNet-50 in closed form, and 40 of 2,000 machines like
Eyeriss whose mappings are searched. Ends with 1 where a number differs.

    python benchmarks/bench_sweep_run.py [--points 200] [--searched 40] [--seed 1]
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
from bench_sweep_searched import eyeriss_like
from sweep_cases import resnet_space

import accelsim
from accelsim.explore.sweep.evaluate import evaluator_of
from accelsim.explore.sweep.read import read_space
from accelsim.explore.sweep.run import sweep
from accelsim.explore.sweep.space import Sample, Space
from accelsim.explore.sweep.stored import read_columns
from accelsim.hardware.constants import total_area_mm2

SAME = ("latency_cycles", "latency_s", "utilization_frac", "macs")


def differences(space: Space, seed: int, n_points: int) -> int:
    """Of a random sample, swept into a directory and read back; numbers that are not those of a run."""
    drawn = replace(space, sample=Sample("random", n_points, seed))
    with tempfile.TemporaryDirectory() as folder:
        sweep(drawn, evaluator_of(drawn, cache=False), folder)
        stored = read_columns(folder)
    graph, n_different = accelsim.load(space.networks[0]), 0
    points = space.points_at(stored["index"])
    for at in range(len(points)):
        machine = accelsim.arch(space.arch, space.machine_sets(points.row(at)))
        totals = accelsim.run(
            graph, machine, closed_form=space.method == "closed_form", objective=space.objective
        ).totals
        wanted = {name: totals[name] for name in SAME} | {
            "energy_j": totals["energy_pj"] * 1e-12,
            "dram_bytes": totals["dram_read_bytes"] + totals["dram_write_bytes"],
            "area_mm2": total_area_mm2(machine.spec),
        }
        for name, value in wanted.items():
            if stored["status"][at] != "ok" or not (value is None or stored[name][at] == value):
                n_different += 1
                print(f"point {stored['index'][at]}: {name} {stored[name][at]!r}, run {value!r}")
    n_distinct = len(np.unique(stored["latency_cycles"]))
    print(f"{space.name}: {len(points)} points, {n_distinct} latencies, {len(wanted)} numbers each: ", end="")
    print(f"{n_different} differ" if n_different else "all equal")
    return n_different


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--points", type=int, default=200)
    parser.add_argument("--searched", type=int, default=40)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        closed = read_space(resnet_space(Path(folder), "1,003,520"))
    n = differences(closed, given.seed, given.points)
    n += differences(eyeriss_like("edp"), given.seed, given.searched)
    sys.exit(n > 0)


if __name__ == "__main__":
    main()
