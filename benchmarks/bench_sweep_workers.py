"""Two workers against one: points a second of a sweep on disk, and what the store and the pool cost.

The work is a fixed number of NumPy passes a point, like a closed form's, so that the figure is that of the
engine. Each engine runs three times in turn, the best counts; a pool's start is part of it. Where others use
the machine as well, only the CPU seconds of all processes together tell: what the pool adds is overhead.

    python benchmarks/bench_sweep_workers.py [--workers 2] [--points 2000000] [--passes 600]
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Points:
    index: NDArray[np.int64]
    columns: dict[str, NDArray[Any]]
    labels: dict[str, tuple[str, ...]]


@dataclass(frozen=True)
class Answers:
    minimise: tuple[str, ...] = ("latency_s", "energy_j")
    maximise: tuple[str, ...] = ()


@dataclass(frozen=True)
class Space:
    """Rows x columns."""

    n_raw: int
    name: str = "workers"
    sha256: str = "0" * 64
    answers: Answers = Answers()
    sample: None = None

    @property
    def shape(self) -> tuple[int, ...]:
        return (self.n_raw // 1000, 1000)

    def points(self, start: int, stop: int) -> Points:
        return self.points_at(np.arange(start, stop))

    def points_at(self, index: NDArray[np.int64]) -> Points:
        return Points(index, {"rows": index // 1000 + 1, "cols": index % 1000 + 1}, {})

    def keeps(self, columns: Any) -> NDArray[np.bool_]:
        return np.ones(len(columns["latency_s"]), bool)


@dataclass(frozen=True)
class Evaluate:
    """So many passes over blocks that stay in the cache."""

    passes: int

    def __call__(self, points: Points) -> dict[str, NDArray[Any]]:
        rows, cols = points.columns["rows"], points.columns["cols"]
        latency = np.empty(len(rows))
        for start in range(0, len(rows), 4096):
            r, c = rows[start : start + 4096], cols[start : start + 4096]
            sums = np.zeros(len(r))
            for extent in range(1, self.passes + 1):
                sums += -(-extent // r) * -(-extent // c)
            latency[start : start + 4096] = sums
        return {
            "latency_s": latency,
            "energy_j": latency * rows,
            "status": np.full(len(rows), "ok"),
            "reason": np.full(len(rows), ""),
        }


def cpu_s() -> float:
    """Of this process and of those that it has waited for."""
    own, ended = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return own.ru_utime + own.ru_stime + ended.ru_utime + ended.ru_stime


def main() -> None:
    """Prints one line an engine."""
    from accelsim.explore.sweep.run import sweep

    parser = argparse.ArgumentParser()
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--points", type=int, default=2_000_000)
    parser.add_argument("--passes", type=int, default=600)
    options = parser.parse_args()
    space, evaluate = Space(options.points), Evaluate(options.passes)
    best: dict[int, float] = {}
    cpu: dict[int, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "sweep"
        for _ in range(3):
            for n in (1, options.workers):
                start, used = time.perf_counter(), cpu_s()
                sweep(space, evaluate, place, workers=n)
                cpu[n] = min(cpu.get(n, float("inf")), cpu_s() - used)
                best[n] = min(best.get(n, float("inf")), time.perf_counter() - start)
                shutil.rmtree(place)
        start = time.perf_counter()
        sweep(space, Evaluate(0), place)
        nothing_s = time.perf_counter() - start
    for n, seconds in best.items():
        print(
            f"{n} worker(s): {seconds:.2f} s, {options.points / seconds:,.0f} points a second,"
            f" {cpu[n]:.2f} CPU seconds"
        )
    print(f"{options.workers} against 1: {best[1] / best[options.workers]:.2f}x")
    print(f"without work, one process: {nothing_s:.2f} s, {options.points / nothing_s:,.0f} points a second")


if __name__ == "__main__":
    import bench_sweep_workers  # by its name: workers do not know the main module

    bench_sweep_workers.main()
