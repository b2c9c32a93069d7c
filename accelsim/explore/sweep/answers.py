"""What a sweep answers: of each network, and of all together, the front, its knee, the bests, what matters.

points, block by block -> what is seen of each view (a network, or every machine over all networks): its
front, cells, dots -> the few points that the answers name, read by their number -> views
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from accelsim.charts.thin import Cloud
from accelsim.explore.sweep import effects
from accelsim.explore.sweep.asked import Asked
from accelsim.explore.sweep.cells import Cells
from accelsim.explore.sweep.effects import Step, Variance
from accelsim.explore.sweep.numbering import Numbering, Varies
from accelsim.explore.sweep.pareto import Columns, Floats, Indices, Objective, best_of, knee
from accelsim.explore.sweep.seen import Seen
from accelsim.explore.sweep.source import OK, STATUSES, Sifted, blocks
from accelsim.explore.sweep.summary import Summary, Summing


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
class Around:
    """A machine that was chosen, with its network or (network None) over all of them."""

    network: str | None
    rows: Columns  # [1]
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Answers:
    """The views, the first that of all networks or of the only one, and points by what came of them."""

    views: list[View]
    totals: dict[str, int]
    around: tuple[Around, ...] = ()  # the chosen point; then its machine over all networks, where it is ok

    @property
    def shown(self) -> View:
        """The first view that has a front; of none the first."""
        return next((view for view in self.views if view.knee is not None), self.views[0])


def answers_of(
    points: Sifted,
    variables: Sequence[Varies],
    objectives: Sequence[Objective],
    columns: Sequence[str],
    summary: Summary | None = None,
    around: int | None = None,
) -> Answers:
    """From one pass over the points (none where their summary is known), and one over the parts with those
    that are named, with these columns. `around` is the number of a point that is chosen, and ok.
    """
    summing = Summing(variables, objectives)
    seen = summing.of_all(points) if summary is None else summary
    numbering = summing.numbering
    asked = Asked(points, numbering, objectives, columns)
    several = sum(one.n_points > 0 for at, one in seen.seen.items() if at is not None) > 1
    found = [
        (at, one)
        for at, one in seen.seen.items()
        if (several if at is None else one.n_points or numbering.n_networks == 1)
    ]
    chosen: list[tuple[int, int | None]] = []
    if around is not None:
        own, place = (int(one) for one in numbering.split(np.asarray(around)))
        chosen = [(own, place), (own, None)] if several else [(own, place)]
    asked.read(found, chosen)
    totals = {"n_points": int(seen.counts.sum())} | {
        f"n_{word}": n for word, n in zip(STATUSES, seen.counts.tolist(), strict=True)
    }
    return Answers(
        [_view(asked, network, one) for network, one in found],
        totals,
        tuple(_around(asked, own, place) for own, place in chosen if asked.is_ok(own, place)),
    )


def with_dots(
    view: View, points: Sifted, variables: Sequence[Varies], objectives: Sequence[Objective]
) -> View:
    """A view whose pictures have all points, by another pass where summaries have kept none of its dots.

    Of several networks they keep those of the machines over all.
    """
    seen = view.seen
    if seen.clouds or view.network is None:
        return view
    numbering = Numbering(variables)
    network = [_named(numbering, at) for at in range(numbering.n_networks)].index(view.network)
    seen.clouds = {pair: Cloud() for pair in combinations(range(len(objectives)), 2)}
    for block in blocks(points, numbering, [one.name for one in objectives]):
        values = np.stack([column[:, network] for column in block.values.values()])
        ok = (block.status[:, network] == OK) & np.isfinite(values).all(axis=0)
        for (x, y), cloud in seen.clouds.items():
            cloud.add(block.machine[ok], values[x, ok], values[y, ok])
    return view


def _named(numbering: Numbering, network: int | None) -> str | None:
    name = None if network is None else numbering.networks[network]
    return None if name is None else str(name)


def _around(asked: Asked, machine: int, network: int | None) -> Around:
    return Around(
        _named(asked.numbering, network),
        asked.columns(np.asarray([machine]), network),
        tuple(asked.steps(machine, network)),
    )


def _view(asked: Asked, network: int | None, seen: Seen) -> View:
    numbering, objectives = asked.numbering, asked.objectives
    goals = [one.name for one in objectives]
    machine, costs = seen.front.numbers, seen.front.costs
    at = knee(costs) if len(machine) else None
    bests = best_of(costs, np.arange(len(costs)))
    return View(
        _named(numbering, network),
        seen.n_points,
        seen.n_ok,
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
