"""The least that any completion of partial mappings costs; quickly, and as well as it is known."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from accelsim.mapper.general.inputs import Position, gain_of
from accelsim.mapper.general.partial import BROKEN, LEAST, NONE, Partials, cost
from accelsim.mapper.general.pool import Pool
from accelsim.mapper.general.price import least_of, price
from accelsim.mapper.general.variant import Open, Variant
from accelsim.tables.dims import N_OPERANDS, I

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Positions = dict[tuple[int, bool], Position]
"""Where the tiles of inputs stand, by the level that keeps them and whether the last level's loops follow."""


def bound(variant: Variant, partials: Partials) -> Floats:  # [A, r, B]
    """The least that any completion costs, by what it does next (`completions`)."""
    base = cost(variant, partials, LEAST)
    if partials.level == variant.n_levels:
        return (base + _open_cost(variant, partials, partials.opens, NONE))[None]
    positions: Positions = {}

    def closing(opens: Open, a: int, level: int | None) -> Floats:
        return _open_cost(variant, partials, opens, a, level, positions)

    return base + completions(variant, partials.level, partials.opens, partials.node, partials.m, closing)


def quick_bound(
    variant: Variant, level: int, opens: Open, node: Ints, m: Floats, spread: Ints, closed: Floats, pool: Pool
) -> tuple[Floats, Floats]:  # [B] each
    """Least energy and cycles from the node alone where mappings stand; `closed` [r, B] is the cost so far.

    First each cost for itself (`variant.tail`); of those that could be wanted then, by what may come next,
    where that is more than the last level.
    """
    last = variant.n_levels - 1
    energy, cycles = price(variant, closed + variant.tail(level, opens)[:, node], m, spread)
    if level == last:
        return energy, cycles
    some = np.flatnonzero(pool.worth(energy, cycles))
    node, m, spread, closed = node[some], m[:, some], spread[some], closed[:, some]

    def closing(opens: Open, a: int, at: int | None) -> Floats:
        total = np.zeros_like(closed)
        for b in opens:
            sent, taken = variant.node_words(b, a if a < N_OPERANDS else None, at == last)
            total += variant.forms.sends(b, m) * sent[node] + variant.forms.takes(b, m) * taken[node]
        return total

    ways = closed + completions(variant, level, opens, node, m, closing)
    energy[some], cycles[some] = least_of(variant, ways, m, spread, pool)
    return energy, cycles


def completions(
    variant: Variant,
    level: int,
    opens: Open,
    node: Ints,
    m: Floats,
    closing: Callable[[Open, int, int | None], Floats],
) -> Floats:  # [A, r, B]
    """The least that is still to come, from `level` on: a row for each thing that may come next.

    Levels may stay empty until one has loops: which one, which operand stays there, and whether it stays
    beyond, tells the A ways apart. What saves words of one operand costs those of another, so that the least
    energy and the least cycles of each port seldom belong to one way: none is better than the best single
    one (see `variant` for the rest). `closing` is the cost of closing boundaries where the mappings stand, a
    class of loops moving first, at a level (None: at the end).
    """
    slope = variant.forms.s1 + variant.forms.t1  # beyond the one instance that `stays` counts with
    free = [d for d in variant.space.lattice.dims if not any(d in c for c in variant.space.classes)]
    ways, room = [], np.zeros(len(node))
    while level < variant.n_levels:
        for a in range(N_OPERANDS):
            if not variant.space.classes[a]:
                continue
            mine = variant.of(opens, a)
            closes, goes_on, least, floor = variant.stays(level, a, mine)
            closes, goes_on = closes[:, node], goes_on[:, node]
            if mine:
                more = m[a] - 1
                closes = closes + slope[:, mine] @ least[:, node] * more
                goes_on = goes_on + slope[:, mine] @ floor[:, node] * more
            others = closing(variant.others(opens, a), a, level) + room
            ways += [others + closes, others + goes_on]
        if free:
            after = variant.tail(level + 1, variant.opened(level)) + variant.room[level]
            after = variant.space.lattice.least_of_multiples(after, free)[:, node]
            ways.append(closing(opens, NONE, level) + after + room)
        room = room + variant.room[level][node]
        opens = tuple(sorted({*opens, *variant.opened(level)}))
        level += 1
    done = np.where(variant.space.lattice.covers[node], room, np.inf)
    ways.append(closing(opens, NONE, None) + done)
    return np.array(ways)


def _open_cost(
    variant: Variant,
    partials: Partials,
    opens: Open,
    a: int,
    level: int | None = None,
    positions: Positions | None = None,
) -> Floats:  # [r, B]
    """Least cost of closing boundaries at the node where the partial mappings stand, class a moving first."""
    positions = {} if positions is None else positions
    forms = variant.forms
    total, gain = np.zeros((len(forms.k0), len(partials))), None
    for b in opens:
        sent, taken = forms.sends(b, partials.m), forms.takes(b, partials.m)
        bound, space = variant.boundaries[b], variant.space
        outside = space.words_outside[bound.operand][partials.node]
        sending, taking = variant.sent[b], variant.taken[b]
        if sending is None or taking is None:
            total += (sent + taken) * outside
            continue
        moving = variant.window_dims if a in (I, NONE) else space.classes[a]
        last = level == variant.n_levels - 1
        if (bound.child, last) not in positions:
            tile = partials.tiles[bound.child] if bound.child < partials.level else partials.node
            block = space.lattice.cover[partials.node] if last else None
            positions[bound.child, last] = Position(tile, partials.node, block, partials.start)
        place = positions[bound.child, last]
        if place.block is not None and gain is None:
            gain = gain_of(space, a, partials.node, place.block, True, False)
        taken_words, _ = taking.words(place, moving, gain)
        sent_words = taken_words
        if variant.is_union(b):
            sent_words, _ = sending.together(place, moving, gain)
        elif sending is not taking:
            sent_words, _ = sending.words(place, moving, gain)
        total += sent * np.maximum(sent_words * outside, sending.floor)
        total += taken * np.maximum(taken_words * outside, taking.floor)
    return total


class Quick:
    """A quick bound for the steps of a level, before they are taken: from the nodes on either side alone."""

    def __init__(self, variant: Variant, partials: Partials) -> None:
        self.variant, self.partials = variant, partials
        self.base = cost(variant, partials, LEAST)
        self._closing: dict[tuple[int, Open], Floats] = {}

    def least(self) -> Floats:  # [r]
        """The least of all partial mappings, whatever their next level closes."""
        least: Floats = self.base.min(1)
        return least

    def closed(self, stays: int, stay_open: Open, owner: Ints, after: Ints) -> Floats:  # [r, B]
        """Cost of what closes where class a stays at the level, leaving some boundaries open."""
        variant, partials, forms = self.variant, self.partials, self.variant.forms
        a = stays % BROKEN
        mine = variant.of(partials.opens, a) if a < N_OPERANDS and not stay_open else ()
        closing = tuple(b for b in partials.opens if b not in stay_open and b not in mine)
        if (a, closing) not in self._closing:
            self._closing[a, closing] = self.base + _open_cost(variant, partials, closing, a, partials.level)
        total = self._closing[a, closing][:, owner]
        for b in mine:
            sent, taken = variant.node_words(b, None, False)
            m = partials.m[a][owner]
            total += (forms.s0[:, b, None] + forms.s1[:, b, None] * m) * sent[after]
            total += (forms.t0[:, b, None] + forms.t1[:, b, None] * m) * taken[after]
        return total
