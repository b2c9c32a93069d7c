"""Brute-force walk of a loop nest with real buffers: every word is moved, counted and multiplied.

The walk steps through all lock-step temporal positions. Each instance of each level holds a set of words with
their values; a multiply-accumulate takes its factors from the innermost buffers; partial sums start at zero,
drain, return and are added up on the way as design section 5 says. At the end the words at the outputs' home
must equal the convolution that numpy computes from its definition.

Where the words leave a choice, this one is taken:
- A multiply-accumulate on padding counts as one; it reads its weight and updates its output like any other.
- `diagonal` is about words that move into a buffer: a level that multipliers read serves each of them.
- With `fetch_box` the tile is the bounding box, and what is fetched is the new box less the box that is held.
  Words in a gap that the parent lacks still count as read there; their values come from further out.
- Several updates of one word in one step (a link that can't add) take place one after the other: only the
  first of them finds the word fresh.
- A home holds its operand whole, so loops outside the home never move its tile; each instance has its own.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from operator import add

import numpy as np
from numpy.typing import NDArray

from accelsim.tables.dims import N_OPERANDS, OPERANDS, I, O, P, R, W
from accelsim.testing.loop_case import Case, Indices, Instance, LoopSpace, Position, Word
from accelsim.testing.loop_tensors import random_tensors

__all__ = ["Case", "Counts", "walk"]

Mac = tuple[Instance, Position]


@dataclass
class Counts:
    """Accesses in words over all instances of a level; `events` says which of them had which cause.

    Causes of reads: `mac`, `child` (a fetch), `accumulate`, `drain`, `return`; of writes: `fill`, `returned`
    (sums that came back), `update`.
    """

    reads: list[list[int]]  # [L][T]
    writes: list[list[int]]  # [L][T]
    steps: int
    macs: int
    events: Counter[tuple[int, str, str]]  # (level, operand, cause)

    def read(self, level: int, operand: int, cause: str, words: int) -> None:
        self.reads[level][operand] += words
        self.events[level, OPERANDS[operand], cause] += words

    def write(self, level: int, operand: int, cause: str, words: int) -> None:
        self.writes[level][operand] += words
        self.events[level, OPERANDS[operand], cause] += words


def walk(case: Case, seed: int = 0) -> Counts:
    """Run the case and count; AssertionError where the buffers do not make the right product."""
    space = LoopSpace(case)
    tensors = random_tensors(case, seed)
    zeros = [[0] * N_OPERANDS for _ in range(case.n_levels)]
    counts = Counts(zeros, [row.copy() for row in zeros], 0, 0, Counter())
    inputs = FactorBuffers(space, I, tensors.inputs, counts)
    weights = FactorBuffers(space, W, tensors.weights, counts)
    outputs = SumBuffers(space, counts)
    multipliers = space.places(-1)
    for indices, now in space.lock_steps():
        counts.steps += 1
        inputs.move(indices)
        weights.move(indices)
        outputs.move(indices)
        macs = [(m, tuple(map(add, now, offset))) for m, offset in multipliers]
        macs = [(m, at) for m, at in macs if space.valid(at)]
        counts.macs += len(macs)
        factors = zip(inputs.multiply(macs), weights.multiply(macs), strict=True)
        outputs.accumulate(macs, [a * b for a, b in factors])
    outputs.finish()
    assert np.array_equal(outputs.at_home(tensors.outputs.shape), tensors.outputs), "wrong product"
    return counts


@dataclass
class Factors:
    """The buffer of I or W in one instance."""

    at: Instance
    offset: Position
    served: tuple[Instance, Instance]  # parent and group: equal where one read of the parent serves both
    tile: frozenset[Word]
    held: dict[Word, int]


class FactorBuffers:
    """The buffers of I or W: a child fetches of its new tile what it does not hold."""

    def __init__(self, space: LoopSpace, operand: int, tensor: NDArray[np.int64], counts: Counts) -> None:
        self.space, self.operand, self.tensor, self.counts = space, operand, tensor, counts
        self.kept = space.case.kept_levels(operand)
        self.buffers: dict[int, dict[Instance, Factors]] = {}
        for level, parent in zip(self.kept, self.kept[1:], strict=False):
            self.buffers[level] = {
                at: Factors(at, offset, self._served(at, parent, space.case.diagonal), frozenset(), {})
                for at, offset in space.places(level)
                if space.ever_works(operand, at)
            }
        self.ports = {at: self._served(at, self.kept[0], False) for at, _ in space.places(-1)}
        self.seen: dict[int, Indices] = {}

    def _served(self, at: Instance, parent: int, diagonal: bool) -> tuple[Instance, Instance]:
        """The parent instance, and the indices below it with those that share a read set to -1."""
        case, n_parent = self.space.case, self.space.n_fanout[parent]
        below = []
        for axis, index in list(zip(self.space.fanout, at, strict=False))[n_parent:]:
            heard = axis.dim not in case.has[self.operand] and case.multicast[self.operand]
            slanted = diagonal and self.operand == I and axis.dim in (P, R)
            below.append(-1 if heard or slanted else index)
        return at[:n_parent], tuple(below)

    def move(self, indices: Indices) -> None:
        """Bring every buffer to the tile of this step, from the home inwards."""
        for child, parent in reversed(list(zip(self.kept, self.kept[1:], strict=False))):
            outside = indices[: self.space.n_time[child]]
            if self.seen.get(child) != outside:
                self.seen[child] = outside
                self._fetch(child, parent, self.space.offset(self.space.time, outside))

    def _fetch(self, child: int, parent: int, now: Position) -> None:
        reads: dict[tuple[Instance, Instance], set[Word]] = {}
        for buffer in self.buffers[child].values():
            tile = self.space.tile(self.operand, child, tuple(map(add, now, buffer.offset)))
            if tile is buffer.tile:
                continue
            need = tile - buffer.tile
            self.counts.write(child, self.operand, "fill", len(need))
            reads.setdefault(buffer.served, set()).update(need)
            kept = {word: value for word, value in buffer.held.items() if word in tile}
            arrived = {word: self._arriving(child, buffer.at, word) for word in need}
            buffer.tile, buffer.held = tile, kept | arrived
        stored = self.space.case.padding_stored[parent]
        for words in reads.values():
            there = len(words) if stored else sum(self.space.exists(self.operand, word) for word in words)
            self.counts.read(parent, self.operand, "child", there)

    def _arriving(self, child: int, at: Instance, word: Word) -> int:
        """Value of a word on its way to a child: its parent has it, unless it is a gap in a box."""
        for level in self.kept[self.kept.index(child) + 1 :]:
            value = self._value(level, at, word)
            if value is not None:
                return value
            assert self.space.case.fetch_box[child], f"level {level} at {at} does not hold {word}"
        raise AssertionError("a home holds every word")

    def _value(self, level: int, at: Instance, word: Word) -> int | None:
        """What a level holds of a word: zero for padding, None where it holds nothing."""
        if not self.space.exists(self.operand, word):
            return 0
        if level == self.kept[-1]:
            return int(self.tensor[word])
        return self.buffers[level][at[: self.space.n_fanout[level]]].held.get(word)

    def multiply(self, macs: list[Mac]) -> list[int]:
        """The factor of each multiply-accumulate, read anew from the innermost level that keeps it."""
        level = self.kept[0]
        stored = self.space.case.padding_stored[level]
        values, reads = [], set()
        for at, position in macs:
            word = self.space.word(self.operand, position)
            value = self._value(level, at, word)
            assert value is not None, f"{OPERANDS[self.operand]} word {word} is not in level {level} at {at}"
            values.append(value)
            if stored or self.space.exists(self.operand, word):
                reads.add(self.ports[at])
        self.counts.read(level, self.operand, "mac", len(reads))
        return values


@dataclass
class Visit:
    """The stay of one output tile in one instance: the words that are not fresh, with their values."""

    tile: frozenset[Word]
    sums: dict[Word, int]
    worked: bool = False


class SumBuffers:
    """The buffers of O: sums start fresh, drain to the parent when their tile leaves, and may return."""

    def __init__(self, space: LoopSpace, counts: Counts) -> None:
        self.space, self.counts = space, counts
        self.kept = space.case.kept_levels(O)
        self.places = {level: space.places(level) for level in self.kept}
        self.visits = {
            (level, at): Visit(frozenset(), {}) for level in self.kept for at, _ in self.places[level]
        }
        self.seen: dict[int, Indices] = {}

    def move(self, indices: Indices) -> None:
        """Let every tile leave that is no longer worked on, from the multipliers outwards."""
        space = self.space
        for child, parent in zip(self.kept, self.kept[1:], strict=False):
            outside = indices[: space.n_time[child]]
            if self.seen.get(child) == outside:
                continue
            self.seen[child] = outside
            now = space.offset(space.time, outside)
            tiles = {
                at: space.tile(O, child, tuple(map(add, now, offset))) for at, offset in self.places[child]
            }
            leaving = [at for at, tile in tiles.items() if tile != self.visits[child, at].tile]
            self._drain(child, parent, leaving)
            for at in leaving:
                self.visits[child, at] = Visit(tiles[at], {})

    def finish(self) -> None:
        """The end: all tiles leave for home."""
        for child, parent in zip(self.kept, self.kept[1:], strict=False):
            self._drain(child, parent, [at for at, _ in self.places[child]])

    def _drain(self, child: int, parent: int, leaving: list[Instance]) -> None:
        n_parent = self.space.n_fanout[parent]
        groups: dict[Instance, list[Visit]] = {}
        for at in leaving:
            visit = self.visits[child, at]
            if visit.worked:
                assert visit.sums.keys() == visit.tile, "a worked tile has a sum in every word"
                self.counts.read(child, O, "drain", len(visit.tile))
                groups.setdefault(self._leader(at, n_parent), []).append(visit)
        for leader, visits in groups.items():
            above = self.visits[parent, leader[:n_parent]]
            n_updates = 1 if self.space.case.reduce else len(visits)
            self.counts.write(parent, O, "update", n_updates * len(visits[0].tile))
            for word in visits[0].tile:
                above.sums[word] = above.sums.get(word, 0) + sum(visit.sums[word] for visit in visits)

    def _leader(self, at: Instance, n_parent: int) -> Instance:
        """The member of the instance's group that gets returned sums: all indices of reductions are zero."""
        has = self.space.case.has[O]
        below = zip(self.space.fanout[n_parent:], at[n_parent:], strict=False)
        return at[:n_parent] + tuple(index if axis.dim in has else 0 for axis, index in below)

    def accumulate(self, macs: list[Mac], products: list[int]) -> None:
        """Add the products of one step to the innermost sums, after the links have added what they can."""
        level = self.kept[0]
        n_here = self.space.n_fanout[level]
        updates: dict[tuple[Instance, Word], list[int]] = {}
        for (at, position), product in zip(macs, products, strict=True):
            self._open(at)
            updates.setdefault((at[:n_here], self.space.word(O, position)), []).append(product)
        for (at, word), parts in updates.items():
            sums = self.visits[level, at].sums
            for part in [sum(parts)] if self.space.case.reduce else parts:
                self.counts.read(level, O, "accumulate", int(word in sums))
                self.counts.write(level, O, "update", 1)
                sums[word] = sums.get(word, 0) + part

    def _open(self, multiplier: Instance) -> None:
        """On the first product of a visit, let the sums return from the parent if it has some."""
        parents = [*self.kept[1:], None]
        for level, parent in reversed(list(zip(self.kept, parents, strict=True))):
            at = multiplier[: self.space.n_fanout[level]]
            visit = self.visits[level, at]
            if visit.worked:
                continue
            visit.worked = True
            if parent is None or at != self._leader(at, self.space.n_fanout[parent]):
                continue
            above = self.visits[parent, at[: self.space.n_fanout[parent]]].sums
            back = visit.tile & above.keys()
            assert len(back) in (0, len(visit.tile)), "a tile is fresh in the parent as a whole or not at all"
            self.counts.read(parent, O, "return", len(back))
            self.counts.write(level, O, "returned", len(back))
            for word in back:
                visit.sums[word] = above[word]
                above[word] = 0  # the value has moved; the word is not fresh any more

    def at_home(self, shape: tuple[int, ...]) -> NDArray[np.int64]:
        """The outputs as they stand at home, added over its instances."""
        outputs = np.zeros(shape, dtype=np.int64)
        home = self.kept[-1]
        for (level, _), visit in self.visits.items():
            if level == home:
                for word, value in visit.sums.items():
                    outputs[word] += value
        return outputs
