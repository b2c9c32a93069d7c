"""One more level of partial mappings: every node that its loops can lead to, every class that can stay."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from accelsim.mapper.general.inputs import Gain, InputWords, gain_of
from accelsim.mapper.general.partial import LEAST, MOST, NONE, Partials
from accelsim.mapper.general.variant import Open, Variant
from accelsim.tables.dims import N_OPERANDS, WINDOWS, I, O

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


Hopeful = Callable[[int, Open, Ints, Ints], Bools]
"""Which of the steps of a level are worth taking: class that stays, what it leaves open, owner, node after."""


def place(variant: Variant, partials: Partials, pruned: Counter[str], hopeful: Hopeful) -> Iterator[Partials]:
    """All ways to place the next level that fit it and are worth it."""
    owner, after = _nodes(variant, partials, pruned)
    level, new = partials.level, variant.opened(partials.level)
    has = _loops(variant, partials.node[owner], after)  # [T + 1, B]
    outwards = _outwards(variant, level)
    steps: list[tuple[int, Open, Bools]] = [(NONE, partials.opens, ~has.any(0))]
    for a in (*range(N_OPERANDS), NONE):
        mine = variant.of(partials.opens, a) if a < N_OPERANDS else ()
        chosen = has[a] & ~_better(variant, partials.opens, has, a)
        for t in outwards:
            chosen &= has.sum(0) > 1 if t == a and mine else ~has[t]
        if mine:
            alone = chosen & (has.sum(0) == 1)
            steps.append((a, mine, alone))
            chosen = chosen & ~alone
        steps.append((a, (), chosen))
    for a, stay_open, chosen in steps:
        index = np.flatnonzero(chosen)
        if len(index):
            worth = hopeful(a, stay_open, owner[index], after[index])
            pruned["bound"] += len(index) - int(np.count_nonzero(worth))
            index = index[worth]
        if len(index):
            yield _step(variant, partials, owner[index], after[index], a, stay_open, new)


def _nodes(variant: Variant, partials: Partials, pruned: Counter[str]) -> tuple[Ints, Ints]:
    """Pairs of a partial mapping and a node that the loops of the next level may lead to: all that fit it."""
    space, level = variant.space, partials.level
    if level == variant.n_levels - 1:
        return np.arange(len(partials)), space.lattice.cover[partials.node]
    owner, after = space.lattice.multiples(partials.node, variant.fitting(level))
    kept = np.flatnonzero(variant.keep[:level, O])
    unfinished = np.ones(len(owner), np.bool_)
    if len(kept):
        unfinished = ~space.summed[partials.tiles[kept[-1]]][owner]
    fits = variant.fits(level, after, unfinished)
    pruned["does not fit"] += len(fits) - int(np.count_nonzero(fits))
    return owner[fits], after[fits]


def _outwards(variant: Variant, level: int) -> tuple[int, ...]:
    """Classes whose loops at a level might as well be the innermost loops of the next level out.

    They leave where they are the tiles of all operands that the level keeps; outside all other loops of their
    level, the order of loops stays as it is. So mappings with them there need not be looked at.
    """
    if level == variant.n_levels - 1:
        return ()
    kept = np.flatnonzero(variant.keep[level])
    return (*range(N_OPERANDS), NONE) if len(kept) == 0 else tuple(map(int, kept)) if len(kept) == 1 else ()


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
    gain = gain_of(space, a, old.node, after, old.level == variant.n_levels - 1)
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
    gain: Gain,
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
