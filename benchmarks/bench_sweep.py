"""Sweeps: the closed form on many machines, points of a space, and searches for many Eyeriss-like machines.

Run: python benchmarks/bench_sweep.py [closed] [points] [search] (all without arguments; a minute or two).
CPU time of this process; the last line of each part says what 2,000 machines or a million points come to.
"""

from __future__ import annotations

import resource
import sys
import time
from dataclasses import replace

import numpy as np

import accelsim
from accelsim.cost.closed_machines import columns_of
from accelsim.cost.network_form import ArrayWork, network_form
from accelsim.costing import network_work
from accelsim.explore.sweep.evaluate import evaluator_of
from accelsim.explore.sweep.space import Answers, Space
from accelsim.explore.sweep.variables import Variable
from accelsim.workload.passes import drop_noops, fuse

CHUNK = 2**16


def closed(n: int = 100_000) -> None:
    """The kernel alone: random arrays, SRAM sizes and bandwidths x ResNet-50."""
    machine = accelsim.arch("systolic_128x128")
    graph = fuse(drop_noops(accelsim.load("resnet50")), frozenset(machine.fuses))
    work = network_work(graph, machine.machine())
    rng = np.random.default_rng(0)
    machines = replace(
        columns_of(machine.machine()),
        rows=rng.integers(8, 257, n),
        cols=rng.integers(8, 257, n),
        sram_bytes=rng.integers(2**16, 2**23, n).astype(np.float64),
        dram_read=rng.uniform(10, 200, n),
    )
    n_array = sum(isinstance(layer, ArrayWork) for layer in work.layers)
    start = time.process_time()
    form = network_form(work, machines)
    seconds = time.process_time() - start
    assert len(form.latency_cycles) == n
    print(f"kernel: {n:,} arrays x resnet50 ({n_array} distinct array layers): {seconds:.2f} s")


def space_of(method: str, arch: str, *variables: Variable) -> Space:
    return Space(
        "bench", "", arch, ("resnet50",), variables, (), (), method, "edp", Answers(), None, "bench", ""
    )


def points(n_pace: int = 98) -> None:
    """A million points of a space, chunk by chunk, results thrown away."""
    space = space_of(
        "closed_form",
        "systolic_128x128",
        Variable("array.rows", tuple(range(8, 264, 8)), "", "core.array.rows"),
        Variable("array.cols", tuple(range(8, 264, 8)), "", "core.array.cols"),
        Variable("sram.size", tuple(2**k for k in range(16, 26)), "B", "core.memories.sram.size"),
        Variable(
            "dram.bandwidth.value",
            tuple(1e9 * (10 + 2 * i) for i in range(n_pace)),
            "B/s",
            "memories.dram.bandwidth.value",
        ),
    )
    start = time.process_time()
    evaluate = evaluator_of(space)
    n = 0
    for first in range(0, space.n_raw, CHUNK):
        found = evaluate(space.points(first, first + CHUNK))
        n += int((found["status"] == "ok").sum())
    seconds = time.process_time() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10
    print(f"points: {n:,} of {space.n_raw:,} in {seconds:.1f} s, {n / seconds:,.0f} a second, {peak:.0f} MiB")


def search(n: int = 24) -> None:
    """Eyeriss with other buffers and links: the best row-stationary mapping of each layer, no disk."""
    space = space_of(
        "dataflow",
        "eyeriss",
        Variable("array.rows", (8, 12, 16), "", "core.array.rows"),
        Variable(
            "glb.size", tuple(2**10 * (64 + 16 * i) for i in range(n // 6)), "B", "core.memories.glb.size"
        ),
        Variable("dram.bandwidth.value", (0.48e9, 1.6e9), "B/s", "memories.dram.bandwidth.value"),
    )
    evaluate = evaluator_of(space, cache=False)
    start = time.process_time()
    found = evaluate(space.points(0, space.n_raw))
    seconds = time.process_time() - start
    each = seconds / space.n_raw
    assert (found["status"] == "ok").all()
    print(
        f"search: {space.n_raw} machines x resnet50 in {seconds:.1f} s, {each / 24 * 1e3:.1f} ms a layer; "
        f"2,000 would take {2000 * each / 60:.1f} min"
    )


PARTS = {"closed": closed, "points": points, "search": search}

if __name__ == "__main__":
    for name in sys.argv[1:] or PARTS:
        PARTS[name]()
