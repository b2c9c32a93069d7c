"""The words of a whole grid of mappings: the formulas of `traffic`, on sums of products instead of arrays.

Every factor that `traffic` multiplies (tiles, tiles held, steps, instances, words of a window's walk) depends
on the choices of one axis of the grid. Here each is counted once a choice, by `traffic` itself on the choices
of that axis, and what `traffic` makes of them is kept as a `Sum` of products.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from accelsim.cost.evaluate import links_of
from accelsim.cost.grid_sums import Factors, Sum
from accelsim.cost.traffic import Edge, Levels, Traffic, TrafficCounter
from accelsim.cost.windows import WindowWalk
from accelsim.tables.dims import N_OPERANDS, WINDOWS
from accelsim.tables.grid import Grid, part_of_problem
from accelsim.tables.machine import Machine
from accelsim.tables.nest import Nest, Problem

MAX_REMEMBERED, MAX_REMEMBERED_CHOICES = 2**10, 2**13
"""Factors of earlier grids that are kept, of so many choices at most: some 64 MB."""
_KNOWN: dict[tuple[Any, ...], NDArray[np.int64]] = {}


UNSEEN = frozenset({
    "name", "clock_hz", "n_cores", "n_clusters", "level_names", "capacity_bytes", "read_pj_per_byte",
    "write_pj_per_byte", "read_bytes_per_cycle", "write_bytes_per_cycle", "shared_port", "mac_pj",
    "hop_pj_per_byte", "idle_pj_per_cycle", "clock_pj_per_cycle", "vector_lanes", "vector_pj_per_op",
    "vector_level", "dataflows", "dataflow", "activation_home", "activation_reserve_frac", "pass_cycles",
    "pass_bytes_per_cycle", "coding", "gates_mac", "gated",
})  # fmt: skip
"""Fields of the machine that no count of words, bits, steps or room depends on."""
MAX_COUNTERS_BYTES = 2**26
"""Factors of the grids whose counts are kept for other machines, and what is made of them."""
_COUNTERS: dict[tuple[Any, ...], GridCounter] = {}


def counter_of(problem: Problem, grid: Grid, machine: Machine) -> GridCounter:
    """The counter of a grid; machines that differ in sizes, rates and energies share it.

    The last that were used are kept.
    """
    values = (getattr(machine, f.name) for f in fields(Machine) if f.name not in UNSEEN)
    seen = tuple(
        (value.dtype.str, value.shape, value.tobytes()) if isinstance(value, np.ndarray) else value
        for value in values
    )
    loops = grid.dims, grid.levels, grid.axis, grid.keep.tobytes(), tuple(grid.choices)
    key = (problem, loops, grid.digest(tuple(grid.choices)), tuple(grid.start.items()), seen)
    counter = _COUNTERS.pop(key, None)
    if counter is None:
        counter, kept = GridCounter(problem, grid, machine), 0
        for other in reversed(list(_COUNTERS)):
            kept += _COUNTERS[other].n_bytes
            if kept > MAX_COUNTERS_BYTES:
                del _COUNTERS[other]
    _COUNTERS[key] = counter
    return counter


@dataclass(frozen=True)
class GridTraffic:
    """As `traffic.Traffic`, each count a `Sum` over the grid."""

    reads: NDArray[np.object_]  # [L, T]
    writes: NDArray[np.object_]  # [L, T]
    partial_reads: NDArray[np.object_]  # [L]
    partial_writes: NDArray[np.object_]  # [L]
    delivered: NDArray[np.object_]  # [T]
    steps: Sum

    def at(self, index: Sequence[NDArray[np.int64]]) -> Traffic:
        """The words of some mappings, by their place on each axis [A] of [B]."""

        known: dict[tuple[int, int], NDArray[np.int64]] = {}

        def counted(sums: NDArray[np.object_]) -> NDArray[np.int64]:
            counts = [total.at(index, known) for total in sums.ravel()]
            return np.array(counts, np.int64).reshape(*sums.shape, -1)

        return Traffic(
            counted(self.reads),
            counted(self.writes),
            counted(self.partial_reads),
            counted(self.partial_writes),
            counted(self.delivered),
            self.steps.at(index, known),
        )


class GridCounter(TrafficCounter):
    """`traffic`'s counter over a grid: its factors of one dimension are taken along that dimension's axis."""

    def __init__(self, problem: Problem, grid: Grid, machine: Machine) -> None:
        links = links_of(machine)
        super().__init__(problem, grid.template, links)
        self.grid, self.machine = grid, machine
        self.factors = Factors(grid.sizes)
        self.axis_of = {d: axis for axis, dims in enumerate(grid.axes) for d in dims}
        self.tables = [grid.digest(dims) for dims in grid.axes]
        self.nests = [grid.along(axis) for axis in range(len(grid.axes))]
        self.problems = [part_of_problem(problem, dims) for dims in grid.axes]
        self.counters = [
            TrafficCounter(part, nest, links) for part, nest in zip(self.problems, self.nests, strict=True)
        ]
        self._made: dict[tuple[Any, ...], Any] = {}
        self.made_bytes = 0
        n_levels = machine.n_levels
        zero = self.factors.constant(0)
        counts: Any = self  # arrays of sums in place of arrays of numbers
        counts.reads = np.full((n_levels, N_OPERANDS), zero, object)
        counts.writes = counts.reads.copy()
        counts.partial_reads = np.full(n_levels, zero, object)
        counts.partial_writes = counts.partial_reads.copy()
        counts.delivered = np.full(N_OPERANDS, zero, object)

    def once(self, key: tuple[Any, ...], make: Callable[[], Any]) -> Any:
        """What was made of the grid's counts before under this name, else made now."""
        if key not in self._made:
            self._made[key] = make()
        return self._made[key]

    def once_of(self, name: tuple[Any, ...], sums: Sequence[Sum], make: Callable[[], Any]) -> Any:
        """The same for what is made of sums; they are kept, so that no other one takes their place."""
        found = self.once((*name, *map(id, sums)), lambda: (make(), tuple(sums)))
        return found[0]

    @property
    def n_bytes(self) -> int:
        """Of the factors and of the larger part of what is made of them."""
        return self.made_bytes + sum(len(rows) * rows[0].nbytes for rows in self.factors.rows)

    @cached_property
    def traffic(self) -> GridTraffic:
        found: Any = self.count()
        sums = np.frompyfunc(lambda count: self.factors.constant(1) * count, 1, 1)  # some are plain numbers
        return GridTraffic(
            sums(found.reads),
            sums(found.writes),
            sums(found.partial_reads),
            sums(found.partial_writes),
            sums(found.delivered),
            self.factors.constant(1) * found.steps,
        )

    def moved_by(self, index: Sequence[NDArray[np.int64]]) -> tuple[Nest, Traffic]:
        """Some mappings and their words; single ones are kept, since one can be the best of many machines."""

        def make() -> tuple[Nest, Traffic]:
            return self.grid.nest_at(index), self.traffic.at(index)

        if len(index[0]) > 1:
            return make()
        found: tuple[Nest, Traffic] = self.once(("moved", *(int(i[0]) for i in index)), make)
        return found

    def product(self, factor: Any) -> Sum:
        """The product over all axes of `factor(axis)`."""
        coefficient, key = 1, []
        for axis in range(len(self.nests)):
            common, number = self.factors.add(axis, np.asarray(factor(axis), np.int64))
            coefficient *= common
            key.append(number)
        return Sum(self.factors, {tuple(key): coefficient} if coefficient else {})

    # --- factors of one dimension, as `traffic` asks for them

    def _counted(self, name: str, d: int, child: int, loop: int, spread: Levels) -> Any:
        axis = self.axis_of[d]
        own = tuple(
            (level > child, self.nest.spatial[j] and spread(level), self.nest.spatial[j], j < loop)
            for j in self.loops[d]
            for level in (self.nest.levels[j],)
        )
        key = (name, self.tables[axis], d, self.extents[d], own)
        return self._remembered(axis, key, lambda: self.counters[axis]._counted(name, d, child, loop, spread))

    def _remembered(self, axis: int, key: tuple[Any, ...], count: Callable[[], NDArray[np.int64]]) -> Sum:
        """A factor along an axis; layers that have the same choices there have the same factors."""
        values = _KNOWN.pop(key, None)
        if values is None:
            values = count()
        if len(values) <= MAX_REMEMBERED_CHOICES:
            _KNOWN[key] = values  # the last that was used
            if len(_KNOWN) > MAX_REMEMBERED:
                del _KNOWN[next(iter(_KNOWN))]
        return self.factors.along(axis, values)

    def _used(self, relevant: tuple[int, ...], above: int) -> Any:
        key = ("_used", relevant, above)
        if key not in self._known:
            self._known[key] = self.product(lambda axis: self.counters[axis]._used(relevant, above))
        return self._known[key]

    def _axes(
        self, operand: int, child: int, edge: Edge, union: frozenset[int]
    ) -> tuple[list[int], dict[int, Any]]:
        simple, walks = super()._axes(operand, child, edge, union)
        found: dict[int, Any] = dict(walks)  # those without loops are the same for all mappings
        for number in walks:
            axes = {self.axis_of[d] for d in WINDOWS[number] if d in self.axis_of}
            for axis in axes:
                walk = self.counters[axis]._axes(operand, child, edge, union)[1][number]
                found[number] = _GridWalk(self, axis, walk, (number, operand, child, edge, union))
        return simple, found


@dataclass(frozen=True, eq=False)
class _GridWalk:
    """The walk of one input axis by the choices of its axis of the grid."""

    counter: GridCounter
    axis: int
    walk: WindowWalk
    key: tuple[Any, ...]

    def total(self, loop: int) -> Sum:
        return self._once("total", loop)

    def shared(self, loop: int) -> Sum:
        return self._once("shared", loop)

    def _once(self, name: str, loop: int) -> Sum:
        own = [j for d in self.counter.grid.axes[self.axis] for j in self.counter.loops[d]]
        place = (min((j for j in own if j >= loop), default=-1), name == "shared" and loop in own)
        key = (name, self.key, place)
        known = self.counter._known
        if key not in known:
            known[key] = self.counter._remembered(
                self.axis, self._content(name, loop), lambda: getattr(self.walk, name)(loop)
            )
        found: Sum = known[key]
        return found

    def _content(self, name: str, loop: int) -> tuple[Any, ...]:
        """All that the words depend on."""
        walk, nest = self.walk, self.counter.nest
        dims = self.counter.grid.axes[self.axis]
        own = tuple(
            (
                d,
                j in walk.p.loops or j in walk.r.loops,
                nest.spatial[j],
                j in walk.union,
                (j > loop) - (j < loop),
            )
            for j, d in enumerate(nest.dims)
            if d in dims
        )
        extents = walk.p.extent, walk.r.extent
        return name, self.counter.tables[self.axis], walk.axis, extents, own
