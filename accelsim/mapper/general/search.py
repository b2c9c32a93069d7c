"""The best mapping of a layer over everything that the architecture allows, by best-first branch and bound.

    what levels keep -> tiles inside the array -> loops on it -> tiles outside, level by level -> orders

Open work of every stage lies in one heap, ordered by the least that it can lead to; what can't beat the
mappings already known is cut. When the heap is empty, nothing better is left: the result is proven.
"""

from __future__ import annotations

import heapq
import itertools
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from accelsim.base.errors import InfeasibleError
from accelsim.base.errors import Problem as Message
from accelsim.mapper.found import Found, Point, SearchOptions
from accelsim.mapper.general.bound import Quick, bound, quick_bound
from accelsim.mapper.general.dominance import dominating
from accelsim.mapper.general.leaves import Leaves
from accelsim.mapper.general.partial import Partials, first, joined
from accelsim.mapper.general.place import Steps, steps_of
from accelsim.mapper.general.pool import Pool
from accelsim.mapper.general.price import least_of, price
from accelsim.mapper.general.roots import Roots, floor_of, roots_of
from accelsim.mapper.general.space import Space
from accelsim.mapper.general.variant import Variant
from accelsim.mapper.objective import objective
from accelsim.tables.certificate import Certificate
from accelsim.tables.machine import Machine
from accelsim.tables.nest import Problem

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

HEAD = 64
"""Partial mappings that are placed at once: enough for arrays to pay, few enough to go best first."""
WIDE = 256
"""The same where each leads to one partial mapping only, to be bounded: more take hardly longer."""
RAGGED_STEPS = 5000
"""Ragged tiles are bounded less tightly: what is open after so many steps is left, and the gap reported."""
DIVES = 4
"""How often a new `keep` is searched in depth for a mapping better than those known: most have none."""
NEXT = 16
"""How many works behind the most promising one are asked whether they can be looked into with it."""
FIRST_HEAD = 16
"""The same in depth: to find a good mapping soon."""


@dataclass(frozen=True, eq=False)
class Work:
    """Something open, with the least energy and cycles of each of its B parts, best first."""

    variant: Variant | Bools
    energy_pj: Floats  # [B]
    cycles: Floats  # [B]
    what: Partials | Roots | Steps | None
    counted: bool = False
    """Of complete mappings: one order of each is counted, others may be better."""

    @property
    def depth(self) -> int:
        """How much is placed: levels, and half a level more for steps that are known to be worth it."""
        if self.what is None or self.counted:
            return 0
        if isinstance(self.what, Steps):
            return 2 * self.what.parents.level + 1
        return 1 if isinstance(self.what, Roots) else 2 * self.what.level

    @property
    def kind(self) -> tuple[object, ...] | None:
        """Equal for works that can be looked into together; None where that doesn't pay."""
        if isinstance(self.what, Roots | Steps):
            return id(self.variant), False
        if self.what is None or self.what.level == len(self.what.tiles):
            return None
        return id(self.variant), True, self.what.level, self.what.opens

    def take(self, index: Ints | slice) -> Work:
        what = self.what.take(index) if self.what is not None else None
        return replace(self, energy_pj=self.energy_pj[index], cycles=self.cycles[index], what=what)


def search_all(
    problem: Problem,
    machine: Machine,
    homes: tuple[int, int, int],
    options: SearchOptions,
    known: Sequence[Point] = (),
) -> Found:
    """The best mappings over the whole space (docs/mapper.md), those already known among them.

    Raises InfeasibleError where nothing is legal: not even with nothing kept inside the outermost level.
    """
    return Search(problem, machine, homes, options, known).run()


class Search:
    """One search: the heap of open work, the pool of mappings, the counts of what was cut and why."""

    def __init__(
        self,
        problem: Problem,
        machine: Machine,
        homes: tuple[int, int, int],
        options: SearchOptions,
        known: Sequence[Point] = (),
    ) -> None:
        self.options = options
        self.space = Space(problem, machine, homes, options.ragged)
        self.pool = Pool(options)
        for point in known:
            self.pool.offer(point)
        self.leaves = Leaves(self.space, self.pool)
        self.heap: list[tuple[float, int, Work]] = []
        self.counter = itertools.count()
        self.n_steps = 0
        self.every = options.n_best > 1
        self.dives = 0
        """How often the roots of a new `keep` may still be asked for a mapping before better work is done."""
        self.pruned: Counter[str] = Counter()
        self.floor = np.inf
        self.cut_at = np.inf
        """The least objective of anything that was cut."""

    def run(self) -> Found:
        started = time.perf_counter()
        limit, complete = self.options.time_limit_s, True
        for keep in self.space.keeps():
            energy, cycles = floor_of(self.space, keep, self.pool)
            least = objective(self.options.objective, energy, cycles)
            self.floor = min(self.floor, float(least[0]))
            self.push(Work(keep, energy, cycles, None), "bypass")
        while self.heap:
            late = limit is not None and self.pool.points and time.perf_counter() - started > limit
            if late or (self.options.ragged and self.n_steps >= RAGGED_STEPS):
                self.cut_at = min(self.cut_at, *(rank for rank, _, _ in self.heap))
                complete = False
                break
            works = self.next()
            self.advance(works)
            self.n_steps += len(works)
        if not self.pool.points:
            raise InfeasibleError(Message(f"no mapping fits {self.space.machine.name}"))
        best = min(point.value for point in self.pool.points)
        certificate = Certificate(
            self.options.objective,
            self.space.title,
            best,
            min(
                best,
                max(self.floor, min(self.cut_at, self.leaves.left_at, best * (1 - self.options.gap_frac))),
            ),
            self.leaves.n_evaluated,
            dict(self.pruned),
            time.perf_counter() - started,
            complete and not np.isfinite(self.leaves.left_at),
        )
        return Found(tuple(self.pool.points), certificate)

    def next(self) -> list[Work]:
        """The most promising work, with what comes next to it and can be looked into together.

        For a new `keep` the deepest comes first, which soon leads to a mapping or to nothing. In what order
        things are looked into changes how much is cut, never what the optimum is.
        """
        if self.dives:
            deepest = max(self.heap, key=lambda entry: (entry[2].depth, -entry[0]))
            if deepest[2].depth == 1:
                self.dives -= bool(self.pool.points)
            if deepest[2].depth > 0:
                self.heap.remove(deepest)
                heapq.heapify(self.heap)
                return [self.head(deepest[2], FIRST_HEAD)]
        best = heapq.heappop(self.heap)[2]
        if best.kind is None:
            return [best]
        room, works, others = HEAD if isinstance(best.what, Partials) else WIDE, [], []
        nearby = [(0.0, 0, best), *(heapq.heappop(self.heap) for _ in range(min(NEXT, len(self.heap))))]
        for entry in nearby:
            if room and entry[2].kind == best.kind:
                works.append(self.head(entry[2], room))
                room -= len(works[-1].energy_pj)
            else:
                others.append(entry)
        for entry in others:
            heapq.heappush(self.heap, entry)
        return works

    def head(self, work: Work, n: int) -> Work:
        """The best n parts of some work; the rest goes back."""
        if len(work.energy_pj) <= n:
            return work
        self.push(work.take(slice(n, None)), "bound")
        return work.take(slice(n))

    def push(self, work: Work, rule: str) -> None:
        """Keep what is worth looking into, best first."""
        worth = self.pool.worth(work.energy_pj, work.cycles)
        rank = self.pool.rank(work.energy_pj, work.cycles)
        cut = ~worth & np.isfinite(rank)
        if cut.any():
            self.pruned[rule] += int(np.count_nonzero(cut))
            self.cut_at = min(self.cut_at, float(rank[cut].min()))
        index = np.flatnonzero(worth)
        if not len(index):
            return
        index = index[np.argsort(rank[index], kind="stable")]
        heapq.heappush(self.heap, (float(rank[index[0]]), next(self.counter), work.take(index)))

    def advance(self, works: list[Work]) -> None:
        """Look into open work, all of one kind, and put back what comes of it."""
        variant, what = works[0].variant, works[0].what
        if isinstance(variant, np.ndarray):
            if self.pool.worth(works[0].energy_pj, works[0].cycles)[0]:
                self.open_variant(Variant(self.space, variant))
            else:
                self.push(works[0], "bypass")
            return
        if not isinstance(what, Partials):
            placed = [work.what.partials(variant) for work in works if isinstance(work.what, Roots | Steps)]
            for partials in joined(placed):
                self.bounded(variant, partials)
        elif what.level == variant.n_levels:
            for work in works:
                self.complete(variant, what, work)
        else:
            (together,) = joined([work.what for work in works if isinstance(work.what, Partials)])
            if what.level == variant.n_levels - 1:
                steps = steps_of(variant, together, self.pruned, None, self.every)
                for partials in joined([s.partials(variant) for s in steps]):
                    self.bounded(variant, partials)
            else:
                self.quickly(variant, together)

    def complete(self, variant: Variant, leaves: Partials, work: Work) -> None:
        """Count complete mappings: one order of each, and the others when nothing is more promising."""
        if work.counted:
            self.leaves.count_others(variant, leaves, work.energy_pj, work.cycles)
        else:
            self.leaves.count(variant, leaves, work.energy_pj, work.cycles)
            self.push(replace(work, counted=True), "bound")
            self.dives = 0

    def bounded(self, variant: Variant, partials: Partials) -> None:
        """Put partial mappings back with all that is known of what they lead to."""
        ways = bound(variant, partials)
        energy, cycles = least_of(variant, ways, partials.m, partials.spread, self.pool)
        self.push(Work(variant, energy, cycles, partials), "bound")

    def quickly(self, variant: Variant, partials: Partials) -> None:
        """Put all steps from partial mappings back with a quick bound, those that lead nowhere left out."""
        quick = Quick(variant, partials)
        costs = quick.least()[:, None] + variant.after(partials.level, partials.opens)
        m, pes = partials.m.min(1, keepdims=True), self.space.elements[partials.spread]
        spread = np.full(costs.shape[1], partials.spread[np.argmax(pes)])
        energy, cycles = price(variant, costs, m * np.ones(costs.shape[1]), spread)
        worth = self.pool.worth(energy, cycles)
        cut = np.isfinite(energy) & ~worth
        if cut.any():
            self.pruned["bound"] += int(np.count_nonzero(cut)) * len(partials)
            self.cut_at = min(self.cut_at, float(self.pool.rank(energy, cycles)[cut].min()))
        for steps in steps_of(variant, partials, self.pruned, np.flatnonzero(worth), self.every):
            closed = quick.closed(steps.stays, steps.stay_open, steps.owner, steps.after)
            m, spread = partials.m[:, steps.owner], partials.spread[steps.owner]
            opens = steps.opens(variant)
            level = partials.level + 1
            energy, cycles = quick_bound(variant, level, opens, steps.after, m, spread, closed, self.pool)
            self.push(Work(variant, energy, cycles, steps), "bound")

    def open_variant(self, variant: Variant) -> None:
        """Place all levels inside the array, then pair what is left with all loops on the array."""
        self.dives = DIVES
        inner = [first(variant)]
        for level in range(self.space.machine.fanout_level):
            among = np.flatnonzero(np.isfinite(variant.room[level]))
            steps = [s for p in inner for s in steps_of(variant, p, self.pruned, among, self.every)]
            placed = [s.partials(variant) for s in steps]
            n = sum(map(len, placed))
            inner = joined(placed)
            # of ragged tiles the most words are not known; folds of systolic arrays depend on more than words
            if not self.every and not self.options.ragged and variant.systolic_flow is None:
                inner = dominating(variant, inner)
            self.pruned["dominated"] += n - sum(map(len, inner))
        for p in inner:
            for energy, cycles, roots in roots_of(variant, p, self.pool):
                self.push(Work(variant, energy, cycles, roots), "bound")
        variant.forget()
