"""Words of inputs that a level takes while the innermost loops that move its tile run."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from accelsim.mapper.general.space import Space
from accelsim.tables.dims import WINDOWS

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


class InputWords:
    """The factors of the three axes for one way of counting the edge."""

    def __init__(self, space: Space, padded: bool, box: bool, real: bool) -> None:
        self.space = space
        active = space.lattice.axis_of
        self.numbers = [k for k, pair in enumerate(WINDOWS) if any(d in active for d in pair)]
        self.constant = 1.0
        for k in range(len(WINDOWS)):
            if k not in self.numbers:
                self.constant *= float(space.axis(k, padded, box, real).all_tiles[0, 0])
        self.tables = {k: space.axis(k, padded, box, real) for k in self.numbers}

    def _digit(self, nodes: Ints, d: int) -> Ints:
        lattice = self.space.lattice
        if d not in lattice.axis_of:
            return np.zeros_like(nodes)
        return lattice.digit(nodes, lattice.axis_of[d])

    def words(
        self, tile: Sequence[Ints], now: Ints, block: Ints | None, dims: Sequence[int], gain: Floats | float
    ) -> tuple[Floats, Floats]:  # [B] each
        """Least and most words, the least over the dimension that moves first: one of `dims`.

        `tile` is the node of the tile for each axis, `now` that of the loops below (its step), `block` where
        the first loop ends (None: anywhere). `gain` is the part of the passes that may start beside the tile
        that is held.
        """
        rows = [self._rows(k, tile[k], now, block, dims, gain) for k in self.numbers]
        whole = np.full(now.shape, self.constant)
        for all_tiles, _ in rows:
            whole = whole * all_tiles
        least, most = whole, whole
        for k, (all_tiles, slides) in enumerate(rows):
            others = np.full(now.shape, self.constant)
            for j, (rest, _) in enumerate(rows):
                if j != k:
                    others = others * rest
            for low, high in slides:
                least = np.minimum(least, low * others)
                most = np.minimum(most, high * others)
        return least, most

    def _rows(
        self, k: int, tile: Ints, now: Ints, block: Ints | None, dims: Sequence[int], gain: Floats | float
    ) -> tuple[Floats, list[tuple[Floats, Floats]]]:
        """Words of all tiles of one axis; least and most words where one of its loops moves first."""
        pair, table = WINDOWS[k], self.tables[k]
        i, j = (self._digit(tile, d) for d in pair)
        step = [self._digit(now, d) for d in pair]
        slides = []
        for side, d in enumerate(pair):
            if d not in dims or d not in self.space.lattice.axis_of:
                continue
            other = pair[1 - side]
            extents = self.space.problem.extents
            remain = (self.space.sizes[other].values[step[1 - side]] < extents[other]).astype(np.int64)
            if block is None:
                least = table.any_block[side][remain, i, j, step[side]]
                slides.append((least, least))
            else:
                end = self._digit(block, d)
                slide = table.slide[side][i, j, step[side], end]
                slides.append((slide - gain * table.back[side][remain, i, j, step[side], end], slide))
        return table.all_tiles[i, j], slides
