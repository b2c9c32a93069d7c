"""2,000 Eyeriss-like machines x ResNet-50, the best row-stationary mapping of each layer for every machine.

Run: python benchmarks/bench_sweep_searched.py [--points N] [--objective edp] (all 2,000 without: minutes).
Array shapes, buffers, memories of the PEs and bandwidths differ; no disk cache. CPU time of this process.
With --points random ones: machines then share less than in a whole sweep, which takes less than is said.
"""

from __future__ import annotations

import argparse
import resource
import time
from dataclasses import replace

import numpy as np
from bench_sweep import space_of

from accelsim.explore.sweep.evaluate import evaluator_of
from accelsim.explore.sweep.space import Space
from accelsim.explore.sweep.variables import Variable

N_LAYERS = 24
"""Searches that ResNet-50 needs on a machine."""


def eyeriss_like(objective: str) -> Space:
    """5 x 2 arrays, 5 global buffers, 2 x 2 x 2 memories in the PEs, 5 bandwidths: 2,000 machines."""
    space = space_of(
        "dataflow",
        "eyeriss",
        Variable("array.rows", (8, 10, 12, 14, 16), "", "core.array.rows"),
        Variable("array.cols", (8, 14), "", "core.array.cols"),
        Variable("glb.size", (65536, 81920, 102400, 131072, 196608), "B", "core.memories.glb.size"),
        Variable("spad_ifmap.size", (24, 48), "B", "core.pe.memories.spad_ifmap.size"),
        Variable("spad_filter.size", (256, 448), "B", "core.pe.memories.spad_filter.size"),
        Variable("spad_psum.size", (32, 48), "B", "core.pe.memories.spad_psum.size"),
        Variable(
            "dram.bandwidth.value",
            (0.24e9, 0.48e9, 0.96e9, 1.6e9, 3.2e9),
            "B/s",
            "memories.dram.bandwidth.value",
        ),
    )
    return replace(space, objective=objective)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--points", type=int, default=2000)
    parser.add_argument("--objective", default="edp", choices=("energy", "latency", "edp"))
    asked = parser.parse_args()
    space = eyeriss_like(asked.objective)
    points = space.points(0, space.n_raw)
    some = np.random.default_rng(0).choice(len(points), min(asked.points, len(points)), replace=False)
    points = points.take(np.sort(some))
    evaluate = evaluator_of(space, cache=False)
    start = time.process_time()
    found = evaluate(points)
    seconds = time.process_time() - start
    n, peak = len(points), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10
    ok = found["status"] == "ok"
    each = seconds / n
    print(
        f"{n} machines x resnet50, {asked.objective}: {seconds:.1f} CPU s, {each * 1e3:.0f} ms a machine, "
        f"{each / N_LAYERS * 1e3:.1f} ms a layer; 2,000: {2000 * each / 60:.1f} min; {peak:.0f} MiB; "
        f"{int(ok.sum())} have mappings, sum of energies {found['energy_j'][ok].sum()!r} J, "
        f"of cycles {int(found['latency_cycles'].sum())}"
    )


if __name__ == "__main__":
    main()
