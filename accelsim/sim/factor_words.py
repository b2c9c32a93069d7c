"""Words of inputs and weights that move in each tile step: fetched into each level, read by multipliers.

On each step a level fetches what its new tile has and the tile that it holds has not (`docs/semantics.md`):
the product over dimensions and input axes of what the new tile has, less the product of what both have.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from math import prod

import numpy as np
from numpy.typing import NDArray

from accelsim.mapping.touched import Axis
from accelsim.sim.loops import Bases, Ints, Loops, below, covered
from accelsim.sim.window_words import Window
from accelsim.tables.dims import INPUT_SIMPLE, WINDOWS, I, P, R
from accelsim.tables.machine import Machine

Bools = NDArray[np.bool_]
Edge = tuple[bool, bool, bool]
"""How an input's edge is counted: padding stored, box fetched, of a padded box the words that exist."""


@dataclass(frozen=True)
class Fetch:
    """What the rows bring into one level."""

    begins: Bools  # [n] the tile is another one
    fills: Ints  # [n] words written into the level, all its instances together
    reads: Ints  # [n] words that their parent reads for it


class Factor:
    """Operand I or W under one mapping: the boundaries between the levels that keep it."""

    def __init__(self, loops: Loops, operand: int, machine: Machine) -> None:
        self.loops, self.operand, self.machine = loops, operand, machine
        self.kept = loops.nest.kept_levels(operand)
        self.relevant = loops.relevant[operand]
        self.multicast = bool(machine.multicast[operand])
        moving = loops.n_time(self.kept[0])
        self.n_time = loops.last_moving(self.relevant, moving) if len(self.kept) > 1 else 0

    @property
    def boundaries(self) -> tuple[tuple[int, int], ...]:
        """(child, parent), from the innermost outwards."""
        return tuple(pairwise(self.kept))

    def moves_inside(self, child: int, n_grain: int) -> bool:
        """Whether the child's tile changes within a tile step."""
        return self.loops.last_moving(self.relevant, self.loops.n_time(child)) > n_grain

    def fetch(self, child: int, parent: int, now: Bases, before: Bases, first: Bools) -> Fetch:
        """What moves over one boundary, given where each row and the one before it stand."""
        loops = self.loops
        here, there = {}, {}
        begins = first.copy()
        for d in loops.dims:
            if d in self.relevant:
                block = loops.block(d, child)
                here[d], there[d] = now[d] // block * block, before[d] // block * block
                begins |= here[d] != there[d]
        at = np.flatnonzero(begins)
        here = {d: base[at] for d, base in here.items()}
        there = {d: np.where(first[at], -1, base[at]) for d, base in there.items()}
        fills, reads = np.zeros((2, len(first)), np.int64)
        edge, sent, union = self._edges(child, parent)
        fills[at] = self._new_words(child, edge, None, here, there, first[at])
        same = sent == edge and union is None
        reads[at] = fills[at] if same else self._new_words(child, sent, union, here, there, first[at])
        idle = [d for d in loops.dims if d not in self.relevant]
        senders = parent if self.multicast else child
        return Fetch(
            begins,
            fills * prod(loops.ever_used(d, child) for d in idle),
            reads * prod(loops.ever_used(d, senders) for d in idle),
        )

    def _edges(self, child: int, parent: int) -> tuple[Edge, Edge, int | None]:
        """How the words that arrive and those that are sent count an input's edge, and who shares a read."""
        if self.operand != I:
            return (False, False, False), (False, False, False), None
        padded, box = bool(self.machine.padding_stored[child]), bool(self.machine.fetch_box[child])
        edge = sent = (padded, box, False)
        if padded and not self.machine.padding_stored[parent]:
            sent = (box, box, box)  # a parent that stores no padding sends none
        return edge, sent, parent if self.machine.diagonal else None

    def _new_words(
        self, child: int, edge: Edge, union: int | None, here: Bases, there: Bases, first: Bools
    ) -> Ints:
        loops = self.loops
        touched = np.ones(len(first), np.int64)
        shared = np.where(first, 0, 1)
        for d in INPUT_SIMPLE if self.operand == I else self.relevant:
            if d in here:
                words = covered(here[d], loops.block(d, child), loops.instances(d, child), loops.extents[d])
                touched = touched * words
                shared = shared * np.where(here[d] == there[d], words, 0)
        if self.operand == I:
            zero, nowhere = np.zeros(len(first), np.int64), np.where(first, -1, 0)
            for number, (p, r) in enumerate(WINDOWS):
                window = self._window(number, child, edge, union)
                now = here.get(p, zero), here.get(r, zero)
                words, both = window.words(now, (there.get(p, nowhere), there.get(r, nowhere)))
                touched, shared = touched * words, shared * both
        return touched - shared

    def _window(self, number: int, child: int, edge: Edge, union: int | None) -> Window:
        loops, (p, r) = self.loops, WINDOWS[number]
        axis = Axis(*loops.problem.windows[number], *edge)
        extents, blocks = (loops.extents[p], loops.extents[r]), (loops.block(p, child), loops.block(r, child))
        if union is None or (p, r) != (P, R):
            return Window(axis, extents, blocks, loops.instances(p, child), loops.instances(r, child))
        served = loops.instances(p, child, union), loops.instances(r, child, union)
        return Window(axis, extents, blocks, loops.instances(p, union), loops.instances(r, union), served)

    def mac_reads(self, bases: Bases, n_time: int, n: int) -> Ints:
        """Reads of the innermost level by the multipliers in each row: one for each that takes a word."""
        loops, level = self.loops, self.kept[0]
        reads = np.ones(n, np.int64)
        in_windows = {d for pair in WINDOWS for d in pair} if self.operand == I else set()
        for d in loops.dims:
            if d in in_windows:
                continue
            own = d in self.relevant
            spread = loops.instances(d, level if self.multicast and not own else -1)
            reads = reads * below(bases[d], loops.positions(d, n_time, spread), loops.extents[d])
        if self.operand == I:
            for number in range(len(WINDOWS)):
                reads = reads * self._window_macs(number, bases, n_time, n)
        return reads

    def _window_macs(self, number: int, bases: Bases, n_time: int, n: int) -> Ints:
        """Multiply-accumulates along one axis, those on padding left out unless the level stores it."""
        loops, pair = self.loops, WINDOWS[number]
        stride, dilation, pad, size = loops.problem.windows[number]
        extents = [loops.extents[d] for d in pair]
        offsets = [loops.positions(d, n_time, loops.instances(d, -1)) for d in pair]
        base = [bases.get(d, np.zeros(n, np.int64)) for d in pair]
        reach = (extents[0] - 1) * stride + (extents[1] - 1) * dilation
        if bool(self.machine.padding_stored[self.kept[0]]) or (pad == 0 and reach < size):
            return below(base[0], offsets[0], extents[0]) * below(base[1], offsets[1], extents[1])
        key, where = np.unique(base[0] * extents[1] + base[1], return_inverse=True)
        counts = np.empty(len(key), np.int64)
        for i, both in enumerate(key):
            p = both // extents[1] + offsets[0]
            r = both % extents[1] + offsets[1]
            h = p[p < extents[0], None] * stride + r[r < extents[1]] * dilation - pad
            counts[i] = np.count_nonzero((h >= 0) & (h < size))
        return counts[where]
