"""Counts over a grid of mappings as sums of products, one factor an axis of the grid.

    count[i_1, .., i_A] = sum over terms t of c_t (product over axes a of f_ta[i_a])

A `Sum` adds, subtracts and multiplies as the array that it stands for would, so that formulas written for
arrays of mappings hold for it as they stand. Factors are whole numbers and kept once each, by their number in
their axis; what cancels for the whole grid is gone. Shapes: A axes of n_a choices.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from math import gcd, prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
FEW = 16
"""Values whose common divisor is mostly that of all."""
Key = tuple[int, ...]  # [A] number of the factor in each axis; 0: all ones


class Factors:
    """The distinct factors of each axis of a grid, free of common divisors, positive where not 0 at first."""

    def __init__(self, sizes: Sequence[int]) -> None:
        self.sizes = tuple(sizes)  # [A]
        self.one: Key = (0,) * len(self.sizes)
        self.rows: list[list[Ints]] = [[np.ones(n, np.int64)] for n in self.sizes]
        self._number = [{rows[0].tobytes(): 0} for rows in self.rows]
        self._products: dict[tuple[int, int, int], tuple[int, int]] = {}

    def like(self, axis: int, size: int) -> Factors:
        """As many choices of one axis as said, with no factors yet; those of the other axes are shared."""
        sizes = (*self.sizes[:axis], size, *self.sizes[axis + 1 :])
        some, own = Factors(sizes), Factors(sizes)
        some.rows = [*self.rows[:axis], own.rows[axis], *self.rows[axis + 1 :]]
        some._number = [*self._number[:axis], own._number[axis], *self._number[axis + 1 :]]
        return some

    def constant(self, value: int) -> Sum:
        return Sum(self, {self.one: value} if value else {})

    def along(self, axis: int, values: Ints) -> Sum:
        """A count that depends on one axis only."""
        coefficient, number = self.add(axis, values)
        return Sum(self, {self._key(axis, number): coefficient} if coefficient else {})

    def add(self, axis: int, values: Ints) -> tuple[int, int]:
        """What values are a multiple of: the coefficient and the factor's number."""
        common = int(np.gcd.reduce(values[:FEW]))
        if common != 1:
            common = int(np.gcd.reduce(values))
        if common == 0:
            return 0, 0
        if (values[0] or values[np.flatnonzero(values)[0]]) < 0:
            common = -common
        if common != 1:
            values = values // common
        key = values.tobytes()
        number = self._number[axis].get(key)
        if number is None:
            number = self._number[axis][key] = len(self.rows[axis])
            self.rows[axis].append(values)
        return common, number

    def times(self, axis: int, a: int, b: int) -> tuple[int, int]:
        """The product of two factors of an axis."""
        if a == 0 or b == 0:
            return 1, a + b
        key = (axis, a, b) if a < b else (axis, b, a)
        if key not in self._products:
            self._products[key] = self.add(axis, self.rows[axis][a] * self.rows[axis][b])
        return self._products[key]

    def _key(self, axis: int, number: int) -> Key:
        return (*self.one[:axis], number, *self.one[axis + 1 :])


@dataclass(frozen=True, eq=False)
class Sum:
    """A count of every mapping of a grid; numbers and arrays of one number stand for the same everywhere."""

    factors: Factors
    terms: dict[Key, int]  # coefficients
    __array_ufunc__ = None  # arrays leave the arithmetic to this class

    def __add__(self, other: Any) -> Sum:
        terms = dict(self.terms)
        for key, coefficient in self._like(other).terms.items():
            left = terms.pop(key, 0) + coefficient
            if left:
                terms[key] = left
        return Sum(self.factors, terms)

    def __mul__(self, other: Any) -> Sum:
        terms: dict[Key, int] = {}
        for a, n in self.terms.items():
            for b, m in self._like(other).terms.items():
                coefficient, key = n * m, []
                for axis, (f, g) in enumerate(zip(a, b, strict=True)):
                    scale, number = self.factors.times(axis, f, g) if f and g else (1, f or g)
                    coefficient *= scale
                    key.append(number)
                if left := terms.pop(tuple(key), 0) + coefficient:
                    terms[tuple(key)] = left
        return Sum(self.factors, terms)

    def __neg__(self) -> Sum:
        return Sum(self.factors, {key: -n for key, n in self.terms.items()})

    def __sub__(self, other: Any) -> Sum:
        return self + -self._like(other)

    def __rsub__(self, other: Any) -> Sum:
        return self._like(other) - self

    __radd__ = __add__
    __rmul__ = __mul__

    def _like(self, other: Any) -> Sum:
        return other if isinstance(other, Sum) else self.factors.constant(int(np.asarray(other).item()))

    def taken(self, factors: Factors, axis: int, index: Ints) -> Sum:
        """The count at some choices of an axis, in factors of its own (`Factors.like`)."""
        terms: dict[Key, int] = {}
        for key, n in self.terms.items():
            scale, number = factors.add(axis, self.factors.rows[axis][key[axis]][index])
            some = (*key[:axis], number, *key[axis + 1 :])
            if left := terms.pop(some, 0) + n * scale:
                terms[some] = left
        return Sum(factors, terms)

    @cached_property
    def joined(self) -> Sum:
        """The same with fewer terms: those that differ in one axis only become one."""
        factors, terms = self.factors, self.terms
        for axis in (a for _ in range(2) for a in range(len(factors.sizes))):
            alike: dict[Key, list[tuple[int, int]]] = {}
            for key, n in terms.items():
                alike.setdefault((*key[:axis], 0, *key[axis + 1 :]), []).append((n, key[axis]))
            terms = {}
            for key, group in alike.items():
                if len(group) == 1:
                    terms[*key[:axis], group[0][1], *key[axis + 1 :]] = group[0][0]
                    continue
                total = np.zeros(factors.sizes[axis], np.int64)
                common = gcd(*(n for n, _ in group))
                for n, number in group:
                    total += n // common * factors.rows[axis][number]
                n, number = factors.add(axis, total)
                if n:
                    terms[*key[:axis], number, *key[axis + 1 :]] = n * common
        return Sum(factors, terms)

    @cached_property
    def bound(self) -> int:
        """No sum of some of the terms, of any mapping, is further from 0."""
        rows = self.factors.rows
        return sum(
            abs(n) * prod(int(np.abs(rows[axis][f]).max()) for axis, f in enumerate(key) if f)
            for key, n in self.terms.items()
        )

    def at(self, index: Sequence[Ints], known: dict[tuple[int, int], Ints] | None = None) -> Ints:
        """The count of some mappings: index [A] of arrays that broadcast against each other.

        `known` keeps the factors there, for other sums of the same grid.
        """
        known = {} if known is None else known
        shape = index[0].shape
        if any(i.shape != shape for i in index):
            shape = np.broadcast_shapes(*(i.shape for i in index))
        total: Ints = np.zeros(shape, np.int64)
        for key, n in self.terms.items():
            product: Any = n
            for axis, number in enumerate(key):
                if number:
                    factor = known.get((axis, number))
                    if factor is None:
                        factor = known[axis, number] = self.factors.rows[axis][number][index[axis]]
                    product = product * factor
            total += product
        return total
