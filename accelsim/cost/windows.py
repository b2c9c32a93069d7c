"""Sums over the tiles of one input axis: output index and filter index together, overlaps, edges and all.

The axis is walked by the loops of two dimensions (rows: P and R). Mappings that walk it alike share a
signature; each signature's tile positions are laid out on a grid [S, NP, NR] and counted once.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from accelsim.mapping.touched import Axis, Tile, bounds, n_shared, n_touched
from accelsim.tables.nest import Nest

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

MAX_GRID = 2**20
"""Tile positions that are laid out at once: memory stays below some 100 MB however long an axis is."""


@dataclass(frozen=True)
class Walk:
    """How one dimension is walked above a level, per signature: its digits and the tile below them."""

    extent: int
    loops: tuple[int, ...]  # [k] index of the loop in the nest
    spatial: tuple[bool, ...]  # [k]
    trips: Ints  # [k, S]
    step: Ints  # [k, S]
    tile: Ints  # [S]

    @cached_property
    def inner(self) -> Ints:  # [k, S]
        """Tiles that one step of digit k passes over."""
        inner = np.ones_like(self.trips)
        for k in range(len(self.loops) - 2, -1, -1):
            inner[k] = inner[k + 1] * self.trips[k + 1]
        return inner

    @property
    def n_positions(self) -> int:
        """Tiles of the longest walk of any signature."""
        return int(np.prod(self.trips, axis=0).max()) if self.loops else 1

    def take(self, part: slice) -> Walk:
        return replace(self, trips=self.trips[:, part], step=self.step[:, part], tile=self.tile[part])

    @cached_property
    def position(self) -> Ints:  # [S, n]
        """Tile numbers, the longest walk of any signature wide."""
        n = self.n_positions
        return np.broadcast_to(np.arange(n, dtype=np.int64), (len(self.tile), n))

    @cached_property
    def digit(self) -> Ints:  # [k, S, n]
        return (
            np.stack(
                [
                    self.position // self.inner[k][:, None] % self.trips[k][:, None]
                    for k in range(len(self.loops))
                ]
            )
            if self.loops
            else np.zeros((0, *self.position.shape), np.int64)
        )

    @cached_property
    def exists(self) -> Bools:  # [S, n]
        n = np.prod(self.trips, axis=0) if self.loops else np.ones_like(self.tile)
        return (self.position < n[:, None]) & (self.position * self.tile[:, None] < self.extent)

    def span(self, position: Ints) -> tuple[Ints, Ints]:
        """First index and number of indices of tiles, clipped at the extent."""
        first = position * self.tile[:, None]
        return first, np.clip(self.extent - first, 0, self.tile[:, None])

    def at_first(self, loop: int) -> Bools:  # [S, n]
        """Positions where every temporal digit from `loop` inwards stands at 0."""
        there = self.exists
        for k, j in enumerate(self.loops):
            if j >= loop and not self.spatial[k]:
                there = there & (self.digit[k] == 0)
        return there

    def before(self, loop: int) -> tuple[Bools, Ints]:
        """Where the axis arrives when loop `loop` advances, and the tile that it comes from there.

        Digits outside stay, the loop's own (if it walks this dimension) was one less, digits inside stood at
        their last index: in lock step, as the instance with all spatial indices 0 has it.
        """
        arrives = self.exists
        old = np.zeros_like(self.position)
        rest = np.full_like(self.position, self.extent)
        for k, j in enumerate(self.loops):
            step, inner = self.step[k][:, None], self.inner[k][:, None]
            index = self.digit[k]
            if self.spatial[k]:
                old = old + index * inner
                rest = np.minimum(rest, step)
                continue
            if j == loop:
                arrives = arrives & (index >= 1)
                index = index - 1
            elif j > loop:
                arrives = arrives & (index == 0)
                index = np.clip(-(-rest // step), 1, self.trips[k][:, None]) - 1
            old = old + index * inner
            rest = np.clip(rest - index * step, 0, step)
        return arrives, old


@dataclass(frozen=True)
class WindowWalk:
    """One input axis above one level, for all mappings of a nest."""

    axis: Axis
    p: Walk
    r: Walk
    which: Ints  # [B] signature of each mapping
    union: frozenset[int] = frozenset()
    """Spatial loops over whose instances a word is counted once (a diagonal link)."""

    def total(self, loop: int) -> Ints:  # [B]
        """Words of all tiles at which the temporal loops from `loop` inwards stand at 0."""
        return np.concatenate([part._total(loop) for part in self._parts])[self.which]

    def shared(self, loop: int) -> Ints:  # [B]
        """Words that the tiles keep, over all steps at which `loop` advances and the inner ones return."""
        return np.concatenate([part._shared(loop) for part in self._parts])[self.which]

    @cached_property
    def _parts(self) -> list[WindowWalk]:
        """The signatures in portions, so that no grid grows beyond MAX_GRID positions."""
        n_s = len(self.p.tile)
        one = self.p.n_positions * self.r.n_positions
        each = max(1, MAX_GRID // one)
        if each >= n_s:
            return [self]
        slices = [slice(first, first + each) for first in range(0, n_s, each)]
        return [replace(self, p=self.p.take(part), r=self.r.take(part)) for part in slices]

    def _total(self, loop: int) -> Ints:  # [S]
        there = self.p.at_first(loop)[:, :, None] & self.r.at_first(loop)[:, None, :]
        if self.union:
            return self._union(there, None)
        touched = n_touched(self._tile(self.p.position, self.r.position), self.axis)
        words: Ints = np.where(there, touched, 0).sum((1, 2), dtype=np.int64)
        return words

    def _shared(self, loop: int) -> Ints:  # [S]
        arrives_p, old_p = self.p.before(loop)
        arrives_r, old_r = self.r.before(loop)
        there = arrives_p[:, :, None] & arrives_r[:, None, :]
        old = self._tile(old_p, old_r)
        if self.union:
            return self._union(there, None) - self._union(there, old)
        kept = n_shared(self._tile(self.p.position, self.r.position), old, self.axis)
        words: Ints = np.where(there, kept, 0).sum((1, 2), dtype=np.int64)
        return words

    def _tile(self, p: Ints, r: Ints) -> Tile:
        first_p, n_p = self.p.span(p)
        first_r, n_r = self.r.span(r)
        return Tile(first_p[:, :, None], n_p[:, :, None], first_r[:, None, :], n_r[:, None, :])

    def _union(self, there: Bools, old: Tile | None) -> Ints:  # [S]
        """Distinct words that the instances of a diagonal link need in a step: all, or all but the old."""
        group = self._group()
        signature = np.arange(len(self.p.tile))[:, None, None]
        width = self.axis.size + 4 * self._reach
        base = (signature * (int(group.max()) + 1) + group) * width + 2 * self._reach
        tile = self._tile(self.p.position, self.r.position)
        needed = [(base + h)[there & wanted] for h, wanted in self._words(tile, old)]
        distinct = np.unique(np.concatenate(needed)) if needed else np.zeros(0, np.int64)
        per_signature = distinct // (width * (int(group.max()) + 1))
        return np.bincount(per_signature, minlength=len(self.p.tile)).astype(np.int64)

    def _words(self, tile: Tile, old: Tile | None) -> Iterator[tuple[Ints, Bools]]:
        """The words of every tile one after the other, and where there is such a word that is not held."""
        axis = self.axis
        if axis.box:
            first, last = bounds(tile, axis)
            held = bounds(old, axis) if old is not None else (first, first - 1)
            empty = tile.empty | (old.empty if old is not None else False)
            for i in range(int((last - first).max()) + 1):
                h = first + i
                kept = (h >= held[0]) & (h <= held[1]) & ~empty
                yield h, (h <= last) & ~tile.empty & ~kept
            return
        low, high = axis.limits
        for i in range(int(self.p.tile.max())):
            for k in range(int(self.r.tile.max())):
                h = (tile.p + i) * axis.stride + (tile.r + k) * axis.dilation - axis.pad
                needed = (i < tile.pl) & (k < tile.rl) & (h >= low) & (h <= high)
                if old is not None:
                    one = Tile(tile.p + i, np.ones_like(tile.pl), tile.r + k, np.ones_like(tile.rl))
                    needed = needed & (n_shared(one, old, axis) == 0)
                yield h, needed

    @property
    def _reach(self) -> int:
        """A bound of |h| beyond the stored axis."""
        axis = self.axis
        return axis.pad + self.p.extent * axis.stride + self.r.extent * axis.dilation + axis.size

    def _group(self) -> Ints:  # [S, NP, NR]
        """A number that instances behind the same diagonal link share at the same step."""
        number = np.zeros((*self.p.position.shape, self.r.position.shape[1]), np.int64)
        for walk, shape in (
            (self.p, (slice(None), slice(None), None)),
            (self.r, (slice(None), None, slice(None))),
        ):
            for k, j in enumerate(walk.loops):
                if j not in self.union:
                    number = number * int(walk.trips[k].max()) + walk.digit[k][shape]
        return number


def walk_window(
    nest: Nest,
    dims: tuple[int, int],
    extents: tuple[int, int],
    level: int,
    axis: Axis,
    union: frozenset[int] = frozenset(),
) -> WindowWalk:
    """The walk of one axis above a level; mappings with equal trips on it are one signature."""
    loops = [j for j, d in enumerate(nest.dims) if d in dims]
    which, chosen = signatures(nest.trips[loops])
    walks = []
    for dim, extent in zip(dims, extents, strict=True):
        above = tuple(j for j in loops if nest.dims[j] == dim and nest.levels[j] > level)
        walks.append(
            Walk(
                extent,
                above,
                tuple(nest.spatial[j] for j in above),
                nest.trips[list(above)][:, chosen],
                nest.step[list(above)][:, chosen],
                nest.tile(dim, level)[chosen],
            )
        )
    return WindowWalk(axis, walks[0], walks[1], which, union)


def signatures(trips: Ints) -> tuple[Ints, Ints]:
    """Numbers of the distinct columns of [J, B] trips: the column's number [B], one column of each [S]."""
    key = np.zeros(trips.shape[1], np.int64)
    for row in trips:
        width = int(row.max(initial=1)) + 1
        if int(key.max(initial=0)) > 2**62 // width:
            key = np.unique(key, return_inverse=True)[1].astype(np.int64)
        key = key * width + row
    _, chosen, which = np.unique(key, return_index=True, return_inverse=True)
    return which.astype(np.int64), chosen.astype(np.int64)
