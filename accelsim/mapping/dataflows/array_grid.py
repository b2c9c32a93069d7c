"""The parameters of an array dataflow as one grid: trips on the array, tile sizes in the buffers, and orders.

Orders are choices of trips, too. Three kinds of loops a, b, c around a buffer stand in the places

    a b a c a b a

and a choice of a size is also one of a place: the loop repeats there and is of one trip in all others. The
four places of a, two of b and the one of c make every order, so that one template has them all; a, that has
the most places, is the dimension of the fewest sizes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from accelsim.mapping.dataflows.base import Bools, ladder
from accelsim.tables.dims import C, G, K, N, P, Q, Z
from accelsim.tables.grid import Grid
from accelsim.tables.machine import Machine
from accelsim.tables.nest import Problem

if TYPE_CHECKING:
    from accelsim.mapping.dataflows.array import ArrayDataflow

Ints = NDArray[np.int64]

PLACES = ((0, 2, 4, 6), (1, 5), (3,))
"""Of a, b and c."""
N_PLACES = 7

NOWHERE = -1

Choice = tuple[int, int, int, int, int]
"""Trips on the array, in the innermost tile, around the inner and the outer buffer; place of the last two."""


def array_grid(
    flow: ArrayDataflow, problem: Problem, machine: Machine, keep: Bools, level: int, buffer: int | None
) -> Grid:
    """All sizes on their ladders, all fillings of the array, all orders of K, C and pixels around buffers.

    The loops of the innermost tile stand at `level`. `buffer` is the outermost buffer where another one
    inside it keeps sums: its loops stand in the order of those around it. Images have places beside those of
    the rows. Groups and depth are outermost, since nothing is shared between their steps.
    """
    places = _places(problem)
    top, fan = machine.n_levels - 1, machine.fanout_level
    around = [(d, place) for place in range(N_PLACES) for d in places if place in places[d]]
    loops: list[tuple[int, int, str, int, int | None]] = [(d, top, "", 3, None) for d in (G, Z)]
    loops += [(d, top, "", 3, place) for d, place in around]
    if buffer is not None:
        loops += [(d, buffer, "", 2, place) for d, place in around]
    loops += [(d, level, "", 1, None) for d in flow.inner]
    loops += [(d, fan, "rows", 0, None) for d in flow.rows if d not in flow.cols]
    loops += [(d, fan, "cols", 0, None) for d in flow.cols]
    unrolls = flow.unrolls(problem, machine)
    choices = {}
    for d in sorted({d for d, *_ in loops}):
        found = np.array(
            _choices(problem.extents[d], d, unrolls.get(d, (1,)), places.get(d, ()), buffer is not None)
        )
        own = [(part, place) for e, _, _, part, place in loops if e == d]
        choices[d] = np.array(
            [np.where((place is None) | (found[:, 4] == place), found[:, part], 1) for part, place in own],
            np.int64,
        )
    dims, levels, axis, _, _ = zip(*loops, strict=True)
    return Grid(dims, levels, axis, keep, choices)


def _places(problem: Problem) -> dict[int, tuple[int, ...]]:
    """Places of the tiled dimensions; output columns stand for rows where there is one row only."""
    along = P if problem.extents[P] > 1 else Q
    fewest = sorted((K, C, along), key=lambda d: len(ladder(problem.extents[d])))
    rank = {d: i for i, d in enumerate(fewest)}
    return {d: PLACES[rank[along if d == N else d]] for d in (K, C, N, along)}


def _choices(
    extent: int, d: int, unrolls: tuple[int, ...], places: tuple[int, ...], nested: bool
) -> list[Choice]:
    """All choices of a dimension; where no loop repeats around a buffer its place makes no difference."""
    found: list[Choice] = []
    for spatial in unrolls:
        folds = -(-extent // spatial)
        if not places:
            found.append((spatial, 1, 1, folds, NOWHERE) if d in (G, Z) else (spatial, folds, 1, 1, NOWHERE))
            continue
        for outer in ladder(folds):
            # sums must not leave the inner buffer between channels of one tile
            for inner in ladder(int(outer)) if nested and d != C else (outer,):
                middle = -(-int(outer) // int(inner))
                rest = -(-folds // (int(inner) * middle))
                some = places if rest > 1 or middle > 1 else places[:1]
                found += [(spatial, int(inner), middle, rest, place) for place in some]
    return found
