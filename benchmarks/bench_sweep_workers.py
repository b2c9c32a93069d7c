"""Two workers against one: points a second of a sweep on disk, and who spends the time.

1,003,520 systolic machines x ResNet-50 in closed form, into parts; the workers' start is part of it. Where
others use the machine as well, CPU seconds tell more than the wall's: what the parent spends can't be shared.

    python benchmarks/bench_sweep_workers.py [--workers 2] [--format csv]
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import tempfile
import time
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from sweep_cases import resnet_space


def cpu_s(who: int) -> float:
    used = resource.getrusage(who)
    return used.ru_utime + used.ru_stime


def compare(workers: int = 2, format: str | None = None, n_points: str = "1,003,520") -> None:
    """Prints one line an engine, and what the parent's share allows."""
    from accelsim.explore.sweep.evaluate import evaluator_of
    from accelsim.explore.sweep.read import read_space
    from accelsim.explore.sweep.run import sweep

    walls, own, of_workers = {}, {}, {}
    with tempfile.TemporaryDirectory() as folder:
        space = read_space(resnet_space(Path(folder), n_points))
        for n in (1, workers):
            place = Path(folder) / "sweep"
            before = cpu_s(resource.RUSAGE_SELF), cpu_s(resource.RUSAGE_CHILDREN)
            start = time.perf_counter()
            sweep(space, evaluator_of(space), place, workers=n, format=format)
            walls[n] = time.perf_counter() - start
            own[n] = cpu_s(resource.RUSAGE_SELF) - before[0]
            of_workers[n] = cpu_s(resource.RUSAGE_CHILDREN) - before[1]
            shutil.rmtree(place)
            print(
                f"{n} worker(s): {walls[n]:.1f} s, {space.n_raw / walls[n]:,.0f} points a second; "
                f"CPU {own[n]:.2f} s of the parent, {of_workers[n]:.2f} s of the workers"
            )
    every = own[workers] + of_workers[workers]
    bound = every / (own[workers] + of_workers[workers] / workers)
    print(
        f"{workers} against 1: {walls[1] / walls[workers]:.2f}x; with the parent's share at most {bound:.2f}x"
    )


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--format", choices=("parquet", "csv"))
    options = parser.parse_args()
    compare(options.workers, options.format)


if __name__ == "__main__":
    main()
