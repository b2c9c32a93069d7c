"""The least that any completion of partial mappings costs; quickly, and as well as it is known."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from accelsim.mapper.general.inputs import Position, gain_of
from accelsim.mapper.general.partial import BROKEN, LEAST, NONE, Partials, cost
from accelsim.mapper.general.variant import Open, Variant
from accelsim.tables.dims import N_OPERANDS, I

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Positions = dict[tuple[int, bool], Position]
"""Where the tiles of inputs stand, by the level that keeps them and whether the last level's loops follow."""


def bound(variant: Variant, partials: Partials) -> Floats:  # [A, r, B]
    """The least that any completion costs, by what it does next: see `variant`.

    Levels may stay empty until one has loops; which operand stays there, and whether it stays beyond, is what
    tells the A ways apart. One way is slow where another one costs energy: their least costs belong together.
    """
    base = cost(variant, partials, LEAST)
    forms, node, level = variant.forms, partials.node, partials.level
    if level == variant.n_levels:
        return (base + _open_cost(variant, partials, partials.opens, NONE))[None]
    slope = forms.s1 + forms.t1  # beyond the one instance that `stays` counts with
    ways = []
    room = np.zeros(len(node))
    opens = partials.opens
    positions: Positions = {}
    while level < variant.n_levels:
        for a in range(N_OPERANDS):
            if not variant.space.classes[a]:
                continue
            mine = variant.of(opens, a)
            closes, goes_on, least, floor = variant.stays(level, a, mine)
            closes, goes_on = closes[:, node], goes_on[:, node]
            if mine:
                more = partials.m[a] - 1
                closes = closes + slope[:, mine] @ least[:, node] * more
                goes_on = goes_on + slope[:, mine] @ floor[:, node] * more
            others = _open_cost(variant, partials, variant.others(opens, a), a, level, positions)
            ways += [others + closes + room, others + goes_on + room]
        free = [d for d in variant.space.lattice.dims if not any(d in c for c in variant.space.classes)]
        if free:
            after = variant.tail(level + 1, variant.opened(level)) + variant.room[level]
            after = variant.space.lattice.least_of_multiples(after, free)[:, node]
            ways.append(_open_cost(variant, partials, opens, NONE, level, positions) + after + room)
        room = room + variant.room[level][node]
        opens = tuple(sorted({*opens, *variant.opened(level)}))
        level += 1
    done = np.where(variant.space.lattice.covers[node], room, np.inf)
    ways.append(_open_cost(variant, partials, opens, NONE, None, positions) + done)
    total: Floats = base + np.array(ways)
    return total


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
        if bound.operand != I:
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
        sending, taking = variant.sent[b], variant.taken[b]
        assert sending is not None
        assert taking is not None
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

    def costs(self, stays: int, stay_open: Open, owner: Ints, after: Ints) -> Floats:  # [r, B]
        """Least cost where class a stays at the level, leaving some boundaries open."""
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
        opens = tuple(sorted({*stay_open, *variant.opened(partials.level)}))
        return total + variant.tail(partials.level + 1, opens)[:, after]
