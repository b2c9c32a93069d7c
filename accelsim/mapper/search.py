"""The best mapping of one layer inside a dataflow: candidates, those that fit, the promising, the best.

    candidates -> legal -> screened (closed form of whole tiles) -> the best few counted exactly -> best

The candidates are all values of the dataflow's own parameters that differ in the number of steps. Which of
them wins is decided by the exact counts; the screen only orders them, so the result is the best of the
`exact_points` most promising, without a proof for the rest.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from accelsim.base.errors import InfeasibleError
from accelsim.base.errors import Problem as Message
from accelsim.cost.evaluate import Cost, evaluate
from accelsim.mapper.screen import screen
from accelsim.mapping.dataflows import DATAFLOWS, Dataflow
from accelsim.mapping.footprint import level_bytes
from accelsim.mapping.legality import legal, limited_levels
from accelsim.tables.machine import Machine
from accelsim.tables.nest import Nest, Problem

OBJECTIVES = ("latency", "energy", "edp")
EXACT_POINTS = 48
"""Candidates of a layer that are counted exactly. More than 48 changed no layer of ResNet-50, VGG-16 or
MobileNet-v2 on the shipped architectures by more than 1 % (benchmarks/bench_search.py measures it)."""


@dataclass(frozen=True)
class Found:
    """The best mapping found: one point of `nest`, with its cost."""

    nest: Nest  # [J, 1]
    cost: Cost  # of that point
    n_candidates: int
    n_legal: int
    n_exact: int
    dataflow: str


def search(
    problem: Problem,
    machine: Machine,
    dataflow: Dataflow,
    homes: tuple[int, int, int],
    objective: str,
    layer: str,
    exact_points: int = EXACT_POINTS,
) -> Found:
    """The best mapping of a layer for an objective; ties go to the first in the dataflow's order.

    Raises InfeasibleError with the tightest level, its demand and its limit where nothing fits.
    """
    keep = dataflow.keep(machine, homes)
    scores, owners, nests = [], [], []
    n_candidates = 0
    for nest in dataflow.candidates(problem, machine, keep):
        n_candidates += nest.n_points
        flow = _flow_of(nest, machine, dataflow)
        index = np.flatnonzero(legal(problem, nest, machine, flow))
        if not len(index):
            nests.append((nest, index, flow))
            continue
        fitting = nest.take(index)
        energy, latency = screen(problem, fitting, machine)
        scores.append({"energy": energy, "latency": latency, "edp": energy * latency}[objective])
        owners.append(np.full(len(index), len(nests)))
        nests.append((fitting, index, flow))
    if not scores:
        raise InfeasibleError(_why_nothing(problem, machine, [nest for nest, _, _ in nests], dataflow, layer))
    score, owner = np.concatenate(scores), np.concatenate(owners)
    position = np.concatenate([np.arange(len(s)) for s in scores])
    chosen = np.argsort(score, kind="stable")[:exact_points]
    best: tuple[float, Nest, Cost, str] | None = None
    for number in np.unique(owner[chosen]):
        nest, _, flow = nests[number]
        few = nest.take(np.sort(position[chosen][owner[chosen] == number]))
        cost = evaluate(problem, few, machine, flow.name)
        value = cost.objective(objective)
        i = int(np.argmin(value))
        if best is None or value[i] < best[0]:
            one = few.take(np.array([i]))
            best = (float(value[i]), one, cost, flow.name)
    assert best is not None
    _, one, _, name = best
    return Found(one, evaluate(problem, one, machine, name), n_candidates, len(score), len(chosen), name)


def _flow_of(nest: Nest, machine: Machine, dataflow: Dataflow) -> Dataflow:
    """The named dataflow that a candidate of the unconstrained one follows: its fold rule and array fit."""
    if dataflow.name != "any":
        return dataflow
    inside = tuple(int(t) for t in np.flatnonzero(nest.keep[: machine.fanout_level].any(axis=0)))
    if "array" in nest.axis:
        return DATAFLOWS["rs"]
    for name in ("ws", "os", "is"):
        if inside == DATAFLOWS[name].in_array:
            return DATAFLOWS[name]
    return DATAFLOWS["nlr"]


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
                f"no mapping of layer {layer} fits all levels of {machine.name} at once under {dataflow.name}",
                key=layer,
                hint="raise the size of the smallest buffer, or try --dataflow any",
            )
        )
    return found
