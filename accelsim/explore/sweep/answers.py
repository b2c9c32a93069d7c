"""What a sweep answers: of each network, and of all together, the front, its knee, the bests, what matters.

points -> views (a network, or every machine over all networks) -> front, knee, bests -> effects, steps
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from accelsim.explore.sweep import effects
from accelsim.explore.sweep.effects import Factor, Step, Variance
from accelsim.explore.sweep.pareto import Columns, Floats, Indices, Objective, best_of, costs_of, front, knee

NETWORK: Final = "network"
TEXTS: Final = ("status", "reason")
TWO_WAY: Final = 12
"""Variables up to which pairs are looked at: of more there are too many to read."""


class Varies(Protocol):
    """What a space says of a variable."""

    @property
    def name(self) -> str: ...
    @property
    def values(self) -> Sequence[Any]: ...


@dataclass(frozen=True, slots=True)
class View:
    """The points of one network, or (network None) of every machine over all networks."""

    network: str | None
    columns: Columns  # [n]: index, variables, metrics
    factors: tuple[Factor, ...]
    costs: Floats  # [n, k]
    front: Indices  # [f]
    knee: int | None
    bests: dict[str, int]  # of each objective: a row of the columns
    effects: tuple[Variance, ...]
    steps: tuple[Step, ...]  # around the knee


def views_of(columns: Columns, variables: Sequence[Varies], objectives: Sequence[Objective]) -> list[View]:
    """A view for each network and, where there are several, first one of the machines over all of them."""
    factors = [effects.factor(one.name, columns[one.name], tuple(one.values)) for one in variables]
    networks = next((one for one in factors if one.name == NETWORK), None)
    rest = [one for one in factors if one.name != NETWORK]
    if networks is None:
        return [_view(None, columns, rest, objectives)]
    if len(networks.levels) == 1:  # no copies of a million rows
        return [_view(str(networks.levels[0]), columns, rest, objectives)]
    members = [np.flatnonzero(networks.codes == at) for at in range(len(networks.levels))]
    views = [
        _view(str(name), _rows(columns, rows), _taken(rest, rows), objectives)
        for name, rows in zip(networks.levels, members, strict=True)
        if len(rows)
    ]
    if len(views) > 1:
        machines, firsts = over_networks(columns, rest, len(views))
        views.insert(0, _view(None, machines, _taken(rest, firsts), objectives))
    return views


def over_networks(columns: Columns, factors: Sequence[Factor], n_networks: int) -> tuple[Columns, Indices]:
    """A row for each machine that has a point for every network: geometric means of the metrics.

    Ratios of geometric means do not depend on what each network is measured against (Fleming and Wallace,
    CACM 29, 1986), so no network weighs more than another. A machine that fails for one network has failed.
    The second result are the rows of the columns that stand for the machines.
    """
    key = np.zeros(len(columns["index"]), dtype=np.int64)
    for one in factors:
        key = np.unique(key * len(one.levels) + one.codes, return_inverse=True)[1]
    _, firsts, machine, n = np.unique(key, return_index=True, return_inverse=True, return_counts=True)
    whole = np.flatnonzero(n == n_networks)
    ok = np.asarray(columns["status"]) == "ok" if "status" in columns else np.ones(len(key), dtype=bool)
    all_ok = (np.bincount(machine, weights=ok, minlength=len(firsts)) == n)[whole]
    names = {one.name for one in factors} | {"index", NETWORK}
    merged: dict[str, NDArray[Any]] = {}
    for name, values in columns.items():
        if name == NETWORK or name in TEXTS:
            continue
        if name in names or values.dtype.kind not in "iuf":
            merged[name] = values[firsts][whole]
        else:
            merged[name] = _geometric(values, machine, firsts)[whole]
    merged["status"] = np.where(all_ok, "ok", "infeasible")
    return merged, np.asarray(firsts[whole], dtype=np.int64)


def _geometric(values: NDArray[Any], machine: Indices, firsts: Indices) -> Floats:
    """Means of each machine; what is equal for all networks, such as an area, stays as it is."""
    n, own = np.bincount(machine), values[firsts].astype(np.float64)
    differs = np.bincount(machine, weights=values != values[firsts][machine]) > 0
    with np.errstate(divide="ignore", invalid="ignore"):
        sums = np.bincount(machine, weights=np.log(values.astype(np.float64)))
    return np.where(differs, np.exp(sums / n), own)


def _view(
    network: str | None, columns: Columns, factors: Sequence[Factor], objectives: Sequence[Objective]
) -> View:
    costs = costs_of(columns, objectives)
    on_front = front(costs)
    at = int(on_front[knee(costs[on_front])]) if len(on_front) else None
    bests = best_of(costs, on_front)
    known = {one.name: np.where(np.isnan(costs[:, 0]), np.nan, columns[one.name]) for one in objectives}
    two_way = len(factors) <= TWO_WAY
    return View(
        network,
        columns,
        tuple(factors),
        costs,
        on_front,
        at,
        {one.name: row for one, row in zip(objectives, bests, strict=False)},
        tuple(effects.variance(name, values, factors, two_way) for name, values in known.items()),
        effects.around(at, factors, known) if at is not None else (),
    )


def _rows(columns: Columns, rows: Indices) -> Columns:
    return {name: values[rows] for name, values in columns.items()}


def _taken(factors: Sequence[Factor], rows: Indices) -> list[Factor]:
    return [Factor(one.name, one.levels, one.codes[rows]) for one in factors]
