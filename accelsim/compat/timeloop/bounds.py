"""What a mapping costs at least, before its tile or its orders are known.

The energy of a mapping is a sum over the steps of each tensor from one level that keeps it to the next:
`words x energy a word`, plus what the array alone decides. Let x be the innermost loop outside the array. For
a tensor that x moves, the array and x fix how often the array fetches (exactly, but for overlaps); a tensor
that x does not move is fetched at least once for each time that the memory's loops bring its tile again. So

    energy >= of_array(array, x) + of_tile(tile, order of the memory's loops; tensors that x moves)

and both sides are small tables: what is open is cut by their sum. No optimum is lost: each term is at most
what it stands for in every mapping that joins the two (tests/unit/test_timeloop_search.py holds it to that).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from accelsim.compat.timeloop.fetch import Loops, fetched, sides, slides
from accelsim.compat.timeloop.model import Bools, Floats, Ints, Tensor
from accelsim.compat.timeloop.orders import Order, moves
from accelsim.compat.timeloop.space import Arrays, Space


@dataclass(frozen=True)
class TileCost:
    """What tiles with one order of the memory's loops cost, in pJ."""

    between: Floats  # [N]
    """Between memory and buffer."""
    inside: Floats  # [T, N]
    """Of each tensor at the inner side, once for each time that the memory's loops bring its tile again."""
    lead: Floats  # [T, N]
    """How many of these times follow one another: one fetch for all, if no loop of the buffer moves the
    tensor.
    """


@dataclass(frozen=True)
class Bounds:
    """The two tables' entries for one space."""

    space: Space
    arrays: Arrays

    @cached_property
    def tensors(self) -> tuple[Tensor, ...]:
        return self.space.given.workload.tensors

    @cached_property
    def left(self) -> Ints:
        """Trips of each dim outside the array.  [D, K]"""
        left: Ints = self.space.extents[:, None] // self.arrays.extents
        return left

    @cached_property
    def instances(self) -> Ints:
        outer = np.cumprod(self.arrays.space.prod(axis=1)[::-1], axis=0)[::-1]
        return np.concatenate([outer[1:], np.ones_like(outer[:1])])  # [L, K]

    @cached_property
    def compute_cycles(self) -> Ints:
        """Steps of the multipliers; no mapping of an array is faster.  [K]"""
        n_macs = self.arrays.space.prod(axis=(0, 1))
        cycles: Ints = self.space.given.workload.n_computes // n_macs
        return cycles

    @cached_property
    def moving(self) -> list[list[int]]:
        """For each tensor the dims that move its tile."""
        dims = range(len(self.space.extents))
        return [[dim for dim in dims if moves(tensor, dim) >= 0] for tensor in self.tensors]

    def kept(self, t: int) -> list[int]:
        return [level for level in range(self.space.n_levels) if self.space.keep[level][t]]

    def word_pj(self, t: int) -> tuple[Floats, Floats]:
        """Energy of one word asked of each level, and of one that fills it.  [L] each"""
        levels = self.space.given.architecture.levels
        read = np.array([level.read_pj / level.block_words for level in levels])
        update = np.array([level.update_pj / level.block_words for level in levels])
        fill = np.array([level.write_pj / level.block_words for level in levels])
        return read + update if self.tensors[t].read_write else read, fill

    def stays(self, x: int) -> frozenset[int]:
        """Tensors that the array keeps, loop x does not move and no tile overlaps: the tile's table bounds
        them.
        """
        return frozenset(
            t
            for t, tensor in enumerate(self.tensors)
            if not slides(tensor) and moves(tensor, x) < 0 and self.kept(t)[0] < self.space.n_levels - 2
        )

    def links(self, x: int) -> Bools:
        """Arrays where links may tell orders of equal runs apart under x.  [K], boolean

        Where the level below keeps nothing, links count only if equal boxes are served unequally, which takes
        children that a loop in space repeats.
        """
        found = np.zeros(self.left.shape[1], bool)
        for t, tensor in enumerate(self.tensors):
            still = [dim for dim in range(len(self.left)) if moves(tensor, dim) < 0]
            for parent in range(self.space.n_levels - 1):
                kept = parent > 0 and self.space.keep[parent - 1][t]
                repeats = (self.arrays.space[parent, still] > 1).any(axis=0)
                found |= self._may_link(tensor, parent - 1, x)[1] & (repeats | kept | (parent == 0))
        return found

    # -- of the array -------------------------------------------------------------------------------------

    def of_array(self, x: int) -> Floats:
        """Least energy of every array where x stands innermost outside of it, in pJ.  [K]"""
        given = self.space.given
        levels = given.architecture.levels
        total = np.full(self.left.shape[1], given.workload.n_computes * given.architecture.compute_pj)
        for level, store in enumerate(levels):
            if any(self.space.keep[level]):
                total += store.leak_pj * self.compute_cycles * self.instances[level]
        stays = self.stays(x)
        for t in range(len(self.tensors)):
            asked_pj, fill_pj = self.word_pj(t)
            child = -1
            for level in self.kept(t):
                if child < self.space.n_levels - 2:
                    got, asked = self._least_words(t, child, level, x)
                    if level < self.space.n_levels - 2 or t not in stays:
                        total += asked * asked_pj[level] * self.instances[level]
                    if child >= 0:
                        total += got * fill_pj[child] * self.instances[child]
                child = level
            total -= self._first_reads(t)
        return total

    def _first_reads(self, t: int) -> Floats:
        """Energy of the reads and fills that the first update of each sum saves.  [K]"""
        saved = np.zeros(self.left.shape[1])
        given = self.space.given
        if not self.tensors[t].read_write or not given.elides_first_read:
            return saved
        kept = self.kept(t)
        size = sides(self.tensors[t], self.space.extents[:, None]).prod()
        still = [dim for dim in range(len(self.space.extents)) if moves(self.tensors[t], dim) < 0]
        copies = self.arrays.space[:, still].prod(axis=1)  # [L, K]
        for level in kept:
            store = given.architecture.levels[level]
            pj = store.read_pj + (store.write_pj if level != kept[-1] else 0.0)
            saved += pj / store.block_words * size * copies[level + 1 :].prod(axis=0)
        return saved

    def _least_words(self, t: int, child: int, parent: int, x: int) -> tuple[Floats, Floats]:
        """Least words that one instance of `child` gets, and that are asked of one of `parent`.  [K] each"""
        tensor = self.tensors[t]
        fetch = self._least_fetch(t, child, x)
        asked = fetch.copy()
        for level in range(child + 1, parent + 1):
            asked *= self._least_groups(tensor, level)
        shared = self._most_linked(tensor, child, x)
        return fetch / shared, asked / shared

    def _least_fetch(self, t: int, child: int, x: int) -> Floats:
        """Least words that one instance fetches in all, links aside."""
        tensor, arrays, last = self.tensors[t], self.arrays, self.space.n_levels - 2
        extents = (arrays.time * arrays.space)[: child + 1].prod(axis=0)
        tile = sides(tensor, extents).prod(axis=0).astype(np.float64)
        steps = (arrays.time[child + 1 :].prod(axis=(0, 1)) * self.left.prod(axis=0)).astype(np.float64)
        found, lead = np.zeros(steps.shape, bool), np.ones(steps.shape)
        for level in range(child + 1, last):
            for dim in self.space.inner_order(level):
                trips = arrays.time[level, dim]
                if moves(tensor, dim) >= 0:
                    found |= trips > 1
                else:
                    lead = np.where(found, lead, lead * trips)
        still = [dim for dim in range(len(self.left)) if moves(tensor, dim) < 0]
        if moves(tensor, x) < 0:
            lead = np.where(found, lead, lead * self.left[still].prod(axis=0))
        if child < 0:  # without a fan-out a multiplier asks for each word at each step
            lead = np.where(arrays.space[0].prod(axis=0) > 1, lead, 1.0)
        plain: Floats = tile * steps / lead
        if not slides(tensor):
            return plain
        return np.where(
            (child < 0) & (arrays.space[0].prod(axis=0) == 1),
            plain,
            self._least_slide(t, child, x, found, steps / lead),
        )

    def _least_slide(self, t: int, child: int, x: int, found: Bools, passes: Floats) -> Floats:
        """The same where tiles overlap: the least that a step fetches, half where a jump may be zero."""
        tensor, arrays = self.tensors[t], self.arrays
        extents = (arrays.time * arrays.space)[: child + 1].prod(axis=0)
        box = sides(tensor, extents)
        tile: Floats = box.prod(axis=0).astype(np.float64)
        table = tensor.coefficients(len(self.left))
        all_trips = arrays.time[child + 1 :].prod(axis=0) * self.left  # [D, K], at any level outside
        least = tile.copy()
        for dim in range(len(self.left)):
            if moves(tensor, dim) >= 0:
                # the least step of a dim is that of its innermost loop outside the child
                step = arrays.space[child + 1, dim] * extents[dim]
                fresh = tile - np.maximum(box - table[:, [dim]] * step, 0).prod(axis=0)
                least = np.where(all_trips[dim] > 1, np.minimum(least, fresh), least)
        half: Floats = passes * least / 2
        axis = moves(tensor, x)
        if axis < 0 or child >= self.space.n_levels - 2:
            return np.where(passes <= 1, tile, half)
        # x is the first that moves the tile, alone on its axis: no jump is zero
        fresh = tile - np.maximum(box - table[:, [x]] * self.arrays.extents[x], 0).prod(axis=0)
        plain: Floats = (tile + (self.left[x] - 1) * fresh) * passes / self.left[x]
        beside = [dim for dim, _ in tensor.ranks[axis] if dim != x]
        alone = ~found & (all_trips[beside] == 1).all(axis=0)
        return np.where(alone, plain, half)

    def _least_groups(self, tensor: Tensor, level: int) -> Floats:
        """Groups of equal boxes among the children: the product along the axes, the longer dim of a sum."""
        groups = np.ones(self.left.shape[1])
        for rank in tensor.ranks:
            trips = self.arrays.space[level, [dim for dim, _ in rank]]
            both = (trips > 1).all(axis=0) & (len(rank) > 1)
            groups = groups * np.where(both, 1, trips.prod(axis=0))
        return groups

    def _may_link(self, tensor: Tensor, child: int, x: int) -> tuple[Bools, Bools]:
        """Arrays whose neighbours may hand words over under x, and of them those where other axes matter.

        The innermost loop must move the tile, since a step that fetches nothing ends the chain. A move (a sum
        of multiples of the steps along each axis) must equal the distance of two neighbours: along the
        innermost loop's axis it is at least the least step there, or zero where another dim steps back by as
        much. So too along the other axes: where neither can be, whatever comes after a loop of theirs fetches
        whole tiles.  Boolean, [K] each.
        """
        none = np.zeros(self.left.shape[1], bool)
        if not slides(tensor) or child + 1 >= self.space.n_levels:
            return none, none
        inside = np.cumprod(self.arrays.time * self.arrays.space, axis=0)
        inside = np.concatenate([np.ones_like(inside[:1]), inside])  # [L + 1, D, K]
        parent = child + 1
        bare = (self.arrays.time[parent:-2] == 1).all(axis=(0, 1))  # x stands next to the child
        near, by_x, by_others = none.copy(), none.copy(), none.copy()
        for axis, rank in enumerate(tensor.ranks):
            if len(rank) == 1:
                continue
            apart, least = np.zeros(len(none), np.int64), np.zeros(len(none), np.int64)
            for dim, coefficient in rank:
                apart += (self.arrays.space[parent, dim] - 1) * coefficient * inside[parent, dim]
                for level in range(parent, self.space.n_levels - 1):
                    last = level == self.space.n_levels - 2
                    trips = self.left[dim] if last else self.arrays.time[level, dim]
                    step = coefficient * inside[level, dim] * self.arrays.space[level, dim]
                    least = np.where(trips > 1, np.gcd(least, step), least)
            close = (least > 0) & (least <= apart)
            near |= close
            both = (self.left[[dim for dim, _ in rank]] > 1).all(axis=0)
            if axis == moves(tensor, x):
                by_x = close | both
            else:
                by_others |= close | both
        may: Bools = near & (by_x | ~bare)
        return may, may & (by_others | ~bare)

    def _most_linked(self, tensor: Tensor, child: int, x: int) -> Floats:
        """By how much links may lower what is asked: of a row along the axis one child remains."""
        if not slides(tensor):
            return np.ones(self.left.shape[1])
        sliding = [dim for rank in tensor.ranks if len(rank) > 1 for dim, _ in rank]
        most = self.arrays.space[child + 1, sliding].prod(axis=0).astype(np.float64)
        return np.where(self._may_link(tensor, child, x)[0], most, 1.0)

    # -- of the tile --------------------------------------------------------------------------------------

    def of_tile(self, tile: Ints, order: Order) -> TileCost:
        """For tiles [D, N] whose memory loops of more than one trip are exactly those of `order`."""
        space, last = self.space, self.space.n_levels - 2
        outside = space.extents[:, None] // tile
        memory = Loops(
            np.array([order], np.int64).reshape(1, -1, 1),
            outside[list(order)][None],
            tile[list(order)][None],
            np.stack([tile, space.extents[:, None] * np.ones_like(tile)]),
        )
        between = np.zeros(tile.shape[1])
        inside, lead = (np.zeros((len(self.tensors), tile.shape[1])) for _ in range(2))
        for t, tensor in enumerate(self.tensors):
            asked_pj, fill_pj = self.word_pj(t)
            kept = self.kept(t)
            if last in kept:
                words = fetched(tensor, -1, memory, extrapolates=space.given.extrapolates)
                between += words * (asked_pj[last + 1] + fill_pj[last])
            lead[t] = 1
            for dim in order:
                if moves(tensor, dim) >= 0:
                    break
                lead[t] *= outside[dim]
            again = [dim for dim in range(len(tile)) if moves(tensor, dim) < 0]
            size = sides(tensor, space.extents[:, None]).prod()
            parent = last if last in kept else last + 1
            inside[t] = size * outside[again].prod(axis=0) * asked_pj[parent]
        return TileCost(between, inside, lead)
