"""The best mapping inside a dataflow: every value of its parameters, counted exactly.

    spaces of the dataflow -> outer choices, bounded together -> mappings of those that could win -> best
                           -> families of mappings: their cheapest is a bound -> the members that could win

Nothing is left out that could be better, so the result is proven. The spaces do not depend on capacities or
bandwidths: a larger buffer at the same energy, or more bandwidth, only adds mappings or makes them faster,
so that the optimum is never worse.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from accelsim.cost import grid_kernel
from accelsim.cost.grid_kernel import GridBlock, GridCost, any_legal, kernel_of
from accelsim.cost.grid_worth import Selection, WorthBlocks, whole
from accelsim.mapper import earlier
from accelsim.mapper.best import Best, Kept
from accelsim.mapper.families import Families
from accelsim.mapper.found import Found, Point, SearchOptions
from accelsim.mapping.dataflows import Dataflow
from accelsim.mapping.dataflows.base import ParameterSpace, spatial_trips
from accelsim.tables.certificate import Certificate
from accelsim.tables.grid import Grid
from accelsim.tables.machine import Machine
from accelsim.tables.nest import Problem

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Places = Callable[[Ints], list[Ints]]
"""Of some mappings of those at hand: their place on each axis."""

HASTY = 8
"""Blocks of mappings or families that are looked at in haste: all of most layers."""
FIRST, TIMES, MOST = 64, 8, 2**12
"""Families that are counted at once: the most promising, then so many times more each time."""


def best_of_parameters(
    problem: Problem,
    machine: Machine,
    dataflow: Dataflow,
    homes: tuple[int, int, int],
    options: SearchOptions,
    layer: str,
    incumbent: float = np.inf,
    hasty: bool = False,
) -> Found | None:
    """The best mappings of a layer over all parameters of a dataflow, with their certificate.

    None where no mapping is legal, or none has an objective below `incumbent`. Ties go to the mapping that
    stands first in the grids, whatever order they are counted in. All is counted whatever gap is allowed; a
    time limit stops between blocks of mappings, and the certificate then has no bound. `hasty` stops after
    some blocks, too.
    """
    return _Search(problem, machine, dataflow, homes, options, incumbent, hasty).run()


def is_possible(problem: Problem, machine: Machine, dataflow: Dataflow, homes: tuple[int, int, int]) -> bool:
    """Whether any mapping of a dataflow's parameters is legal."""
    return any(
        any_legal(problem, space.grid, machine, dataflow.name)
        for space in dataflow.spaces(problem, machine, dataflow.keep(machine, homes))
    )


def least_bytes(
    problem: Problem, machine: Machine, dataflow: Dataflow, homes: tuple[int, int, int], level: int
) -> float:
    """The fewest bytes of a level among the mappings that fit all others; infinite where there is none."""
    keep = dataflow.keep(machine, homes)
    return min(
        (
            grid_kernel.least_bytes(problem, space.grid, machine, dataflow.name, level)
            for space in dataflow.spaces(problem, machine, keep)
        ),
        default=np.inf,
    )


class _Search:
    def __init__(
        self,
        problem: Problem,
        machine: Machine,
        dataflow: Dataflow,
        homes: tuple[int, int, int],
        options: SearchOptions,
        incumbent: float,
        hasty: bool,
    ) -> None:
        self.problem, self.machine, self.dataflow, self.homes = problem, machine, dataflow, homes
        self.options, self.best, self.hasty = options, Best(options, incumbent), hasty
        self.started = time.perf_counter()
        self.n_evaluated = self.n_blocks = 0
        self.pruned: Counter[str] = Counter()
        self.grids: list[tuple[Grid, GridCost]] = []
        """Those whose mappings have been counted, the last one perhaps in part."""

    def run(self) -> Found | None:
        complete = True
        for space in self.dataflow.spaces(
            self.problem,
            self.machine,
            self.dataflow.keep(self.machine, self.homes),
            wider=self.best.one,  # of several that cost the same no other one is first then
        ):
            complete = self._count(space)
            if not complete:
                break
        if not self.best.kept:
            return None
        if not self.hasty:
            self._remember(self.best.kept[0])
        points = tuple(map(self._point, self.best.kept))
        least = min(point.value for point in points)
        seconds = time.perf_counter() - self.started
        bound = least if complete else 0.0
        certificate = Certificate(
            self.options.objective,
            self.dataflow.name,
            least,
            bound,
            self.n_evaluated,
            dict(self.pruned),
            seconds,
            complete,
        )
        return Found(points, certificate)

    @property
    def late(self) -> bool:
        """Whether to stop, which is never before a mapping is found."""
        limit = self.options.time_limit_s
        over = limit is not None and time.perf_counter() - self.started > limit
        return bool(self.best.kept) and (over or (self.hasty and self.n_blocks > HASTY))

    def _count(self, space: ParameterSpace) -> bool:
        """Count a space; False where the time was up before its end."""
        if space.bound is not None:
            cost = self._begin(space.grid)
            if cost.exact:
                families = Families(cost, space.bound)
                selections = families.exempt() if space.bound.exempt else []
                return self._count_worth(cost, selections) and self._count_families(cost, families)
            self.grids.pop()
        for part in space.grid.parts():
            cost = self._begin(part)
            complete = (
                self._count_worth(cost, whole(cost))
                if cost.exact
                else self._count_blocks(cost, cost.blocks(kernel_of("numpy"), legal_only=True))
            )
            if not complete:
                return False
        return True

    def _count_worth(self, cost: GridCost, selections: list[Selection]) -> bool:
        """Count the mappings that no bound leaves out; False where the time was up."""
        worth = WorthBlocks(cost, self.best.wanted)
        complete = self._count_blocks(cost, worth.blocks(selections))
        if worth.n_cut:
            self.pruned["bound"] += worth.n_cut
        return complete

    def _count_blocks(self, cost: GridCost, blocks: Iterator[GridBlock]) -> bool:
        for block in blocks:
            self.n_blocks += 1
            if self.late:
                return False
            n_legal = int(np.count_nonzero(block.legal))
            self.n_evaluated += n_legal
            self.pruned["does not fit"] += len(block.legal) - n_legal
            self._offer(cost, block.energy_pj, block.latency, block.legal, block.index)
        return True

    def _begin(self, grid: Grid) -> GridCost:
        """The costs of the next grid; what won in such a grid before is offered."""
        cost = GridCost(self.problem, grid, self.machine, self.dataflow.name)
        if self.grids:
            cost.before = self.grids[-1][1].before + self.grids[-1][0].n_points
        self.grids.append((grid, cost))
        asked = self.best.one and not self.hasty  # what is found in haste must not depend on the past
        choice = earlier.known(self.problem, grid, self.dataflow.name) if asked else None
        if choice is not None and cost.grid.sizes:
            index = cost.grid.index_of(choice)
            energy, cycles, legal = cost.at(index)
            self._offer(cost, energy, cycles, legal, lambda few: [place[few] for place in index])
        return cost

    def _offer(
        self,
        cost: GridCost,
        energy: Floats,
        cycles: Floats,
        legal: Bools,
        index: Places,
    ) -> None:
        """Some mappings of a grid, with their places there."""
        self.best.offer(
            energy,
            cycles,
            legal,
            lambda few: cost.number(index(few)),
            lambda few: cost.cost(index(few)),
            self.dataflow.name,
        )

    def _remember(self, kept: Kept) -> None:
        grid, cost = next(each for each in reversed(self.grids) if each[1].before <= kept.number)
        index = cost.grid.index(np.array([kept.number - cost.before]))
        choice = {d: int(i[0]) - grid.start.get(d, 0) for d, i in cost.grid.choice_of(index).items()}
        earlier.remember(self.problem, grid, self.dataflow.name, choice)

    def _count_families(self, cost: GridCost, families: Families) -> bool:
        """Count the members of families, the most promising first, until no bound is below the best."""
        n, cold = FIRST, not self.best.kept
        for number, block in enumerate(families.bounds(self.best)):
            self.n_blocks += 1
            if self.late:
                return False
            self.pruned["does not fit"] += int(np.count_nonzero(~block.legal))
            families.add(block, self.best)
            if cold and (not self.best.kept or (number & (number + 1)) == 0):  # a better one early cuts more
                self._count_members(cost, families, FIRST)
        while self._count_members(cost, families, n):
            if self.late:
                return False
            n = min(n * TIMES, MOST)
        self.pruned["bound"] += families.n_cut
        return True

    def _count_members(self, cost: GridCost, families: Families, n: int) -> bool:
        """Count the members of the n most promising families; False if there are none."""
        choice = families.most_promising(self.best, n)
        if choice is None:
            return False
        energy, cycles, legal, index = families.members(choice)
        self.n_evaluated += int(np.count_nonzero(legal))
        self._offer(cost, energy, cycles, legal, lambda few: [place[few] for place in index])
        return True

    def _point(self, kept: Kept) -> Point:
        nest, cost = kept.count()
        nest = nest.without_single_trips()
        active = int(spatial_trips(nest, None)[0])
        value = float(cost.objective(self.options.objective)[0])
        return Point(nest, cost.point(0, active), value, kept.dataflow)
