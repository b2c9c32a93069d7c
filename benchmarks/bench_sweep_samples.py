"""How much of the front samples find: hypervolume against evaluations, and against the exhaustive sweep.

12,288 systolic machines (rows x columns x dataflow) x LeNet in closed form; objectives latency and energy on
logarithmic scales, the reference point a tenth of the front's extent beyond its worst ends. Mean of five
seeds, as a part of the exhaustive sweep's hypervolume. Needs optuna.

    python benchmarks/bench_sweep_samples.py
"""

from __future__ import annotations

import dataclasses
import tempfile
import time
from pathlib import Path

import numpy as np
from sweep_cases import LENET

from accelsim.explore.sweep.evaluate import evaluator_of
from accelsim.explore.sweep.hypervolume import growth, hypervolume
from accelsim.explore.sweep.read import read_space
from accelsim.explore.sweep.run import sweep
from accelsim.explore.sweep.space import Sample
from accelsim.explore.sweep.stored import read_columns

AT = (32, 64, 128, 256, 512, 1024)
SEEDS = range(5)


def goals(directory: Path) -> np.ndarray:
    """Logarithms of latency and energy as they were evaluated, infinite where there is none  # [n, 2]"""
    table = read_columns(directory, ["latency_s", "energy_j", "status"])
    both = np.stack([table["latency_s"], table["energy_j"]], axis=1)
    return np.log(np.where((table["status"] == "ok")[:, None], both, np.inf))


def main() -> None:
    """Prints one line a method."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "space.yaml"
        file.write_text(LENET)
        space = read_space(file)
        evaluator = evaluator_of(space)
        sweep(space, evaluator, Path(folder) / "all")
        every = goals(Path(folder) / "all")
        best = every[[not ((every <= one).all(axis=1) & (every < one).any(axis=1)).any() for one in every]]
        reference = best.max(axis=0) + 0.1 * np.ptp(best, axis=0)
        whole = hypervolume(every, reference)
        print(f"{'evaluations':>12} " + " ".join(f"{n:>7}" for n in AT) + f"   of {space.n_raw}")
        for method in ("random", "lhs", "evolve"):
            start = time.perf_counter()
            parts = []
            for seed in SEEDS:
                drawn = dataclasses.replace(space, sample=Sample(method, AT[-1], seed))
                place = Path(folder) / f"{method}{seed}"
                sweep(drawn, evaluator, place)
                parts.append(growth(goals(place), reference, AT) / whole)
            seconds = (time.perf_counter() - start) / len(SEEDS)
            shown = " ".join(f"{part:7.4f}" for part in np.mean(parts, axis=0))
            print(f"{method:>12} {shown}   {seconds:.1f} s a search of {AT[-1]}")


if __name__ == "__main__":
    main()
