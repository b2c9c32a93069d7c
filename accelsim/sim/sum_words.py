"""Words of partial sums that move in each tile step: updates, drains and returns of O.

A tile of sums *visits* a level until another one takes its place. It drains when it leaves: a read there, an
update of the parent. If the parent has sums for it when it begins, they return: to one member of each group
that is added on the way. What is fresh starts at zero, without a read (`docs/semantics.md`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from accelsim.sim.loops import Bases, Ints, Loops, below, covered
from accelsim.tables.dims import OUTPUT_DIMS, O
from accelsim.tables.machine import Machine

Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Visits:
    """What the rows move over the boundary of one level; `finished` words are sums that are complete."""

    begins: Bools  # [n]
    drains: Ints  # [n] words read there of the tile that was there before
    updates: Ints  # [n] words written into the parent for it
    finished: Ints  # [n] of the updates, complete sums
    returns: Ints  # [n] words that come back with the new tile


@dataclass
class Carry:
    """Where a level stood at the end of the rows looked at last: its visit's beginning."""

    sums: Bases = field(default_factory=dict)  # [1] positions along the reductions
    returned: Ints = field(default_factory=lambda: np.zeros(1, np.int64))  # members that got sums back
    drains: Ints = field(default_factory=lambda: np.zeros(1, np.int64))
    updates: Ints = field(default_factory=lambda: np.zeros(1, np.int64))
    words: Ints = field(default_factory=lambda: np.zeros(1, np.int64))  # of the tile in one group


class Sums:
    """Operand O under one mapping. Rows are looked at in order: a visit may span several calls."""

    def __init__(self, loops: Loops, machine: Machine) -> None:
        self.loops, self.machine = loops, machine
        self.kept = loops.nest.kept_levels(O)
        self.outputs = [d for d in loops.dims if d in OUTPUT_DIMS]
        self.reductions = [d for d in loops.dims if d not in OUTPUT_DIMS]
        moving = loops.n_time(self.kept[0])
        self.n_time = loops.last_moving(OUTPUT_DIMS, moving) if len(self.kept) > 1 else 0
        self.carried = {level: Carry() for level in self.kept}

    @property
    def boundaries(self) -> tuple[tuple[int, int], ...]:
        return tuple(pairwise(self.kept))

    def moves_inside(self, child: int, n_grain: int) -> bool:
        return self.loops.last_moving(OUTPUT_DIMS, self.loops.n_time(child)) > n_grain

    def visits(self, now: Bases, before: Bases, first: Bools, n_time: int) -> tuple[dict[int, Visits], Ints]:
        """What the rows move over each boundary (by its child), and members with sums at the innermost level.

        The latter are those whose first update in a row finds a sum to read, [n].
        """
        found: dict[int, Visits] = {}
        n = len(first)
        start = {d: np.zeros(n, np.int64) for d in self.reductions}  # at home: all from the beginning
        returned = np.zeros(n, np.int64)
        for child, parent in reversed(self.boundaries):
            n_seen = min(n_time, self.loops.n_time(child))
            found[child], start, returned = self._level(
                (child, parent, n_seen), now, before, first, start, returned
            )
        rows = {d: now[d] for d in self.reductions}
        return found, self._with_sums(self.kept[0], rows, start, returned)

    def _level(
        self,
        boundary: tuple[int, int, int],
        now: Bases,
        before: Bases,
        first: Bools,
        start: Bases,
        returned: Ints,
    ) -> tuple[Visits, Bases, Ints]:
        """One boundary; takes `start` and `returned` of the parent's visit and gives those of the child's."""
        child, parent, n_time = boundary
        loops, carry = self.loops, self.carried[child]
        here = {d: now[d] // loops.block(d, child) * loops.block(d, child) for d in loops.dims}
        begins = first.copy()
        for d in self.outputs:
            begins |= here[d] != before[d] // loops.block(d, child) * loops.block(d, child)
        tile = np.ones(len(first), np.int64)
        for d in self.outputs:
            words = covered(here[d], loops.block(d, child), loops.instances(d, child), loops.extents[d])
            tile = tile * words
        back = self._with_sums(parent, here, start, returned)
        drains = tile * self._working(here, child)
        updates = tile * self._working(here, parent) if self.machine.reduce else drains

        visit = np.where(begins, np.arange(1, len(first) + 1), 0)
        visit = np.maximum.accumulate(visit)  # [n] of the row where its visit began; 0: in an earlier call
        held = np.concatenate([[0], visit[:-1]])  # that of the row before
        ended = np.ones(len(first), np.bool_)  # whether the tile that leaves will not come back
        for d in self.reductions:
            block = loops.block(d, child)
            ended &= before[d] // block * block == loops.last_base(d, n_time)
        was = {
            d: np.concatenate([carry.sums.get(d, np.zeros(1, np.int64)), here[d]]) for d in self.reductions
        }
        left = {
            name: np.concatenate([getattr(carry, name), value])
            for name, value in (("drains", drains), ("updates", updates), ("words", tile), ("returned", back))
        }
        leaves = begins & ~first
        visits = Visits(
            begins,
            np.where(leaves, left["drains"][held], 0),
            np.where(leaves, left["updates"][held], 0),
            np.where(leaves & ended, left["words"][held], 0),
            np.where(begins, tile * back, 0),
        )
        self.carried[child] = Carry(
            {d: base[visit[-1:]] for d, base in was.items()},
            **{name: value[visit[-1:]] for name, value in left.items()},
        )
        return visits, {d: base[visit] for d, base in was.items()}, left["returned"][visit]

    def last_drains(self) -> dict[int, tuple[int, int, int]]:
        """(drains, updates, finished) of each level when all tiles leave for home at the end."""
        last = {level: self.carried[level] for level, _ in self.boundaries}
        return {k: (int(c.drains[0]), int(c.updates[0]), int(c.words[0])) for k, c in last.items()}

    def _with_sums(self, parent: int, here: Bases, start: Bases, returned: Ints) -> Ints:
        """Members that find sums in the parent: of an earlier visit, or those that it got back itself."""
        begun = np.ones(len(returned), np.bool_)
        for d in self.reductions:
            begun &= here[d] == start[d]
        return np.where(begun, returned, self._working(here, parent))

    def _working(self, here: Bases, level: int) -> Ints:
        """Instances along the reductions, on the fan-outs above a level, that have work."""
        loops, count = self.loops, np.ones((), np.int64)
        for d in self.reductions:
            count = count * below(here[d], np.sort(loops.instances(d, level)), loops.extents[d])
        return np.asarray(count, np.int64)

    def mac_updates(self, now: Bases, n_time: int, with_sums: Ints) -> tuple[Ints, Ints, Ints]:
        """At the innermost level in each row: updates, of them complete sums where it is home, and reads."""
        loops, level = self.loops, self.kept[0]
        words = np.ones(len(with_sums), np.int64)
        for d in self.outputs:
            words = words * below(
                now[d], loops.positions(d, n_time, loops.instances(d, -1)), loops.extents[d]
            )
        updates = words
        for d in self.reductions:
            spread = loops.instances(d, level if self.machine.reduce else -1)
            updates = updates * below(now[d], loops.positions(d, n_time, spread), loops.extents[d])
        finished = np.zeros(len(words), np.int64)
        if len(self.kept) == 1:
            last = [now[d] == loops.last_base(d, n_time) for d in self.reductions]
            finished = np.where(np.logical_and.reduce(last) if last else True, words, 0)
        fresh = words * (self._working(now, level) - with_sums)
        return updates, finished, updates - fresh
