"""Words of one input axis as tables over tile sizes: all tiles, and what sliding leaves to fetch.

A tile has x output and r filter indices. When the innermost loop that moves the input advances by v indices,
up to a block of y, each tile shares words with the one before; that is exact (`slide`). At the start of such
a pass the tile comes from some other place of the axis, which depends on the order of the loops outside;
`back` and `aside` are the most that it could share with it. So whatever that order is, the words fetched lie
between slide - back - aside and slide.

Passes differ at edges and padding. Where only a part of them can share, that part may be those that share
most: beside each sum over passes stands their number times the most of one.

Shapes: X, Y sizes of the two dimensions of the axis (outputs and filter); tables are in words, with a leading
axis for (sum, number times most).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from accelsim.mapper.general.lattice import Sizes
from accelsim.mapping.touched import Axis, Tile, n_shared, n_touched

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class AxisTables:
    """One axis for one way of counting its edge.

    Pairs are of loops along outputs and along the filter. `own` is the dimension of the loop, with sizes Z;
    `other` the other dimension of the axis, with sizes U.
    """

    all_tiles: Floats  # [2, X, Y]: words of all tiles, one after the other
    slide: tuple[Floats, Floats]  # [X, Y, Z, Z]: tile x, r; step v; block y
    back: tuple[Floats, Floats]  # [2, X, Y, Z, Z]: passes that begin where the other dimension stands still
    aside: tuple[Floats, Floats]  # [2, X, Y, Z, Z, U]: passes that begin as it moves by its step u
    near: tuple[Floats, Floats]  # [2, X, Y, Z]: the most that tiles some steps of own apart share
    both: Floats  # [2, X, Y, X, Y]: the same where they are apart along both, by steps of v and u
    any_block: tuple[Floats, Floats]  # [X, Y, Z, U]: least of slide - back - aside over all blocks


def axis_tables(sizes: tuple[Sizes, Sizes], axis: Axis, whole_tiles: bool) -> AxisTables:
    """Tables of an axis; `whole_tiles` says that sizes divide the extents (else any step may be the last)."""
    keys = [(s.extent, tuple(int(v) for v in s.values)) for s in sizes]
    return _tables(keys[0], keys[1], axis, whole_tiles)


Side = tuple[int, tuple[int, ...]]  # extent, sizes


@lru_cache(maxsize=256)
def _tables(outputs: Side, filters: Side, axis: Axis, whole_tiles: bool) -> AxisTables:
    n = len(outputs[1]), len(filters[1])
    words = np.zeros((2, *n))
    slide = [np.zeros((*n, n[k], n[k])) for k in range(2)]
    back = [np.zeros((2, *n, n[k], n[k])) for k in range(2)]
    aside = [np.zeros((2, *n, n[k], n[k], n[1 - k])) for k in range(2)]
    near = [np.zeros((2, *n, n[k])) for k in range(2)]
    both = np.zeros((2, *n, *n))
    for i, x in enumerate(outputs[1]):
        for j, r in enumerate(filters[1]):
            tiles = _Tiles(outputs, filters, x, r, axis)
            words[:, i, j] = _together(tiles.words)
            for k in range(2):
                slide[k][i, j] = words[0, i, j]
                if tiles.words.size > 1:
                    tables = slide[k][i, j], back[k][:, i, j], aside[k][:, i, j], near[k][:, i, j]
                    along = _fill(tiles, k, whole_tiles, tables)
                    if k == 0:
                        both[:, i, j] = along
    least = [((slide[k] - back[k][0])[..., None] - aside[k][0]).min(-2) for k in range(2)]
    pairs = [(table[0], table[1]) for table in (slide, back, aside, near, least)]
    return AxisTables(words, pairs[0], pairs[1], pairs[2], pairs[3], both, pairs[4])


class _Tiles:
    """All tiles of one size on an axis, and what they share with tiles elsewhere."""

    def __init__(self, outputs: Side, filters: Side, x: int, r: int, axis: Axis) -> None:
        self.sides, self.size, self.axis = (outputs, filters), (x, r), axis
        self.unit = axis.stride, axis.dilation
        p, f = np.arange(0, outputs[0], x)[:, None], np.arange(0, filters[0], r)[None, :]
        self.tile = Tile(p, np.minimum(x, outputs[0] - p), f, np.minimum(r, filters[0] - f))
        self.starts = p.ravel(), f.ravel()
        self.words = np.asarray(n_touched(self.tile, axis) * np.ones((p.size, f.size)), np.float64)
        self.span = (min(x, outputs[0]) - 1) * axis.stride + (min(r, filters[0]) - 1) * axis.dilation + 1
        self._none = np.zeros_like(self.words)
        self._shared = self._count()

    def _count(self) -> dict[tuple[int, int], Floats]:  # [starts, starts] each
        """Words in common with the tile some multiples of its size before, by start along each dimension."""
        shifts = [
            pair for r in [0, *self.steps(1, self.size[1])] for pair in self.close(0, self.size[0], [r])
        ]
        p, r = np.array(shifts, np.int64).reshape(-1, 2).T[:, :, None, None]
        one = np.zeros_like(p)  # every array with the shifts as its first axis
        tile = Tile(self.tile.p + one, self.tile.pl + one, self.tile.r + one, self.tile.rl + one)
        exists = np.ones((len(shifts), *self.words.shape), np.bool_)
        for shift, starts, (extent, _) in ((p, tile.p, self.sides[0]), (r, tile.r, self.sides[1])):
            exists &= (starts >= shift) & (starts - shift < extent)
        lengths = np.where(p == 0, tile.pl, self.size[0]), np.where(r == 0, tile.rl, self.size[1])
        old = Tile(tile.p - p, lengths[0], tile.r - r, lengths[1])
        words = np.where(exists, n_shared(tile, old, self.axis), 0.0)
        return dict(zip(shifts, words, strict=True))

    def shared(self, k: int, own: int, other: int = 0) -> Floats:  # [starts of k, starts of the other]
        """Words in common with the tile so many indices before, along dimension k and the other one."""
        found = self._shared.get((own, other) if k == 0 else (other, own))
        if found is None:
            found = self._none
        return found if k == 0 else found.T

    def steps(self, k: int, step: int) -> list[int]:
        """All shifts by multiples of a step inside dimension k."""
        ahead = range(step, self.sides[k][0], step)
        return [*ahead, *(-a for a in ahead)]

    def close(self, k: int, step: int, others: Sequence[int]) -> list[tuple[int, int]]:
        """Pairs of a shift by a multiple of a step along k and one of `others` that leave an overlap."""
        found = []
        unit, extent = self.unit[k] * step, self.sides[k][0]
        for b in others:
            middle = -b * self.unit[1 - k]
            first, last = -(-(middle - self.span) // unit), (middle + self.span) // unit
            found += [(a * step, b) for a in range(first, last + 1) if abs(a * step) < extent]
        return found

    def most_of(self, k: int, pairs: Iterable[tuple[int, int]]) -> Floats:
        """The most in common with any of the tiles so many indices before."""
        best = self._none if k == 0 else self._none.T
        for a, b in pairs:
            if (a or b) and ((a, b) if k == 0 else (b, a)) in self._shared:
                best = np.maximum(best, self.shared(k, a, b))
        return best


def _fill(tiles: _Tiles, k: int, whole_tiles: bool, tables: tuple[Floats, Floats, Floats, Floats]) -> Floats:
    """The tables of one tile along dimension k: slide, back, aside, near; returns `both` [2, Z, U]."""
    slide, back, aside, near = tables
    (extent, sizes), (other_extent, other_sizes) = tiles.sides[k], tiles.sides[1 - k]
    total, first = float(tiles.words.sum()), tiles.starts[k]
    both = np.zeros((2, len(sizes), len(other_sizes)))
    steps_aside = [u if u % tiles.size[1 - k] == 0 and u < other_extent else 0 for u in other_sizes]
    for j, v in enumerate(sizes):
        if v % tiles.size[k] or v >= extent:
            continue
        before = tiles.shared(k, v)
        anywhere = tiles.most_of(k, tiles.close(k, v, [0]))
        along = [
            tiles.most_of(k, tiles.close(k, v, tiles.steps(1 - k, u))) if u else None for u in steps_aside
        ]
        near[:, j] = _together(anywhere)
        for n, words in enumerate(along):
            both[:, j, n] = _together(words) if words is not None else 0.0
        for m, y in enumerate(sizes):
            if y % v or y == v:
                continue
            starts = first // v % (y // v) == 0
            ends = whole_tiles and y >= extent
            slide[j, m] = total - before[~starts].sum()
            gain = (tiles.shared(k, v - y) if ends else anywhere)[starts]
            if not whole_tiles:  # the last chunk of a loop may be shorter: tiles may come from anywhere
                gain = np.concatenate([gain, np.maximum(anywhere - before, 0)[~starts]])
            back[:, j, m] = _together(gain)
            for n, u in enumerate(steps_aside):
                if not u:
                    continue
                words = along[n]
                if whole_tiles and ends:
                    words = tiles.most_of(k, ((v - y, b) for b in tiles.steps(1 - k, u)))
                assert words is not None
                aside[:, j, m, n] = _together(words[starts] if whole_tiles else words)
    return both


def _together(words: Floats) -> tuple[float, float]:
    """Their sum, and their number times the most of one."""
    return float(words.sum()), float(words.size * words.max(initial=0.0))
