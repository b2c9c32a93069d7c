"""The pictures of a sweep: which charts its first view with a front has, and what they show."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from accelsim.charts.sweep import Axis, parallel, pareto
from accelsim.charts.sweep_effects import effects, heat, hypervolume
from accelsim.explore.sweep.answers import View
from accelsim.explore.sweep.effects import Effect
from accelsim.explore.sweep.numbering import Varies
from accelsim.explore.sweep.pareto import Objective
from accelsim.report.sweep import LEAST_SHARE
from accelsim.tables.columns_sweep import UNITS

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
    title += f", {view.network or 'geometric means'}"
    metric = {one.name: Axis(one.name, view.rows[one.name], UNITS.get(one.name, ""), (), one.maximise)
              for one in objectives}  # fmt: skip
    for (x, y), cloud in view.seen.clouds.items():
        one, other = objectives[x], objectives[y]
        third = next((metric[three.name] for three in objectives if three not in (one, other)), None)
        grey = ~np.isin(cloud.numbers, view.seen.front.numbers)
        yield (
            f"pareto_{one.name}_{other.name}",
            pareto(
                _with(metric[one.name], cloud.xs[grey]),
                _with(metric[other.name], cloud.ys[grey]),
                np.arange(len(view.costs)),
                view.knee,
                title,
                third,
                view.n_ok,
            ),
        )
    active = [at for at in range(len(view.factors)) if view.cells.levels(at) > 1]
    across = [_taken(variable(view.factors[at], units), view.codes[at]) for at in active]
    across += metric.values()
    if len(view.costs) > 1 and len(across) > 1:
        yield "parallel", parallel(across, view.knee, title)
    shares = {
        one.objective: [(effect.variables, effect.share_frac) for effect in one.effects]
        for one in view.effects
    }
    if any(shares.values()):
        yield "effects", effects(shares, title)
    names = [one.name for one in view.factors]
    for at, (objective, found) in enumerate(zip(objectives, view.effects, strict=True)):
        strongest = _strongest([names[one] for one in active], found.effects)
        pair = tuple(sorted(names.index(name) for name in strongest))
        if pair in view.cells.tables and len(pair) == 2:
            x = names.index(strongest[0])
            yield f"heat_{objective.name}", _heat(view, pair, x, at, objective, units, title)


def _strongest(names: Sequence[str], effects: Sequence[Effect]) -> list[str]:
    """The two variables that explain most alone; where there are no two, those that do with others."""

    def shares(name: str) -> tuple[float, float]:
        of = [effect for effect in effects if name in effect.variables]
        alone = sum(effect.share_frac for effect in of if len(effect.variables) == 1)
        return (alone if alone >= LEAST_SHARE else 0.0, sum(effect.share_frac for effect in of))

    able = [name for name in names if shares(name)[1] >= LEAST_SHARE or len(names) == 2]
    return sorted(able, key=shares, reverse=True)[:2]


def variable(one: Varies, units: Mapping[str, str]) -> Axis:
    """A variable's levels as an axis: texts by their codes, numbers as they are."""
    if any(isinstance(level, str) for level in one.values):
        return Axis(one.name, np.arange(len(one.values)), "", tuple(map(str, one.values)))
    return Axis(one.name, np.array(one.values), units.get(one.name, ""))


def _taken(axis: Axis, codes: NDArray[Any]) -> Axis:
    return Axis(axis.name, axis.values[codes], axis.unit, axis.labels)


def _with(axis: Axis, grey: NDArray[Any]) -> Axis:
    return replace(axis, values=np.concatenate([axis.values, grey]))


def _heat(
    view: View,
    pair: tuple[int, ...],
    across: int,
    at: int,
    objective: Objective,
    units: Mapping[str, str],
    title: str,
) -> Figure:
    """Objective `at`, the best of each cell of a pair of variables over all others."""
    best = view.cells.tables[pair].best[at].reshape([view.cells.sizes[axis] for axis in pair])
    down = pair[0] + pair[1] - across
    best = best.T if across == pair[0] else best  # [down, across]
    values = np.where(np.isfinite(best), -best if objective.maximise else best, np.nan)
    shown = Axis(objective.name, values, UNITS.get(objective.name, ""), (), objective.maximise)
    rest = [one.name for i, one in enumerate(view.factors) if i not in pair and len(one.values) > 1]
    detail = f"{objective.name}, the best over {', '.join(rest)}" if rest else objective.name
    x, y = (variable(view.factors[axis], units) for axis in (across, down))
    return heat(x, y, values, shown, title, detail)


def growth_picture(curve: Mapping[str, Any], title: str) -> Figure:
    """Hypervolume against points seen; `curve` has evaluations and volume."""
    return hypervolume(np.array(curve["evaluations"]), np.array(curve["volume"]), curve.get("whole"), title)
