"""Tile vectors as numbers: the sizes that each dimension may take, and which of them divide which.

A node is one size for every dimension of more than one step; a mapping is a chain of nodes from the tile of
the innermost level to the whole layer, each a multiple of the one inside it. Shapes: M nodes, D active
dimensions, n_d sizes of dimension d.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from math import prod

import numpy as np
from numpy.typing import NDArray

from accelsim.mapping.dataflows.base import ladder

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

MAX_NODES = 2**15
CHEAPER = 8
"""How many times as quick it is to try whether a node is a multiple as to write a multiple out."""
EVERY = 16
"""Extents up to which ragged tiles may have every size."""


@dataclass(frozen=True, eq=False)
class Sizes:
    """The tile sizes of one dimension; multiples[i] lists those that size i can be repeated to.

    A loop has no more trips than it takes to cover the extent.
    """

    extent: int
    values: Ints  # [n], the first is 1, the last covers the extent
    shape: tuple[int, ...]
    """Exponents of the extent's primes as axes, where the sizes are its divisors; else none."""

    @property
    def axes(self) -> tuple[int, ...]:
        return self.shape or (len(self.values),)

    @cached_property
    def divides(self) -> NDArray[np.bool_]:  # [n, n]
        whole = self.values[None, :] % self.values[:, None] == 0
        needed = self.values[None, :] - self.values[:, None] < self.extent
        fits: NDArray[np.bool_] = whole & needed
        return fits

    @cached_property
    def n_multiples(self) -> Ints:  # [n]
        count: Ints = self.divides.sum(1)
        return count

    @cached_property
    def multiples(self) -> Ints:  # [n, n], row i starts with the indices of the multiples of size i
        return np.argsort(~self.divides, axis=1, kind="stable")

    @cached_property
    def product(self) -> Ints:  # [n, n], index of the product of two sizes, -1 where it is none of them
        table = self.values[:, None] * self.values[None, :]
        place = np.searchsorted(np.sort(self.values), table)
        order = np.argsort(self.values)
        place = np.minimum(place, len(self.values) - 1)
        found = order[place]
        spread, lowered = self.values[None, :], self._a_trip_less[None, :]
        good = (self.values[found] == table) & (lowered * table < spread * self.extent)
        return np.where(good, found, -1)

    @cached_property
    def _a_trip_less(self) -> Ints:  # [n]
        """A size as loops on rows and columns, of which none can do with a trip less: what the larger of
        (r - 1) c and (c - 1) r is at least."""
        pairs = [[(r, n // r) for r in range(1, n + 1) if n % r == 0] for n in self.values.tolist()]
        return np.array([min(max((r - 1) * c, (c - 1) * r) for r, c in pair) for pair in pairs], np.int64)

    @property
    def tiles(self) -> Ints:  # [n], how many tiles cover the extent
        return -(-self.extent // self.values)


@lru_cache(maxsize=1024)
def divisors(extent: int) -> Sizes:
    """All divisors, ordered by the exponents of the primes, so that a division is a step along an axis."""
    values, shape, rest, prime = np.ones(1, np.int64), [], extent, 2
    while rest > 1:
        power = 0
        while rest % prime == 0:
            rest //= prime
            power += 1
        if power:
            values = (values[:, None] * prime ** np.arange(power + 1, dtype=np.int64)).ravel()
            shape.append(power + 1)
        prime += 1
        if prime * prime > rest > 1:
            prime = rest
    return Sizes(extent, values, tuple(shape) or (1,))


@lru_cache(maxsize=256)
def any_sizes(extent: int) -> Sizes:
    """Sizes that need not divide the extent, and the multiples of each that just cover it.

    Up to EVERY all sizes, beyond that the smallest size for each number of tiles, and the divisors.
    """
    inside = np.arange(1, extent + 1) if extent <= EVERY else ladder(extent)
    inside = np.union1d(inside, divisors(extent).values)
    covering = inside * -(-extent // inside)
    return Sizes(extent, np.union1d(inside, covering).astype(np.int64), ())


def few_nodes(sizes: list[Sizes]) -> list[Sizes]:
    """The same sizes, or as many of each dimension as leave MAX_NODES nodes: memory is bounded by that.

    The sizes that are left out are those between others of nearly the same number of tiles.
    """
    sizes = list(sizes)
    while prod(len(s.values) for s in sizes) > MAX_NODES:
        d = max(range(len(sizes)), key=lambda d: len(sizes[d].values))
        ordered = np.sort(sizes[d].values)
        inside = ordered[ordered <= sizes[d].extent]
        places = np.unique(np.linspace(0, len(inside) - 1, max(2, len(inside) - 1)).round().astype(np.int64))
        ends = inside[places] * -(-sizes[d].extent // inside[places])
        sizes[d] = Sizes(sizes[d].extent, np.union1d(inside[places], ends).astype(np.int64), ())
    return sizes


class Lattice:
    """All nodes of a layer's active dimensions, numbered in mixed radix, the first dimension slowest."""

    def __init__(self, dims: Sequence[int], sizes: Sequence[Sizes]) -> None:
        self.dims = tuple(dims)
        self.sizes = tuple(sizes)
        self.shape = tuple(len(s.values) for s in self.sizes)
        self.n_nodes = int(np.prod(self.shape, dtype=np.int64))
        strides, stride = [], 1
        for n in reversed(self.shape):
            strides.append(stride)
            stride *= n
        self.strides = tuple(reversed(strides))
        self.axis_of = {d: k for k, d in enumerate(self.dims)}

    @cached_property
    def index(self) -> tuple[Ints, ...]:  # D x [M]
        """The index of each dimension's size at every node."""
        nodes = np.arange(self.n_nodes, dtype=np.int64)
        return tuple(nodes // stride % n for stride, n in zip(self.strides, self.shape, strict=True))

    @cached_property
    def size_at(self) -> tuple[Ints, ...]:  # D x [M]
        """The size of each dimension at every node."""
        return tuple(s.values[i] for s, i in zip(self.sizes, self.index, strict=True))

    def digit(self, nodes: Ints, axis: int) -> Ints:
        return self.index[axis][nodes]

    def size(self, nodes: Ints, dim: int) -> Ints:
        """Size of a dimension at nodes; 1 where it is not active."""
        if dim not in self.axis_of:
            return np.ones_like(nodes)
        return self.size_at[self.axis_of[dim]][nodes]

    @cached_property
    def cover(self) -> Ints:  # [M]
        """The node at which the outermost loops from a node end: the least multiples that cover all."""
        out = np.zeros(self.n_nodes, np.int64)
        for stride, s, i in zip(self.strides, self.sizes, self.index, strict=True):
            order = np.argsort(s.values)
            ends = s.values * s.tiles
            out += stride * order[np.searchsorted(s.values[order], ends)][i]
        return out

    @cached_property
    def covers(self) -> NDArray[np.bool_]:  # [M]
        """Nodes that leave nothing outside."""
        inside = {
            d: (s.values >= s.extent).astype(np.float64) for d, s in zip(self.dims, self.sizes, strict=True)
        }
        return self.spread(inside) > 0

    def spread(self, factors: dict[int, Floats]) -> Floats:  # [M]
        """Product over dimensions of a factor for each of their sizes; dimensions not named count 1."""
        out = np.ones(1)
        for d, n in zip(self.dims, self.shape, strict=True):
            out = (out[:, None] * factors.get(d, np.ones(n))[None, :]).ravel()
        return out

    def least_of_multiples(self, values: Floats, dims: Sequence[int] | None = None) -> Floats:  # [..., M]
        """At every node the least value over the nodes that are multiples of it (in some dimensions only)."""
        return self._least(values, dims, upwards=True)

    def least_of_divisors(self, values: Floats, dims: Sequence[int] | None = None) -> Floats:  # [..., M]
        return self._least(values, dims, upwards=False)

    def _least(self, values: Floats, dims: Sequence[int] | None, upwards: bool) -> Floats:
        out = np.array(values, np.float64)
        inner = self.n_nodes
        for d, s in zip(self.dims, self.sizes, strict=True):
            for n in s.axes:
                inner //= n
                if dims is not None and d not in dims:
                    continue
                view = out.reshape(-1, n, inner)
                if s.shape:
                    for i in range(n - 2, -1, -1) if upwards else range(1, n):
                        np.minimum(view[:, i], view[:, i + 1 if upwards else i - 1], out=view[:, i])
                else:
                    related = s.divides if upwards else s.divides.T
                    view[:] = np.stack([view[:, row].min(1) for row in related], axis=1)
        return out

    def times(self, nodes: Ints, others: Ints) -> Ints:  # [B, S]
        """Node of the product of each node with each of the others, negative where it is none."""
        out = np.zeros((len(nodes), len(others)), np.int64)
        for k, (stride, s) in enumerate(zip(self.strides, self.sizes, strict=True)):
            table = np.where(s.product >= 0, stride * s.product, -(2**40))
            out += table[self.digit(nodes, k)][:, self.digit(others, k)]
        return out

    def multiples(
        self, nodes: Ints, among: Ints | None = None, fixed: Sequence[int] = ()
    ) -> tuple[Ints, Ints]:
        """All (i, node) with node a multiple of nodes[i], equal in fixed dims; of all or those among."""
        digits = [self.digit(nodes, k) for k in range(len(self.dims))]
        counts = [
            np.ones_like(digit) if d in fixed else s.n_multiples[digit]
            for d, s, digit in zip(self.dims, self.sizes, digits, strict=True)
        ]
        total = np.ones_like(nodes)
        for count in counts:
            total = total * count
        if among is not None and len(nodes) * len(among) < CHEAPER * int(total.sum()):
            good = np.ones((len(nodes), len(among)), np.bool_)
            for k, (d, s) in enumerate(zip(self.dims, self.sizes, strict=True)):
                related = np.eye(len(s.values), dtype=np.bool_) if d in fixed else s.divides
                good &= related[digits[k]][:, self.digit(among, k)]
            owner, which = np.nonzero(good)
            return owner, among[which]
        owner = np.repeat(np.arange(len(nodes)), total)
        rest = np.arange(len(owner)) - np.repeat(np.cumsum(total) - total, total)
        out = np.zeros_like(owner)
        for stride, s, digit, count, d in zip(
            self.strides, self.sizes, digits, counts, self.dims, strict=True
        ):
            if d in fixed:
                out += (stride * digit)[owner]
                continue
            n = count[owner]
            out += stride * s.multiples[digit[owner], rest % n]
            rest = rest // n
        if among is not None:
            chosen = np.zeros(self.n_nodes, np.bool_)
            chosen[among] = True
            wanted = chosen[out]
            owner, out = owner[wanted], out[wanted]
        return owner, out
