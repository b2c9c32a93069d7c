"""Words that move between the levels, counted exactly for B mappings at once.

A level fetches what its new tile has and the tile that it holds has not. Summed over all steps,

    fetched = (words of all tiles, one after the other) - sum_j (words kept when loop j advances)

where only loops that are irrelevant to the operand, or that slide a window, can keep words. Both sums are
products over dimensions and input axes, ragged tiles and padding included: `digits` and `windows` give the
factors. For whole tiles this is `T + sum_j (n_j - 1) (prod of n_k outside j) (T - overlap)` of the design.
`docs/semantics.md` states the rules; `testing.loop_walk` counts the same words one by one.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from accelsim.cost.digits import FIRST, INNER, SPREAD, WALKED, Digit, ever_used, held_sum, tile_sum
from accelsim.cost.windows import WindowWalk, walk_window
from accelsim.mapping.touched import Axis
from accelsim.tables.dims import (
    DIMS,
    INPUT_SIMPLE,
    N_OPERANDS,
    OUTPUT_DIMS,
    WINDOWS,
    I,
    O,
    W,
    relevant_dims,
)
from accelsim.tables.nest import Nest, Problem

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Words = NDArray[np.int64] | NDArray[np.float64]
Edge = tuple[bool, bool, bool]
"""How an input's edge is counted: padding stored, box fetched, of a padded box the words that exist."""
Levels = Callable[[int], bool]
"""Which fan-outs are meant, by the level that they belong to."""


def _none(level: int) -> bool:
    return False


def _all(level: int) -> bool:
    return True


def _above(bottom: int) -> Levels:
    return lambda level: level > bottom


@dataclass(frozen=True)
class Links:
    """What the fan-outs can do, and how levels keep an input's edge (padding) and its gaps (box)."""

    multicast: Bools  # [T]
    reduce: bool
    diagonal: bool
    padding_stored: Bools  # [L]
    fetch_box: Bools  # [L]
    fanout_level: int  # innermost level outside the array


@dataclass(frozen=True)
class Traffic:
    """Accesses of every level, over all of its instances, and words on the links.

    `partial` are those of O's that carry unfinished sums (wider than a finished output).
    """

    reads: Words  # [L, T, B]
    writes: Words  # [L, T, B]
    partial_reads: Words  # [L, B]
    partial_writes: Words  # [L, B]
    delivered: Words  # [T, B] words that arrive in a PE from outside it or from its neighbours
    steps: Ints  # [B]


def count_traffic(problem: Problem, nest: Nest, links: Links) -> Traffic:
    """Reads and writes of every level and operand, in words; shapes as in `Traffic`."""
    return TrafficCounter(problem, nest.without_single_trips(), links).count()


class TrafficCounter:
    """One evaluation: the nest, and the sums over it that several operands and levels share."""

    def __init__(self, problem: Problem, nest: Nest, links: Links) -> None:
        self.problem, self.nest, self.links = problem, nest, links
        self.extents = problem.extents
        self.loops = {d: [j for j, dim in enumerate(nest.dims) if dim == d] for d in range(len(DIMS))}
        self.spread_loops = {d: [j for j in loops if nest.spatial[j]] for d, loops in self.loops.items()}
        self.looped = [d for d in self.loops if self.loops[d]]  # the others are 1: no factor of any product
        self.outputs = [d for d in self.looped if d in OUTPUT_DIMS]
        self.reductions = [d for d in self.looped if d not in OUTPUT_DIMS]
        self.perfect = {
            d: not loops or bool(np.all(np.prod(nest.trips[loops], axis=0) == self.extents[d]))
            for d, loops in self.loops.items()
        }
        n_levels, n_points = len(nest.keep), nest.n_points
        self.reads = np.zeros((n_levels, N_OPERANDS, n_points), np.int64)
        self.writes = np.zeros_like(self.reads)
        self.partial_reads = np.zeros((n_levels, n_points), np.int64)
        self.partial_writes = np.zeros_like(self.partial_reads)
        self.delivered = np.zeros((N_OPERANDS, n_points), np.int64)
        self.windows: dict[tuple[int, Axis, int, frozenset[int]], WindowWalk] = {}
        self._known: dict[tuple[Any, ...], Any] = {}

    def count(self) -> Traffic:
        for operand in (I, W):
            self._count_reads(operand)
        self._count_sums()
        steps = np.ones(self.nest.n_points, np.int64)
        for d in self.looped:
            steps = steps * self._positions(d, -1, len(self.nest.dims), spread=_none)
        return Traffic(
            self.reads, self.writes, self.partial_reads, self.partial_writes, self.delivered, steps
        )

    # --- inputs and weights

    def _count_reads(self, operand: int) -> None:
        kept = self.nest.kept_levels(operand)
        innermost = kept[0]
        per_mac = self._mac_reads(operand, innermost)
        self.reads[innermost, operand] += per_mac
        for child, parent in itertools.pairwise(kept):
            fills, reads = self._fetched_pair(operand, child, parent)
            relevant = self._relevant(operand)
            above = parent if self.links.multicast[operand] else child
            receivers = self._used(relevant, child)
            senders = self._used(relevant, above)
            self.writes[child, operand] += fills * receivers
            self.reads[parent, operand] += reads * senders
        inside = [level for level in kept if level < self.links.fanout_level]
        self.delivered[operand] = (
            self.writes[inside[-1], operand] if inside else self._macs(operand, innermost)
        )

    def _fetched_pair(self, operand: int, child: int, parent: int) -> tuple[Ints, Ints]:
        """Words that all children take in, and words that the parent sends, irrelevant loops aside."""
        if operand == W:
            words = self._fetched(W, child, (False, False, False), frozenset())
            return words, words
        padded = bool(self.links.padding_stored[child])
        box = bool(self.links.fetch_box[child])
        edge = (padded, box, False)
        fills = self._fetched(I, child, edge, frozenset())
        if padded and not self.links.padding_stored[parent]:
            edge = (box, box, box)
        union = self._diagonal_loops(child, parent)
        if edge == (padded, box, False) and not union:
            return fills, fills
        return fills, self._fetched(I, child, edge, union)

    def _fetched(self, operand: int, child: int, edge: Edge, union: frozenset[int]) -> Ints:
        """fetched = all tiles - sum over loops j of what stays when j advances (see the module)."""
        n_loops = len(self.nest.dims)
        simple, walks = self._axes(operand, child, edge, union)
        relevant = self._relevant(operand)
        irrelevant = [d for d in self.looped if d not in relevant]
        total = np.ones(self.nest.n_points, np.int64)
        for d in simple:
            total = total * self._tiles(d, child, n_loops)
        for walk in walks.values():
            total = total * walk.total(n_loops)
        for d in irrelevant:
            total = total * self._positions(d, child, n_loops, spread=_none)
        for j, d in enumerate(self.nest.dims):
            if self.nest.spatial[j] or self.nest.levels[j] <= child or d in simple:
                continue
            kept = np.ones(self.nest.n_points, np.int64)
            for e in simple:
                kept = kept * self._held(e, child, j)
            for e, walk in walks.items():
                kept = kept * walk.shared(j) if self._slides(e, child, j) else kept * walk.total(j)
            total = total - kept * self._advances(irrelevant, d, child, j, spread=_none)
        return total

    def _axes(
        self, operand: int, child: int, edge: Edge, union: frozenset[int]
    ) -> tuple[list[int], dict[int, WindowWalk]]:
        """The operand's simple dimensions, and the walks of its windows by the number of the axis."""
        if operand != I:
            return [d for d in self.looped if d in self._relevant(operand)], {}
        padded, box, real = edge
        simple, walks = list(INPUT_SIMPLE), {}
        for number, (p, r) in enumerate(WINDOWS):
            stride, dilation, pad, size = self.problem.windows[number]
            whole = pad == 0 and (self.extents[p] - 1) * stride < size
            if self.extents[r] == 1 and (whole or (padded and not real)) and (stride == 1 or not box):
                simple.append(p)
                continue
            axis = Axis(stride, dilation, pad, size, padded, box, real)
            key = (number, axis, child, union)
            if key not in self.windows:
                extents = (int(self.extents[p]), int(self.extents[r]))
                self.windows[key] = walk_window(self.nest, (p, r), extents, child, axis, union)
            walks[number] = self.windows[key]
        return [d for d in simple if self.loops[d]], walks

    def _slides(self, number: int, child: int, loop: int) -> bool:
        """Whether the axis moves when `loop` advances: it is its own, or one of its loops lies inside."""
        for d in WINDOWS[number]:
            for j in self.loops[d]:
                if self.nest.levels[j] > child and not self.nest.spatial[j] and j >= loop:
                    return True
        return False

    def _mac_reads(self, operand: int, level: int) -> Ints:
        """Reads of the innermost level that keeps the operand: one a MAC, multicasts shared."""
        relevant = self._relevant(operand)
        reads = np.full(self.nest.n_points, self._words_at_macs(operand, level), np.int64)
        for d in self.looped:
            if d not in relevant:
                shared = bool(self.links.multicast[operand])
                reads = reads * self._positions_from(d, level, shared)
        return reads

    def _words_at_macs(self, operand: int, level: int) -> int:
        """MACs along the operand's own dimensions, those on padding that is not stored left out."""
        count = 1
        relevant = self._relevant(operand)
        for d in relevant if operand == W else INPUT_SIMPLE:
            count *= int(self.extents[d])
        if operand == I:
            for number, (p, r) in enumerate(WINDOWS):
                stride, dilation, pad, size = self.problem.windows[number]
                h = np.arange(self.extents[p])[:, None] * stride + np.arange(self.extents[r]) * dilation - pad
                there = (h >= 0) & (h < size)
                count *= there.size if self.links.padding_stored[level] else int(np.count_nonzero(there))
        return count

    def _macs(self, operand: int, level: int) -> int:
        """Multiply-accumulates that take a word of the operand."""
        count = self._words_at_macs(operand, level)
        for d in range(len(DIMS)):
            if d not in self._relevant(operand):
                count *= int(self.extents[d])
        return count

    # --- outputs and partial sums

    def _count_sums(self) -> None:
        """Updates, drains and returns of O, from the home inwards: a word is fresh until its first update."""
        kept = self.nest.kept_levels(O)
        outputs = self.problem.n_output_words
        fresh = outputs * self._used(OUTPUT_DIMS, kept[-1])
        for child, parent in zip(kept[-2::-1], kept[:0:-1], strict=True):
            visits = self._visits(child, _all)
            spread_out = self._visits(child, _above(parent))
            updates = spread_out if self.links.reduce else visits
            returns = spread_out - fresh
            self.reads[child, O] += visits
            self.writes[parent, O] += updates
            self.reads[parent, O] += returns
            self.writes[child, O] += returns
            # the innermost memory holds all its sums at full width; further out a finished word has its own
            self.partial_reads[child] += visits - (outputs if child != kept[0] else 0)
            self.partial_writes[parent] += updates - outputs
            self.partial_reads[parent] += returns
            self.partial_writes[child] += returns
            fresh = visits - returns
            if child < self.links.fanout_level <= parent:
                self.delivered[O] = visits - updates
        innermost = kept[0]
        updates = np.full(self.nest.n_points, 1, np.int64)
        for d in self.looped:
            updates = updates * (
                self.extents[d] if d in OUTPUT_DIMS else self._positions_from(d, innermost, self.links.reduce)
            )
        self.writes[innermost, O] += updates
        self.reads[innermost, O] += updates - fresh
        home = len(kept) == 1
        self.partial_writes[innermost] += updates - (outputs if home else 0)
        self.partial_reads[innermost] += updates - fresh
        if innermost >= self.links.fanout_level:
            self.delivered[O] = self.problem.n_macs - updates

    def _visits(self, child: int, spread: Levels) -> Ints:
        """Words of all O tiles that instances with work hold one after the other."""
        n_loops = len(self.nest.dims)
        total = np.ones(self.nest.n_points, np.int64)
        for d in self.outputs:
            total = total * self._tiles(d, child, n_loops)
        for d in self.reductions:
            total = total * self._positions(d, child, n_loops, spread)
        for j, d in enumerate(self.nest.dims):
            if self.nest.spatial[j] or self.nest.levels[j] <= child or d in OUTPUT_DIMS:
                continue
            kept = np.ones(self.nest.n_points, np.int64)
            for e in self.outputs:
                kept = kept * self._held(e, child, j)
            total = total - kept * self._advances(self.reductions, d, child, j, spread)
        return total

    # --- factors of one dimension

    def _relevant(self, operand: int) -> tuple[int, ...]:
        return relevant_dims(operand, self.problem.weight_has_batch)

    def _digits(self, d: int, child: int, loop: int, spread: Levels) -> list[Digit]:
        """The digits of a dimension above a level: time is walked outside `loop`, stands at first inside."""
        digits = []
        for j in self.loops[d]:
            if self.nest.levels[j] <= child:
                continue
            if self.nest.spatial[j]:
                role = SPREAD if spread(self.nest.levels[j]) else FIRST
            else:
                role = WALKED if j < loop else INNER
            digits.append(Digit(self.nest.trips[j], self.nest.step[j], role))
        return digits

    def _tiles(self, d: int, child: int, loop: int) -> Ints:
        return self._factor("tiles", d, child, loop, _all)

    def _held(self, d: int, child: int, loop: int) -> Ints:
        return self._factor("held", d, child, loop, _all)

    def _positions(self, d: int, child: int, loop: int, spread: Levels) -> Ints:
        """Steps of a dimension's loops above a level, instances on the fan-outs of `spread` counted."""
        return self._factor("positions", d, child, loop, spread)

    def _factor(self, name: str, d: int, child: int, loop: int, spread: Levels) -> Ints:
        """A factor of one dimension, counted once: loops of others make no difference to it."""
        before = sum(j < loop for j in self.loops[d])
        key = (name, d, child, before, *(spread(self.nest.levels[j]) for j in self.spread_loops[d]))
        if key not in self._known:
            self._known[key] = self._counted(name, d, child, loop, spread)
        found: Ints = self._known[key]
        return found

    def _counted(self, name: str, d: int, child: int, loop: int, spread: Levels) -> Ints:
        digits = self._digits(d, child, loop, spread)
        if name == "positions":
            one = np.ones(self.nest.n_points, np.int64)
            return tile_sum(self.extents[d], digits, one, self.perfect[d]) if digits else one
        count = tile_sum if name == "tiles" else held_sum
        return count(self.extents[d], digits, self.nest.tile(d, child), self.perfect[d])

    def _positions_from(self, d: int, level: int, shared: bool) -> Ints:
        """Steps of all loops of a dimension; instances above `level` count, those below are shared or not."""
        return self._positions(d, -1, len(self.nest.dims), _above(level) if shared else _all)

    def _advances(self, irrelevant: list[int], d: int, child: int, loop: int, spread: Levels) -> Ints:
        """How often `loop` advances, over the irrelevant dimensions outside it."""
        count = np.ones(self.nest.n_points, np.int64)
        for e in irrelevant:
            outside = self._positions(e, child, loop, spread)
            count = count * (self._positions(e, child, loop + 1, spread) - outside if e == d else outside)
        return count

    def _used(self, relevant: tuple[int, ...], above: int) -> Ints:
        """Instances along the spatial loops of irrelevant dimensions, on the fan-outs above a level."""
        count = np.ones(self.nest.n_points, np.int64)
        for j, d in enumerate(self.nest.dims):
            if self.nest.spatial[j] and d not in relevant and self.nest.levels[j] > above:
                count = count * ever_used(self.extents[d], self.nest.trips[j], self.nest.step[j])
        return count

    def _diagonal_loops(self, child: int, parent: int) -> frozenset[int]:
        if not self.links.diagonal:
            return frozenset()
        p, r = WINDOWS[0]
        return frozenset(
            j
            for j, d in enumerate(self.nest.dims)
            if d in (p, r) and self.nest.spatial[j] and child < self.nest.levels[j] <= parent
        )
