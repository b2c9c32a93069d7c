"""The least that a layer costs on many machines, whatever mapping a search may choose for it.

    cycles >= max(steps of the best filling of the array + its waits, transfers beside it) + transfers apart
    energy >= multiply-accumulates + what each of them takes from the innermost memories + every word once
              through every memory on its way + leakage and clock for the least cycles

An operand is kept by all memories up to its home that hold it (a named dataflow), or by any of them (`any`):
then the cheapest way counts. What transfers take counts each memory's own least. Counts follow the rules of
`cost.traffic`, each at its least: U updates of sums, D distinct words, P positions of the loops in time that
an operand does not depend on, instances shared where the links can.

    innermost, I and W    reads  MACs / shared
    innermost, O          reads  U, writes U (its home: U - D sums come back, D finished ones are written)
    every other           reads  D, writes D
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise, product
from math import prod

import numpy as np
from numpy.typing import NDArray

from accelsim.cost.least_room import least_dram_bytes
from accelsim.cost.least_steps import Filling
from accelsim.mapping.dataflows import ANY, DATAFLOWS, RS
from accelsim.tables.dims import N_DIMS, N_OPERANDS, OUTPUT_DIMS, WINDOWS, I, O, W, relevant_dims
from accelsim.tables.machine import STATIONARY
from accelsim.tables.machines import Machines
from accelsim.tables.nest import Problem

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

WHOLE = 1 - 1e-9
"""What cycles are worth before they are rounded up: sums in another order must not add one."""


@dataclass(frozen=True)
class Least:
    """At least so much; bytes are those of all instances of a level."""

    cycles: Floats  # [A]
    pj: Floats  # [A]
    read_bytes: Floats  # [A, L, T]
    write_bytes: Floats  # [A, L, T]


@dataclass
class Moved:
    """Bytes of all operands at all levels, and what else an operand costs on its way."""

    machines: Machines
    read: Floats = field(init=False)  # [A, L, T]
    write: Floats = field(init=False)
    hop_pj: Floats = field(init=False)  # [A]

    def __post_init__(self) -> None:
        shape = (self.machines.n, self.machines.n_levels, N_OPERANDS)
        self.read, self.write = np.zeros(shape), np.zeros(shape)
        self.hop_pj = np.zeros(self.machines.n)

    @property
    def pj(self) -> Floats:  # [A]
        of = self.machines
        moved = self.read.sum(2) * of.read_pj_per_byte + self.write.sum(2) * of.write_pj_per_byte
        total: Floats = moved.sum(1) + self.hop_pj
        return total


@dataclass(frozen=True)
class ArrayWork:
    """A layer of multiply-accumulates; `beside` are words of shortcuts fused into it, by where they live."""

    problem: Problem
    input_words: int  # distinct ones that a run touches
    runs: int
    homes: tuple[int, int, int]  # of I, W, O
    beside: tuple[tuple[int, int], ...] = ()  # (words, level)


def least_array(work: ArrayWork, machines: Machines) -> Least:
    """Of a layer of multiply-accumulates, all its runs and shortcuts."""
    array = _Array(work, machines)
    moved, pj = array.moved()
    again = array.again(moved)
    pj = pj + again * np.minimum(machines.read_pj_per_byte, machines.write_pj_per_byte)[:, -1]
    pace, ends = array.pace(), array.ends()
    extra = Moved(machines)
    for words, home in work.beside:
        extra.read[:, home, I] += words * machines.width(home, I)
    times = float(work.runs)
    beside, apart = _transfers(moved, array.filling.most_pes())
    _add_again(moved, again, beside, apart)
    moved.read[:, -1, I] += again
    if work.beside:
        more = _transfers(extra, None)
        beside, apart = times * beside + more[0], times * apart + more[1]
        cycles = _busy(times * pace, beside, apart) + times * ends
    else:
        cycles = times * (_busy(pace, beside, apart) + ends)
    energy = times * pj + extra.pj + cycles * machines.idle_pj_per_cycle
    return Least(cycles, energy, times * moved.read + extra.read, times * moved.write + extra.write)


def moved_cost(machines: Machines, ops: int | None, flows: Sequence[tuple[int, int, Ints, bool]]) -> Least:
    """What `cost.vector` says of work of the engine, or (`ops` None) of movement; no bound, the cost itself.

    `flows`: operand, words, the level where they live [A], whether they are written.
    """
    moved, every = Moved(machines), np.arange(machines.n)
    at = machines.vector_level
    for operand, words, home, writes in flows:
        side = moved.write if writes else moved.read
        side[every, home, operand] += words * machines.width(home, operand)
        if ops is not None:
            passing = words * machines.width(at, operand) * (home != at)
            moved.read[:, at, operand] += passing
            moved.write[:, at, operand] += passing
    pace = np.zeros(machines.n)
    if ops is not None:
        pace = np.ceil(ops / machines.vector_lanes)
    cycles = _busy(pace, *_transfers(moved, None))
    pj = moved.pj + (ops or 0) * machines.vector_pj_per_op + cycles * machines.idle_pj_per_cycle
    return Least(cycles, pj, moved.read, moved.write)


class _Array:
    """One run of a layer of multiply-accumulates on the machines."""

    def __init__(self, work: ArrayWork, machines: Machines) -> None:
        self.work, self.machines, self.problem = work, machines, work.problem
        self.filling = Filling.of(work.problem, machines)
        self.flow = DATAFLOWS[machines.dataflow]
        x = self.problem.extents
        self.weights = prod(x[d] for d in relevant_dims(W, self.problem.weight_has_batch))
        self.words = {I: work.input_words, W: self.weights, O: self.problem.n_output_words}

    # --- words

    def moved(self) -> tuple[Moved, Floats]:
        """The least bytes of each place by itself, and the least energy of all together."""
        least = Moved(self.machines)
        pj = self.problem.n_macs * self.machines.mac_pj
        for operand in (I, W, O):
            ways = [self._way(operand, levels) for levels in self._levels(operand)]
            pj = pj + np.min([way.pj for way in ways], axis=0)
            least.read += np.min([way.read for way in ways], axis=0)
            least.write += np.min([way.write for way in ways], axis=0)
        return least, pj

    def _levels(self, operand: int) -> Iterator[list[int]]:
        """The memories that may keep an operand, from the innermost to its home."""
        home, fan = self.work.homes[operand], self.machines.fanout_level
        holds = self.machines.holds[:, operand]
        if self.flow is not ANY:
            inside = 0 if operand in self.flow.in_array else fan
            yield [level for level in range(inside, home) if holds[level]] + [home]
            return
        free = [level for level in range(home) if holds[level]]
        for taken in product((False, True), repeat=len(free)):
            yield [level for level, kept in zip(free, taken, strict=True) if kept] + [home]

    def _way(self, operand: int, levels: list[int]) -> Moved:
        return self._sums(levels) if operand == O else self._reads(operand, levels)

    def _reads(self, operand: int, levels: list[int]) -> Moved:
        """Inputs or weights: the innermost memory serves every MAC, the others pass every word on."""
        of, moved = self.machines, Moved(self.machines)
        inner, outside = levels[0], levels[0] >= self.machines.fanout_level
        own = relevant_dims(operand, self.problem.weight_has_batch)
        others = [d for d in range(N_DIMS) if d not in own]
        every = float(prod(self.problem.extents[d] for d in others))
        macs = self._macs_with(operand, inner)
        shared = self.filling.steps(others) if outside else every
        positions = np.where(of.multicast[:, operand], shared, every)
        moved.read[:, inner, operand] += macs * positions * of.width(inner, operand)
        distinct = self.words[operand]
        for child, parent in pairwise(levels):
            moved.write[:, child, operand] += distinct * of.width(child, operand)
            moved.read[:, parent, operand] += distinct * of.width(parent, operand)
        delivered = macs * every if outside else float(distinct)
        moved.hop_pj += delivered * of.bits[:, operand] / 8 * of.hop_pj_per_byte
        return moved

    def _macs_with(self, operand: int, level: int) -> Ints:  # [A]
        """MACs along the operand's own dimensions; those on padding that is not stored take no input."""
        own = relevant_dims(operand, self.problem.weight_has_batch)
        x = self.problem.extents
        all_macs = np.full(self.machines.n, prod(x[d] for d in own))
        if operand == W:
            return all_macs
        there = prod(x[d] for d in own if d not in {d for pair in WINDOWS for d in pair})
        for (p, r), (stride, dilation, pad, size) in zip(WINDOWS, self.problem.windows, strict=True):
            h = np.arange(x[p])[:, None] * stride + np.arange(x[r]) * dilation - pad
            there *= int(np.count_nonzero((h >= 0) & (h < size)))
        return np.where(self.machines.padding_stored[:, level], all_macs, there)

    def _sums(self, levels: list[int]) -> Moved:
        """Sums: each MAC updates the innermost memory, unless the links add; all others see finished words.

        Where the links bring sums to a memory outside the array, a MAC costs an update or a hop.
        """
        of, moved = self.machines, Moved(self.machines)
        inner, outside = levels[0], levels[0] >= self.machines.fanout_level
        outputs, macs = float(self.words[O]), float(self.problem.n_macs)
        reductions = [d for d in range(N_DIMS) if d not in OUTPUT_DIMS]
        shared = outputs * self.filling.steps(reductions) if outside else macs
        updates = np.where(of.reduce, shared, macs)
        partial = of.partial_width(inner)
        alone = len(levels) == 1
        coming_back = updates - outputs if alone else updates
        moved.read[:, inner, O] += coming_back * partial
        moved.write[:, inner, O] += coming_back * partial
        if alone:
            moved.write[:, inner, O] += outputs * of.width(inner, O)
        for child, parent in pairwise(levels):
            if child != inner:
                moved.read[:, child, O] += outputs * of.width(child, O)
            moved.write[:, parent, O] += outputs * of.width(parent, O)
        if outside:
            hop = of.accumulate_bits / 8 * of.hop_pj_per_byte
            update = partial * (of.read_pj_per_byte[:, inner] + of.write_pj_per_byte[:, inner])
            # every MAC that hops spares an update: where that is no gain, the least is that none hops
            moved.hop_pj += (macs - updates) * np.minimum(hop, update)
        return moved

    def again(self, moved: Moved) -> Floats:  # [A]
        """Bytes that DRAM moves beyond each word once, since the chip has no room for all that is reused."""
        if set(self.work.homes) != {self.machines.n_levels - 1}:
            return np.zeros(self.machines.n)
        keeps = self.machines.holds.copy()
        for operand in (I, W, O):
            if operand not in self.flow.in_array:
                keeps[: self.machines.fanout_level, operand] = False
        once = (moved.read[:, -1] + moved.write[:, -1]).sum(1)
        more: Floats = np.maximum(least_dram_bytes(self.problem, self.machines, keeps) - once, 0.0)
        return more

    # --- cycles

    def pace(self) -> Floats:  # [A]
        """Cycles of compute, and of waits that transfers run beside."""
        of = self.machines
        compute: Floats = np.ceil(self.filling.steps(range(N_DIMS)) / of.per_pe)
        if self.flow is RS:
            compute = compute + self._rest()
        elif of.fold == "overlapped" and of.dataflow in ("ws", "is"):
            # compute + (folds - 1) max(R - T, 0) with T = compute / folds, rounded up
            compute = np.maximum(compute, (self._folds() - 1) * (of.rows - 1.0) + 1)
        return compute

    def ends(self) -> Floats:  # [A]
        """Cycles in which a systolic array fills and drains, beside which nothing runs."""
        of = self.machines
        if of.fold == "broadcast" or of.dataflow not in ("ws", "os", "is"):
            return np.zeros(of.n)
        folds, skew = self._folds(), of.rows + of.cols - 2.0
        load = np.zeros(of.n) if of.dataflow == "os" else of.rows.astype(np.float64)
        if of.fold == "sequential":
            return np.asarray(folds * (load + skew))
        between: Floats = (folds - 1) * of.rows if of.fold == "preload" else np.zeros(of.n)
        return np.asarray(load + skew + between)

    def _folds(self) -> Floats:  # [A]
        """Stationary tiles of a word a PE."""
        own = relevant_dims(STATIONARY[self.machines.dataflow], self.problem.weight_has_batch)
        return self.filling.steps(own).astype(np.float64)

    def _rest(self) -> Floats:  # [A]
        """Row-stationary: control of each pass, and the weights of all of them on their way in."""
        of, fan = self.machines, self.machines.fanout_level
        kept = [level for level in range(fan) if of.holds[level, W]]
        passes: Floats = np.ones(of.n)
        if kept:
            room = sum(np.floor(of.capacity_bytes[:, level] / of.width(level, W)) for level in kept)
            passes = np.ceil(self.weights / (of.rows * of.cols * np.maximum(room, 1.0)))
        level = next(level for level in range(fan, of.n_levels) if self._keeps_weights(level))
        loading = np.ceil(self.weights * of.width(level, W) / of.pass_bytes_per_cycle * WHOLE)
        rest: Floats = passes * of.pass_cycles + loading
        return rest

    def _keeps_weights(self, level: int) -> bool:
        home = self.work.homes[W]
        return level == home or (level < home and bool(self.machines.holds[level, W]))


def _transfers(moved: Moved, most_pes: Ints | None) -> tuple[Floats, Floats]:  # [A, L] each
    """Cycles of the ports of an instance: of the operands that move beside compute, and of the others."""
    of = moved.machines
    instances = np.ones((of.n, of.n_levels))
    if most_pes is not None:
        instances[:, : of.fanout_level] = most_pes[:, None]

    def cycles(some: NDArray[np.bool_]) -> Floats:
        read = (moved.read * some).sum(2) / instances / of.read_bytes_per_cycle
        write = (moved.write * some).sum(2) / instances / of.write_bytes_per_cycle
        return np.asarray(np.where(of.shared_port, read + write, np.maximum(read, write)))

    return cycles(of.overlap), cycles(~of.overlap)


def _add_again(moved: Moved, again: Floats, beside: Floats, apart: Floats) -> None:
    """The time of bytes of DRAM of which neither the operand nor the direction is known, in place."""
    of = moved.machines
    read, write = of.read_bytes_per_cycle[:, -1], of.write_bytes_per_cycle[:, -1]
    total = (moved.read[:, -1] + moved.write[:, -1]).sum(1) + again
    some = of.overlap[:, -1].any(1)  # those may be what moves again
    with np.errstate(invalid="ignore"):
        shared = again / np.maximum(read, write)
        own = np.nan_to_num(total / (read + write))
    for cycles, here in ((beside, some), (apart, ~some)):
        whole = of.overlap[:, -1].all(1) if cycles is beside else ~some
        longer = np.where(whole, np.maximum(cycles[:, -1], own), cycles[:, -1])
        longer = np.where(of.shared_port[:, -1], cycles[:, -1] + shared, longer)
        cycles[:, -1] = np.where(here, longer, cycles[:, -1])


def _busy(pace: Floats, beside: Floats, apart: Floats) -> Floats:  # [A]
    """`latency.busy_cycles` of the least transfers."""
    slowest = np.ceil(beside * WHOLE).max(axis=1)
    total: Floats = np.maximum(pace, slowest) + np.ceil(apart * WHOLE).sum(axis=1)
    return total
