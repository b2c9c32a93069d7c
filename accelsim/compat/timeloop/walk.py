"""One tensor's tiles followed through the loops, step by step, as Timeloop's nest analysis does.

A loop is run at its first two steps, the second counted as often as there are more ("extrapolation"); with
imperfect factors also at its last two. At each step the innermost child of every fan-out works out its delta:

    tile stays where it is      nothing
    moves as it moved before    tile minus its overlap with the tile before
    moves otherwise             the whole tile, and what it held is forgotten

The other children want the same delta at their own offsets. Equal deltas form a group that is served once;
a delta that a 4-neighbour had the step before may come from there, where that lowers what the parent reads.

Source: ComputeDeltas, ComputeSpatialWorkingSet, ComputeNetworkLinkTransfers in Timeloop's
src/loop-analysis/nest-analysis.cpp. `evaluate` has the same in closed form, for many mappings at once.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from math import prod

from accelsim.compat.timeloop.model import Tensor
from accelsim.compat.timeloop.nest import Loop, Nest

Vector = tuple[int, ...]


@dataclass(frozen=True)
class Delta:
    """A box of words with another one cut out of it."""

    low: Vector
    sides: Vector
    hole: tuple[Vector, Vector] | None = None
    """Corner, relative to `low`, and sides of what is cut out."""

    @property
    def size(self) -> int:
        return prod(self.sides) - (prod(self.hole[1]) if self.hole else 0)

    @property
    def shape(self) -> tuple[Vector, tuple[Vector, Vector] | None]:
        return self.sides, self.hole

    def without(self, other: Delta) -> Delta:
        """This box minus what it shares with another box; sides of 0 where nothing is left."""
        low = tuple(max(a, b) for a, b in zip(self.low, other.low, strict=True))
        high = tuple(
            min(a + n, b + m) for a, n, b, m in zip(self.low, self.sides, other.low, other.sides, strict=True)
        )
        shared = tuple(max(0, b - a) for a, b in zip(low, high, strict=True))
        if not prod(shared):
            return self
        cut = [axis for axis, (n, s) in enumerate(zip(self.sides, shared, strict=True)) if n != s]
        if not cut:
            return Delta(self.low, (0,) * len(self.sides))
        axis = cut[0]
        at_low, at_high = low[axis] == self.low[axis], high[axis] == self.low[axis] + self.sides[axis]
        if len(cut) == 1 and (at_low or at_high):  # what is left is a box again
            sides = (*self.sides[:axis], self.sides[axis] - shared[axis], *self.sides[axis + 1 :])
            start = high[axis] if at_low else self.low[axis]
            return Delta((*self.low[:axis], start, *self.low[axis + 1 :]), sides)
        return Delta(self.low, self.sides, (tuple(a - b for a, b in zip(low, self.low, strict=True)), shared))


@dataclass
class Record:
    """Deltas that are sent to groups of one size: words, and hops of one send to all such groups."""

    words: float = 0.0
    hops: float = 0.0

    def add(self, words: float, hops: float) -> None:
        total = self.words + words
        self.hops = (self.hops * self.words + hops * words) / total if total else 0.0
        self.words = total


@dataclass
class Seen:
    """What one storage level was asked for, per instance of it."""

    tile: int = 0
    """Most words of its own tile."""
    spread: int = 0
    """Most words that its children hold together; 0 without a fan-out."""
    records: dict[tuple[int, int], Record] = field(default_factory=lambda: defaultdict(Record))
    """(children in a group, groups) to what was sent."""
    links: float = 0.0
    """Words that its children handed one another."""


@dataclass(frozen=True)
class Rules:
    """Which of Timeloop's rules hold at each level for the tensor."""

    extrapolates: bool = True
    links: tuple[bool, ...] = ()
    multicasts: tuple[bool, ...] = ()
    reuses: tuple[bool, ...] = ()


class Walk:
    """The walk of one tensor; `seen` is the answer, innermost level first."""

    def __init__(self, tensor: Tensor, nest: Nest, rules: Rules) -> None:
        self.nest, self.rules = nest, rules
        self.by = [
            tuple(sum(c for d, c in rank if d == dim) for rank in tensor.ranks) for dim in range(nest.n_dims)
        ]
        self.seen = [Seen() for _ in nest.levels]
        self.at = [0] * len(tensor.ranks)
        self.not_last = [0] * nest.n_dims  # loops around that are not at their last step, by dim
        self.weight = 1
        self.held: dict[int, Delta] = {}
        self.moved: dict[int, Vector | None] = {}
        self.before: dict[int, tuple[Delta, dict[int, Vector]]] = {}
        self.children: dict[object, dict[int, Vector]] = {}
        self.groups: dict[object, dict[int, tuple[int, float]]] = {}
        self._tile(len(nest.levels) - 1)

    # -- tiles --------------------------------------------------------------------------------------------

    def _box(self, full: Vector, last: Vector) -> Delta:
        sides = [1] * len(self.at)
        for dim, by in enumerate(self.by):
            extent = full[dim] if self.not_last[dim] else last[dim]
            for rank, coefficient in enumerate(by):
                sides[rank] += coefficient * (extent - 1)
        return Delta(tuple(self.at), tuple(sides))

    def _tile(self, level: int) -> Delta:
        """Runs a level's loops and gives the delta of its tile (level -1: of the word at a multiplier)."""
        if level < 0:
            return self._delta(-1, Delta(tuple(self.at), (1,) * len(self.at)))
        self._time(level, self.nest.levels[level].time)
        extents = self.nest.levels[level]
        box = self._box(extents.tile, extents.last_tile)
        self.seen[level].tile = max(self.seen[level].tile, box.size)
        return self._delta(level, box)

    def _delta(self, level: int, box: Delta) -> Delta:
        held, moved = self.held.get(level), self.moved.get(level)
        self.held[level] = box
        reuses = level < 0 or self.rules.reuses[level]
        if held is None or not reuses:
            return box
        move = tuple(a - b for a, b in zip(box.low, held.low, strict=True))
        if any(move):
            self.moved[level] = move if moved is None or moved == move else None
            if moved is not None and moved != move:
                return box
        return box.without(held)

    # -- time ---------------------------------------------------------------------------------------------

    def _time(self, level: int, loops: tuple[Loop, ...]) -> None:
        """The temporal loops of a level, outermost first."""
        if len(loops) <= 1 and not self.nest.levels[level].space:
            self._ask(level, loops[0] if loops else None)
        elif not loops:
            self._fan_out(level)
        else:
            for index, times in self._steps(loops[0]):
                self._at(loops[0], index, times, lambda: self._time(level, loops[1:]))

    def _ask(self, level: int, loop: Loop | None) -> None:
        """The innermost loop of a level with one child: the multiplier reads each time, a level its delta."""
        record = self.seen[level].records[1, 1]
        if level == 0:
            trips = 1 if loop is None else self._trips(loop)
            record.add(trips * self.weight, 0.0)
            return
        sizes: list[list[int]] = []

        def visit() -> None:
            sizes.append([self._tile(level - 1).size, 1])

        if loop is None:
            visit()
        else:
            steps = list(self._steps(loop))
            for n, (index, times) in enumerate(steps):
                self._at(loop, index, times, visit)
                sizes[-1][1] = times
                if self.nest.imperfect and len(steps) == 4 and n == 2:
                    sizes.pop()  # Timeloop lets the second step stand for the last but one
                    sizes[-1][1] += 1
        record.add(sum(size * times for size, times in sizes) * self.weight, 0.0)

    def _trips(self, loop: Loop) -> int:
        return loop.trips if self.not_last[loop.dim] else loop.last

    def _steps(self, loop: Loop) -> Iterator[tuple[int, int]]:
        """(index, how often it counts) of the steps that are run."""
        n = self._trips(loop)
        if not self.rules.extrapolates:
            yield from ((index, 1) for index in range(n))
        elif not self.nest.imperfect:
            yield from [(0, 1), (1, n - 1)][: min(n, 2)]
        elif n < 4:
            yield from ((index, 1) for index in range(n))
        else:
            yield from ((0, 1), (1, n - 3), (n - 2, 1), (n - 1, 1))

    def _at(self, loop: Loop, index: int, times: int, run: Callable[[], None]) -> None:
        """Runs what is inside a loop at one of its steps."""
        saved, weight = self.at, self.weight
        shift = index * loop.step
        self.at = [a + shift * c for a, c in zip(saved, self.by[loop.dim], strict=True)]
        self.weight = weight * times
        is_inner = index + 1 < loop.last
        self.not_last[loop.dim] += is_inner
        run()
        self.not_last[loop.dim] -= is_inner
        self.at, self.weight = saved, weight

    # -- space --------------------------------------------------------------------------------------------

    def _children(self, loops: tuple[Loop, ...], index: int, offset: Vector) -> Iterator[tuple[int, Vector]]:
        """(number, offset in words) of the children in use; loops in space, outermost first."""
        if not loops:
            yield index, offset
            return
        loop = loops[0]
        n = self._trips(loop)
        for i in range(n):
            moved = tuple(a + i * loop.step * c for a, c in zip(offset, self.by[loop.dim], strict=True))
            is_inner = i + 1 < loop.last
            self.not_last[loop.dim] += is_inner
            yield from self._children(loops[1:], index * n + i, moved)
            self.not_last[loop.dim] -= is_inner

    def _fan_out(self, level: int) -> None:
        here, seen = self.nest.levels[level], self.seen[level]
        key = (level, tuple(bool(n) for n in self.not_last) if self.nest.imperfect else None)
        if key not in self.children:
            self.children[key] = dict(self._children(here.space, 0, (0,) * len(self.at)))
        children = self.children[key]
        for loop in here.space:
            self.not_last[loop.dim] += loop.last > 1
        delta = self._tile(level - 1)
        for loop in here.space:
            self.not_last[loop.dim] -= loop.last > 1
        seen.spread = max(seen.spread, self._box(here.spread, here.last_spread).size)
        size = delta.size
        sent = self._grouped(level, key, children) if size else {}
        total = sum(groups for groups, _ in sent.values()) * size
        if self.rules.links[level]:
            served = self._served(level, delta, children) if size else set()
            self.before[level] = delta, children
            if served:
                left = {index: at for index, at in children.items() if index not in served}
                linked = self._grouped(level, (key, frozenset(served)), left)
                if sum(groups for groups, _ in linked.values()) * size < total:
                    sent = linked
                    seen.links += size * len(served) * self.weight
        for members, (groups, hops) in sent.items():
            seen.records[members, groups].add(groups * size * self.weight, hops)

    def _grouped(self, level: int, key: object, children: dict[int, Vector]) -> dict[int, tuple[int, float]]:
        """Children in a group to (groups, hops of them all): those at one offset want the same words."""
        found = self.groups.get(key)
        if found is None:
            groups: dict[object, list[int]] = defaultdict(list)
            for index, offset in children.items():
                groups[offset if self.rules.multicasts[level] else index].append(index)
            sent: dict[int, tuple[int, float]] = {}
            for members in groups.values():
                n, hops = sent.get(len(members), (0, 0.0))
                sent[len(members)] = n + 1, hops + self._hops(level, members)
            found = self.groups[key] = sent
        return found

    def _hops(self, level: int, members: list[int]) -> float:
        """Along X to the farthest column, then up and down each column from the middle of Y."""
        x_size, y_size = self.nest.levels[level].mesh
        columns: dict[int, list[int]] = defaultdict(list)
        for index in members:
            columns[index % x_size].append(index // x_size)
        middle = (y_size - 1) / 2
        return max(columns) + sum(
            max(0.0, middle - min(ys)) + max(0.0, max(ys) - middle) for ys in columns.values()
        )

    def _served(self, level: int, delta: Delta, children: dict[int, Vector]) -> set[int]:
        """Children whose delta a neighbour had the step before."""
        if level not in self.before:
            return set()
        old, places = self.before[level]
        if old.shape != delta.shape:
            return set()
        move = tuple(a - b for a, b in zip(delta.low, old.low, strict=True))
        x_size, y_size = self.nest.levels[level].mesh
        served = set()
        for index, offset in children.items():
            wanted = tuple(a + b for a, b in zip(offset, move, strict=True))
            x, y = index % x_size, index // x_size
            for i, j in ((x, y - 1), (x, y + 1), (x - 1, y), (x + 1, y)):
                is_there = 0 <= i < x_size and 0 <= j < y_size
                if is_there and places.get(j * x_size + i) == wanted:
                    served.add(index)
        return served
