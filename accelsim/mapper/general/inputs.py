"""Words of inputs that a level takes while the innermost loops that move its tile run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from math import prod

import numpy as np
from numpy.typing import NDArray

from accelsim.mapper.general.space import Space
from accelsim.tables.dims import INPUT_SIMPLE, N_OPERANDS, WINDOWS, I

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class AxisWords:
    """One axis of B partial mappings. What is summed over passes has a leading axis: the sum, and the number
    of passes times the most of one (`windows`)."""

    all_tiles: Floats  # [2, B]
    near: Floats  # [2, B] the most that tiles share which this axis' loops have moved
    moves: Bools  # [B]
    slides: dict[int, tuple[Floats, Floats, Floats, Bools]]
    """By the dimension that moves first: words left [B]; the most that passes gain at their starts, the other
    dimension of the axis still, or moving [2, B] each; whether it has loops at this level [B]."""


@dataclass(frozen=True, eq=False)
class Gain:
    """The part of the passes of the first loop that may start beside the tile held, and at its very place.

    A pass that a loop of another axis begins finds the tile moved along that axis; only where a loop begins
    it that does not move the inputs, the other axes are where they were.
    """

    beside: Floats  # [B]
    same_place: Floats  # [B]
    beyond: Bools  # [B], passes that loops of levels further out begin may be among them

    def of(self, back: Floats, full: Floats, near: Floats) -> Floats:  # [B] of [2, B] each
        """The most words that passes keep at their starts, `full` or `near` words of the other axes each."""
        same = _part(self.same_place, back, full)
        beside = _part(self.beside - self.same_place, back, near)
        most: Floats = np.minimum(same + beside, back[0] * full[0])
        return most


def _part(part: Floats, own: Floats, others: Floats) -> Floats:  # [B] of [B], [2, B], [2, B]
    """The most that a part of the passes keeps: no more than all, nor than so many of the best one."""
    most: Floats = np.minimum(own[0] * others[0], part * own[1] * others[1])
    return most


@dataclass(frozen=True, eq=False)
class Position:
    """Where B partial mappings stand; what is counted there once serves all loops that may move first."""

    tile: Ints  # [B] node of the tile
    now: Ints  # [B] node of the loops below: their step
    block: Ints | None  # [B] node at which the level's loops end; None: anywhere
    start: Ints | None = None  # [B] node of the tiles of all instances on the array
    known: dict[tuple[int, int, bool], AxisWords] = field(default_factory=dict)


class InputWords:
    """The factors of the three axes for one way of counting the edge."""

    def __init__(self, space: Space, padded: bool, box: bool, real: bool) -> None:
        self.space, self.padded, self.box = space, padded, box
        self._least_at_nodes: dict[tuple[int | None, bool], Floats] = {}
        active = space.lattice.axis_of
        self.numbers = [k for k, pair in enumerate(WINDOWS) if any(d in active for d in pair)]
        self.constant = 1.0
        for k in range(len(WINDOWS)):
            if k not in self.numbers:
                self.constant *= float(space.axis(k, padded, box, real).all_tiles[0, 0, 0])
        self.tables = {k: space.axis(k, padded, box, real) for k in self.numbers}
        self._window_dims = tuple(d for pair in WINDOWS for d in pair if d in active)

    @cached_property
    def floor(self) -> float:
        """Words that are touched at all, times those of N, G and C: each is taken once at least."""
        end = self.space.lattice.cover[:1]
        words = float(self.space.words_outside[I][end][0])
        for k in range(len(WINDOWS)):  # boxes of small tiles leave the gaps between them out
            table = self.space.axis(k, self.padded and not self.box, False, False)
            p, r = (self._digit(end, d) for d in WINDOWS[k])
            words *= float(table.all_tiles[0, p, r][0])
        return words

    def _digit(self, nodes: Ints, d: int) -> Ints:
        lattice = self.space.lattice
        if d not in lattice.axis_of:
            return np.zeros_like(nodes)
        return lattice.digit(nodes, lattice.axis_of[d])

    def words(
        self, place: Position, dims: Sequence[int], gain: Gain | None, of_all: bool = False
    ) -> tuple[Floats, Floats]:  # [B] each
        """Least and most words, the least over the dimension that moves first: one of `dims`.

        Of the tile, or along the rows of all tiles on the array (`of_all`).
        """
        axes = [self._axis(k, place, of_all and k == 0) for k in self.numbers]
        least = most = self._all_tiles(axes)[0]
        for axis in axes:
            slides = [axis.slides[d] for d in axis.slides if d in dims]
            if not slides:
                continue
            rest = [other for other in axes if other is not axis]
            full = self._all_tiles(rest)
            near = self._beside(rest, np.where(gain.beyond, full, 0.0), full) if gain is not None else full
            for slide, back, aside, other_moves in slides:
                left = slide * full[0]
                most = np.minimum(most, left)
                if gain is not None:
                    moved = np.where(other_moves | gain.beyond, _part(gain.beside, aside, full), 0.0)
                    left = left - gain.of(back, full, near) - moved
                least = np.minimum(least, left)
        return least, most

    def all_tiles(self, place: Position, of_all: bool = False) -> Floats:  # [B]
        """Words where nothing stays."""
        words: Floats = self._all_tiles([self._axis(k, place, of_all and k == 0) for k in self.numbers])[0]
        return words

    def _all_tiles(self, axes: Sequence[AxisWords]) -> Floats:  # [2, B]
        product: Floats = prod([axis.all_tiles for axis in axes], start=np.full((2, 1), self.constant))
        return product

    def _at_nodes(self, moving: int | None, dims: Sequence[int], whole: bool) -> Floats:  # [M]
        """Least words where the tile is a node itself, and the class of an operand moves it (None: any loop),
        to any block or, with `whole`, to the end."""
        lattice = self.space.lattice
        alike = self._alike(whole)
        nodes, place = np.unique(alike, return_inverse=True)
        block, gain = None, None
        if whole:
            block = lattice.cover[nodes]
            gain = gain_of(self.space, I if moving is None else moving, nodes, block, True, False)
        words, _ = self.words(Position(nodes, nodes, block), dims, gain)
        return np.broadcast_to(words, nodes.shape)[place]

    def _alike(self, whole: bool) -> Ints:  # [M]
        """For every node one that counts the same: of dimensions beside the windows it matters at most, for
        gains up to the end, how often K's loops step, and whether there are loops of N, G or C."""
        lattice = self.space.lattice
        out = np.zeros(lattice.n_nodes, np.int64)
        for d, s, stride, digit in zip(
            lattice.dims, lattice.sizes, lattice.strides, lattice.index, strict=True
        ):
            if d in INPUT_SIMPLE and whole:
                covers = s.values >= s.extent
                digit = np.where(covers, covers.argmax(), 0)[digit]
            if whole or d in self._window_dims:
                out += stride * digit
        return out

    def least_at_nodes(self, moving: int | None, whole: bool) -> Floats:  # [M]
        """Least words of all steps outside, where a boundary closes at each node, whatever its tile was."""
        key = (moving, whole)
        if key not in self._least_at_nodes:
            space = self.space
            dims = self._window_dims if moving is None else space.classes[moving]
            found = self._at_nodes(moving, dims, whole)
            if moving is None or self.box:
                # the tile may have been smaller than the node where its own class ended; boxes of smaller
                # tiles may be fewer words
                found = space.lattice.least_of_divisors(found, self._window_dims)
            self._least_at_nodes[key] = np.maximum(found * space.words_outside[I], self.floor)
        return self._least_at_nodes[key]

    @cached_property
    def least_to_end(self) -> Floats:  # [M]
        """The same where the class of the inputs runs to the end from each node."""
        lattice = self.space.lattice
        found = lattice.least_of_divisors(self._at_nodes(None, self._window_dims, True), self._window_dims)
        return np.maximum(found * self.space.words_outside[I][lattice.cover], self.floor)

    def together(
        self, place: Position, dims: Sequence[int], gain: Gain | None
    ) -> tuple[Floats, Floats]:  # [B] each
        """Least and most words where a diagonal link sends once what several instances along the rows need.

        They need the rows of the block `start` together. Each holds its own tile only, so that a word is sent
        unless all that need it hold it: no fewer than are new to the block, nor than the block less all that
        the instances keep.
        """
        assert place.start is not None
        own, own_most = self.words(place, dims, gain)
        if self.box:  # the box around all would count words between them: each is needed by so many at most
            sizes = [
                self.space.lattice.size(nodes, d) for nodes in (place.tile, place.start) for d in WINDOWS[0]
            ]
            return own * (sizes[0] * sizes[1]) / (sizes[2] * sizes[3]), own_most
        least, most = self.words(place, dims, gain, of_all=True)
        least = np.maximum(least, self.all_tiles(place, of_all=True) - (self.all_tiles(place) - own))
        _, still = self.words(place, [d for d in dims if d not in WINDOWS[0]], gain, of_all=True)
        alone = np.ones(place.now.shape, np.bool_)
        for d in WINDOWS[0]:
            alone &= self._digit(place.start, d) == self._digit(place.tile, d)
        return least, np.where(alone, most, still)

    def _beside(self, axes: Sequence[AxisWords], otherwise: Floats, full: Floats) -> Floats:  # [2, B]
        """The most that tiles of these axes share with those that are a step away on one axis at least."""
        best, moves = np.zeros_like(full), np.zeros(full.shape, np.bool_)
        for axis in axes:
            with np.errstate(divide="ignore", invalid="ignore"):
                share = np.where(axis.all_tiles > 0, axis.near / axis.all_tiles, 0.0)
            best = np.where(axis.moves, np.maximum(best, full * share), best)
            moves |= axis.moves
        return np.where(moves, best, otherwise)

    def _near(
        self, k: int, tile: tuple[Ints, Ints], step: Sequence[Ints], ends: Sequence[Ints], moves: Bools
    ) -> Floats:  # [2, B]
        """The most that a tile shares with the one held when loops of this axis have moved it.

        Where both dimensions have loops at the level, those of the one further out move it only once for all
        trips of the other, and the other has gone back then. Which way shares most may differ from tile to
        tile: the sum is no more than that of all ways, nor than the most of one for every tile.
        """
        table, space = self.tables[k], self.space
        i, j = tile
        alone = [table.near[side][:, i, j, step[side]] for side in range(2)]
        both = table.both[:, i, j, step[0], step[1]]
        trips = [
            space.sizes[d].values[end] / space.sizes[d].values[start]
            for d, end, start in zip(WINDOWS[k], ends, step, strict=True)
        ]
        mixed = [
            (1 - 1 / trips[side]) * alone[side][1] + np.maximum(alone[1 - side][1], both[1]) / trips[side]
            for side in range(2)
        ]
        # where one of them has loops here, the other one may move further out
        several = moves.all(0)
        single = np.where(moves[0], alone[0], alone[1])
        most = np.maximum(both, np.where(several, np.maximum(*alone), single))[1]
        total = (np.where(several, alone[0] + alone[1], single) + both)[0]
        return np.array([np.minimum(total, np.where(several, np.maximum(*mixed), most)), most])

    def _axis(self, k: int, place: Position, of_all: bool) -> AxisWords:
        """The words of one axis: all tiles, and where one of its loops moves first."""
        key = (id(self), k, of_all)
        if key not in place.known:
            place.known[key] = self._counted(k, place, of_all)
        return place.known[key]

    def _counted(self, k: int, place: Position, of_all: bool) -> AxisWords:
        pair, table, space = WINDOWS[k], self.tables[k], self.space
        tile = place.start if of_all else place.tile
        assert tile is not None
        i, j = (self._digit(tile, d) for d in pair)
        step = [self._digit(place.now, d) for d in pair]
        own = [(side, d) for side, d in enumerate(pair) if d in space.lattice.axis_of]
        if place.block is None:
            zero, never = np.zeros((2, *place.now.shape)), np.zeros(place.now.shape, np.bool_)
            any_block = {d: table.any_block[side][i, j, step[side], step[1 - side]] for side, d in own}
            slides = {d: (least, zero, zero, never) for d, least in any_block.items()}
            return AxisWords(table.all_tiles[:, i, j], zero, never, slides)
        ends = [self._digit(place.block, d) for d in pair]
        moves = np.array([end != start for end, start in zip(ends, step, strict=True)])
        near = self._near(k, (i, j), step, ends, moves)
        slides = {}
        for side, d in own:
            at = (i, j, step[side], ends[side])
            aside = table.aside[side][:, i, j, step[side], ends[side], step[1 - side]]
            back = table.back[side][:, i, j, step[side], ends[side]]
            slides[d] = (table.slide[side][at], back, aside, moves[1 - side])
        return AxisWords(table.all_tiles[:, i, j], near, moves[0] | moves[1], slides)


def inputs_of(space: Space, padded: bool, box: bool, real: bool) -> InputWords:
    """The same for every boundary that counts the edge so."""
    key = (padded, box, real)
    if key not in space.input_words:
        space.input_words[key] = InputWords(space, padded, box, real)
    found = space.input_words[key]
    assert isinstance(found, InputWords)
    return found


def gain_of(space: Space, a: int, before: Ints, after: Ints, last: bool, whole_class: bool) -> Gain:
    """Where a level's loops go from one node to another, one of class a innermost, or all of that class.

    A pass that a loop of N, G or C begins, or one outside such a loop, finds nothing that it can use: where
    the level has such loops, no more than 1 - 1 / (trips of what may lie between) of the passes gain. (The
    first loop itself may be any of those: the trips of all but the shortest one bound the rest.) Loops of K
    outside it begin no more than 1 - 1 / (their trips) of the passes. Nothing lies outside the last level.
    """
    lattice = space.lattice
    inner = space.classes[a] if a < N_OPERANDS else ()
    shape = (2, *before.shape)  # of the loops in the class of a; of all of the level
    between, shortest, stops = np.ones(shape), np.full(shape, np.inf), np.zeros(shape, np.bool_)
    still = np.ones(before.shape)
    for d in lattice.dims:
        trips = lattice.size(after, d) / lattice.size(before, d)
        if a != I and d in space.classes[I]:
            still = still * trips
        for part in range(2):
            if part == 0 and (a == I or d not in inner or not whole_class):
                continue
            if part == 1 and a == I and d in inner:
                continue
            if d in INPUT_SIMPLE:
                stops[part] |= trips > 1
                continue
            between[part] *= trips
            if (a == I or d in inner) and any(d in pair for pair in WINDOWS):
                shortest[part] = np.where(trips > 1, np.minimum(shortest[part], trips), shortest[part])
    rest = between / np.where(np.isfinite(shortest), shortest, 1.0)
    part_of = 1 - 1 / rest
    ends = stops[0] | stops[1] | last
    beside = np.where(stops[0], part_of[0], np.where(ends, part_of[1], 1.0))
    same_place = np.where(stops[0], 0.0, np.minimum(beside, 1 - 1 / still))
    return Gain(beside, same_place, ~ends)
