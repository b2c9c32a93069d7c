"""A layer as tile steps: the words that each of them moves, level by level.

Every operand is walked at the finest loops that move its tiles; what moves within a tile step is added up.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from accelsim.sim.factor_words import Factor
from accelsim.sim.loops import MAX_ROWS, Bases, Ints, Loops, below, choose_grain
from accelsim.sim.sum_words import Sums
from accelsim.tables.dims import I, O, W
from accelsim.tables.machine import Machine
from accelsim.tables.nest import Nest, Problem

Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Boundary:
    """Two neighbouring levels that keep an operand; `inside`: the child's tile changes within a tile step."""

    operand: int
    child: int
    parent: int
    inside: bool


class TileSteps:
    """The tile steps of one mapping of one layer: rows of words, in the columns that `columns` names.

    Columns: "steps" of compute and "folds" that begin; ("begins", boundary) where another tile comes in;
    ("fills" | "reads", boundary) of inputs and weights; ("drains" | "updates" | "finished" | "returns",
    boundary) of sums; ("mac", I | W) words that multipliers read; ("update" | "complete" | "accumulate", O).
    """

    def __init__(
        self,
        problem: Problem,
        nest: Nest,
        machine: Machine,
        stationary: int | None = None,
        has_passes: bool = False,
    ) -> None:
        self.loops = loops = Loops(problem, nest)
        self.machine, self.stationary = machine, stationary
        n_loops = len(loops.time)
        if has_passes and machine.pass_cycles:  # weights that stay in the array, whatever moves inside a PE
            self.stationary, n_loops = W, loops.n_time(machine.fanout_level - 1)
        self.n_fold_loops = 0
        """Loops in time that tell one stationary tile of the array from another."""
        if self.stationary is not None:
            self.n_fold_loops = loops.last_moving(loops.relevant[self.stationary], n_loops)
        self.factors = {t: Factor(loops, t, machine) for t in (I, W)}
        self.sums = Sums(loops, machine)
        inside = [t for t in (I, W, O) if nest.kept_levels(t)[0] < machine.fanout_level]
        self.n_grain = choose_grain(loops, inside, machine.fanout_level, machine.n_levels)
        self.boundaries = tuple(
            Boundary(t, child, parent, walk.moves_inside(child, self.n_grain))
            for t, walk in ((I, self.factors[I]), (W, self.factors[W]), (O, self.sums))
            for child, parent in walk.boundaries
        )
        names: list[tuple[str, Boundary | int | None]] = [
            ("steps", None),
            ("folds", None),
            ("mac", I),
            ("mac", W),
        ]
        names += [(word, O) for word in ("update", "complete", "accumulate")]
        for b in self.boundaries:
            words = ("fills", "reads") if b.operand != O else ("drains", "updates", "finished", "returns")
            names += [(word, b) for word in ("begins", *words)]
        self.columns = {name: i for i, name in enumerate(names)}

    def blocks(self) -> Iterator[Ints]:  # [n, columns]
        """The tile steps in order, some at a time; a last row holds what drains when all is done."""
        n = self.loops.n_rows(self.n_grain)
        walks = [_Walk(self, t) for t in (I, W, O)]
        size = max(1, MAX_ROWS)
        for first in range(0, n, size):
            last = min(first + size, n)
            bases, grain = _joined(self.loops.rows(self.n_grain, self.n_grain, first, last))
            if not len(grain):
                continue
            block = np.zeros((len(grain), len(self.columns)), np.int64)
            self._compute(block, bases)
            for walk in walks:
                walk.fill(block, grain, first, last)
            yield block
        end = np.zeros((1, len(self.columns)), np.int64)
        for b in self.boundaries:
            if b.operand == O:
                drained = self.sums.last_drains()[b.child]
                for word, count in zip(("drains", "updates", "finished"), drained, strict=True):
                    end[0, self.columns[word, b]] = count
        yield end

    def _compute(self, block: Ints, bases: Bases) -> None:
        """Compute steps, and stationary tiles that the array takes: both products over the dimensions."""
        loops, n = self.loops, self.n_grain
        one = np.zeros(1, np.int64)
        steps = np.ones(len(block), np.int64)
        for d in loops.dims:
            steps = steps * below(bases[d], loops.positions(d, n, one), loops.extents[d])
        block[:, self.columns["steps", None]] = steps
        if self.stationary is None:
            return
        until = self.n_fold_loops
        folds = np.ones(len(block), np.int64)
        for d in loops.dims:
            inner = loops.offsets_between(d, n, until)
            folds = folds * below(bases[d], inner, loops.extents[d])
        if until < n:  # a fold spans several tile steps: it begins where the loops inside it stand at zero
            for d in loops.dims:
                folds = np.where(loops.inside(d, bases[d], until) == 0, folds, 0)
        block[:, self.columns["folds", None]] = folds


class _Walk:
    """One operand's rows, which may be finer than tile steps, added up into them."""

    def __init__(self, steps: TileSteps, operand: int) -> None:
        self.steps, self.operand, loops = steps, operand, steps.loops
        walk = steps.sums if operand == O else steps.factors[operand]
        self.n_time = max(steps.n_grain, walk.n_time)
        self.before: Bases = {d: np.full(1, -1, np.int64) for d in loops.dims}
        self.started = False

    def fill(self, block: Ints, grains: Ints, first: int, last: int) -> None:
        steps, done = self.steps, 0
        for bases, grain in steps.loops.rows(steps.n_grain, self.n_time, first, last):
            before = {d: np.concatenate([self.before[d], base[:-1]]) for d, base in bases.items()}
            start = np.zeros(len(grain), np.bool_)
            start[0] = not self.started
            self.started = True
            self.before = {d: base[-1:] for d, base in bases.items()}
            words = (
                self._sums(bases, before, start) if self.operand == O else self._factor(bases, before, start)
            )
            row = np.searchsorted(grains, grain) if self.n_time > steps.n_grain else None
            if row is None:
                part: slice | Ints = slice(done, done + len(grain))
            else:
                starts = np.flatnonzero(np.diff(row, prepend=-1))
                part = row[starts]
                words = {name: np.add.reduceat(value, starts) for name, value in words.items()}
            for name, value in words.items():
                block[part, steps.columns[name]] += value
            done += len(grain)

    def _factor(
        self, bases: Bases, before: Bases, first: Bools
    ) -> dict[tuple[str, Boundary | int | None], Ints]:
        walk = self.steps.factors[self.operand]
        words: dict[tuple[str, Boundary | int | None], Ints] = {
            ("mac", self.operand): walk.mac_reads(bases, self.n_time, len(first))
        }
        for b in self.steps.boundaries:
            if b.operand == self.operand:
                found = walk.fetch(b.child, b.parent, bases, before, first)
                words["begins", b] = found.begins.astype(np.int64)
                words["fills", b], words["reads", b] = found.fills, found.reads
        return words

    def _sums(
        self, bases: Bases, before: Bases, first: Bools
    ) -> dict[tuple[str, Boundary | int | None], Ints]:
        walk = self.steps.sums
        visits, with_sums = walk.visits(bases, before, first, self.n_time)
        words: dict[tuple[str, Boundary | int | None], Ints] = {}
        names = ("update", "complete", "accumulate")
        for name, value in zip(names, walk.mac_updates(bases, self.n_time, with_sums), strict=True):
            words[name, O] = value
        for b in self.steps.boundaries:
            if b.operand == O:
                found = visits[b.child]
                words["begins", b] = found.begins.astype(np.int64)
                words["drains", b], words["updates", b] = found.drains, found.updates
                words["finished", b], words["returns", b] = found.finished, found.returns
        return words


def _joined(parts: Iterator[tuple[Bases, Ints]]) -> tuple[Bases, Ints]:
    found = list(parts)
    if not found:
        return {}, np.zeros(0, np.int64)
    bases = {d: np.concatenate([part[0][d] for part in found]) for d in found[0][0]}
    return bases, np.concatenate([part[1] for part in found])
