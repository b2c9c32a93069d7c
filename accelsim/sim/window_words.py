"""Words of one input axis over the steps: what a tile touches, and what it shares with the one before it.

Each distinct pair (tile now, tile before) is counted once. Children of a diagonal link take the union of what
they need; it is counted on marks of the axis' words, one by one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from accelsim.mapping.touched import Axis, Tile, n_shared, n_touched
from accelsim.sim.loops import Ints

Bools = NDArray[np.bool_]

MAX_TILES = 2**19
"""Tiles (or marks) that are laid out at once."""


@dataclass(frozen=True)
class Window:
    """One input axis seen from a level: blocks of outputs and taps, and the instances along both."""

    axis: Axis
    extents: tuple[int, int]
    blocks: tuple[int, int]
    out_instances: Ints
    tap_instances: Ints
    union: tuple[Ints, Ints] | None = None
    """Instances (of outputs, of taps) that one read of the parent serves; the others come above them."""

    def words(self, now: tuple[Ints, Ints], before: tuple[Ints, Ints]) -> tuple[Ints, Ints]:
        """Words of the tiles now, and of those the words that the tiles before had; before < 0: none."""
        p, r = now
        spans = self.extents[0] + 1, self.extents[1] + 1
        key = ((p * spans[1] + r) * spans[0] + before[0] + 1) * spans[1] + before[1] + 1
        _, first, where = np.unique(key, return_index=True, return_inverse=True)
        new = [base[first] for base in now]
        old = [base[first] for base in before]
        count = self._separate if self.union is None else self._united
        touched, shared = np.empty((2, len(first)), np.int64)
        width = self._width()
        step = max(1, MAX_TILES // width)
        for start in range(0, len(first), step):
            part = slice(start, start + step)
            was = (np.maximum(base[part], 0) for base in old)
            touched[part], shared[part] = count(new[0][part], new[1][part], *was)
        shared[old[0] < 0] = 0
        return touched[where], shared[where]

    def _width(self) -> int:
        n = len(self.out_instances) * len(self.tap_instances)
        if self.union is None:
            return n * (1 if self.axis.has_runs else self.blocks[0] * self.blocks[1])
        return n * len(self.union[0]) * len(self.union[1]) * (self.blocks[0] * self.blocks[1] + self._reach())

    def _reach(self) -> int:
        """Words of the axis with its padding on both sides."""
        (n_p, n_r), axis = self.extents, self.axis
        return (n_p - 1) * axis.stride + (n_r - 1) * axis.dilation + 1

    def _tiles(self, p: Ints, r: Ints) -> Tile:  # [n, outputs' instances, taps' instances]
        at_p = p[:, None, None] + self.out_instances[:, None]
        at_r = r[:, None, None] + self.tap_instances
        length_p = np.clip(self.extents[0] - at_p, 0, self.blocks[0])
        length_r = np.clip(self.extents[1] - at_r, 0, self.blocks[1])
        return Tile(*np.broadcast_arrays(at_p, length_p, at_r, length_r))

    def _separate(self, p: Ints, r: Ints, p_old: Ints, r_old: Ints) -> tuple[Ints, Ints]:
        new, old = self._tiles(p, r), self._tiles(p_old, r_old)
        return (
            n_touched(new, self.axis).sum((1, 2)),
            n_shared(new, old, self.axis).sum((1, 2)),
        )

    def _united(self, p: Ints, r: Ints, p_old: Ints, r_old: Ints) -> tuple[Ints, Ints]:
        """With new and old tiles of instance i: |union of new|, less |union of (new without old)|."""
        assert self.union is not None
        every = np.zeros((len(p), len(self.out_instances), len(self.tap_instances), self._reach()), np.bool_)
        fresh = every.copy()
        for out in self.union[0]:
            for tap in self.union[1]:
                new = self._marks(self._tiles(p + out, r + tap))
                old = self._marks(self._tiles(p_old + out, r_old + tap))
                every |= new
                fresh |= new & ~old
        real = self._real()
        touched = (every & real).sum((1, 2, 3))
        return touched, touched - (fresh & real).sum((1, 2, 3))

    def _real(self) -> Bools:
        """The words that count at the end: of a padded box only those that exist, where the axis says so."""
        h = np.arange(self._reach()) - self.axis.pad
        return (h >= 0) & (h < self.axis.size) if self.axis.real else np.ones(len(h), np.bool_)

    def _marks(self, tile: Tile) -> Bools:
        """Which words each tile touches, from the first padded one on."""
        axis = self.axis
        i, k = np.arange(self.blocks[0]), np.arange(self.blocks[1])
        there = (i[:, None] < tile.pl[..., None, None]) & (k < tile.rl[..., None, None])
        h = (tile.p[..., None, None] + i[:, None]) * axis.stride
        h = h + (tile.r[..., None, None] + k) * axis.dilation
        if not axis.padded:
            there = there & (h >= axis.pad) & (h < axis.pad + axis.size)
        shape = (*tile.p.shape, self._reach())
        marks = np.zeros(shape, np.bool_)
        at = np.nonzero(there)
        marks[at[0], at[1], at[2], h[at]] = True
        if axis.box:
            after = np.maximum.accumulate(marks, axis=-1)
            until = np.maximum.accumulate(marks[..., ::-1], axis=-1)[..., ::-1]
            marks = after & until
        return marks
