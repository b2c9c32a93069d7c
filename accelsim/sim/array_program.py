"""The program of a layer of multiply-accumulates: its tile steps in ticks of the ports that they take.

Which tiles are loaded ahead follows from the memories: two slots where a level is double-buffered, or has
room for its tiles twice; one where it feeds a level with slots; else words come in while their step computes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from math import ceil, prod

import numpy as np
from numpy.typing import NDArray

from accelsim.mapping.footprint import level_bytes, tile_bytes, word_bytes
from accelsim.sim.layout import Layout, layout_of
from accelsim.sim.loops import Ints
from accelsim.sim.moves import Sum, by_level, divide, pad_of
from accelsim.sim.plain_program import Stream
from accelsim.sim.program import Kind, Moves, Program, Stage
from accelsim.sim.skew import Skew, skew_of
from accelsim.sim.ticks import READ, WRITE, Ticks, sum_ticks, ticks_of
from accelsim.sim.tile_steps import Boundary, TileSteps
from accelsim.sim.totals import StepTotals, totals_of
from accelsim.tables.dims import I, O, W
from accelsim.tables.machine import STATIONARY, Machine
from accelsim.tables.nest import Nest, Problem


@dataclass(frozen=True)
class Lowered:
    """A layer's program with the words that it moves."""

    program: Program
    totals: StepTotals


def array_program(
    name: str, problem: Problem, nest: Nest, machine: Machine, dataflow: str, beside: tuple[Stream, ...] = ()
) -> Lowered:
    """The program of one mapping; `dataflow` is the one that it follows, for the fold rule of the array.

    `beside` are further words that are read at their home while the layer runs, a like share in each step: a
    shortcut that is fused into it.
    """
    return _Builder(problem, nest, machine, dataflow).build(name, beside)


class _Builder:
    def __init__(self, problem: Problem, nest: Nest, machine: Machine, dataflow: str) -> None:
        self.problem, self.nest, self.machine = problem, nest, machine
        self.ticks: Ticks = ticks_of(machine)
        self.layout: Layout = layout_of(machine)
        stationary = STATIONARY.get(dataflow) if machine.fold != "broadcast" else None
        self.has_passes = dataflow == "rs"
        self.tiles = TileSteps(problem, nest, machine, stationary, self.has_passes)
        self.skew: Skew = skew_of(self.tiles, machine, dataflow, self.ticks.per_cycle)
        self.stage_of: dict[Boundary, int] = {}
        self.stages: tuple[Stage, ...] = ()
        self._make_stages()

    def build(self, name: str, beside: tuple[Stream, ...]) -> Lowered:
        rows, steps, words = _kinds(self.tiles)
        words_of = [dict(zip(self.tiles.columns, map(int, row), strict=True)) for row in rows]
        kinds = [self._kind(each) for each in words_of]
        if not self.skew.first_too:  # the first fold is loaded by the lead
            kinds.append(self._kind(words_of[steps[0]], first=True))
            steps[0] = len(kinds) - 1
        part = -int(words[self.tiles.columns["steps", None]]) % self.machine.per_pe
        if part:  # the last cycle is a whole one
            last = kinds[steps[-2]]
            kinds.append(
                replace(last, compute=last.compute + part * self.ticks.per_cycle // self.machine.per_pe)
            )
            steps[-2] = len(kinds) - 1
        if beside:
            kinds = [self._with(kind, beside, len(steps) - 1) if kind.compute else kind for kind in kinds]
        top = self.machine.n_levels - 1
        weights = [s for b, s in self.stage_of.items() if b.operand == W and b.parent == top]
        program = Program(
            name,
            self.stages,
            tuple(kinds),
            steps,
            self._periods(),
            self.skew.lead,
            self.skew.tail,
            pad_of(kinds, steps, self.layout, self.ticks.per_cycle),
            weights[0] if weights else None,
        )
        return Lowered(program, totals_of(self.tiles, words, program.n_steps))

    def _periods(self) -> tuple[int, ...]:
        """Tile steps of one iteration of each loop outside them, outermost first."""
        trips = [loop.trips for loop in self.tiles.loops.time[: self.tiles.n_grain]]
        return tuple(prod(trips[i + 1 :]) for i in range(len(trips)))

    # --- buffers

    def _make_stages(self) -> None:
        """A stage for each boundary whose tiles are loaded before they are used."""
        outer_first = sorted((b for b in self.tiles.boundaries if not b.inside), key=lambda b: -b.child)
        slots = {b: self._slots(b) for b in outer_first if not self._is_apart(b)}
        for b in reversed(outer_first):  # from the innermost: who feeds a stage is one
            if slots.get(b) == 0 and any(
                slots.get(x, 0) and x.operand == b.operand and x.parent == b.child for x in slots
            ):
                slots[b] = 1
        stages: list[Stage] = []
        for b in outer_first:
            if not slots.get(b):
                continue
            above = [x for x in outer_first if x.operand == b.operand and x.child == b.parent]
            parent = self.stage_of.get(above[0]) if above else None
            names = self.machine.level_names
            room = ceil(float(tile_bytes(self.problem, self.nest, self.machine, b.operand, b.child)[0]))
            gated = bool(above) and self._is_apart(above[0])
            self.stage_of[b] = len(stages)
            stages.append(
                Stage(f"{names[b.child]} {'IWO'[b.operand]}", slots[b], parent, gated, room, b.child)
            )
        self.stages = tuple(stages)

    def _slots(self, b: Boundary) -> int:
        """Tiles of an operand that a level can hold at once; 0: words come in while their step computes.

        Weights of row-stationary passes wait outside the array until it rests: those of the next pass come in
        while this one is at work.
        """
        machine, level = self.machine, b.child
        if (
            self.has_passes
            and self.ticks.pass_bit
            and b.operand == W
            and level < machine.fanout_level <= b.parent
        ):
            return 2
        if machine.double_buffered[level]:
            return 2
        if level < machine.fanout_level:
            return 0
        once = float(level_bytes(self.problem, self.nest, machine, level)[0])
        return 2 if 2 * once <= machine.capacity_bytes[level] else 0

    def _is_apart(self, b: Boundary) -> bool:
        return bool(self.layout.apart & {(b.child, b.operand), (b.parent, b.operand)})

    # --- tile steps

    def _kind(self, words: dict[tuple[str, Boundary | int | None], int], first: bool = False) -> Kind:
        begins: list[int] = []
        loads: list[Moves] = []
        drains: list[Moves] = []
        trailing, streams, apart, owed = Sum(), Sum(), Sum(), Sum()
        inner = self.tiles.sums.kept[0]
        for t in (I, W):
            self._add(streams, apart, self.tiles.factors[t].kept[0], READ, t, words["mac", t])
        self._add_sums(streams, apart, inner, WRITE, words["update", O], words["complete", O])
        self._add_sums(streams, apart, inner, READ, words["accumulate", O], 0)
        for b in self.tiles.boundaries:
            load, drain = Sum(), Sum()
            if b.operand != O:
                self._add(load, load, b.child, WRITE, b.operand, words["fills", b])
                self._add(load, load, b.parent, READ, b.operand, words["reads", b])
            else:
                out, finished = words["drains", b], words["finished", b]
                self._add_sums(drain, drain, b.child, READ, out, finished if b.child != inner else 0)
                self._add_sums(drain, drain, b.parent, WRITE, words["updates", b], finished)
                self._add_sums(load, load, b.parent, READ, words["returns", b], 0)
                self._add_sums(load, load, b.child, WRITE, words["returns", b], 0)
            if b in self.stage_of:
                if words["begins", b] or drain.moves():
                    begins.append(self.stage_of[b])
                    loads.append(load.moves())
                    drains.append(drain.moves())
                continue
            divide(load, self.layout, b.operand, streams, apart, owed)
            divide(drain, self.layout, b.operand, streams if b.inside else trailing, apart, owed)
        skew = self.skew.of(words["folds", None], first)
        compute = words["steps", None] * self.ticks.per_cycle // self.machine.per_pe
        return Kind(
            compute,
            skew[0],
            skew[1] + self._loading(words),
            tuple(begins),
            tuple(loads),
            tuple(drains),
            trailing.moves(),
            streams.moves(),
            by_level(apart, self.layout),
            owed.moves(),
        )

    def _loading(self, words: dict[tuple[str, Boundary | int | None], int]) -> int:
        """Ticks in which the weights of row-stationary passes come in."""
        if not self.has_passes or not self.ticks.pass_bit:
            return 0
        fan = self.machine.fanout_level
        entering = [b for b in self.tiles.boundaries if b.operand == W and b.child < fan <= b.parent]
        sent = words["reads", entering[0]] if entering else words["mac", W]
        level = entering[0].parent if entering else self.tiles.factors[W].kept[0]
        return ceil(self.ticks.pass_bit * 8 * Fraction(word_bytes(self.machine, level, W)) * sent)

    def _with(self, kind: Kind, beside: tuple[Stream, ...], n_steps: int) -> Kind:
        """A step that also reads its share of other words."""
        streams, apart = Sum(), Sum()
        for number, ticks in kind.streams:
            streams.add(number, Fraction(ticks))
        for number, ticks in (move for moves in kind.apart for move in moves):
            apart.add(number, Fraction(ticks))
        for stream in beside:
            if (stream.home, READ) in self.layout.at:
                share = self.ticks.word[stream.home, READ, stream.operand] * stream.words / n_steps
                self._take(streams, apart, stream.home, READ, stream.operand, share)
        return replace(kind, streams=streams.moves(), apart=by_level(apart, self.layout))

    def _add(self, moves: Sum, apart: Sum, level: int, way: int, operand: int, words: int) -> None:
        if words and (level, way) in self.layout.at:
            self._take(moves, apart, level, way, operand, self.ticks.word[level, way, operand] * words)

    def _add_sums(self, moves: Sum, apart: Sum, level: int, way: int, words: int, finished: int) -> None:
        if words and (level, way) in self.layout.at:
            self._take(moves, apart, level, way, O, sum_ticks(self.ticks, level, way, words, finished))

    def _take(self, moves: Sum, apart: Sum, level: int, way: int, operand: int, ticks: Fraction) -> None:
        """One instance's share."""
        (apart if (level, operand) in self.layout.apart else moves).take(
            self.layout, level, way, ticks / self._instances(level)
        )

    def _instances(self, level: int) -> int:
        return prod(loop.trips for loop in self.tiles.loops.space if loop.level > level)


def _kinds(tiles: TileSteps) -> tuple[Ints, NDArray[np.int32], Ints]:
    """Distinct rows of words, the number of each step's row, and the sums of all columns.

    Rows are told apart by a sum of their columns times odd numbers; equality is checked.
    """
    weights = np.random.default_rng(0).integers(1, 2**62, len(tiles.columns), dtype=np.int64) | 1
    total = np.zeros(len(tiles.columns), np.int64)
    known: dict[int, int] = {}
    rows: list[Ints] = []
    numbers: list[NDArray[np.int32]] = []
    for block in tiles.blocks():
        total += block.sum(0)
        keys, first, where = np.unique(block @ weights, return_index=True, return_inverse=True)
        number = np.empty(len(keys), np.int32)
        for i, key in enumerate(keys.tolist()):
            if key not in known:
                known[key] = len(rows)
                rows.append(block[first[i]])
            number[i] = known[key]
        steps = number[where]
        assert (np.array(rows)[steps] == block).all(), "two kinds of tile steps share a key"
        numbers.append(steps)
    return np.array(rows), np.concatenate(numbers), total
