"""The pictures of a sweep: which charts its first view has, and what they show."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from accelsim.charts.sweep import Axis, parallel, pareto
from accelsim.charts.sweep_effects import effects, heat, hypervolume
from accelsim.explore.sweep.answers import View
from accelsim.explore.sweep.effects import Effect, Factor
from accelsim.explore.sweep.pareto import Objective
from accelsim.tables.columns_sweep import UNITS

LEAST_SHARE: Final = 0.001
"""Of the variance, that a variable explains to be an axis of a heat map."""

if TYPE_CHECKING:
    from accelsim.charts.png import Figure


def pictures(
    view: View, objectives: Sequence[Objective], units: Mapping[str, str], title: str
) -> Iterator[tuple[str, Figure]]:
    """Name and figure: a front for each pair of objectives, the front's points, effects, a heat map each.

    `units` are those of the variables. A view without a front has no pictures.
    """
    if view.knee is None:
        return
    title += f", {view.network or 'geometric means over the networks'}"
    metric = {one.name: Axis(one.name, view.columns[one.name], UNITS.get(one.name, ""), (), one.maximise)
              for one in objectives}  # fmt: skip
    known = np.isfinite(view.costs).all(axis=1)
    for name, axis in metric.items():
        values = np.where(known, axis.values, np.nan)
        metric[name] = Axis(name, values, axis.unit, (), axis.maximise)
    for x, y in combinations(objectives, 2):
        third = next((metric[one.name] for one in objectives if one not in (x, y)), None)
        name = f"pareto_{x.name}_{y.name}"
        yield name, pareto(metric[x.name], metric[y.name], view.front, view.knee, title, third)
    factors = [one for one in view.factors if len(np.unique(one.codes)) > 1]
    across = [_taken(variable(one, units), one.codes[view.front]) for one in factors]
    across += [Axis(a.name, a.values[view.front], a.unit, (), a.maximise) for a in metric.values()]
    if len(view.front) > 1 and len(across) > 1:
        yield "parallel", parallel(across, int(np.flatnonzero(view.front == view.knee)[0]), title)
    shares = {
        one.objective: [(effect.variables, effect.share_frac) for effect in one.effects]
        for one in view.effects
    }
    if any(shares.values()):
        yield "effects", effects(shares, title)
    for objective, found in zip(objectives, view.effects, strict=True):
        pair = _strongest(factors, found.effects)
        if len(pair) == 2:
            yield f"heat_{objective.name}", _heat(view, pair, objective, units, title)


def _strongest(factors: Sequence[Factor], effects: Sequence[Effect]) -> list[Factor]:
    """The two factors that explain most alone; where there are no two, those that do with others, or vary."""

    def shares(one: Factor) -> tuple[float, float]:
        of = [effect for effect in effects if one.name in effect.variables]
        alone = sum(effect.share_frac for effect in of if len(effect.variables) == 1)
        return (alone if alone >= LEAST_SHARE else 0.0, sum(effect.share_frac for effect in of))

    able = [one for one in factors if shares(one)[1] >= LEAST_SHARE or len(factors) == 2]
    return sorted(able, key=shares, reverse=True)[:2]


def variable(one: Factor, units: Mapping[str, str]) -> Axis:
    """A variable's levels as an axis: texts by their codes, numbers as they are."""
    if any(isinstance(level, str) for level in one.levels):
        return Axis(one.name, np.arange(len(one.levels)), "", tuple(map(str, one.levels)))
    return Axis(one.name, np.array(one.levels), units.get(one.name, ""))


def _taken(axis: Axis, codes: NDArray[Any]) -> Axis:
    return Axis(axis.name, axis.values[codes], axis.unit, axis.labels)


def _heat(
    view: View, pair: Sequence[Factor], objective: Objective, units: Mapping[str, str], title: str
) -> Figure:
    """The best of each cell over all other variables."""
    x, y = pair
    cells = np.full(len(x.levels) * len(y.levels), np.inf)
    cost = objective.cost(view.columns[objective.name])
    known = np.isfinite(view.costs).all(axis=1)
    np.minimum.at(cells, (y.codes * len(x.levels) + x.codes)[known], cost[known])
    square = cells.reshape(len(y.levels), len(x.levels))
    values = np.where(np.isfinite(square), -square if objective.maximise else square, np.nan)
    shown = Axis(objective.name, values, UNITS.get(objective.name, ""), (), objective.maximise)
    rest = [one.name for one in view.factors if one not in pair and len(one.levels) > 1]
    detail = f"{objective.name}, the best over {', '.join(rest)}" if rest else objective.name
    return heat(variable(x, units), variable(y, units), values, shown, title, detail)


def growth_picture(curve: Mapping[str, Any], title: str) -> Figure:
    """Hypervolume against points seen; `curve` has evaluations and volume."""
    return hypervolume(np.array(curve["evaluations"]), np.array(curve["volume"]), curve.get("whole"), title)
