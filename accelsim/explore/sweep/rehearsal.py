"""How long optuna itself takes over an `evolve` sample: the beginning of its search, timed, and carried on.

Each generation of NSGA-II takes longer than the one before it, since optuna goes through all trials, and
brings fewer machines that are new; how fast that falls depends on the space.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Final

import numpy as np

from accelsim.explore.sweep.evolve import MAX_IDLE, Study, Values, counted, values_of
from accelsim.explore.sweep.points import digits_of
from accelsim.explore.sweep.run import SEARCHED, goals_of
from accelsim.explore.sweep.sampling import Machines
from accelsim.explore.sweep.space import Space
from accelsim.explore.sweep.work import Evaluator, Indices, judged

PATIENCE_S: Final = 2.0
"""Of optuna's time that is spent before the rest is carried on."""
LAST: Final = 3
"""The last third of what was rehearsed tells what a generation brings."""
FALL: Final = 0.8
"""New machines a generation fall as this power of the generations: so three spaces are guessed best."""
MOST_GENERATIONS: Final = 10**6


def search_s(space: Space, evaluator: Evaluator) -> float:
    """Seconds that optuna takes for the sample of a space: all of them, or the first and a guess of the rest.

    Closed forms answer it; made-up objectives do where points have to be searched. InputError without optuna.
    """
    assert space.sample is not None
    goals = goals_of(space)
    machines = Machines(space)

    def closed_form(machine: Indices) -> Values:
        points = space.points_at(machines.points(machine))
        return values_of(machine, counted(goals, judged(space, points, evaluator(points))))

    def made_up(machine: Indices) -> Values:
        """Each objective falls towards a corner of its own."""
        digits = np.stack(digits_of(machine, machines.shape), axis=1)
        place = digits / np.maximum(np.asarray(machines.shape) - 1, 1)  # [m, variables], 0 to 1
        ends = np.linspace(0, 1, len(goals))
        found = np.stack([((place - end) ** 2).sum(axis=1) for end in ends], axis=1)
        return {one: tuple(row) for one, row in zip(machine.tolist(), found.tolist(), strict=True)}

    study = Study(goals, machines, space.sample)
    wanted = min(machines.asked(space.sample), machines.n)
    seconds, new = _rehearsed(study, machines, made_up if space.method in SEARCHED else closed_form, wanted)
    return sum(seconds) + _rest_s(seconds, new, wanted, machines.n)


def _rehearsed(
    study: Study, machines: Machines, answer: Callable[[Indices], Values], wanted: int
) -> tuple[list[float], list[int]]:
    """(optuna's seconds, new machines) of each generation, until its search ends or patience does."""
    values: Values = {}
    seconds, new = list[float](), list[int]()
    while len(values) < wanted and sum(seconds) < PATIENCE_S and (not new or any(new[-MAX_IDLE:])):
        start = time.perf_counter()
        asked = study.ask()
        took = time.perf_counter() - start
        found = machines.there(
            np.asarray([one for one in np.unique(asked).tolist() if one not in values], np.int64)
        )
        values |= answer(found) if len(found) else {}
        start = time.perf_counter()
        study.tell([values.get(one) for one in asked.tolist()])
        seconds.append(took + time.perf_counter() - start)
        new.append(len(found))
    return seconds, new


def _rest_s(seconds: Sequence[float], new: Sequence[int], wanted: int, n: int) -> float:
    """Seconds of the generations that follow, until `wanted` of `n` machines are found or no more are."""
    known = len(new)
    last = -(-known // LAST)
    middle, pace = known - last / 2, sum(new[-last:]) / last
    slope, first = np.polyfit(np.arange(known), seconds, 1) if known > 1 else (0.0, seconds[0])
    found, rest = float(sum(new)), 0.0
    left = n - found + sum(new[-last:]) / 2  # when the pace was measured
    for at in range(known, MOST_GENERATIONS):
        brings = pace * (middle / at) ** FALL * (n - found) / left
        if found >= wanted or brings * MAX_IDLE < 1:
            break
        found += brings
        rest += float(first + max(slope, 0.0) * at)
    return rest
