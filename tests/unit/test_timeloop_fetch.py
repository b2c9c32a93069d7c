"""The closed form of what is fetched and handed over equals a walk of the loops with sets of words.

The walk does what Timeloop's nest analysis does (src/loop-analysis/nest-analysis.cpp, ComputeDeltas and
ComputeSpatialWorkingSet): every loop at its first two steps, the second as often as there are more; a child's
delta as a set; all children's deltas compared with each other and with their neighbours' of the step before.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import product
from pathlib import Path

import numpy as np
import pytest

import accelsim
from accelsim.compat.timeloop.evaluate import evaluate
from accelsim.compat.timeloop.model import Mappings, Tensor, TimeloopInput
from accelsim.compat.timeloop.read import read_timeloop

BASE = read_timeloop(Path(accelsim.__file__).parent / "evidence" / "timeloop" / "links.yaml")
DIMS = BASE.workload.dims
COLUMNS, ROWS = 4, 3
Words = frozenset[tuple[int, ...]]


@dataclass
class Walk:
    """One fan-out of one tensor while the loops outside of it run."""

    tensor: Tensor
    below: dict[int, int]  # extents inside the child
    spread: list[tuple[int, int]]  # loops in space, innermost first
    corner_held: tuple[int, ...] | None = None
    held: Words = frozenset()
    move: tuple[int, ...] | None = None
    before: list[Words] = field(default_factory=list)
    asked: int = 0
    got: int = 0
    handed: int = 0

    def corner(self, at: dict[int, int]) -> tuple[int, ...]:
        return tuple(sum(by * at.get(dim, 0) for dim, by in rank) for rank in self.tensor.ranks)

    def words(self, at: dict[int, int]) -> Words:
        """The box from the corner to that of the last position inside the child."""
        last = {dim: at.get(dim, 0) + self.below[dim] - 1 for dim in self.below}
        sides = [range(a, b + 1) for a, b in zip(self.corner(at), self.corner(last), strict=True)]
        return frozenset(product(*sides))

    def delta(self, at: dict[int, int]) -> Words:
        here, now = self.corner(at), self.words(at)
        old, held, move = self.corner_held, self.held, self.move
        if old is not None:
            step = tuple(a - b for a, b in zip(here, old, strict=True))
            if not any(step):
                return frozenset()
            self.move = step if move is None or move == step else None
        self.corner_held, self.held = here, now
        return now if old is None or self.move is None else now - held

    def visit(self, at: dict[int, int], weight: int) -> None:
        delta = self.delta(at)
        deltas = []
        for index in product(*(range(trips) for _, trips in reversed(self.spread))):
            offset = {
                dim: i * self.below[dim] for (dim, _), i in zip(self.spread, reversed(index), strict=True)
            }
            shift = self.corner(offset)
            deltas.append(frozenset(tuple(w + s for w, s in zip(word, shift, strict=True)) for word in delta))
        plain = {words for words in deltas if words}
        served = [
            any(0 <= b < len(self.before) and words and words == self.before[b] for b in beside(child))
            for child, words in enumerate(deltas)
        ]
        left = {words for words, by in zip(deltas, served, strict=True) if words and not by}
        if self.before and len(left) < len(plain):
            self.asked += weight * sum(len(words) for words in left)
            self.got += weight * sum(len(w) for w, by in zip(deltas, served, strict=True) if not by)
            self.handed += weight * sum(len(w) for w, by in zip(deltas, served, strict=True) if by)
        else:
            self.asked += weight * sum(len(words) for words in plain)
            self.got += weight * sum(len(words) for words in deltas)
        self.before = deltas


def beside(child: int) -> Iterator[int]:
    """The 4-neighbours; children are numbered along the physical rows, whatever the rows that are used."""
    yield from (child - COLUMNS, child + COLUMNS)
    if child % COLUMNS:
        yield child - 1
    if (child + 1) % COLUMNS:
        yield child + 1


def run(walk: Walk, loops: list[tuple[int, int, int]], at: dict[int, int], weight: int) -> None:
    """Loops outermost first: (dim, trips, step)."""
    if not loops:
        walk.visit(at, weight)
        return
    dim, trips, step = loops[0]
    run(walk, loops[1:], at, weight)
    if trips > 1:
        run(walk, loops[1:], {**at, dim: at.get(dim, 0) + step}, weight * (trips - 1))


def random_case(rng: np.random.Generator) -> TimeloopInput:
    """Trips of 1 to 3 in every place, 4 x 3 registers, some stride and dilation, one mapping."""
    n = len(DIMS)
    time = np.where(rng.random((3, n, 1)) < 0.3, rng.integers(2, 4, (3, n, 1)), 1)
    space = np.ones((3, n, 1), np.int64)
    order = rng.permutation(n)
    outer = np.stack([rng.permutation(n) for _ in range(3)])
    split = int(rng.integers(0, n + 1))
    if rng.random() < 0.5:  # registers of one word, children along an axis that the innermost loop slides on
        time[0] = 1
        pair = rng.permutation([DIMS.index(dim) for dim in ("RP", "SQ")[rng.integers(2)]])
        order = np.array([pair[0], *(dim for dim in order if dim != pair[0])])
        outer[1] = [pair[1], *(dim for dim in outer[1] if dim != pair[1])]
        time[1, pair[1]] = rng.integers(2, 4)
    for dims, most in ((order[:split], COLUMNS), (order[split:], ROWS)):
        room = most
        for dim in dims:
            trips = int(rng.choice([1, 1, 2, 3, 4]))
            if trips <= room:
                space[1, dim], room = trips, room // trips
    mapping = Mappings(
        time,
        space,
        outer[:, :, None],
        (tuple(range(n)), tuple(order.tolist()), tuple(range(n))),
        (n, split, n),
        ((True,) * 3,) * 3,
    )
    by = [int(rng.choice([1, 1, 2])) for _ in range(2)]
    tensors = tuple(
        replace(
            tensor,
            ranks=tuple(
                tuple((dim, by[i] if len(rank) > 1 else c) for i, (dim, c) in enumerate(rank))
                for rank in tensor.ranks
            ),
        )
        for tensor in BASE.workload.tensors
    )
    levels = list(BASE.architecture.levels)
    levels[0] = replace(levels[0], n_instances=COLUMNS * ROWS, mesh_x=COLUMNS)
    extents = (time * space).prod(axis=0)[:, 0]
    return replace(
        BASE,
        workload=replace(BASE.workload, extents=tuple(extents.tolist()), tensors=tensors),
        architecture=replace(
            BASE.architecture, levels=tuple(levels), n_macs=COLUMNS * ROWS, mac_mesh_x=COLUMNS
        ),
        mapping=mapping,
    )


@pytest.mark.parametrize("seed", range(8))
def test_closed_form_equals_the_walk(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n_handed = 0
    for _ in range(15):
        given = random_case(rng)
        mapping = given.mapping
        assert mapping is not None
        counts = evaluate(given, mapping)
        below = dict(enumerate(mapping.time[0, :, 0].tolist()))
        loops = []
        inside = mapping.time[0, :, 0] * mapping.space[1, :, 0]
        for level in (1, 2):
            for dim in mapping.order[level, :, 0]:
                loops.append((int(dim), int(mapping.time[level, dim, 0]), int(inside[dim])))
            inside = inside * mapping.time[level, :, 0]
        spread = [(dim, int(mapping.space[1, dim, 0])) for dim in mapping.space_order[1]]
        n_children = int(mapping.space[1, :, 0].prod())
        for t, tensor in enumerate(given.workload.tensors):
            walk = Walk(tensor, below, spread)
            run(walk, loops[::-1], {}, 1)
            part = counts.partition[:, t, 0] if tensor.read_write else (0, 0)
            assert counts.reads[1, t, 0] == walk.asked - part[1]
            # what neighbours hand over adds up with what the parent sends to whole fetches
            assert counts.fills[0, t, 0] == (walk.got + walk.handed) // n_children - part[0]
            n_handed += walk.handed
    assert n_handed > 0  # some of the cases do hand words over
