"""Sums over the tiles of one input axis: output index and filter index together, overlaps, edges and all.

The axis is walked by the loops of two dimensions (rows: P and R). Mappings that walk it alike share a
signature; each signature's tile positions are laid out on a grid [S, NP, NR] and counted once.
"""

from __future__ import annotations

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

MANY_GROUPS = 2**24
"""Above it groups are renumbered without gaps: products with words and signatures must fit an int64."""

MAX_KNOWN = 2**14
_KNOWN: dict[tuple[object, ...], Ints] = {}
"""Words of single walks counted before, by all that they depend on."""


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
        return self._remembered("total", loop)[self.which]

    def shared(self, loop: int) -> Ints:  # [B]
        """Words that the tiles keep, over all steps at which `loop` advances and the inner ones return."""
        return self._remembered("shared", loop)[self.which]

    def _remembered(self, what: str, loop: int) -> Ints:  # [S]
        """The same walk comes again with every mapping that differs elsewhere only."""
        if len(self.p.tile) > 1:
            return self._counted(what, loop)
        own = (*self.p.loops, *self.r.loops)
        key = (what, sum(j < loop for j in own), loop in own, self._key)
        if key not in _KNOWN:
            if len(_KNOWN) == MAX_KNOWN:
                _KNOWN.clear()
            _KNOWN[key] = self._counted(what, loop)
        return _KNOWN[key]

    @cached_property
    def _key(self) -> tuple[object, ...]:
        """All that the words of one mapping depend on; loops by their order among the axis' own."""
        order = sorted((*self.p.loops, *self.r.loops))
        places = [tuple(order.index(j) for j in walk.loops) for walk in (self.p, self.r)]
        walks = [
            (walk.extent, int(walk.tile[0]), walk.spatial, walk.trips.tobytes(), walk.step.tobytes())
            for walk in (self.p, self.r)
        ]
        return (self.axis, *walks, *places, bool(self.union), *(j in self.union for j in order))

    def _counted(self, what: str, loop: int) -> Ints:  # [S]
        count = WindowWalk._total if what == "total" else WindowWalk._shared
        return np.concatenate([count(part, loop) for part in self._parts])

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
        at_p, at_r = self.p.at_first(loop), self.r.at_first(loop)
        p, r = np.flatnonzero(at_p.any(0)), np.flatnonzero(at_r.any(0))
        there = at_p[:, p, None] & at_r[:, None, r]
        tile = self._tile(self.p.position[:, p], self.r.position[:, r])
        if self.union:
            return self._union(there, tile, None, self._group(p, r))
        words: Ints = np.where(there, n_touched(tile, self.axis), 0).sum((1, 2), dtype=np.int64)
        return words

    def _shared(self, loop: int) -> Ints:  # [S]
        arrives_p, old_p = self.p.before(loop)
        arrives_r, old_r = self.r.before(loop)
        p, r = np.flatnonzero(arrives_p.any(0)), np.flatnonzero(arrives_r.any(0))
        there = arrives_p[:, p, None] & arrives_r[:, None, r]
        tile = self._tile(self.p.position[:, p], self.r.position[:, r])
        old = self._tile(old_p[:, p], old_r[:, r])
        if self.union:
            group = self._group(p, r)
            return self._union(there, tile, None, group) - self._union(there, tile, old, group)
        words: Ints = np.where(there, n_shared(tile, old, self.axis), 0).sum((1, 2), dtype=np.int64)
        return words

    def _tile(self, p: Ints, r: Ints) -> Tile:
        first_p, n_p = self.p.span(p)
        first_r, n_r = self.r.span(r)
        return Tile(first_p[:, :, None], n_p[:, :, None], first_r[:, None, :], n_r[:, None, :])

    def _union(self, there: Bools, tile: Tile, old: Tile | None, group: Ints) -> Ints:  # [S]
        """Distinct words that the instances of a diagonal link need in a step: all, or all but the old."""
        n_signatures = len(self.p.tile)
        signature = np.arange(n_signatures)[:, None, None]
        n_groups = int(group.max(initial=0)) + 1
        width = self.axis.size + 4 * self._reach
        base = ((signature * n_groups + group) * width + 2 * self._reach)[there][:, None]
        tile, old = _at(tile, there), _at(old, there) if old is not None else None
        distinct = np.zeros(0, np.int64)
        each = max(1, MAX_GRID // max(1, self._words_each(tile)))
        for first in range(0, len(base), each):
            some = slice(first, first + each)
            h, wanted = self._words(_at(tile, some), _at(old, some) if old is not None else None)
            distinct = np.unique(np.concatenate([distinct, (base[some] + h)[wanted]]))
        return np.bincount(distinct // (width * n_groups), minlength=n_signatures).astype(np.int64)

    def _words_each(self, tile: Tile) -> int:
        """Words of the largest tile, or of its box."""
        if not self.axis.box:
            return int(self.p.tile.max()) * int(self.r.tile.max())
        first, last = bounds(tile, self.axis)
        return int((last - first).max(initial=0)) + 1

    def _words(self, tile: Tile, old: Tile | None) -> tuple[Ints, Bools]:  # [M, words of a tile]
        """The words of M tiles, and where there is such a word that is not held."""
        axis = self.axis
        if axis.box:
            first, last = bounds(tile, axis)
            h = first + np.arange(self._words_each(tile))
            held = bounds(old, axis) if old is not None else (first, first - 1)
            empty = tile.empty | (old.empty if old is not None else False)
            kept = (h >= held[0]) & (h <= held[1]) & ~empty
            return h, (h <= last) & ~tile.empty & ~kept
        i, k = (n.ravel() for n in np.indices((int(self.p.tile.max()), int(self.r.tile.max()))))
        low, high = axis.limits
        h = (tile.p + i) * axis.stride + (tile.r + k) * axis.dilation - axis.pad
        needed = (i < tile.pl) & (k < tile.rl) & (h >= low) & (h <= high)
        if old is not None:
            one = Tile(tile.p + i, np.ones_like(tile.pl), tile.r + k, np.ones_like(tile.rl))
            needed = needed & (n_shared(one, old, axis) == 0)
        return h, needed

    @property
    def _reach(self) -> int:
        """A bound of |h| beyond the stored axis."""
        axis = self.axis
        return axis.pad + self.p.extent * axis.stride + self.r.extent * axis.dilation + axis.size

    def _group(self, p: Ints, r: Ints) -> Ints:  # [S, len(p), len(r)]
        """A number that instances behind the same diagonal link share at the same step."""
        number = np.zeros((len(self.p.tile), len(p), len(r)), np.int64)
        for walk, some, at in ((self.p, p, np.s_[:, :, None]), (self.r, r, np.s_[:, None, :])):
            for k, j in enumerate(walk.loops):
                if j not in self.union:
                    number = number * int(walk.trips[k].max()) + walk.digit[k][:, some][at]
                    if number.max(initial=0) >= MANY_GROUPS:  # most are not there: dozens of loops overflow
                        number = np.unique(number, return_inverse=True)[1].reshape(number.shape)
        return number


def _at(tile: Tile, some: Bools | slice) -> Tile:
    """Some of the tiles: [S, P, R] at a mask as [M, 1], or some of [M, 1]."""
    fields = np.broadcast_arrays(tile.p, tile.pl, tile.r, tile.rl)
    return Tile(*(np.ascontiguousarray(field[some]).reshape(-1, 1) for field in fields))


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
