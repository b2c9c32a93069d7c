"""Sweeps: the closed form on many machines, points of a space, whole processes, workers, searches.

Run: python benchmarks/bench_sweep.py [closed] [points] [whole] [workers] [search]
(all without arguments; some minutes). `closed`, `points`, `search` are CPU time of this process; `whole` is
`accelsim sweep SPACE -o DIR` from its start to the page; `workers` is bench_sweep_workers.py.
"""

from __future__ import annotations

import importlib.util
import resource
import shutil
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
from bench_sweep_workers import compare
from sweep_cases import STEPS, process, resnet_space

import accelsim
from accelsim.cost.closed_machines import columns_of
from accelsim.cost.network_form import ArrayWork, network_form
from accelsim.costing import network_work
from accelsim.explore.sweep.evaluate import evaluator_of
from accelsim.explore.sweep.read import read_space
from accelsim.explore.sweep.run import LARGEST_CHUNK
from accelsim.explore.sweep.space import Answers, Space
from accelsim.explore.sweep.variables import Variable
from accelsim.workload.passes import drop_noops, fuse


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


def points() -> None:
    """A million points of a space, chunk by chunk, results thrown away."""
    with tempfile.TemporaryDirectory() as folder:
        space = read_space(resnet_space(Path(folder), "1,003,520"))
    start = time.process_time()
    evaluate = evaluator_of(space)
    n = 0
    for first in range(0, space.n_raw, LARGEST_CHUNK):
        found = evaluate(space.points(first, first + LARGEST_CHUNK))
        n += int((found["status"] == "ok").sum())
    seconds = time.process_time() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10
    print(f"points: {n:,} of {space.n_raw:,} in {seconds:.1f} s, {n / seconds:,.0f} a second, {peak:.0f} MiB")


def whole() -> None:
    """Processes with all points, answers, pictures and the page on disk."""
    formats = ("parquet", "csv") if importlib.util.find_spec("pyarrow") else ("csv",)
    with tempfile.TemporaryDirectory() as folder:
        for n_points in STEPS:
            file = resnet_space(Path(folder), n_points)
            for format in formats:
                place = Path(folder) / f"{n_points}_{format}"
                took = process("sweep", str(file), "-o", str(place), "--format", format, "-q")
                shutil.rmtree(place)
                print(f"whole: {n_points:>9} machines x resnet50, {format:7}: {took}", flush=True)


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


PARTS = {"closed": closed, "points": points, "whole": whole, "workers": compare, "search": search}

if __name__ == "__main__":
    for name in sys.argv[1:] or PARTS:
        PARTS[name]()
