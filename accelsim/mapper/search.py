"""The best mapping of one layer inside a dataflow: candidates, those that fit, the promising, the best.

    candidates -> legal -> screened (closed form of whole tiles) -> the best few counted exactly -> best

The candidates are all values of the dataflow's own parameters that differ in the number of steps. Which of
them wins is decided by the exact counts; the screen only orders them, so the result is the best of the
`exact_points` most promising, without a proof for the rest.
"""

from __future__ import annotations

import time

import numpy as np
from numpy.typing import NDArray

from accelsim.base.errors import InfeasibleError
from accelsim.base.errors import Problem as Message
from accelsim.cost.evaluate import evaluate
from accelsim.mapper.found import Found, Point, SearchOptions
from accelsim.mapper.screen import screen
from accelsim.mapping.dataflows import Dataflow, followed
from accelsim.mapping.dataflows.base import spatial_trips
from accelsim.mapping.footprint import level_bytes
from accelsim.mapping.legality import legal, limited_levels
from accelsim.tables.certificate import Certificate
from accelsim.tables.machine import Machine
from accelsim.tables.nest import Nest, Problem

Floats = NDArray[np.float64]

EXACT_POINTS = 64
"""Candidates of a layer that are counted exactly. Counting 1,500 instead gains 0.5 % at most on the layers of
five networks and five architectures, 3 % on one layer of Gemmini (benchmarks/bench_search.py)."""

WITHIN = 2.0
"""Nor are those counted whose rough objective is more than twice the least: no screen is that rough."""


def search(
    problem: Problem,
    machine: Machine,
    dataflow: Dataflow,
    homes: tuple[int, int, int],
    options: SearchOptions,
    layer: str,
    exact_points: int = EXACT_POINTS,
    within: float = WITHIN,
) -> Found:
    """The best mapping of a layer for an objective; ties go to the first in the dataflow's order.

    Raises InfeasibleError with the tightest level, its demand and its limit where nothing fits.
    """
    started = time.perf_counter()
    objective = options.objective
    promising: list[tuple[Floats, Nest, Dataflow]] = []
    refused: list[Nest] = []
    n_candidates = n_legal = 0
    for nest in dataflow.candidates(problem, machine, dataflow.keep(machine, homes)):
        n_candidates += nest.n_points
        flow = followed(nest, machine, dataflow)
        nest = nest.without_single_trips()
        index = np.flatnonzero(legal(problem, nest, machine, flow))
        n_legal += len(index)
        if not len(index):
            refused.append(nest)
            continue
        score = screen(problem, nest.take(index), machine, flow.name).objective(objective)
        first = np.argsort(score, kind="stable")[:exact_points]
        promising.append((score[first], nest.take(index[first]), flow))
    if not promising:
        raise InfeasibleError(_why_nothing(problem, machine, refused, dataflow, layer))
    limits = {}  # each dataflow has its own share: a screen may favour one
    for name in {flow.name for _, _, flow in promising}:
        scores = np.sort(np.concatenate([score for score, _, flow in promising if flow.name == name]))
        limits[name] = min(scores[:exact_points][-1], scores[0] * within)
    best: Point | None = None
    n_exact = 0
    for score, nest, flow in promising:
        few = nest.take(np.flatnonzero(score <= limits[flow.name]))
        if few.n_points == 0:
            continue
        n_exact += few.n_points
        cost = evaluate(problem, few, machine, flow.name)
        i = int(np.argmin(cost.objective(objective)))
        value = float(cost.objective(objective)[i])
        if best is None or value < best.value:
            found = few.take(np.array([i]))
            active = int(spatial_trips(found, None)[0])
            best = Point(found, cost.point(i, active), value, flow.name)
    assert best is not None
    pruned = {"does not fit": n_candidates - n_legal, "screened out": n_legal - n_exact}
    seconds = time.perf_counter() - started
    certificate = Certificate(objective, dataflow.name, best.value, 0.0, n_exact, pruned, seconds)
    return Found((best,), certificate)


def _why_nothing(
    problem: Problem, machine: Machine, nests: list[Nest], dataflow: Dataflow, layer: str
) -> list[Message]:
    """The level that no candidate fits by the least factor, or the array, with what would mend it."""
    found = []
    for level in limited_levels(machine):
        demands = [float(level_bytes(problem, nest, machine, level).min()) for nest in nests if nest.n_points]
        limit = float(machine.capacity_bytes[level])
        if demands and min(demands) > limit:
            name = machine.level_names[level]
            found.append(
                Message(
                    f"{name} needs at least {min(demands):,.0f} B of {limit:,.0f} B for layer {layer}",
                    key=layer,
                    expected=f"a layer that {dataflow.name} can tile into {name}",
                    hint=f"--set {name}.size='{int(np.ceil(min(demands)))} B', or another dataflow",
                )
            )
    if not found:
        found.append(
            Message(
                f"no mapping of {layer} fits all levels of {machine.name} at once under {dataflow.name}",
                key=layer,
                hint="raise the size of the smallest buffer, or try --dataflow any",
            )
        )
    return found
