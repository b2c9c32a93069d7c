"""The search against all mappings there are, on thousands of small layers and machines.

    python benchmarks/bench_exhaustive.py [CASES] [SEED]      (5,000 cases from seed 0 where not told)

A case is one layer on one machine and one question: the best latency, energy or EDP, the five best, the
front, or the best within a gap. The answer and its certificate must be those of every mapping that exists
(testing.all_mappings). Layers come in blocks of a seed, which is printed; a counterexample is shrunk, printed
with all that makes it, and ends the run.
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))
from support.exhaustive import (
    AllMappings,
    assert_best_few,
    assert_bound,
    assert_front,
    assert_mappings_are_real,
    assert_optimum,
    at_most,
)

from accelsim.mapper.found import OBJECTIVES, SearchOptions
from accelsim.mapper.general import search_all
from accelsim.testing.search_cases import SearchCase, search_cases

LAYERS_OF_A_SEED, MACHINES_OF_A_LAYER, QUESTIONS_OF_A_MACHINE = 30, 4, 2
QUESTIONS = (
    *(SearchOptions(objective) for objective in OBJECTIVES),
    *(SearchOptions(objective, n_best=5) for objective in OBJECTIVES),
    SearchOptions(front=True),
    SearchOptions("edp", gap_frac=0.1),
)
RAGGED_MAPPINGS = 1000
"""Ragged tiles are bounded less tightly: searches of larger layers take seconds each."""


@dataclass
class Tally:
    """What was compared so far; a case that Hypothesis draws again counts once."""

    seen: set[tuple[str, int, SearchOptions]] = field(default_factory=set)
    by_question: Counter[str] = field(default_factory=Counter)
    n_mappings: int = 0
    largest: int = 0
    exhaustive_s: float = 0.0
    search_s: float = 0.0


def compare(case: SearchCase, questions: list[SearchOptions], tally: Tally) -> None:
    """AssertionError where any answer differs from that of trying everything."""
    start = time.process_time()
    every = AllMappings(case.problem, case.machines[0], case.homes, case.ragged)
    if case.ragged and every.n_mappings > RAGGED_MAPPINGS:
        return
    tally.largest = max(tally.largest, every.n_mappings)
    for number, machine in enumerate(case.machines):
        costs = every.costs(machine)
        tally.n_mappings += len(costs.energy_pj)
        tally.exhaustive_s += time.process_time() - start
        for question in dict.fromkeys(questions[number::MACHINES_OF_A_LAYER]):
            if case.ragged and (question.n_best > 1 or question.front):
                continue
            options = replace(question, ragged=case.ragged)
            start = time.process_time()
            found = search_all(case.problem, machine, case.homes, options)
            tally.search_s += time.process_time() - start
            assert found is not None
            assert_mappings_are_real(found, case.problem, machine, case.homes, options)
            if options.front:
                assert_front(found, costs)
            elif options.gap_frac:
                assert_bound(found, costs, options)
                assert at_most(found.certificate.gap_frac, options.gap_frac)
            else:
                assert_optimum(found, costs, options)
                assert_best_few(found, costs, options)
            key = repr(case), number, question
            tally.by_question[str(question)] += key not in tally.seen
            tally.seen.add(key)
        start = time.process_time()


def block(number: int, tally: Tally) -> None:
    """The layers of one seed."""
    n_questions = MACHINES_OF_A_LAYER * QUESTIONS_OF_A_MACHINE
    questions = st.lists(st.sampled_from(QUESTIONS), min_size=n_questions, max_size=n_questions)

    @seed(number)
    @settings(
        max_examples=LAYERS_OF_A_SEED,
        deadline=None,
        database=None,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
    )
    @given(search_cases(MACHINES_OF_A_LAYER), questions)
    def layers(case: SearchCase, questions: list[SearchOptions]) -> None:
        compare(case, questions, tally)

    layers()


def main(n_cases: int, first_seed: int) -> None:
    tally, number = Tally(), first_seed
    while len(tally.seen) < n_cases:
        block(number, tally)
        print(
            f"seed {number}: {len(tally.seen):,} cases agree, {tally.n_mappings:,} mappings tried "
            f"(at most {tally.largest:,} of a layer); CPU s: "
            f"{tally.exhaustive_s:.0f} trying all, {tally.search_s:.0f} searching",
            flush=True,
        )
        number += 1
    for question, count in tally.by_question.items():
        print(f"{count:6,}  {question}")
    print(f"{len(tally.seen):,} of {len(tally.seen):,} cases agree, seeds {first_seed} to {number - 1}")


if __name__ == "__main__":
    main(*(int(sys.argv[i]) if len(sys.argv) > i else default for i, default in ((1, 5000), (2, 0))))
