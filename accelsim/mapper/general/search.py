"""The best mapping of a layer over everything that the architecture allows, by best-first branch and bound.

    what levels keep -> tiles inside the array -> loops on the array -> tiles outside, level by level -> orders

Open work of every stage lies in one heap, ordered by the least that it can lead to; what can't beat the
mappings already known is cut. When the heap is empty, nothing better is left: the result is proven.
"""

from __future__ import annotations

import heapq
import itertools
import time
from collections import Counter
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from accelsim.mapper.found import Found, SearchOptions
from accelsim.mapper.general.bound import Quick, bound
from accelsim.mapper.general.dominance import dominating
from accelsim.mapper.general.leaves import Leaves
from accelsim.mapper.general.partial import Partials, first, joined
from accelsim.mapper.general.place import Hopeful, place
from accelsim.mapper.general.pool import Pool
from accelsim.mapper.general.price import price
from accelsim.mapper.general.roots import Roots, floor_of, roots_of
from accelsim.mapper.general.space import Space
from accelsim.mapper.general.variant import Open, Variant
from accelsim.tables.certificate import Certificate
from accelsim.tables.machine import Machine
from accelsim.tables.nest import Problem

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

HEAD = 64
"""Partial mappings that are placed at once: enough for arrays to pay, few enough to go best first."""
FIRST_LEAVES = 8


@dataclass(frozen=True, eq=False)
class Work:
    """Something open, with the least energy and cycles of each of its B parts, best first."""

    variant: Variant | Bools
    energy_pj: Floats  # [B]
    cycles: Floats  # [B]
    what: Partials | Roots | None


def search_all(
    problem: Problem, machine: Machine, homes: tuple[int, int, int], options: SearchOptions
) -> Found | None:
    """The best mappings over the whole space (see `docs/mapper.md`) with their certificate; None if there are none."""
    return Search(problem, machine, homes, options).run()


class Search:
    """One search: the heap of open work, the pool of mappings, the counts of what was cut and why."""

    def __init__(
        self, problem: Problem, machine: Machine, homes: tuple[int, int, int], options: SearchOptions
    ) -> None:
        self.options = options
        self.space = Space(problem, machine, homes, options.ragged)
        self.pool = Pool(options)
        self.leaves = Leaves(self.space, self.pool)
        self.heap: list[tuple[float, int, Work]] = []
        self.counter = itertools.count()
        self.pruned: Counter[str] = Counter()
        self.cut_at = np.inf
        """The least objective of anything that was cut."""

    def run(self) -> Found | None:
        started = time.perf_counter()
        limit = self.options.time_limit_s
        for keep in self.space.keeps():
            energy, cycles = floor_of(self.space, keep)
            self.push(Work(keep, energy, cycles, None), "bypass")
        while self.heap:
            rank, _, work = heapq.heappop(self.heap)
            if limit is not None and self.pool.points and time.perf_counter() - started > limit:
                self.cut_at = min(self.cut_at, rank, *(other for other, _, _ in self.heap))
                break
            self.advance(work)
        if not self.pool.points:
            return None
        best = min(point.value for point in self.pool.points)
        certificate = Certificate(
            self.options.objective,
            "any",
            best,
            min(best, self.cut_at),
            self.leaves.n_evaluated,
            dict(self.pruned),
            time.perf_counter() - started,
        )
        return Found(tuple(self.pool.points), certificate)

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
        what = work.what.take(index) if work.what is not None else None
        kept = Work(work.variant, work.energy_pj[index], work.cycles[index], what)
        heapq.heappush(self.heap, (float(rank[index[0]]), next(self.counter), kept))

    def advance(self, work: Work) -> None:
        """Look into the best part of some open work, and put what comes of it and the rest back."""
        if work.what is None:
            if self.pool.worth(work.energy_pj, work.cycles)[0]:
                assert isinstance(work.variant, np.ndarray)
                self.open_variant(Variant(self.space, work.variant))
            else:
                self.push(work, "bypass")
            return
        variant = work.variant
        assert isinstance(variant, Variant)
        done = isinstance(work.what, Partials) and work.what.level == variant.n_levels
        n = FIRST_LEAVES if done else HEAD
        if len(work.energy_pj) > n:
            rest = slice(n, None)
            self.push(Work(variant, work.energy_pj[rest], work.cycles[rest], work.what.take(rest)), "bound")
        head = work.what.take(slice(n))
        if isinstance(head, Roots):
            self.bounded(variant, head.partials(variant), "bound")
        elif done:
            self.leaves.count(variant, head, work.energy_pj[:n], work.cycles[:n])
        else:
            for child in joined(list(place(variant, head, self.pruned, self.hopeful(variant, head)))):
                self.bounded(variant, child, "bound")

    def hopeful(self, variant: Variant, partials: Partials) -> Hopeful:
        """Whether steps from partial mappings, as far as a quick bound tells, could lead to what is wanted."""
        if partials.level == variant.n_levels - 1:
            return everything
        quick = Quick(variant, partials)

        def worth(a: int, stay_open: Open, owner: Ints, after: Ints) -> Bools:
            costs = quick.costs(a, stay_open, owner, after)
            energy, cycles = price(variant, costs, partials.m[:, owner], partials.spread[owner])
            good = self.pool.worth(energy, cycles)
            rank = self.pool.rank(energy, cycles)
            self.cut_at = min(self.cut_at, float(rank[~good].min(initial=np.inf)))
            return good

        return worth

    def bounded(self, variant: Variant, partials: Partials, rule: str) -> None:
        energy, cycles = price(variant, bound(variant, partials), partials.m, partials.spread)
        self.push(Work(variant, energy, cycles, partials), rule)

    def open_variant(self, variant: Variant) -> None:
        """Place all levels inside the array, then pair what is left with all loops on the array."""
        inner = [first(variant)]
        for _ in range(self.space.machine.fanout_level):
            placed = [c for p in inner for c in place(variant, p, self.pruned, everything)]
            n = sum(map(len, placed))
            inner = dominating(variant, joined(placed))
            self.pruned["dominated"] += n - sum(map(len, inner))
        for p in inner:
            for energy, cycles, roots in roots_of(variant, p):
                self.push(Work(variant, energy, cycles, roots), "bound")


def everything(a: int, stay_open: Open, owner: Ints, after: Ints) -> Bools:
    """Every step is worth taking."""
    return np.ones(len(owner), np.bool_)
