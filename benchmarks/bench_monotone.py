"""Random pairs of searches of which the second can only be better: does the optimum ever get worse?

    python benchmarks/bench_monotone.py [PAIRS] [SEED]      (2,000 pairs from seed 0 where not told)

The free choice against each dataflow, ragged tiles against whole factors, a larger buffer at the same energy
per access, more bandwidth, more PEs, levels that may keep more. Counterexamples are counted and printed.
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, seed, settings

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))
from support.exhaustive import at_most
from support.monotone import Pair, pairs

PAIRS_OF_A_SEED = 100


def block(number: int, seen: set[str], tried: Counter[str], worse: list[str]) -> None:
    """The pairs of one seed."""

    @seed(number)
    @settings(
        max_examples=PAIRS_OF_A_SEED,
        deadline=None,
        database=None,
        phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
    )
    @given(pairs())
    def try_one(pair: Pair) -> None:
        if repr(pair) in seen:
            return
        seen.add(repr(pair))
        before, after = pair.values()
        tried[pair.change] += 1
        if not at_most(after, before):
            what = f"{pair.change}, {pair.dataflow}: {pair.objective}"
            worse.append(f"{what} {before!r} -> {after!r}\n{pair!r}")
            print(worse[-1], flush=True)

    try_one()


def main(n_pairs: int, first_seed: int) -> None:
    start = time.process_time()
    seen: set[str] = set()
    tried: Counter[str] = Counter()
    worse: list[str] = []
    number = first_seed
    while len(seen) < n_pairs:
        block(number, seen, tried, worse)
        print(
            f"seed {number}: {len(seen):,} pairs, {len(worse)} worse, "
            f"{time.process_time() - start:.0f} CPU s",
            flush=True,
        )
        number += 1
    print(", ".join(f"{change} {count}" for change, count in tried.most_common()))
    print(f"{len(worse)} counterexamples in {len(seen):,} pairs, seeds {first_seed} to {number - 1}")
    if worse:
        sys.exit(1)


if __name__ == "__main__":
    main(*(int(sys.argv[i]) if len(sys.argv) > i else default for i, default in ((1, 2000), (2, 0))))
