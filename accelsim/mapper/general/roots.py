"""Where the levels inside the array meet the loops on it: all pairs, with a quick bound for each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from accelsim.mapper.general.bound import quick_bound
from accelsim.mapper.general.boundary import Forms
from accelsim.mapper.general.partial import LEAST, Partials, side_by_side
from accelsim.mapper.general.pool import Pool
from accelsim.mapper.general.price import price
from accelsim.mapper.general.space import Space
from accelsim.mapper.general.variant import Variant
from accelsim.tables.dims import N_OPERANDS

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

PAIRS = 2**17
"""Pairs that are looked at together: some tens of MB, with all that is counted of them."""
ALL_ROWS = slice(None)


@dataclass(frozen=True, eq=False)
class Roots:
    """Pairs of a partial mapping inside the array and loops on it; `start` is the node of both."""

    inner: Partials
    owner: Ints  # [B]
    spread: Ints  # [B]
    start: Ints  # [B]

    def take(self, index: Ints | slice) -> Roots:
        return replace(self, owner=self.owner[index], spread=self.spread[index], start=self.start[index])

    def partials(self, variant: Variant) -> Partials:
        return side_by_side(variant, self.inner, self.owner, self.spread, self.start)


def roots_of(variant: Variant, inner: Partials, pool: Pool) -> Iterator[tuple[Floats, Floats, Roots]]:
    """All pairs that the array and the layer have room for, with their least energy and cycles.

    Nodes that can't be worth it with any loops on the array are left out before, and so are partial mappings
    that can't be with the best loops for each of their costs.
    """
    space, lattice = variant.space, variant.space.lattice
    nodes = space.spreads
    fixed = variant.forms.constant(space.sharing[:, nodes])
    tail = variant.tail(inner.level, inner.opens)
    fewest, most = space.sharing[:, nodes].min(1), space.sharing[:, nodes].max(1)

    def worth(costs: Floats) -> Bools:
        """With the most PEs, and as many instances of a word as may be."""
        m = np.broadcast_to(fewest[:, None], (N_OPERANDS, costs.shape[1]))
        lowest = fixed.min(1, keepdims=True) + costs
        return pool.worth(*price(variant, lowest, m, np.full(costs.shape[1], nodes[0])))

    hopeless = ~worth(tail)
    if all(sizes.shape for sizes in lattice.sizes):  # else a product need not be among the multiples
        every = np.arange(len(inner))
        closed = _closed(variant, inner, every, np.broadcast_to(most[:, None], (N_OPERANDS, len(inner))))
        inner = inner.take(every[worth(lattice.least_of_multiples(tail)[:, inner.node] + closed)])
    each = max(1, PAIRS // len(nodes))
    for first in range(0, len(inner), each):
        part = inner.take(slice(first, first + each))
        start = lattice.times(part.node, nodes)
        owner, which = np.nonzero((start >= 0) & ~hopeless[np.maximum(start, 0)])
        spread, start = nodes[which], start[owner, which]
        m = space.sharing[:, spread]
        least = fixed[:1, which] + _closed(variant, part, owner, m, slice(1)) + tail[:1, start]
        some = pool.worth(*price(variant, least, m, spread))  # by energy and the array's pace: most are not
        owner, which, spread, start, m = owner[some], which[some], spread[some], start[some], m[:, some]
        closed = fixed[:, which] + _closed(variant, part, owner, m)
        energy, cycles = quick_bound(variant, inner.level, inner.opens, start, m, spread, closed, pool)
        yield energy, cycles, Roots(part, owner, spread, start)


def _closed(
    variant: Variant, inner: Partials, owner: Ints, m: Floats, rows: slice = ALL_ROWS
) -> Floats:  # [r, B]
    """Cost of what closed inside the array, before its steps outside were divided among the instances."""
    forms = variant.forms
    s0, s1, t0, t1 = (form[rows] for form in (forms.s0, forms.s1, forms.t0, forms.t1))
    total = np.zeros((len(s0), len(owner)))
    for b, bound in enumerate(variant.boundaries):
        if bound.child >= inner.level or b in inner.opens:
            continue
        sent, taken = inner.words[LEAST][:, b]
        if variant.is_union(b):  # sent once for several: how often is known later
            sent = np.zeros_like(sent)
        once = s0[:, b, None] * sent + t0[:, b, None] * taken
        each = s1[:, b, None] * sent + t1[:, b, None] * taken
        total += once[:, owner] / m[bound.operand] + each[:, owner]
    return total


def floor_of(space: Space, keep: Bools, pool: Pool) -> tuple[Floats, Floats]:  # [1] each
    """The least energy and cycles of any mapping that keeps operands so: every word crosses once.

    With the best loops on the array for each cost; where that could be wanted, with any for all of them.
    """
    variant = Variant(space, keep)
    forms: Forms = variant.forms
    nodes = space.spreads
    m = space.sharing[:, nodes]
    costs = forms.constant(m)
    for b in range(len(variant.boundaries)):
        words = variant.least_words(b)
        sent, taken = (forms.s0 + forms.s1)[:, b], (forms.t0 + forms.t1)[:, b]
        costs += (sent * words[0] + taken * words[1])[:, None]
    lowest = price(variant, costs.min(1, keepdims=True), m.min(1, keepdims=True), nodes[:1])
    if not pool.worth(*lowest)[0]:
        return lowest
    energy, cycles = price(variant, costs, m, nodes)
    return energy.min(keepdims=True), cycles.min(keepdims=True)
