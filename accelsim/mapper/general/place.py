"""One more level of partial mappings: every node that its loops can lead to, every class that can stay."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from accelsim.mapper.general.inputs import Position, gain_of
from accelsim.mapper.general.partial import BROKEN, LEAST, MOST, NONE, Partials
from accelsim.mapper.general.variant import Open, Variant
from accelsim.tables.dims import N_OPERANDS, I, O, W

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Steps:
    """Ways to place one more level, not yet taken; `after` is the node that its loops lead to."""

    parents: Partials
    stays: int
    stay_open: Open
    owner: Ints  # [B]
    after: Ints  # [B]

    def take(self, index: Ints | slice) -> Steps:
        return replace(self, owner=self.owner[index], after=self.after[index])

    def opens(self, variant: Variant) -> Open:
        """The boundaries that are open when the level is placed."""
        return tuple(sorted({*self.stay_open, *variant.opened(self.parents.level)}))

    def partials(self, variant: Variant) -> Partials:
        """The level placed: what was open and does not stay open is closed."""
        old, level, a = self.parents.take(self.owner), self.parents.level, self.stays % BROKEN
        words = old.words.copy()
        for b in old.opens:
            if b in self.stay_open:
                continue
            mine = variant.boundaries[b].operand == a
            words[:, :, b] = closing_words(
                variant, old, b, self.after if mine else old.node, self.after, self.stays
            )
            if mine and self.stays >= BROKEN:
                words[:, :, b] *= _shortest(variant, a, old.node, self.after)
        tiles, stays = old.tiles.copy(), old.stays.copy()
        tiles[level], stays[level] = self.after, self.stays
        opens = self.opens(variant)
        return replace(
            old, level=level + 1, opens=opens, node=self.after, tiles=tiles, stays=stays, words=words
        )


def steps_of(
    variant: Variant, partials: Partials, pruned: Counter[str], among: Ints | None, every: bool
) -> Iterator[Steps]:
    """All ways to place the next level that fit it, to any node or to those among.

    With `every` those too that can't be the best, but cost something else.
    """
    outwards = _outwards(variant, partials.level, partials.opens, every)
    parted = _parts_windows(variant, partials.level)
    owner, after = _nodes(variant, partials, pruned, among, outwards)
    has = _loops(variant, partials.node[owner], after)  # [T + 1, B]
    still = np.asarray(~has.any(0))
    steps: list[tuple[int, Open, Bools]] = [(NONE, partials.opens, still)]
    inputs_move = _inputs_move(variant, partials.opens)
    for a in (*range(N_OPERANDS), NONE):
        mine = variant.of(partials.opens, a) if a < N_OPERANDS else ()
        chosen = has[a] if every else has[a] & ~_better(variant, partials.opens, has, a)
        for t in outwards if not parted else ():
            chosen &= has.sum(0) > 1 if t == a and mine else ~has[t]
        if mine:
            alone = chosen & (has.sum(0) == 1)
            steps.append((a, mine, alone))
            chosen = chosen & ~alone
        if a in (W, O) and (
            inputs_move or every
        ):  # their order decides what the inputs keep: any could be wanted
            several = chosen & (_n_moving(variant, a, partials.node[owner], after) > 1)
            steps.append((a + BROKEN, (), several if mine else chosen))
            chosen = chosen & bool(mine)
        steps.append((a, (), chosen))
    for a, stay_open, chosen in steps:
        index = np.flatnonzero(chosen)
        if len(index):
            yield Steps(partials, a, stay_open, owner[index], after[index])


def _nodes(
    variant: Variant,
    partials: Partials,
    pruned: Counter[str],
    among: Ints | None,
    outwards: tuple[int, ...],
) -> tuple[Ints, Ints]:
    """Pairs of a partial mapping and a node that the loops of the next level may lead to: all that fit it."""
    space, level = variant.space, partials.level
    if level == variant.n_levels - 1:
        return np.arange(len(partials)), space.lattice.cover[partials.node]
    lattice, parted = space.lattice, bool(outwards) and _parts_windows(variant, level)
    fixed = [
        d for t in outwards if t < N_OPERANDS and not variant.of(partials.opens, t) for d in space.classes[t]
    ]
    owner, after = lattice.multiples(partials.node, among, [] if parted else fixed)
    if parted:  # no loops, or some that the next level may have again
        again = np.zeros(len(owner), np.bool_)
        for d in space.sliding:
            again |= lattice.size(partials.node[owner], d) != lattice.size(after, d)
        some = again | (after == partials.node[owner])
        owner, after = owner[some], after[some]
    kept = np.flatnonzero(variant.keep[:level, O])
    unfinished = np.ones(len(owner), np.bool_)
    if len(kept):
        unfinished = ~space.summed[partials.tiles[kept[-1]]][owner]
    fits = variant.fits(level, after, unfinished)
    pruned["does not fit"] += len(fits) - int(np.count_nonzero(fits))
    return owner[fits], after[fits]


def _outwards(variant: Variant, level: int, opens: Open, every: bool) -> tuple[int, ...]:
    """Classes whose loops at a level might as well be the innermost loops of the next level out.

    They leave where they are the tiles of all operands that the level keeps. A level that keeps nothing can
    pass all its loops on, unless that joins two loops of a window that others part (`_nodes`). Where it keeps
    one operand, the loops of its class may stand outside the others of their level: that changes no cost
    unless inputs slide, which gain by the order of what moves them, or a systolic array counts its folds. For
    the K best a cost that is no better counts too: nothing is passed on.
    """
    if level == variant.n_levels - 1 or every:
        return ()
    kept = tuple(int(t) for t in np.flatnonzero(variant.keep[level]))
    fan = variant.space.machine.fanout_level
    if level == fan - 1 and variant.keep[:fan, I].any() and kept != (I,):
        return ()  # beyond the loops on the array, those of windows would have other steps
    if not kept:
        return (*range(N_OPERANDS), NONE)
    free = not _slides(variant, level) and not _inputs_move(variant, opens) and variant.systolic_flow is None
    return kept if len(kept) == 1 and free else ()


def _inputs_move(variant: Variant, opens: Open) -> bool:
    """Whether inputs are open, of which the order of the loops decides how much stays."""
    return bool(variant.of(opens, I)) and not variant.space.plain


def _slides(variant: Variant, level: int) -> bool:
    """Whether a level further in keeps tiles of inputs that share words with each other."""
    return bool(variant.space.sliding) and bool(variant.keep[:level, I].any())


def _parts_windows(variant: Variant, level: int) -> bool:
    """Whether a level that keeps nothing may have loops of a window that the next level has again, parted by
    others: P, R, P can let more inputs stay than P, P, R and R, P, P."""
    return not variant.keep[level].any() and _slides(variant, level)


def _loops(variant: Variant, before: Ints, after: Ints) -> Bools:  # [T + 1, B]
    """Whether the level has loops of each operand's class; last, whether it has loops of no class."""
    lattice = variant.space.lattice
    out = np.zeros((N_OPERANDS + 1, len(before)), np.bool_)
    for k, d in enumerate(lattice.dims):
        moves = lattice.digit(before, k) != lattice.digit(after, k)
        owner = next((t for t in range(N_OPERANDS) if d in variant.space.classes[t]), NONE)
        out[owner] |= moves
    return out


def _n_moving(variant: Variant, a: int, before: Ints, after: Ints) -> Ints:  # [B]
    """How many dimensions of a class have loops between two nodes."""
    lattice = variant.space.lattice
    count = np.zeros(len(before), np.int64)
    for d in variant.space.classes[a]:
        count += lattice.size(before, d) != lattice.size(after, d)
    return count


def _shortest(variant: Variant, a: int, before: Ints, after: Ints) -> Floats:  # [B]
    """The fewest trips of a class' loops between two nodes: what at least lies outside a broken class."""
    lattice = variant.space.lattice
    least = np.full(len(before), np.inf)
    for d in variant.space.classes[a]:
        trips = lattice.size(after, d) / lattice.size(before, d)
        least = np.where(trips > 1, np.minimum(least, trips), least)
    return np.where(np.isfinite(least), least, 1.0)


def _better(variant: Variant, opens: Open, has: Bools, a: int) -> Bools:
    """Where another class than a is as good or better: a has nothing open, and another one could run inside.

    All boundaries but those of the class inside close where the level begins; with nothing to keep open, a
    class inside can't gain over one that has, nor over the first of those that have not. Only for inputs that
    are open it matters whose loop moves them first.
    """
    others = np.zeros(has.shape[1], np.bool_)
    if a < N_OPERANDS and variant.of(opens, a):
        return others
    if a in (W, O) and _inputs_move(variant, opens):
        return others
    for t in range(N_OPERANDS):
        if t != a and (variant.of(opens, t) or t < a or a == NONE):
            others |= has[t]
    return others


def closing_words(
    variant: Variant, old: Partials, b: int, end: Ints, after: Ints, stays: int
) -> Floats:  # [2 least or most, 2 sent or taken, B]
    """Words of a boundary whose own class ended at node `end`, at a level whose loops end at `after`."""
    bound, space = variant.boundaries[b], variant.space
    fan, a = space.machine.fanout_level, stays % BROKEN
    outside = space.words_outside[bound.operand][end]
    out = np.empty((2, 2, len(end)))
    out[:] = outside
    if bound.operand != I or space.plain:
        return out
    moving = variant.window_dims if a in (I, NONE) else space.classes[a]
    place = Position(old.tiles[bound.child], old.node, after, old.start)
    alone = (
        len(variant.of(old.opens, I)) == 1
    )  # else several boundaries may each want another loop to be first
    gain = gain_of(space, a, old.node, after, old.level == variant.n_levels - 1, stays < BROKEN)
    placed = old.level >= fan
    for side, inputs in enumerate((variant.sent[b], variant.taken[b])):
        assert inputs is not None
        if side == 0 and variant.is_union(b) and placed:
            words = inputs.together(place, moving, gain)
        else:
            words = inputs.words(place, moving, gain)
        out[LEAST, side] = np.maximum(outside * words[LEAST], inputs.floor)
        out[MOST, side] *= words[MOST] if alone else inputs.all_tiles(place)
    return out
