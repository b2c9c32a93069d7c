"""What a sweep answers: of each network, and of all together, the front, its knee, the bests, what matters.

points, block by block -> what is seen of each view (a network, or every machine over all networks): its
front, cells, dots -> the few points that the answers name, read by their number -> views
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from accelsim.explore.sweep import effects
from accelsim.explore.sweep.cells import Cells
from accelsim.explore.sweep.effects import Step, Variance
from accelsim.explore.sweep.numbering import NETWORK, Numbering, Varies
from accelsim.explore.sweep.pareto import Columns, Floats, Indices, Objective, best_of, knee
from accelsim.explore.sweep.seen import Seen
from accelsim.explore.sweep.source import (
    ABSENT,
    OK,
    STATUSES,
    Block,
    Keeps,
    Source,
    blocks,
    geometric,
    rows_at,
    status_of,
)

TEXTS: Final = ("status", "reason")


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
    source: Source,
    variables: Sequence[Varies],
    objectives: Sequence[Objective],
    columns: Sequence[str],
    keeps: Keeps | None = None,
    needs: Sequence[str] = (),
) -> Answers:
    """From one pass over the points, and one over the parts with those that are named.

    `columns` are those of the views; `keeps` tells which points meet the constraints on metrics, and looks at
    the columns `needs`.
    """
    numbering = Numbering(variables)
    goals = [one.name for one in objectives]
    n_networks = numbering.n_networks
    each = [Seen(numbering.shape, objectives, pictured=n_networks == 1) for _ in range(n_networks)]
    over_all = Seen(numbering.shape, objectives, pictured=n_networks > 1)
    counts = np.zeros(len(STATUSES), np.int64)
    for block in blocks(source, numbering, goals, keeps, needs):
        counts += np.bincount(block.status[block.status != ABSENT], minlength=len(STATUSES))
        codes = numbering.codes(block.machine)
        for network, seen in enumerate(each):
            seen.add(block.machine, codes, *_of_network(block, network))
        if n_networks > 1:
            over_all.add(block.machine, codes, *_over_networks(block))
    asked = _Asked(numbering, objectives, source, columns, keeps, needs)
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


class _Asked:
    """The points that answers name: those of the fronts, and the neighbours of the knees."""

    def __init__(
        self,
        numbering: Numbering,
        objectives: Sequence[Objective],
        source: Source,
        columns: Sequence[str],
        keeps: Keeps | None,
        needs: Sequence[str],
    ) -> None:
        self.numbering, self.objectives = numbering, objectives
        self._source, self._columns, self._keeps = source, columns, keeps
        self._all = tuple(dict.fromkeys((*columns, *needs, "status")))
        self.rows: dict[str, NDArray[Any]] = {}
        self._ok = np.empty(0, np.bool_)

    def read(self, views: Sequence[tuple[int | None, Seen]]) -> None:
        wanted = [
            self.points(
                np.asarray([*seen.front.numbers.tolist(), *self._neighbours(seen)], np.int64), network
            )
            for network, seen in views
        ]
        self.rows = rows_at(self._source, np.concatenate([one.ravel() for one in wanted]), self._all)
        status = status_of(self.rows, self._keeps)
        self._ok = status == OK
        self.rows["status"] = np.asarray(STATUSES)[status]

    def points(self, machine: Indices, network: int | None) -> Indices:  # [n, 1] or [n, networks]
        networks = np.arange(self.numbering.n_networks) if network is None else np.asarray([network])
        return self.numbering.point(machine[:, None], networks)

    def columns(self, machine: Indices, network: int | None) -> dict[str, NDArray[Any]]:
        """The rows of machines that are all there; over several networks geometric means of the metrics."""
        place = np.searchsorted(self.rows["index"], self.points(machine, network))
        if network is not None:
            return {name: self.rows[name][place[:, 0]] for name in self._columns}
        same = {one.name for one in self.numbering.factors} | {"index"}
        merged: dict[str, NDArray[Any]] = {}
        for name in self._columns:
            values = self.rows[name][place]
            if name == NETWORK or name in TEXTS:
                continue
            means = name not in same and values.dtype.kind in "iuf"
            merged[name] = geometric(values) if means else values[:, 0]
        merged["status"] = np.where(self._ok[place].all(axis=1), "ok", "infeasible")
        return merged

    def metrics(self, machine: int, network: int | None) -> dict[str, float] | None:
        """The objectives of a machine that is there, NaN where it is not ok; None where it is not."""
        points = self.points(np.asarray([machine]), network)
        place = np.searchsorted(self.rows["index"], points).clip(max=len(self.rows["index"]) - 1)
        if (self.rows["index"][place] != points).any():
            return None
        ok = bool(self._ok[place].all())
        return {
            one.name: float(geometric(self.rows[one.name][place])[0]) if ok else np.nan
            for one in self.objectives
        }

    def steps(self, machine: int, network: int | None) -> Iterator[Step]:
        """To the neighbours of a machine; where the space or the sample has none the step says so."""
        here = self.metrics(machine, network)
        assert here is not None
        for at, direction, level, other in self.numbering.neighbours(machine):
            one, there = self.numbering.factors[at], self.metrics(other, network)
            point = None if there is None else int(self.points(np.asarray([other]), network)[0, 0])
            yield Step(one.name, direction, one.values[level], point, effects.ratios(there, here))

    def _neighbours(self, seen: Seen) -> list[int]:
        if not len(seen.front.numbers):
            return []
        machine = int(seen.front.numbers[knee(seen.front.costs)])
        return [other for *_, other in self.numbering.neighbours(machine)]


def _view(asked: _Asked, network: int | None, seen: Seen) -> View:
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
