"""What each variable does to an objective: analysis of variance over a table, and steps around one point."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]

MOST_CELLS: Final = 4_000
"""Cells of a table of two variables: of more, the additive fit would take longer than the sweep."""

FEW: Final = 16
"""Levels that are looked for one by one."""


@dataclass(frozen=True, slots=True)
class Factor:
    """A variable of the table: its levels in the order of the space, and the level of each point."""

    name: str
    levels: tuple[Any, ...]
    codes: Codes  # [n]


@dataclass(frozen=True, slots=True)
class Effect:
    """Share of an objective's variance that one variable explains, or two by what they do together only."""

    variables: tuple[str, ...]
    share_frac: float
    means: tuple[tuple[Any, float, int], ...]  # of one variable: level, mean, points


@dataclass(frozen=True, slots=True)
class Variance:
    """Analysis of variance of one objective, greatest share first."""

    objective: str
    log: bool  # of the logarithm; means are geometric then
    complete: bool  # every combination of levels is there equally often: shares are exact and add up to 1
    effects: tuple[Effect, ...]


@dataclass(frozen=True, slots=True)
class Step:
    """What the next level of one variable does to a point, all others equal; None: the table has no such."""

    variable: str
    direction: int  # -1 or +1
    level: Any
    point: int | None
    ratios: dict[str, float | None]  # of each objective: there over here


def factor(name: str, values: NDArray[Any], levels: Sequence[Any] = ()) -> Factor:
    """The variable with its levels as the space lists them; sorted ones where it lists others than occur."""
    codes = np.full(len(values), -1, dtype=np.int64)
    if len(levels) > FEW and values.dtype.kind in "if":
        ordered = np.argsort(np.asarray(levels), kind="stable")
        place = np.searchsorted(np.asarray(levels)[ordered], values).clip(max=len(levels) - 1)
        found = ordered[place]
        codes = np.where(np.asarray(levels)[found] == values, found, -1)
    else:
        for at, level in enumerate(levels):
            codes[values == level] = at
    if (codes >= 0).all():
        return Factor(name, tuple(levels), codes)
    names, codes = np.unique(values, return_inverse=True)
    return Factor(name, tuple(names.tolist()), codes.astype(np.int64))


def variance(
    objective: str, values: NDArray[Any], factors: Sequence[Factor], two_way: bool = True
) -> Variance:
    """Main effects and two-way interactions of the variables on an objective.

    Share of i: sum over its levels of n_l (mean_l - mean)^2 over the sum of squares. Share of i with j: what
    the means of their cells explain beyond the best a_i + b_j (least squares, weighted by the cells' points).
    On a full grid that is the classical decomposition, whose shares of all orders add up to 1. Where points
    are missing or sampled, a share is corrected for what as many random cells would explain by chance
    (epsilon squared, Kelley 1935: (SS - df MS_within) / SS_total, not below 0), and shares may overlap.
    Of positive values the logarithm is analysed, since costs act as factors. Points that are not finite are
    left out.
    """
    known = np.flatnonzero(np.isfinite(np.asarray(values, dtype=np.float64)))
    y = np.asarray(values, dtype=np.float64)[known]
    log = bool(len(y)) and bool((y > 0).all())
    y = np.log(y) if log else y
    active = [Factor(f.name, f.levels, f.codes[known]) for f in factors if len(np.unique(f.codes[known])) > 1]
    complete = _balanced(active, len(y))
    if len(y) < 2 or np.ptp(y) <= 1e-12 * max(1.0, float(np.abs(y).max())):
        return Variance(objective, log, complete, ())
    y_mean = float(y.mean())
    total = float(np.square(y - y_mean).sum())
    effects = []
    for one in active:
        n, sums = _cells(one.codes, len(one.levels), y)
        explained = _between(n, sums, y_mean)
        share = _share(
            explained, total, explained, int((n > 0).sum()) - 1, len(y), int((n > 0).sum()), complete
        )
        effects.append(Effect((one.name,), share, _means(one, n, sums, log)))
    if two_way:
        effects += [_together(i, j, y, y_mean, total, complete) for i, j in _pairs(active)]
    effects.sort(key=lambda effect: -effect.share_frac)
    return Variance(objective, log, complete, tuple(effects))


def _pairs(active: Sequence[Factor]) -> list[tuple[Factor, Factor]]:
    return [(i, j) for i, j in combinations(active, 2) if len(i.levels) * len(j.levels) <= MOST_CELLS]


def _together(i: Factor, j: Factor, y: Floats, y_mean: float, total: float, complete: bool) -> Effect:
    """What the cells of two variables explain beyond the sum of an effect of each."""
    n, sums = _cells(i.codes * len(j.levels) + j.codes, len(i.levels) * len(j.levels), y)
    cells = np.where(n > 0, sums - n * y_mean, 0.0).reshape(len(i.levels), len(j.levels))
    weight = n.reshape(cells.shape)
    # normal equations of a_i + b_j: they are as small as the levels, however many the points
    left = np.block([[np.diag(weight.sum(axis=1)), weight], [weight.T, np.diag(weight.sum(axis=0))]])
    right = np.concatenate([cells.sum(axis=1), cells.sum(axis=0)])
    fitted, _, rank, _ = np.linalg.lstsq(left, right, rcond=None)
    between = _between(n, sums, y_mean)
    beyond = max(0.0, between - float(right @ fitted))
    n_cells = int((n > 0).sum())
    share = _share(beyond, total, between, n_cells - int(rank), len(y), n_cells, complete)
    return Effect((i.name, j.name), share, ())


def _share(
    explained: float, total: float, between: float, df: int, n_points: int, n_cells: int, complete: bool
) -> float:
    """Of the variance; without a full grid less what chance would explain. No replicate: nothing is known."""
    if complete:
        return min(1.0, explained / total)
    if n_points <= n_cells:
        return 0.0
    within = max(0.0, total - between) / (n_points - n_cells)
    return min(1.0, max(0.0, (explained - df * within) / total))


def _cells(codes: Codes, n_cells: int, y: Floats) -> tuple[Floats, Floats]:
    """Points and sums of each cell."""
    count = np.bincount(codes, minlength=n_cells).astype(np.float64)
    return count, np.bincount(codes, weights=y, minlength=n_cells).astype(np.float64)


def _between(n: Floats, sums: Floats, y_mean: float) -> float:
    there = n > 0
    return float((n[there] * np.square(sums[there] / n[there] - y_mean)).sum())


def _means(one: Factor, n: Floats, sums: Floats, log: bool) -> tuple[tuple[Any, float, int], ...]:
    return tuple(
        (level, float(np.exp(total / count)) if log else float(total / count), int(count))
        for level, total, count in zip(one.levels, sums.tolist(), n.tolist(), strict=True)
        if count
    )


def _balanced(factors: Sequence[Factor], n_points: int) -> bool:
    """Whether every combination of the levels that occur is there, equally often."""
    n_cells = 1
    key = np.zeros(n_points, dtype=np.int64)
    for one in factors:
        levels, codes = np.unique(one.codes, return_inverse=True)
        n_cells *= len(levels)
        if n_cells > n_points:
            return False
        key = key * len(levels) + codes
    return n_points > 0 and len(set(np.bincount(key, minlength=n_cells).tolist())) == 1


def around(point: int, factors: Sequence[Factor], objectives: Mapping[str, NDArray[Any]]) -> tuple[Step, ...]:
    """One step down and one up in each variable from a point of the table, all other variables equal.

    A step leads to the next level of the space; where the table has no such point (a constraint, a sample)
    the step says so.
    """
    steps = []
    same = np.stack([one.codes == one.codes[point] for one in factors])  # [variables, n]
    differs = (~same).sum(axis=0)
    for at, one in enumerate(factors):
        alike = np.flatnonzero((differs == 1) & ~same[at])
        for direction in (-1, 1):
            wanted = int(one.codes[point]) + direction
            if not 0 <= wanted < len(one.levels):
                continue
            found = alike[one.codes[alike] == wanted]
            there = int(found[0]) if len(found) else None
            ratios = {name: _ratio(values, there, point) for name, values in objectives.items()}
            steps.append(Step(one.name, direction, one.levels[wanted], there, ratios))
    return tuple(steps)


def _ratio(values: NDArray[Any], there: int | None, here: int) -> float | None:
    if there is None or not values[here]:
        return None
    ratio = float(values[there]) / float(values[here])
    return ratio if np.isfinite(ratio) else None
