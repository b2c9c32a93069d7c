"""Which points of a screening may still be on a front, and what the others may have been.

A view is a network, or all of them: its items are points, or machines with a point for every network, whose
costs are geometric means (Fleming and Wallace, CACM 29, 1986). Costs are positive and the least is best. Of
an item that is not evaluated they are bounds, so that the mean over some of both is a bound, too. An item is
beaten once one that is evaluated and meets the constraints costs no more in anything and less in something
than the bounds of the item. A point is needed while it is unbeaten in its network, or its machine over all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from accelsim.explore.sweep.distinct import distinct
from accelsim.explore.sweep.pareto import Objective, front
from accelsim.explore.sweep.screen_key import EXACT
from accelsim.explore.sweep.source import geometric

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

OPEN, DONE, FAILED = 0, 1, 2
"""Not evaluated; evaluated, with an answer that counts; without one, or proven to break a constraint."""
LEAST_ROUND: Final = 4
MOST_ROUND: Final = 64
"""Points of a round: where few are certain to be needed, others keep workers busy, perhaps in vain."""
SURE: Final = 1 - 1e-9
"""Bounds of costs are taken so much lower: what ties but for rounding is not beaten."""


Evaluate = Callable[[Ints], tuple[Floats, Bools]]
"""Values [m, k] of some points, and whether they have an answer that meets the constraints."""


@dataclass(frozen=True)
class View:
    """A network, or (None) all of them."""

    network: str | None
    members: Ints  # [items, m], the points of each item


@dataclass
class Survivors:
    """Points with their values or bounds, [n, k], and what is known of them, [n]; both change as they are
    evaluated."""

    objectives: Sequence[Objective]
    values: Floats
    state: NDArray[np.int8]
    views: tuple[View, ...]

    def evaluate(self, evaluate: Evaluate, gap: float = 0.0, budget: int | None = None) -> None:
        """Rounds of the most promising points, until none is needed or so many are evaluated."""
        left = len(self.state) if budget is None else budget
        while left and self.needed(gap).any():
            chosen = self.promising(gap, LEAST_ROUND, MOST_ROUND)[:left]
            left -= len(chosen)
            self.values[chosen], ok = evaluate(chosen)
            self.state[chosen] = np.where(ok, DONE, FAILED)

    def needed(self, gap: float = 0.0) -> Bools:  # [n]
        """Points that may still be on a front; with a gap, that may be better than it by as much."""
        found = np.zeros(len(self.state), bool)
        for view in self.views:
            costs, state = self.costs(view)
            found[view.members[self._unbeaten(costs, state, gap)].ravel()] = True
        return np.asarray(found & (self.state == OPEN))

    def promising(self, gap: float, least: int, most: int) -> Ints:
        """The points to evaluate next: those that no other bound beats, none of which could be spared.

        Where they are fewer than `least`, those that only they beat, and so on; of more than `most`, some
        that are spread evenly along the fronts.
        """
        layers = [self._layers(view, gap) for view in self.views]
        taken: dict[int, None] = {}
        while len(taken) < least:
            found = [next(layer, None) for layer in layers]
            if all(one is None for one in found):
                break
            points = np.concatenate([one for one in found if one is not None])
            fresh = [at for at in dict.fromkeys(points.tolist()) if at not in taken]
            room = most - len(taken)
            if len(fresh) > room:
                fresh = [fresh[at] for at in np.linspace(0, len(fresh) - 1, room).astype(int)]
            taken |= dict.fromkeys(fresh)
        return np.sort(np.array(list(taken), np.int64))

    def missed(self) -> list[dict[str, Any]]:
        """Of each view, by what share the points that were not evaluated may be better than its front.

        `front_frac`: no such point is better than some point of the front by more, in every objective at
        once. `best_frac`: of each objective, by how much more the best may be. None without a front.
        """
        return [self._missed(view) for view in self.views]

    def costs(self, view: View) -> tuple[Floats, NDArray[np.int8]]:
        """Costs [items, k] and state [items] of a view's items."""
        states = self.state[view.members]
        state = np.where((states == DONE).all(1), DONE, OPEN)
        state = np.where((states == FAILED).any(1), FAILED, state).astype(np.int8)
        values = geometric(self.values[view.members])  # [items, k]
        with np.errstate(divide="ignore", invalid="ignore"):
            costs = np.stack(
                [
                    1 / values[:, at] if one.maximise else values[:, at]
                    for at, one in enumerate(self.objectives)
                ],
                axis=1,
            )
        state[(state == DONE) & ~np.isfinite(costs).all(1)] = FAILED
        return np.where(np.isnan(costs), 0.0, costs), state

    def _unbeaten(self, costs: Floats, state: NDArray[np.int8], gap: float) -> Ints:
        """Open items that no evaluated one beats."""
        there = np.flatnonzero(state == OPEN)
        rivals = np.flatnonzero(state == DONE)
        rivals = rivals[front(costs[rivals])]
        sure = [1.0 if one.name in EXACT and not one.maximise else SURE for one in self.objectives]
        bounds = costs[there] * sure
        for rival in costs[rivals]:
            if gap:
                beaten = (rival * (1 - gap) <= bounds).all(1)
            else:
                beaten = (rival <= bounds).all(1) & (rival < bounds).any(1)
            if beaten.any():
                there, bounds = there[~beaten], bounds[~beaten]
        return there

    def _layers(self, view: View, gap: float) -> Iterator[Ints]:
        """Open points of the front of what is unbeaten, then of the front without those, and so on."""
        costs, state = self.costs(view)
        left = self._unbeaten(costs, state, gap)
        while len(left):
            best = front(costs[left])
            best = best if len(best) else np.arange(len(left))  # no bound at all
            points = view.members[left[best]].ravel()
            yield points[self.state[points] == OPEN]
            left = np.delete(left, best)

    def _missed(self, view: View) -> dict[str, Any]:
        costs, state = self.costs(view)
        left = self._unbeaten(costs, state, 0.0)
        done = np.flatnonzero(state == DONE)
        best = costs[done[front(costs[done])]]
        names = [one.name for one in self.objectives]
        found: dict[str, Any] = {"network": view.network, "n_left": len(left)}
        if not len(left):
            return found | {"front_frac": 0.0, "best_frac": dict.fromkeys(names, 0.0)}
        if not len(best):
            return found | {"front_frac": None, "best_frac": dict.fromkeys(names)}
        bounds = costs[left]
        with np.errstate(divide="ignore", invalid="ignore"):
            nearest = np.full(len(left), np.inf)
            for rival in best:
                nearest = np.minimum(nearest, np.nan_to_num(1 - bounds / rival, nan=0.0).max(axis=1))
            shares = np.nan_to_num(1 - bounds.min(axis=0) / best.min(axis=0), nan=0.0)
        single = dict(zip(names, np.maximum(shares, 0.0).tolist(), strict=True))
        return found | {"front_frac": max(0.0, float(nearest.max())), "best_frac": single}


def views_of(
    columns: Mapping[str, NDArray[Any]], variables: Sequence[str], networks: Sequence[str]
) -> tuple[View, ...]:
    """A view for each network and, where there are several, one of all; `network` are names or codes."""
    n = len(next(iter(columns.values())))
    if len(networks) < 2 or "network" not in columns:
        return (View(networks[0] if networks else None, np.arange(n)[:, None]),)
    of_network = columns["network"]
    texts = of_network.dtype.kind not in "iu"
    codes = [name if texts else code for code, name in enumerate(networks)]
    members = [np.flatnonzero(of_network == code) for code in codes]
    views = [View(name, rows[:, None]) for name, rows in zip(networks, members, strict=True) if len(rows)]
    _, machine = distinct([columns[name] for name in variables if name != "network"], n)
    order = np.lexsort((np.arange(n), machine))
    _, start, count = np.unique(machine[order], return_index=True, return_counts=True)
    whole = start[count == len(views)]
    if len(views) > 1:
        together = order[whole[:, None] + np.arange(len(views))]
        views.insert(0, View(None, together))
    return tuple(views)
