"""What the values of each variable, and of each two, come to: points, sums and bests, as points pass."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

MOST_VARIABLES: Final = 12
"""Variables up to which pairs are counted: of more there are too many to read."""
MOST_CELLS: Final = 2**14
"""Cells of a pair of variables that are counted: of more a picture shows none."""


@dataclass(frozen=True, slots=True)
class Table:
    """The cells of one variable, or of two (the second the faster)."""

    n: Floats  # [cells] points
    sums: Floats  # [2 k, cells] of the k metrics, then of their logarithms
    best: Floats  # [k, cells] least cost


class Cells:
    """Tables of the variables with these numbers of values, for k metrics; `signs` make costs of metrics."""

    def __init__(self, sizes: Sequence[int], signs: Sequence[float]) -> None:
        self.sizes = tuple(sizes)
        self._signs = np.asarray(signs, np.float64)
        k = len(self._signs)
        singles = [(i,) for i in range(len(sizes))]
        pairs = combinations(range(len(sizes)), 2) if len(sizes) <= MOST_VARIABLES else ()
        self.tables: dict[tuple[int, ...], Table] = {}
        for axes in (*singles, *pairs):
            n = int(np.prod([sizes[axis] for axis in axes]))
            if len(axes) == 1 or n <= MOST_CELLS:
                self.tables[axes] = Table(np.zeros(n), np.zeros((2 * k, n)), np.full((k, n), np.inf))
        self.n = 0
        self.mean, self.squares = np.zeros(2 * k), np.zeros(2 * k)  # squares: sum of (y - mean)^2
        self.least, self.most = np.full(k, np.inf), np.full(k, -np.inf)

    def add(self, codes: Sequence[Ints], values: Floats, counts: NDArray[np.bool_]) -> None:
        """Points by the place of their value in each variable, [n] each, and metrics [k, n], finite.

        The best is one of those that count [n]; what a variable does is asked of all, or constraints would
        be taken for its effect.
        """
        if not values.shape[1]:
            return
        with np.errstate(divide="ignore", invalid="ignore"):
            both = np.concatenate([values, np.log(values)])
            mean = both.mean(axis=1)
            self._count(both.shape[1], mean, np.square(both - mean[:, None]).sum(axis=1))
        self.least = np.minimum(self.least, values.min(axis=1))
        self.most = np.maximum(self.most, values.max(axis=1))
        costs = np.where(counts, values * self._signs[:, None], np.inf)
        for axes, table in self.tables.items():
            cell = codes[axes[0]]
            if len(axes) == 2:
                cell = cell * self.sizes[axes[1]] + codes[axes[1]]
            size = len(table.n)
            table.n[:] += np.bincount(cell, minlength=size)
            for sums, column in zip(table.sums, both, strict=True):
                sums += np.bincount(cell, weights=column, minlength=size)
            if len(axes) == 2:
                for best, column in zip(table.best, costs, strict=True):
                    np.minimum.at(best, cell, column)

    def merge(self, other: Cells) -> None:
        """The cells of other points, of the same variables."""
        if not other.n:
            return
        self._count(other.n, other.mean, other.squares)
        self.least = np.minimum(self.least, other.least)
        self.most = np.maximum(self.most, other.most)
        for axes, table in self.tables.items():
            more = other.tables[axes]
            table.n[:] += more.n
            table.sums[:] += more.sums
            np.minimum(table.best, more.best, out=table.best)

    def _count(self, n: int, mean: Floats, squares: Floats) -> None:
        """Mean and squares of two sets as of one (Chan, Golub and LeVeque, 1979): no sums that cancel."""
        with np.errstate(invalid="ignore"):  # logarithms of what is not positive
            apart = mean - self.mean
            share = n / (self.n + n)
            self.squares += squares + np.square(apart) * self.n * share
            self.mean = self.mean + apart * share
        self.n += n

    @property
    def n_bytes(self) -> int:
        """Of all tables."""
        return sum(one.n.nbytes + one.sums.nbytes + one.best.nbytes for one in self.tables.values())

    def levels(self, axis: int) -> int:
        """Values of a variable that points have."""
        return int((self.tables[axis,].n > 0).sum())
