"""What decides the cost and the legality of every mapping of a grid: bits, steps, folds, room, as sums.

`evaluate` and `legality` say what they are for arrays of mappings; here each is a `Sum` of products over the
grid. Bytes are counted in bits, so that all quantities are whole numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from accelsim.cost.digits import steps_down_to
from accelsim.cost.evaluate import hop_bytes, weight_level
from accelsim.cost.grid_sums import Sum
from accelsim.cost.grid_traffic import GridCounter, counter_of
from accelsim.mapping.dataflows.base import spatial_trips
from accelsim.mapping.dataflows.row_spaces import n_sets
from accelsim.mapping.footprint import is_partial, moved_bytes, partial_bytes, tile_words, word_bytes
from accelsim.mapping.legality import limited_levels
from accelsim.tables.dims import N_OPERANDS, C, K, O, P, R, W, relevant_dims
from accelsim.tables.grid import Grid
from accelsim.tables.machine import PARTS_OF_A_BIT, STATIONARY, Fold, Machine
from accelsim.tables.nest import Problem

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

NONE = -1
"""The number of no quantity."""


@dataclass(frozen=True, eq=False)
class Rules:
    """How a kernel makes cycles, energy and legality of the quantities, which it calls by their numbers."""

    pj: Floats  # [Q] pJ a unit
    limit: Floats  # [Q] a mapping with more is not legal
    read: Ints  # [M] bits read of each level whose bandwidth counts, and of what else takes time
    write: Ints  # [M]
    instances: Ints  # [M] NONE: one
    read_bytes_per_cycle: Floats  # [M]
    write_bytes_per_cycle: Floats  # [M]
    shared_port: NDArray[np.bool_]  # [M]
    overlap: NDArray[np.bool_]  # [M], a level's operands that move beside compute and the others apart
    rests: NDArray[np.bool_]  # [M], the array rests so long, and the ports after it here go on
    steps: int
    folds: int  # NONE: no fold rule
    fold: Fold
    dataflow: str
    rows: int
    cols: int
    per_pe: int
    mac_pj: float
    idle_pj_per_cycle: float


def quantities_of(
    problem: Problem, grid: Grid, machine: Machine, dataflow: str
) -> tuple[list[Sum], Rules, GridCounter]:  # [Q]
    """The quantities of a grid; `dataflow` is the one that its mappings follow on this array."""
    maker = _Maker(problem, grid, machine, dataflow)
    return *maker.make(), maker.counter


def limits_of(
    problem: Problem, grid: Grid, machine: Machine, dataflow: str
) -> tuple[list[Sum], Floats]:  # [Q] each
    """What of a grid's mappings is limited, and the limits; nothing that costs only."""
    maker = _Maker(problem, grid, machine, dataflow)
    maker.add_limits()
    return maker.found, np.array(maker.limit)


def room_of(
    problem: Problem, grid: Grid, machine: Machine, dataflow: str, level: int
) -> tuple[list[Sum], Floats]:  # [Q] each
    """What is limited but for the room at a level, and last that room in bits, without a limit."""
    capacity = machine.capacity_bytes.copy()
    capacity[level] = np.inf
    maker = _Maker(problem, grid, replace(machine, capacity_bytes=capacity), dataflow)
    maker.add_limits()
    maker.add_room(level)
    return maker.found, np.array(maker.limit)


@dataclass(frozen=True)
class _Port:
    """Quantities that take time one after the other, and how fast they pass."""

    read: int
    write: int
    instances: int
    read_bytes_per_cycle: float
    write_bytes_per_cycle: float
    shared: bool = True
    overlap: bool = False
    rests: bool = False


class _Maker:
    def __init__(self, problem: Problem, grid: Grid, machine: Machine, dataflow: str) -> None:
        self.problem, self.grid, self.machine, self.dataflow = problem, grid, machine, dataflow
        self.counter = counter_of(problem, grid, machine)
        self.found: list[Sum] = []
        self.pj: list[float] = []
        self.limit: list[float] = []

    def make(self) -> tuple[list[Sum], Rules]:
        machine, levels = self.machine, range(self.machine.n_levels)
        bandwidths = machine.read_bytes_per_cycle, machine.write_bytes_per_cycle
        timed = [level for level in levels if any(np.isfinite(each[level]) for each in bandwidths)]
        ports = self._add_passes()  # first: memories run beside compute and rests together
        ports += [self._add_port(level, way) for level in timed for way in self._ways(level)]
        self._add_energies([level for level in levels if level not in timed])
        steps = self._add(self.counter.traffic.steps)
        systolic = machine.fold != "broadcast" and self.dataflow in STATIONARY
        folds = self._add(self._folds(STATIONARY[self.dataflow])) if systolic else NONE
        self.add_limits()
        rules = Rules(
            np.array(self.pj),
            np.array(self.limit),
            np.array([port.read for port in ports], np.int64),
            np.array([port.write for port in ports], np.int64),
            np.array([port.instances for port in ports], np.int64),
            np.array([port.read_bytes_per_cycle for port in ports], np.float64),
            np.array([port.write_bytes_per_cycle for port in ports], np.float64),
            np.array([port.shared for port in ports], np.bool_),
            np.array([port.overlap for port in ports], np.bool_),
            np.array([port.rests for port in ports], np.bool_),
            steps,
            folds,
            machine.fold,
            self.dataflow,
            machine.rows,
            machine.cols,
            machine.per_pe,
            self.problem.n_macs * machine.mac_pj,
            machine.idle_pj_per_cycle,
        )
        return self.found, rules

    def _add(self, quantity: Sum, pj: float = 0.0, limit: float = np.inf) -> int:
        self.found.append(quantity.joined)
        self.pj.append(pj)
        self.limit.append(limit)
        return len(self.found) - 1

    # --- what it costs

    def _ways(self, level: int) -> list[bool]:
        """Whether words of a level move beside compute: both, where operands differ in it."""
        return sorted({bool(beside) for beside in self.machine.overlap[level]})

    def _add_port(self, level: int, overlap: bool) -> _Port:
        """The words of a level's operands that move beside compute, or of those that do not."""
        machine, parts = self.machine, self._parts(level)
        some = tuple(t for t in range(N_OPERANDS) if machine.overlap[level, t] == overlap)
        read, write = self._bits(level, some)
        return _Port(
            self._add(read, pj=float(machine.read_pj_per_byte[level]) / 8 / parts),
            self._add(write, pj=float(machine.write_pj_per_byte[level]) / 8 / parts),
            self._add_instances(level),
            float(machine.read_bytes_per_cycle[level]) * parts,
            float(machine.write_bytes_per_cycle[level]) * parts,
            bool(machine.shared_port[level]),
            overlap,
        )

    def _add_passes(self) -> list[_Port]:
        """`evaluate.pass_cycles`: the control of the passes and their weights, as ports of their own."""
        machine, ports = self.machine, []
        if self.dataflow != "rs":
            return []
        none = self._add(self.counter.once(("none",), lambda: self.counter.factors.constant(0)))
        if machine.pass_cycles:
            passes = self._add(self._folds(W, machine.fanout_level))
            per_cycle = 1 / (8 * machine.pass_cycles)
            ports.append(_Port(passes, none, NONE, per_cycle, per_cycle, rests=True))
        if np.isfinite(machine.pass_bytes_per_cycle):
            level = weight_level(self.grid.keep, machine)
            width = round(8 * word_bytes(machine, level, W))
            weights = self._add(
                self.counter.once(
                    ("weights", level, width), lambda: self.counter.traffic.reads[level, W] * width
                )
            )
            pace = machine.pass_bytes_per_cycle
            ports.append(_Port(weights, none, NONE, pace, pace, rests=True))
        return ports

    def _parts(self, level: int) -> int:
        """Parts of a bit in which a level's words are counted: coded ones have no whole number of bits."""
        coded = self.machine.moved_bits
        return 1 if coded is None or not coded[level].any() else PARTS_OF_A_BIT

    def _bits(self, level: int, operands: Sequence[int]) -> tuple[Sum, Sum]:
        """Bits (or parts) of operands read and written at a level, unfinished sums at their own width."""
        pair: tuple[Sum, Sum] = self.counter.once(
            ("bits", level, operands), lambda: self._count_bits(level, operands)
        )
        return pair

    def _count_bits(self, level: int, operands: Sequence[int]) -> tuple[Sum, Sum]:
        traffic, machine, parts = self.counter.traffic, self.machine, 8 * self._parts(level)
        read = write = self.counter.factors.constant(0)
        for t in operands:
            width = round(parts * moved_bytes(machine, level, t))
            read = read + traffic.reads[level, t] * width
            write = write + traffic.writes[level, t] * width
            if t == O:
                extra = round(parts * partial_bytes(machine, level)) - width
                read = read + traffic.partial_reads[level] * extra
                write = write + traffic.partial_writes[level] * extra
        return read, write

    def _add_energies(self, levels: list[int]) -> None:
        """What only costs energy: one quantity for all bits of the same price."""
        machine, every = self.machine, tuple(range(N_OPERANDS))
        n_bits = {level: (*self._bits(level, every), 8 * self._parts(level)) for level in levels}
        priced = [(float(machine.read_pj_per_byte[at]) / n, read) for at, (read, _, n) in n_bits.items()]
        priced += [
            (float(machine.write_pj_per_byte[at]) / n, written) for at, (_, written, n) in n_bits.items()
        ]
        for t, words in enumerate(self.counter.traffic.delivered):
            priced.append((machine.hop_pj_per_byte / 8, self._hops(t, words)))
        by_price: dict[float, list[Sum]] = {}
        for pj, quantity in priced:
            if pj and quantity.terms:
                by_price.setdefault(pj, []).append(quantity)
        for pj, same in sorted(by_price.items()):  # the same order whatever counts are zero in this grid
            self._add(self._added(same), pj=pj)

    def _hops(self, operand: int, words: Sum) -> Sum:
        width = round(8 * hop_bytes(self.machine, operand))
        found: Sum = self.counter.once(("hops", operand), lambda: words * width)
        return found

    def _added(self, quantities: list[Sum]) -> Sum:
        """Their sum, made once for quantities that are kept."""
        first, *others = quantities
        if not others:
            return first
        total: Sum = self.counter.once_of(("added",), quantities, lambda: sum(others, first))
        return total

    def _add_instances(self, level: int) -> int:
        """Instances of a level, where a mapping has more than one."""

        def along(axis: int) -> Ints:
            nest = self.counter.nests[axis]
            loops = [j for j in range(len(nest.dims)) if nest.spatial[j] and nest.levels[j] > level]
            return np.asarray(np.prod(nest.trips[loops], axis=0, dtype=np.int64))

        count = self.counter.once(("instances", level), lambda: self.counter.product(along))
        return NONE if count.terms == {count.factors.one: 1} else self._add(count)

    def _folds(self, stationary: int, level: int = 0) -> Sum:
        """`evaluate.n_folds`: steps down to the innermost own loop that repeats, a term for each."""
        folds: Sum = self.counter.once(
            ("folds", stationary, level), lambda: self._count_folds(stationary, level)
        )
        return folds

    def _count_folds(self, stationary: int, level: int) -> Sum:
        relevant = relevant_dims(stationary, self.problem.weight_has_batch)
        nest = self.grid.template
        own = [
            j
            for j, d in enumerate(nest.dims)
            if not nest.spatial[j] and d in relevant and nest.levels[j] >= level
        ]
        total = self.counter.product(lambda axis: self._single(axis, own))
        for j in own:
            total = total + self._down_to(j, own)
        return total

    def _single(self, axis: int, loops: list[int]) -> Ints:
        """Whether none of the loops repeats."""
        return np.asarray(np.all(self.counter.nests[axis].trips[loops] == 1, axis=0), np.int64)

    def _down_to(self, loop: int, own: list[int]) -> Sum:
        """Steps of the loops in time down to one, 0 where it is not the innermost of its own that repeats."""
        return self.counter.product(lambda axis: self._steps(axis, loop, own))

    def _steps(self, axis: int, loop: int, own: list[int]) -> Ints:
        nest, problem = self.counter.nests[axis], self.counter.problems[axis]
        product = self._single(axis, [j for j in own if j > loop])
        if nest.dims[loop] in self.grid.axes[axis]:
            product = product * (nest.trips[loop] > 1)
        for d in {*nest.dims[: loop + 1]} & {*self.grid.axes[axis]}:
            product = product * steps_down_to(nest, loop, d, problem.extents[d])
        return product

    # --- what is legal

    def add_limits(self) -> None:
        """`legality.legal`: the room at every level that has a limit, and the array."""
        for level in limited_levels(self.machine):
            self._limit(self._room(level), float(self.machine.capacity_bytes[level]) * 8)
        self._limit_array()

    def add_room(self, level: int) -> None:
        self._add(self._room(level))

    def _limit(self, quantity: Sum, limit: float) -> None:
        if quantity.bound > limit:
            self._add(quantity, limit=limit)

    def _room(self, level: int) -> Sum:
        """Bits of the tiles that pass through an instance of a level (`footprint.level_bytes`)."""
        room: Sum = self.counter.once(("room", level), lambda: self._count_room(level))
        return room

    def _count_room(self, level: int) -> Sum:
        machine, counter = self.machine, self.counter
        total = counter.factors.constant(0)
        for operand in np.flatnonzero(self.grid.keep[level]):
            t = int(operand)
            if self.grid.template.kept_levels(t)[-1] == level:
                continue
            words, width = self._tile_words(t, level), round(8 * word_bytes(machine, level, t))
            total = total + words * width
            if t == O:
                finished = counter.product(lambda axis: ~is_partial(counter.nests[axis], level))
                total = total + words * (1 - finished) * (round(8 * partial_bytes(machine, level)) - width)
        return total * (2 if machine.double_buffered[level] else 1)

    def _tile_words(self, operand: int, level: int) -> Sum:
        counter = self.counter
        edge = bool(self.machine.padding_stored[level]), bool(self.machine.fetch_box[level])
        return counter.product(
            lambda axis: tile_words(counter.problems[axis], counter.nests[axis], operand, level, *edge)
        )

    def _limit_array(self) -> None:
        """`Dataflow.fits_array` of the dataflow."""
        rows, cols = self.machine.rows, self.machine.cols
        if self.dataflow == "rs":
            self._limit(self.counter.once(("sets",), self._used_sets), 0)
            return
        limits: list[tuple[str | None, int]] = [("rows", rows), ("cols", cols), (None, rows * cols)]
        for side, most in limits:
            self._limit(self._spatial(side), most)

    def _used_sets(self) -> Sum:
        used = self.counter.product(lambda axis: self._unrolled(axis, C) * self._unrolled(axis, K))
        return used - self._sets()

    def _spatial(self, side: str | None) -> Sum:
        trips: Sum = self.counter.once(
            ("spatial", side),
            lambda: self.counter.product(lambda axis: spatial_trips(self.counter.nests[axis], side)),
        )
        return trips

    def _unrolled(self, axis: int, d: int) -> Ints:
        nest = self.counter.nests[axis]
        loops = [j for j in range(len(nest.dims)) if nest.axis[j] and nest.dims[j] == d]
        return np.asarray(np.prod(nest.trips[loops], axis=0, dtype=np.int64))

    def _sets(self) -> Sum:
        """Row-stationary: the sets of PEs that fit, of R rows by P columns each."""
        axis = self.counter.axis_of.get(P, self.counter.axis_of.get(R))
        if axis is None:
            return self.counter.factors.constant(int(n_sets(np.array(1), np.array(1), self.machine)))
        sets = n_sets(self._unrolled(axis, R), self._unrolled(axis, P), self.machine)
        return self.counter.factors.along(axis, sets)
