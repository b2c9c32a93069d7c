"""Partial mappings that another one can only beat."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from accelsim.mapper.general.partial import LEAST, MOST, Partials
from accelsim.mapper.general.variant import Variant
from accelsim.tables.dims import O

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


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
            if not variant.space.machine.fetch_box.any():  # a larger box may hold words that nothing needs
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
