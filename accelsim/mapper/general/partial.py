"""Partial mappings: placed from the innermost level up to some level, many at once.

Shapes: B partial mappings, L levels, T operands, b boundaries, r resources.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from accelsim.mapper.general.variant import Open, Variant
from accelsim.tables.dims import N_OPERANDS

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

LEAST, MOST = 0, 1
NONE = N_OPERANDS
"""The class of a level at which no operand stays."""
BROKEN = 8
"""Added to a class of which a loop runs innermost, but not all of them before loops of other classes."""


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
    """Partial mappings of the same level with the same boundaries open put together."""
    by_open: dict[tuple[int, Open], list[Partials]] = {}
    for g in groups:
        by_open.setdefault((g.level, g.opens), []).append(g)
    return [
        group[0]
        if len(group) == 1
        else replace(
            group[0],
            node=np.concatenate([g.node for g in group]),
            tiles=np.concatenate([g.tiles for g in group], axis=1),
            stays=np.concatenate([g.stays for g in group], axis=1),
            spread=np.concatenate([g.spread for g in group]),
            start=np.concatenate([g.start for g in group]),
            m=np.concatenate([g.m for g in group], axis=1),
            words=np.concatenate([g.words for g in group], axis=-1),
        )
        for group in by_open.values()
    ]


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
