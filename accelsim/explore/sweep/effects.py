"""What each variable does to an objective: analysis of variance of counted cells, and steps from a point."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from accelsim.explore.sweep.cells import Cells, Floats
from accelsim.explore.sweep.numbering import Varies

MOST_FITTED: Final = 4_000
"""Cells of a table of two variables: of more, the additive fit would take longer than the sweep."""
LEAST_RESIDUAL: Final = 3
"""Degrees of freedom within cells, for each that an effect has."""
LEAST_REPLICATES: Final = 2
"""Points a cell, in the mean."""
NEARLY_ALL: Final = 0.9
"""Of the combinations: the few that are missing then move a mean little, and no chance chose the others."""
MOST_SCATTER: Final = 0.1
"""Of the share that random cells explain by chance, whose mean alone is corrected for: standard deviation."""


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
    complete: bool  # every combination of levels is there: shares are exact and add up to 1
    effects: tuple[Effect, ...]
    untold: tuple[tuple[str, ...], ...] = ()  # variables, and pairs of them, that have too few points


@dataclass(frozen=True, slots=True)
class Step:
    """What the next level of one variable does to a point, all others equal; None: the table has no such."""

    variable: str
    direction: int  # -1 or +1
    level: Any
    point: int | None  # its number
    ratios: dict[str, float | None]  # of each objective: there over here


def variance(objectives: Sequence[str], at: int, cells: Cells, factors: Sequence[Varies]) -> Variance:
    """Main effects and two-way interactions of the variables on objective `at`.

    Share of i: sum over its levels of n_l (mean_l - mean)^2 over the sum of squares. Share of i with j: what
    the means of their cells explain beyond the best a_i + b_j (least squares, weighted by the cells' points).
    On a full grid that is the classical decomposition, whose shares of all orders add up to 1. Where points
    are missing or sampled, a share is corrected for what as many random cells would explain by chance
    (epsilon squared, Kelley 1935: (SS - df MS_within) / SS_total, not below 0), and shares may overlap; where
    there are too few points for that (`_Sums.tells`), none is given.
    Of positive values the logarithm is analysed, since costs act as factors.
    """
    objective = objectives[at]
    least, most = float(cells.least[at]), float(cells.most[at])
    log = cells.n > 0 and least > 0
    n_levels = [cells.levels(axis) for axis in range(len(factors))]
    active = [axis for axis, n in enumerate(n_levels) if n > 1]
    # each combination is there once at most, so that their number tells whether all are
    n_all = math.prod(n_levels[axis] for axis in active)
    complete = cells.n > 0 and cells.n == n_all
    if log:
        least, most = math.log(least), math.log(most)
    if cells.n < 2 or most - least <= 1e-12 * max(1.0, abs(least), abs(most)):
        return Variance(objective, log, complete, ())
    row = at + len(objectives) if log else at
    nearly = cells.n >= NEARLY_ALL * n_all
    of = _Sums(cells.n, float(cells.mean[row]), float(cells.squares[row]), complete, nearly)
    effects, untold = [], []
    for axes, table in cells.tables.items():
        if not set(axes) <= set(active):
            continue
        sums = table.sums[row]
        names = tuple(factors[axis].name for axis in axes)
        share: float | None
        if len(axes) == 1:
            between = _between(table.n, sums, of.mean)
            n_cells = int((table.n > 0).sum())
            share = of.share(between, between, n_cells - 1, n_cells)
        elif len(table.n) <= MOST_FITTED:
            shape = (cells.sizes[axes[0]], cells.sizes[axes[1]])
            share = _together(table.n, sums, shape, of)
        else:
            continue
        if share is None:
            untold.append(names)
        else:
            means = _means(factors[axes[0]], table.n, sums, log) if len(axes) == 1 else ()
            effects.append(Effect(names, share, means))
    effects.sort(key=lambda effect: -effect.share_frac)
    return Variance(objective, log, complete, tuple(effects), tuple(untold))


@dataclass(frozen=True, slots=True)
class _Sums:
    """Of all points of an objective."""

    n: int
    mean: float
    squares: float
    complete: bool
    nearly: bool

    def share(self, explained: float, between: float, df: int, n_cells: int) -> float | None:
        """Of the variance; without a full grid less what chance explains, None where that can't be told."""
        if self.complete:
            return min(1.0, explained / self.squares)
        if not self.tells(df, n_cells):
            return None
        within = max(0.0, self.squares - between) / (self.n - n_cells)
        return min(1.0, max(0.0, (explained - df * within) / self.squares))

    def tells(self, df: int, n_cells: int) -> bool:
        """Whether the points are enough for an effect of so many degrees of freedom, in so many cells.

        Shares of random cells are distributed as beta(df / 2, (n - 1 - df) / 2).
        """
        if self.nearly:
            return self.n > n_cells
        total = self.n - 1
        if df < 1 or self.n < LEAST_REPLICATES * n_cells or self.n - n_cells < LEAST_RESIDUAL * df:
            return False
        return math.sqrt(2 * df * (total - df) / (total + 2)) / total <= MOST_SCATTER


def _together(n: Floats, sums: Floats, shape: tuple[int, int], of: _Sums) -> float | None:
    """What the cells of two variables explain beyond the sum of an effect of each."""
    cells = np.where(n > 0, sums - n * of.mean, 0.0).reshape(shape)
    weight = n.reshape(shape)
    right = np.concatenate([cells.sum(axis=1), cells.sum(axis=0)])
    whole = np.concatenate([weight.sum(axis=1), weight.sum(axis=0)])
    between = _between(n, sums, of.mean)
    n_cells = int((n > 0).sum())
    if of.complete:  # a_i and b_j are the means of their levels
        additive, rank = float((np.square(right[whole > 0]) / whole[whole > 0]).sum()), 0
    else:  # normal equations of a_i + b_j: they are as small as the levels, however many the points
        left = np.block([[np.diag(weight.sum(axis=1)), weight], [weight.T, np.diag(weight.sum(axis=0))]])
        fitted, _, rank, _ = np.linalg.lstsq(left, right, rcond=None)
        additive = float(right @ fitted)
    return of.share(max(0.0, between - additive), between, n_cells - int(rank), n_cells)


def _between(n: Floats, sums: Floats, mean: float) -> float:
    there = n > 0
    return float((n[there] * np.square(sums[there] / n[there] - mean)).sum())


def _means(one: Varies, n: Floats, sums: Floats, log: bool) -> tuple[tuple[Any, float, int], ...]:
    return tuple(
        (level, float(np.exp(total / count)) if log else float(total / count), int(count))
        for level, total, count in zip(one.values, sums.tolist(), n.tolist(), strict=True)
        if count
    )


def ratios(there: Mapping[str, float] | None, here: Mapping[str, float]) -> dict[str, float | None]:
    """Of each objective, there over here; None where one of them is not known."""
    if there is None:
        return dict.fromkeys(here)
    found = {name: there[name] / value if value else math.nan for name, value in here.items()}
    return {name: ratio if math.isfinite(ratio) else None for name, ratio in found.items()}
