"""Words of one input axis as tables over tile sizes: all tiles, and what sliding along a loop leaves to fetch.

A tile has x output and r filter indices. When the innermost loop that moves the input advances by v indices,
up to a block of y, each tile shares words with the one before; that is exact. At the start of such a pass the
tile comes from some other place of the axis: `back` is the most that it could share with it.
Whatever the order of the loops outside, the words fetched lie between `slide - back` and `slide`.

Shapes: X, Y sizes of the two dimensions of the axis (outputs and filter); tables are in words.
"""

from __future__ import annotations

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
    """One axis for one way of counting its edge. The second index of pairs is that of the filter's size."""

    all_tiles: Floats  # [X, Y]: words of all tiles, one after the other
    slide: tuple[Floats, Floats]
    """Along outputs [X, Y, X, X] and the filter [X, Y, Y, Y]: tile x, r; step v; block y."""
    back: tuple[Floats, Floats]
    """The same with a first index: whether loops of the axis' other dimension remain."""
    any_block: tuple[Floats, Floats]
    """The least of slide - back over all blocks, whatever comes later: [2, X, Y, X or Y]."""


def axis_tables(sizes: tuple[Sizes, Sizes], axis: Axis, whole_tiles: bool) -> AxisTables:
    """Tables of an axis; `whole_tiles` says that sizes divide the extents (else any step may be the last)."""
    return _tables(tuple(map(_key, sizes)), axis, whole_tiles)


def _key(sizes: Sizes) -> tuple[int, tuple[int, ...]]:
    return sizes.extent, tuple(int(v) for v in sizes.values)


@lru_cache(maxsize=256)
def _tables(keys: tuple[tuple[int, tuple[int, ...]], ...], axis: Axis, whole_tiles: bool) -> AxisTables:
    (p_extent, p_sizes), (r_extent, r_sizes) = keys
    n_p, n_r = len(p_sizes), len(r_sizes)
    words = np.zeros((n_p, n_r))
    slide = np.zeros((n_p, n_r, n_p, n_p)), np.zeros((n_p, n_r, n_r, n_r))
    back = np.zeros((2, n_p, n_r, n_p, n_p)), np.zeros((2, n_p, n_r, n_r, n_r))
    for i, x in enumerate(p_sizes):
        for k, r in enumerate(r_sizes):
            starts = np.arange(0, p_extent, x)[:, None], np.arange(0, r_extent, r)[None, :]
            tile = Tile(
                starts[0],
                np.minimum(x, p_extent - starts[0]),
                starts[1],
                np.minimum(r, r_extent - starts[1]),
            )
            touched = np.asarray(n_touched(tile, axis) * np.ones(np.broadcast(*starts).shape), np.float64)
            words[i, k] = touched.sum()
            slide[0][i, k], slide[1][i, k] = words[i, k], words[i, k]
            if touched.size == 1:
                continue
            for side, (sizes, extent, size) in enumerate(((p_sizes, p_extent, x), (r_sizes, r_extent, r))):
                found = _slides(tile, touched, axis, sizes, extent, size, side == 0, whole_tiles)
                slide[side][i, k], back[side][:, i, k] = found
    any_block = [(slide[side][None] - back[side]).min(-1) for side in range(2)]
    return AxisTables(words, slide, back, (any_block[0], any_block[1]))


def _slides(
    tile: Tile,
    touched: Floats,
    axis: Axis,
    sizes: tuple[int, ...],
    extent: int,
    size: int,
    outputs: bool,
    whole_tiles: bool,
) -> tuple[Floats, Floats]:  # [n, n], [2, n, n]
    """`slide` and `back` for each step v and block y of one tile, along outputs or the filter."""
    total = float(touched.sum())
    n = len(sizes)
    slide, back = np.full((n, n), total), np.zeros((2, n, n))
    along = 0 if outputs else 1
    first = (tile.p if outputs else tile.r).ravel()
    per_start = touched.sum(1 - along)  # [starts]

    def shared(shift: int) -> Floats:  # [starts]: words in common with the tile `shift` indices before
        p, r = (tile.p - shift, tile.r) if outputs else (tile.p, tile.r - shift)
        exists = (first >= shift) & (first - shift < extent)
        old = Tile(
            p,
            np.full_like(tile.pl, size) if outputs else tile.pl,
            r,
            tile.rl if outputs else np.full_like(tile.rl, size),
        )
        count = n_shared(tile, old, axis) * np.ones(touched.shape)
        words: Floats = np.asarray(count.sum(1 - along), np.float64)
        return np.where(exists, words, 0.0)

    unit = axis.stride if outputs else axis.dilation
    span = (int(tile.pl.max()) - 1) * axis.stride + (int(tile.rl.max()) - 1) * axis.dilation + 1
    for j, v in enumerate(sizes):
        if v % size or v >= extent:
            continue
        reach = range(v, min(extent, -(-span // unit) + v), v)
        before = shared(v)
        anywhere = np.max([np.maximum(shared(k), shared(-k)) for k in reach], axis=0, initial=0.0)
        if before.sum() == 0 and anywhere.sum() == 0:
            continue
        for m, y in enumerate(sizes):
            if y % v or y == v:
                continue
            starts = first // v % (y // v) == 0
            if whole_tiles and y >= extent:
                pass_start = shared(-(y - v))
            else:
                pass_start = anywhere
            slide[j, m] = total - before[~starts].sum()
            if not whole_tiles:  # the last chunk of a loop may be shorter: tiles may come from anywhere
                back[0, j, m] = np.maximum(anywhere - before, 0)[~starts].sum()
            back[1, j, m] = back[0, j, m] + per_start[starts].sum()
            back[0, j, m] += pass_start[starts].sum()
    return slide, back
