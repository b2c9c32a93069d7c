"""The quantities of a grid as tables for a kernel.

    quantity q of mapping (a, b) = sum over the rows u of q of left[u, a] right[u, b]

where a numbers the choices of the grid's outer axes together and b those of its inner ones. All quantities
are whole numbers below 2^53, so that sums of products in float64 are exact in any order.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from copy import copy
from dataclasses import dataclass
from math import prod

import numpy as np
from numpy.typing import NDArray

from accelsim.cost.grid_quantities import Rules
from accelsim.cost.grid_sums import Key, Sum
from accelsim.tables.grid import Grid

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Terms = list[tuple[Key, int]]
"""A sum of products: the factors' numbers and the coefficient of each."""

EXACT = 2**53
"""Whole numbers up to this are exact in float64."""
ENOUGH = 2**6
"""Choices of the innermost axes together: they pay for what is done once for all of them."""
LEFT_NUMBERS = 2**18
"""Factors of outer choices that are worked out at once."""


class Tables:
    """The quantities of a grid as rows of factors of its outer and inner choices.

    The axes are split in three, those of the fewest distinct factors innermost: what is done for every
    mapping then takes the fewest rows. Outer choices a are those of the first two parts together.
    """

    rules: Rules

    def __init__(
        self, grid: Grid, quantities: list[Sum], rules: Rules | None = None, inner_axis: int | None = None
    ) -> None:
        """`inner_axis` is the one to take inside, where not the best."""
        self.grid = grid
        if rules is not None:
            self.rules = rules
        keys = {key for quantity in quantities for key in quantity.terms}
        fewest = sorted(range(len(grid.sizes)), key=lambda axis: len({key[axis] for key in keys}))
        inner, rest = _some_axes(grid, fewest)
        if inner_axis is not None:
            inner, rest = (inner_axis,), [axis for axis in fewest if axis != inner_axis]
        middle, outermost = _some_axes(grid, rest)
        outer = tuple(sorted(outermost))
        self.order = (*outer, *middle, *inner)  # [A] axes from the outermost in
        self._outer, self._middle, self._inner = (
            _Part(grid, quantities, axes) for axes in (outer, middle, inner)
        )
        rows = [_rows(list(quantity.terms.items()), self._inner) for quantity in quantities]
        self.start = np.cumsum([0, *map(len, rows)])  # [Q + 1] first row of each quantity
        self.right = self._inner.values([right for some in rows for _, right in some])  # [U, n_inner]
        lefts = [_rows(left, self._middle) for some in rows for left, _ in some]  # of each row of `right`
        self._left_start = np.cumsum([0, *map(len, lefts)])
        self._left_right = self._middle.values([right for some in lefts for _, right in some])
        self._left_left = [left for some in lefts for left, _ in some]
        self.same_inside = [all(self._inner.is_one(key) for key in quantity.terms) for quantity in quantities]

    @property
    def n_inner(self) -> int:
        return int(self.right.shape[1])

    @property
    def n_outer(self) -> int:
        return self._outer.size * self._middle.size

    @property
    def axes(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Those of the outer choices and of the inner ones, each from the slowest to the fastest."""
        return (*self._outer.axes, *self._middle.axes), self._inner.axes

    def ruled(self, rules: Rules) -> Tables:
        """The same quantities under other rules."""
        tables = copy(self)
        tables.rules = rules
        return tables

    def inside(self, few: Ints) -> Tables:
        """The tables of some of the inner choices."""
        tables = copy(self)
        tables.right = self.right[:, few]
        return tables

    def lefts(self, each: int) -> Iterator[tuple[int, Floats]]:
        """The rows' factors of some outer choices at a time [U, n_a], and the first of them."""
        n_rows, n_middle = len(self.right), self._middle.size
        many = max(1, LEFT_NUMBERS // (n_middle * max(1, n_rows)))
        for start in range(0, self._outer.size, many):
            outer = self._outer.values(self._left_left, slice(start, start + many))
            left = np.empty((n_rows, outer.shape[1] * n_middle))
            for row in range(n_rows):
                some = slice(self._left_start[row], self._left_start[row + 1])
                np.matmul(outer[some].T, self._left_right[some], out=left[row].reshape(-1, n_middle))
            for first in range(0, left.shape[1], each):
                yield start * n_middle + first, left[:, first : first + each]


@dataclass(frozen=True)
class _Part:
    """Some axes of a grid as one."""

    grid: Grid
    quantities: list[Sum]
    axes: tuple[int, ...]

    @property
    def size(self) -> int:
        return prod(self.grid.sizes[axis] for axis in self.axes)

    def of(self, key: Key) -> Key:
        """The factors of these axes, ones in all others."""
        return tuple(number if axis in self.axes else 0 for axis, number in enumerate(key))

    def is_one(self, key: Key) -> bool:
        return not any(self.of(key))

    def values(self, sums: list[Terms], some: slice = slice(None)) -> Floats:  # [len(sums), n]
        """Sums of products of the factors of these axes, at some of their points."""
        sizes, rows = [self.grid.sizes[axis] for axis in self.axes], self.quantities[0].factors.rows
        points = np.arange(*some.indices(self.size))
        index, n_points = np.unravel_index(points, sizes) if self.axes else (), len(points)
        values = np.zeros((len(sums), n_points))
        known: dict[Key, Floats] = {}
        for total, terms in zip(values, sums, strict=True):
            for key, n in terms:
                if key not in known:
                    product = np.ones(n_points)
                    for axis, i in zip(self.axes, index, strict=True):
                        if key[axis]:
                            product *= rows[axis][key[axis]][i]
                    known[key] = product
                total += n * known[key]
        return values


def _some_axes(grid: Grid, axes: Sequence[int]) -> tuple[tuple[int, ...], list[int]]:
    """The first axes that have choices enough together, in the grid's order, and the others."""
    some: list[int] = []
    for axis in axes:
        some.append(axis)
        if prod(grid.sizes[a] for a in some) >= ENOUGH:
            some = [axis] if grid.sizes[axis] >= ENOUGH else some  # together they would leave the cache
            break
    return tuple(sorted(some)), [axis for axis in axes if axis not in some]


def _rows(terms: Terms, part: _Part) -> list[tuple[Terms, Terms]]:
    """Terms as products of a sum of the other axes and one of this part's, as few as there are.

    Terms that share their factors of the part, or of the other axes, make one product.
    """
    inside: dict[Key, Terms] = {}
    outside: dict[Key, Terms] = {}
    for key, n in terms:
        here = part.of(key)
        there = tuple(0 if i else number for i, number in zip(here, key, strict=True))
        inside.setdefault(here, []).append((there, n))
        outside.setdefault(there, []).append((here, n))
    if len(inside) <= len(outside):
        return [(others, [(key, 1)]) for key, others in inside.items()]
    return [([(key, 1)], own) for key, own in outside.items()]
