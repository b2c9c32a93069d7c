"""Partial mappings: placed from the innermost level up to some level, many at once.

Shapes: B partial mappings, L levels, T operands, b boundaries, r resources.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from accelsim.mapper.general.inputs import InputWords
from accelsim.mapper.general.variant import Open, Variant
from accelsim.tables.dims import N_OPERANDS, WINDOWS, I, O

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

LEAST, MOST = 0, 1
NONE = N_OPERANDS
"""The class of a level at which no operand stays."""


@dataclass(frozen=True, eq=False)
class Partials:
    """B partial mappings with the same boundaries open; `level` is the next one to place."""

    level: int
    opens: Open
    node: Ints  # [B], tile of all loops so far, the array's included once it is placed
    tiles: Ints  # [L, B], node of the tile of each level placed
    stays: Ints  # [L, B], operand whose class runs innermost at each level placed
    spread: Ints  # [B], node of the loops on the array
    start: Ints  # [B], node right above the array
    m: Floats  # [T, B], instances that share operand t
    words: Floats  # [2 least or most, 2 sent or taken, b, B], of the boundaries that are closed

    def __len__(self) -> int:
        return len(self.node)

    def take(self, index: Ints | Bools | slice) -> Partials:
        return replace(
            self,
            node=self.node[index],
            tiles=self.tiles[:, index],
            stays=self.stays[:, index],
            spread=self.spread[index],
            start=self.start[index],
            m=self.m[:, index],
            words=self.words[..., index],
        )


def first(variant: Variant) -> Partials:
    """Nothing placed yet."""
    n_b = len(variant.boundaries)
    zero = np.zeros(1, np.int64)
    levels = np.zeros((variant.n_levels, 1), np.int64)
    return Partials(
        0, (), zero, levels, levels + NONE, zero, zero, np.ones((N_OPERANDS, 1)),
        np.zeros((2, 2, n_b, 1)),
    )  # fmt: skip


def joined(groups: list[Partials]) -> list[Partials]:
    """Partial mappings with the same boundaries open put together."""
    by_open: dict[Open, list[Partials]] = {}
    for g in groups:
        by_open.setdefault(g.opens, []).append(g)
    out = []
    for group in by_open.values():
        arrays = {
            name: np.concatenate([getattr(g, name) for g in group], axis=-1)
            for name in ("node", "tiles", "stays", "spread", "start", "m", "words")
        }
        out.append(replace(group[0], **arrays))
    return out


def place(variant: Variant, partials: Partials, pruned: Counter[str]) -> Iterator[Partials]:
    """All ways to place the next level that fit it."""
    space, level = variant.space, partials.level
    if level == variant.n_levels - 1:
        owner = np.arange(len(partials))
        after = space.lattice.cover[partials.node]
    else:
        owner, after = space.lattice.multiples(partials.node, variant.fitting(level))
        kept = np.flatnonzero(variant.keep[:level, O])
        if len(kept):
            unfinished = ~space.summed[partials.tiles[kept[-1]]][owner]
        else:
            unfinished = np.ones(len(owner), np.bool_)
        fits = variant.fits(level, after, unfinished)
        pruned["does not fit"] += len(fits) - int(np.count_nonzero(fits))
        owner, after = owner[fits], after[fits]
    new = variant.opened(level)
    has = _loops(variant, partials.node[owner], after)  # [T + 1, B]
    some = has.any(0)
    outwards = _outwards(variant, level)
    for a in (*range(N_OPERANDS), NONE):
        mine = variant.of(partials.opens, a) if a < N_OPERANDS else ()
        chosen = has[a] & ~_better(variant, partials.opens, has, a)
        for t in outwards:
            if t == a and mine:
                chosen &= has.sum(0) > 1
            else:
                chosen &= ~has[t]
        if a < N_OPERANDS and mine:
            alone = chosen & (has.sum(0) == 1)
            yield _step(variant, partials, owner[alone], after[alone], a, mine, new)
            chosen = chosen & ~alone
        yield _step(variant, partials, owner[chosen], after[chosen], a, (), new)
    yield _step(variant, partials, owner[~some], after[~some], NONE, partials.opens, new)


def _outwards(variant: Variant, level: int) -> tuple[int, ...]:
    """Classes whose loops at a level might as well be the innermost loops of the next level out.

    They leave where they are the tiles of all operands that the level keeps; outside all other loops of their
    level, the order of loops stays as it is. So mappings with them there need not be looked at.
    """
    if level == variant.n_levels - 1:
        return ()
    kept = np.flatnonzero(variant.keep[level])
    return (*range(N_OPERANDS), NONE) if len(kept) == 0 else tuple(map(int, kept)) if len(kept) == 1 else ()


def dominating(variant: Variant, groups: list[Partials]) -> list[Partials]:
    """Without the partial mappings that another one at the same node can only beat.

    A beats B where A's boundaries are open wherever B's are, and what is closed in A is certain to have moved
    no more words than B moved: whatever B goes on to do, A can do too. (A memory that holds more, for a tile
    that is still open, never takes more words. A's sums must not be unfinished where B's are finished: they
    would need more room.)
    """
    out = []
    free = np.zeros(variant.space.lattice.n_nodes, np.int8)  # 1: open throughout; 2: and sums finished
    groups = sorted((g for g in groups if len(g)), key=lambda g: -len(g.opens))
    for g in groups:
        inside = [
            b for b, bound in enumerate(variant.boundaries) if bound.child < g.level and b not in g.opens
        ]
        unfinished = _unfinished(variant, g)
        if inside:
            beaten = free[g.node] > np.where(unfinished, 0, 1)
            g, unfinished = g.take(~beaten), unfinished[~beaten]
            g = _least_words(g, inside, unfinished)
        else:
            np.maximum.at(free, g.node, np.where(unfinished, 1, 2).astype(np.int8))
        out.append(g)
    return [g for g in out if len(g)]


def _unfinished(variant: Variant, g: Partials) -> Bools:
    kept = np.flatnonzero(variant.keep[: g.level, O])
    if not len(kept):
        return np.zeros(len(g), np.bool_)
    finished: Bools = variant.space.summed[g.tiles[kept[-1]]]
    return ~finished


def _least_words(g: Partials, closed: list[int], unfinished: Bools) -> Partials:
    """Of each node, without those that its partial mapping of fewest words beats in every boundary."""
    if not len(g):
        return g
    most, least = g.words[MOST][:, closed].sum((0, 1)), g.words[LEAST][:, closed]
    key = g.node * 2 + unfinished
    order = np.lexsort((most, key))
    key = key[order]
    heads = np.flatnonzero(np.diff(key, prepend=-1))
    head_of = np.repeat(heads, np.diff(np.append(heads, len(key))))
    head = order[head_of]
    beaten = (g.words[MOST][:, closed][:, :, head] <= least[:, :, order]).all((0, 1))
    beaten[heads] = False
    return g.take(np.sort(order[~beaten]))


def _loops(variant: Variant, before: Ints, after: Ints) -> Bools:  # [T + 1, B]
    """Whether the level has loops of each operand's class; last, whether it has loops of no class."""
    lattice = variant.space.lattice
    out = np.zeros((N_OPERANDS + 1, len(before)), np.bool_)
    for k, d in enumerate(lattice.dims):
        moves = lattice.digit(before, k) != lattice.digit(after, k)
        owner = next((t for t in range(N_OPERANDS) if d in variant.space.classes[t]), NONE)
        out[owner] |= moves
    return out


def _better(variant: Variant, opens: Open, has: Bools, a: int) -> Bools:
    """Where another class than a is as good or better: a has nothing open, and another one could run inside.

    All boundaries but those of the class inside close where the level begins; with nothing to keep open, a
    class inside can't gain over one that has, nor over the first of those that have not.
    """
    others = np.zeros(has.shape[1], np.bool_)
    if a < N_OPERANDS and variant.of(opens, a):
        return others
    for t in range(N_OPERANDS):
        if t != a and (variant.of(opens, t) or t < a):
            others |= has[t]
    return others


def _step(
    variant: Variant, partials: Partials, owner: Ints, after: Ints, a: int, stay_open: Open, new: Open
) -> Partials:
    """One level placed: what is open and does not stay open is closed."""
    old = partials.take(owner)
    words = old.words.copy()
    level = partials.level
    for b in partials.opens:
        if b in stay_open:
            continue
        end = after if variant.boundaries[b].operand == a else old.node
        words[:, :, b] = closing_words(variant, old, b, end, after, a)
    tiles, stays = old.tiles.copy(), old.stays.copy()
    tiles[level], stays[level] = after, a
    opens = tuple(sorted({*stay_open, *new}))
    return replace(old, level=level + 1, opens=opens, node=after, tiles=tiles, stays=stays, words=words)


def closing_words(
    variant: Variant, old: Partials, b: int, end: Ints, after: Ints, a: int
) -> Floats:  # [2 least or most, 2 sent or taken, B]
    """Words of a boundary whose operand's own class ended at node `end`, at a level whose loops end at `after`."""
    bound, space = variant.boundaries[b], variant.space
    fan = space.machine.fanout_level
    outside = space.words_outside[bound.operand][end]
    out = np.empty((2, 2, len(end)))
    out[:] = outside
    if bound.operand != I:
        return out
    moving = variant.window_dims if a in (I, NONE) else space.classes[a]
    gain = space.gain(a, old.node, after)
    placed = old.level >= fan
    for side, inputs in enumerate((variant.sent[b], variant.taken[b])):
        assert inputs is not None
        if side == 0 and variant.is_union(b) and placed:
            words = _union_words(variant, inputs, old, b, after, moving, gain)
        else:
            words = inputs.words([old.tiles[bound.child]] * 3, old.node, after, moving, gain)
        for which in (LEAST, MOST):
            out[which, side] *= words[which]
    return out


def _union_words(
    variant: Variant,
    inputs: InputWords,
    old: Partials,
    b: int,
    after: Ints,
    moving: Sequence[int],
    gain: Floats,
) -> tuple[Floats, Floats]:  # [B] each
    """Words on a diagonal link: those of the block of rows that all instances need together.

    Each instance holds its own tile only: it may fetch again what another one holds, so that sliding along
    the rows need not gain anything where they lie side by side.
    """
    lattice = variant.space.lattice
    tile = old.tiles[variant.boundaries[b].child]
    tiles = (old.start, tile, tile)
    least, most = inputs.words(tiles, old.node, after, moving, gain)
    _, still = inputs.words(tiles, old.node, after, [d for d in moving if d not in WINDOWS[0]], gain)
    p, r = (lattice.size(old.spread, d) for d in WINDOWS[0])
    return least, np.where(p * r > 1, still, most)


def side_by_side(variant: Variant, partials: Partials, owner: Ints, spread: Ints, start: Ints) -> Partials:
    """Partial mappings whose levels inside the array are placed, with their loops on the array.

    What closed inside was counted without the array: steps outside are fewer by the instances that share.
    """
    old = partials.take(owner)
    lattice = variant.space.lattice
    m = variant.space.sharing[:, spread]
    words = old.words.copy()
    for b, bound in enumerate(variant.boundaries):
        if b not in partials.opens:
            words[:, :, b] /= m[bound.operand]
            if variant.is_union(b):
                several = np.ones(len(spread))
                for d in variant.window_dims:
                    several = several * lattice.size(spread, d)
                words[LEAST, 0, b] /= several
    return replace(old, node=start, spread=spread, start=start, m=m, words=words)


def cost(variant: Variant, partials: Partials, which: int) -> Floats:  # [r, B]
    """Least or most cost of all that is closed, and of what does not depend on tiles."""
    forms, (sent, taken) = variant.forms, partials.words[which]
    total = forms.constant(partials.m)
    total += forms.s0 @ sent + forms.t0 @ taken
    for t in range(N_OPERANDS):
        own = [b for b, bound in enumerate(variant.boundaries) if bound.operand == t]
        total += (forms.s1[:, own] @ sent[own] + forms.t1[:, own] @ taken[own]) * partials.m[t]
    return total


def bound(variant: Variant, partials: Partials) -> Floats:  # [r, B]
    """The least that any completion costs: see `variant`. Levels may stay empty until one has loops."""
    base = cost(variant, partials, LEAST)
    forms, node, level = variant.forms, partials.node, partials.level
    if level == variant.n_levels:
        return base + _open_cost(variant, partials, partials.opens, NONE)
    slope = forms.s1 + forms.t1  # beyond the one instance that `stays` counts with
    best = np.full(base.shape, np.inf)
    room = np.zeros(len(node))
    opens = partials.opens
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
            others = _open_cost(variant, partials, variant.others(opens, a), a, level)
            best = np.minimum(best, others + np.minimum(closes, goes_on) + room)
        free = [d for d in variant.space.lattice.dims if not any(d in c for c in variant.space.classes)]
        if free:
            after = variant.tail(level + 1, variant.opened(level)) + variant.room[level]
            after = variant.space.lattice.least_of_multiples(after, free)[:, node]
            best = np.minimum(best, _open_cost(variant, partials, opens, NONE, level) + after + room)
        room = room + variant.room[level][node]
        opens = tuple(sorted({*opens, *variant.opened(level)}))
        level += 1
    done = np.where(variant.space.lattice.covers[node], room, np.inf)
    best = np.minimum(best, _open_cost(variant, partials, opens, NONE) + done)
    return base + best


def _open_cost(
    variant: Variant, partials: Partials, opens: Open, a: int, level: int | None = None
) -> Floats:  # [r, B]
    """Least cost of closing boundaries at the node where the partial mappings stand, class a moving first."""
    forms = variant.forms
    total = np.zeros((len(forms.k0), len(partials)))
    if not opens:
        return total
    for b in opens:
        sent, taken = forms.sends(b, partials.m), forms.takes(b, partials.m)
        bound, space = variant.boundaries[b], variant.space
        outside = space.words_outside[bound.operand][partials.node]
        if bound.operand != I:
            total += (sent + taken) * outside
            continue
        moving = variant.window_dims if a in (I, NONE) else space.classes[a]
        tile = partials.tiles[bound.child] if bound.child < partials.level else partials.node
        last = level == variant.n_levels - 1
        block, gain = None, np.ones(1)
        if last:
            block = space.lattice.cover[partials.node]
            gain = space.gain(a, partials.node, block)
        for side, inputs in enumerate((variant.sent[b], variant.taken[b])):
            assert inputs is not None
            rows = partials.start if side == 0 and variant.is_union(b) else tile
            words, _ = inputs.words((rows, tile, tile), partials.node, block, moving, gain)
            total += (sent if side == 0 else taken) * (words * outside)
    return total
