"""The proven best mapping of Timeloop's Eyeriss case beside Timeloop's own, and the evaluator's rate.

The case is evidence/timeloop/eyeriss_conv.yaml: 3x3, 128 to 256 channels, 56 x 56, Timeloop's constraints and
energies; its mapping is the best that Timeloop's mapper found (delay first, then energy). CPU seconds of one
process; asserts that no objective is worse than Timeloop's and that every optimum is proven.

    python benchmarks/bench_timeloop.py
"""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import numpy as np

import accelsim
from accelsim.compat.timeloop.evaluate import evaluate
from accelsim.compat.timeloop.read import read_timeloop
from accelsim.compat.timeloop.search import search_timeloop

FILE = Path(accelsim.__file__).parent / "evidence" / "timeloop" / "eyeriss_conv.yaml"
N_MAPPINGS = 20_000


def main() -> None:
    """Prints one line an objective, then the rate of the evaluator."""
    given = read_timeloop(FILE)
    assert given.mapping is not None
    theirs = evaluate(given, given.mapping)
    print(f"Timeloop's: {theirs.energy_pj[0] / 1e6:.2f} uJ, {theirs.cycles[0]:,} cycles")
    for objective in ("energy", "edp", "latency"):
        start = time.process_time()
        found = search_timeloop(given, objective)
        seconds = time.process_time() - start
        ours = evaluate(given, found.mapping)
        ratio = theirs.objective(objective)[0] / ours.objective(objective)[0]
        assert found.certificate.proven
        assert ratio >= 1
        print(
            f"{objective}: {ours.energy_pj[0] / 1e6:.2f} uJ, {ours.cycles[0]:,} cycles, {ratio:.3f}x better, "
            f"{found.certificate.n_evaluated:,} mappings counted, {seconds:.2f} s"
        )
    # one mapping many times: what a mapping costs to count does not depend on its trips
    wide = {
        name: np.repeat(getattr(given.mapping, name), N_MAPPINGS, axis=2)
        for name in ("time", "space", "order")
    }
    start = time.process_time()
    evaluate(given, replace(given.mapping, **wide))
    rate = N_MAPPINGS / (time.process_time() - start)
    print(f"evaluator: {rate:,.0f} mappings a second, all three tensors, seven levels")


if __name__ == "__main__":
    main()
