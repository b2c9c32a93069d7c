"""The few points that a sweep's answers name, read by their number: of the fronts, and around knees."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from accelsim.explore.sweep.effects import Step, ratios
from accelsim.explore.sweep.numbering import NETWORK, Numbering
from accelsim.explore.sweep.pareto import Indices, Objective, knee
from accelsim.explore.sweep.seen import Seen
from accelsim.explore.sweep.source import OK, STATUSES, Sifted, geometric, rows_at

TEXTS: Final = ("status", "reason")


class Asked:
    """The points that answers name: those of the fronts, and the neighbours of knees and chosen ones."""

    def __init__(
        self, source: Sifted, numbering: Numbering, objectives: Sequence[Objective], columns: Sequence[str]
    ) -> None:
        self.numbering, self.objectives = numbering, objectives
        self._source, self._columns = source, columns
        self.rows: dict[str, NDArray[Any]] = {}
        self._ok = np.empty(0, np.bool_)

    def read(
        self, views: Sequence[tuple[int | None, Seen]], chosen: Iterable[tuple[int, int | None]] = ()
    ) -> None:
        """Those of all views (a network's place, or None for all) and chosen machines in one pass."""
        fronts = [(network, seen.front) for network, seen in views if len(seen.front.numbers)]
        knees = [(int(front.numbers[knee(front.costs)]), network) for network, front in fronts]
        named = [(network, front.numbers) for network, front in fronts]
        named += [(network, self._around(machine)) for machine, network in (*knees, *chosen)]
        wanted = [self.points(machines, network).ravel() for network, machines in named]
        self.rows = rows_at(self._source, np.concatenate([np.empty(0, np.int64), *wanted]), self._columns)
        self._ok = self.rows["status"] == OK
        self.rows["status"] = np.asarray(STATUSES)[self.rows["status"]]

    def points(self, machine: Indices, network: int | None) -> Indices:
        """The points of machines with a network, or with all  # [n, 1] or [n, networks]"""
        networks = np.arange(self.numbering.n_networks) if network is None else np.asarray([network])
        return self.numbering.point(machine[:, None], networks)

    def columns(self, machine: Indices, network: int | None) -> dict[str, NDArray[Any]]:
        """The rows of machines that are all there; over several networks geometric means of the metrics."""
        place = np.searchsorted(self.rows["index"], self.points(machine, network))
        if network is not None:
            return {name: self.rows[name][place[:, 0]] for name in self._columns}
        merged: dict[str, NDArray[Any]] = {}
        for name in self._columns:
            values = self.rows[name][place]
            if name == NETWORK or name in TEXTS:
                continue
            means = values.dtype.kind in "iuf" and (values != values[:, :1]).any()
            merged[name] = geometric(values) if means and name != "index" else values[:, 0]
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

    def is_ok(self, machine: int, network: int | None) -> bool:
        """Whether a machine is there, with a value of each objective."""
        found = self.metrics(machine, network)
        return found is not None and bool(np.isfinite(list(found.values())).all())

    def steps(self, machine: int, network: int | None) -> Iterator[Step]:
        """To the neighbours of a machine; where the space or the sample has none the step says so."""
        here = self.metrics(machine, network)
        assert here is not None
        for at, direction, level, other in self.numbering.neighbours(machine):
            one, there = self.numbering.factors[at], self.metrics(other, network)
            point = None if there is None else int(self.points(np.asarray([other]), network)[0, 0])
            yield Step(one.name, direction, one.values[level], point, ratios(there, here))

    def _around(self, machine: int) -> Indices:
        """A machine and its neighbours."""
        return np.asarray([machine, *(other for *_, other in self.numbering.neighbours(machine))], np.int64)
