"""What a sweep answers: of each network, and of all together, the front, its knee, the bests, what matters.

points, block by block -> what is seen of each view (a network, or every machine over all networks): its
front, cells, dots -> the few points that the answers name, read by their number -> views
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from accelsim.explore.sweep import effects
from accelsim.explore.sweep.asked import Asked
from accelsim.explore.sweep.cells import Cells
from accelsim.explore.sweep.effects import Step, Variance
from accelsim.explore.sweep.numbering import Numbering, Varies
from accelsim.explore.sweep.pareto import Columns, Floats, Indices, Objective, best_of, knee
from accelsim.explore.sweep.seen import Seen
from accelsim.explore.sweep.source import ABSENT, OK, STATUSES, Block, Sifted, blocks, geometric


@dataclass(frozen=True, slots=True)
class View:
    """The points of one network, or (network None) of every machine over all networks."""

    network: str | None
    n_points: int
    n_ok: int
    rows: Columns  # of the front, [f]: index, variables, metrics
    costs: Floats  # of the front, [f, k]
    knee: int | None  # a row of the front
    bests: dict[str, int]  # of each objective: a row of the front
    effects: tuple[Variance, ...]
    steps: tuple[Step, ...]  # around the knee
    factors: tuple[Varies, ...]
    codes: list[Indices]  # of the front: the place of each one's value of each factor
    cells: Cells
    seen: Seen


@dataclass(frozen=True, slots=True)
class Answers:
    """The views, the first that of all networks or of the only one, and points by what came of them."""

    views: list[View]
    totals: dict[str, int]


def answers_of(
    points: Sifted, variables: Sequence[Varies], objectives: Sequence[Objective], columns: Sequence[str]
) -> Answers:
    """From one pass over the points, and one over the parts with those that are named, with these columns."""
    numbering = Numbering(variables)
    goals = [one.name for one in objectives]
    n_networks = numbering.n_networks
    each = [Seen(numbering.shape, objectives, pictured=n_networks == 1) for _ in range(n_networks)]
    over_all = Seen(numbering.shape, objectives, pictured=n_networks > 1)
    counts = np.zeros(len(STATUSES), np.int64)
    for block in blocks(points, numbering, goals):
        counts += np.bincount(block.status[block.status != ABSENT], minlength=len(STATUSES))
        codes = numbering.codes(block.machine)
        for network, seen in enumerate(each):
            seen.add(block.machine, codes, *_of_network(block, network))
        if n_networks > 1:
            over_all.add(block.machine, codes, *_over_networks(block))
    asked = Asked(points, numbering, objectives, columns)
    several = sum(one.n_points > 0 for one in each) > 1
    found: list[tuple[int | None, Seen]] = [(None, over_all)] if several else []
    found += [(at, one) for at, one in enumerate(each) if one.n_points or n_networks == 1]
    asked.read(found)
    totals = {"n_points": int(counts.sum())} | {
        f"n_{word}": n for word, n in zip(STATUSES, counts.tolist(), strict=True)
    }
    return Answers([_view(asked, network, seen) for network, seen in found], totals)


def _of_network(block: Block, network: int) -> tuple[NDArray[np.bool_], Floats]:
    """(there [m], metrics [k, m]) of a network; NaN where a point is not ok."""
    status = block.status[:, network]
    values = np.stack([column[:, network] for column in block.values.values()])
    return status != ABSENT, np.where(status == OK, values, np.nan)


def _over_networks(block: Block) -> tuple[NDArray[np.bool_], Floats]:
    """(there [m], metrics [k, m]) of machines with a point for every network.

    Geometric means; a machine that fails for one network has failed.
    """
    values = np.stack([geometric(column) for column in block.values.values()])
    return (block.status != ABSENT).all(axis=1), np.where((block.status == OK).all(axis=1), values, np.nan)


def _view(asked: Asked, network: int | None, seen: Seen) -> View:
    numbering, objectives = asked.numbering, asked.objectives
    goals = [one.name for one in objectives]
    machine, costs = seen.front.numbers, seen.front.costs
    at = knee(costs) if len(machine) else None
    bests = best_of(costs, np.arange(len(costs)))
    name = None if network is None else numbering.networks[network]
    return View(
        None if name is None else str(name),
        seen.n_points,
        seen.cells.n,
        asked.columns(machine, network),
        costs,
        at,
        dict(zip(goals, bests, strict=False)),
        tuple(effects.variance(goals, i, seen.cells, numbering.factors) for i in range(len(goals))),
        () if at is None else tuple(asked.steps(int(machine[at]), network)),
        numbering.factors,
        numbering.codes(machine),
        seen.cells,
        seen,
    )
