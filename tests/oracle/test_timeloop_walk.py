"""Timeloop's counts against every step of the loops, walked with sets of words.

The oracle knows dims and words: it visits every step of every loop, skips what lies beyond the extents (which
is what an imperfect factor means), and applies the rule of state to the sets that a level's first child
wants. It shares no code with the evaluators, and no shortcut: no extrapolation, no closed form, no boxes.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from math import floor
from pathlib import Path

import numpy as np
from hypothesis import given as for_all
from hypothesis import settings
from hypothesis import strategies as st

import accelsim
from accelsim.compat.timeloop.account import account
from accelsim.compat.timeloop.evaluate import evaluate
from accelsim.compat.timeloop.model import Mappings, Tensor, TimeloopInput
from accelsim.compat.timeloop.read import read_timeloop

BASE = read_timeloop(Path(accelsim.__file__).parent / "evidence" / "timeloop" / "links.yaml")
DIMS = (BASE.workload.dims.index(dim) for dim in "CMRP")
C, M, R, P = DIMS
N_DIMS = len(BASE.workload.dims)
Words = frozenset[tuple[int, ...]]
Place = tuple[int, bool, int, int]  # level, whether in space, dim, trips


@st.composite
def mappings(draw: st.DrawFn, *, imperfect: bool, bypass: bool) -> TimeloopInput:
    """Three levels, a fan-out below the second and the third, a window that slides; few steps."""
    time, space = (np.ones((3, N_DIMS, 1), np.int64) for _ in range(2))
    last_time, last_space = time.copy(), space.copy()
    for dim, places in ((C, "t0 t1 s1"), (M, "t1 s1 t2"), (R, "t0 t1 s2"), (P, "t0 s1 t1 t2")):
        for place in places.split():
            if draw(st.booleans()):
                n = draw(st.integers(2, 3))
                kind, last = (time, last_time) if place[0] == "t" else (space, last_space)
                kind[int(place[1]), dim] = n
                last[int(place[1]), dim] = draw(st.integers(1, n)) if imperfect else n
    extents = [1] * N_DIMS
    inside = [1] * N_DIMS
    for level in range(3):
        for kind, last in ((space, last_space), (time, last_time)):
            for dim in range(N_DIMS):
                extents[dim] += (int(last[level, dim, 0]) - 1) * inside[dim]
                inside[dim] *= int(kind[level, dim, 0])
    order = np.array([draw(st.permutations(range(N_DIMS))) for _ in range(3)])[:, :, None]
    keep = [[True] * 3 for _ in range(3)]
    if bypass:
        for t in range(3):
            keep[draw(st.integers(0, 1))][t] = False
    lasts = tuple(
        (tuple(last_space[level, :, 0].tolist()), tuple(last_time[level, :, 0].tolist()))
        for level in range(3)
    )
    mapping = Mappings(
        time, space, order, (tuple(range(N_DIMS)),) * 3, (N_DIMS,) * 3, tuple(map(tuple, keep)),
        lasts if imperfect else (),
    )  # fmt: skip
    by = draw(st.sampled_from([(1, 1), (1, 2), (2, 1)]))
    tensors = tuple(
        replace(
            tensor,
            ranks=tuple(
                tuple((dim, by[n] if len(rank) > 1 else c) for n, (dim, c) in enumerate(rank))
                for rank in tensor.ranks
            ),
        )
        for tensor in BASE.workload.tensors
    )
    levels = tuple(
        replace(level, n_instances=512, mesh_x=512, size_words=None) for level in BASE.architecture.levels
    )
    return replace(
        BASE,
        workload=replace(BASE.workload, extents=tuple(extents), tensors=tensors),
        architecture=replace(BASE.architecture, levels=levels, n_macs=512, mac_mesh_x=512),
        mapping=mapping,
        links=False,
    )


def places_of(mapping: Mappings) -> list[Place]:
    """All loops, outermost first; imperfect ones know it only by the extents."""
    found: list[Place] = []
    for level in range(2, -1, -1):
        for dim in reversed(mapping.order[level, :, 0].tolist()):
            found.append((level, False, dim, int(mapping.time[level, dim, 0])))
        for dim in reversed(range(N_DIMS)):
            found.append((level, True, dim, int(mapping.space[level, dim, 0])))
    return found


class Oracle:
    """Reads of each level by its direct children and fetches of its own tile, for one tensor."""

    def __init__(self, given: TimeloopInput, tensor: Tensor) -> None:
        self.given, self.tensor = given, tensor
        assert given.mapping is not None
        self.mapping = given.mapping
        self.extents = given.workload.extents
        self.places = places_of(self.mapping)
        self.steps = self._steps()

    def _steps(self) -> list[int]:
        steps, inside = [], [1] * N_DIMS
        for _, _, dim, trips in reversed(self.places):
            steps.append(inside[dim])
            inside[dim] *= trips
        return steps[::-1]

    def box(self, corner: list[int], level: int) -> Words:
        """Words of a level's tile at a corner, cut at the extents."""
        sizes = [1] * N_DIMS
        for at, _, dim, trips in self.places:
            sizes[dim] *= trips if at <= level else 1
        ranges = [range(c, min(c + n, e)) for c, n, e in zip(corner, sizes, self.extents, strict=True)]
        ends = [(r.start, r.stop - 1) for r in ranges]
        axes = [
            range(sum(by * ends[dim][0] for dim, by in rank), sum(by * ends[dim][1] for dim, by in rank) + 1)
            for rank in self.tensor.ranks
        ]
        return frozenset(product(*axes))

    def asked(self, level: int) -> tuple[int, int]:
        """(words that the children of one instance of a level ask for, words that they get together)."""
        outside = [
            (dim, trips, step)
            for (at, in_space, dim, trips), step in zip(self.places, self.steps, strict=True)
            if at >= level and not in_space
        ]
        spread = [
            (dim, trips, step)
            for (at, in_space, dim, trips), step in zip(self.places, self.steps, strict=True)
            if at == level and in_space
        ]
        alone = level == 0 and all(trips == 1 for _, trips, _ in spread)
        total = got = 0
        held: Words | None = None
        corner_held: tuple[int, ...] = ()
        moved: tuple[int, ...] | None = None
        for index in product(*(range(trips) for _, trips, _ in outside)):
            corner = [0] * N_DIMS
            for i, (dim, _, step) in zip(index, outside, strict=True):
                corner[dim] += i * step
            if any(c >= e for c, e in zip(corner, self.extents, strict=True)):
                continue
            words = self.box(corner, level - 1)
            here = tuple(min(axis) for axis in zip(*words, strict=True))
            fetched = words
            if held is not None and not alone:
                move = tuple(a - b for a, b in zip(here, corner_held, strict=True))
                if not any(move):
                    fetched = words - held
                else:
                    fetched = words - held if moved in (None, move) else words
                    moved = move if moved in (None, move) else None
            held, corner_held = words, here
            children = set()
            n_children = 0
            for at in product(*(range(trips) for _, trips, _ in spread)):
                child = list(corner)
                for i, (dim, _, step) in zip(at, spread, strict=True):
                    child[dim] += i * step
                if all(c < e for c, e in zip(child, self.extents, strict=True)):
                    n_children += 1
                    children.add(
                        tuple(
                            sum(by * (child[dim] - corner[dim]) for dim, by in rank)
                            for rank in self.tensor.ranks
                        )
                    )
            total += len(fetched) * len(children)
            got += len(fetched) * n_children
        return total, got


@settings(max_examples=40, deadline=None)
@for_all(mappings(imperfect=True, bypass=False))
def test_the_exact_walk_of_imperfect_factors_is_every_step_inside_the_extents(given: TimeloopInput) -> None:
    counted = account(replace(given, extrapolates=False))
    assert given.mapping is not None
    fanout = given.mapping.space.prod(axis=1)[:, 0]
    for t, tensor in enumerate(given.workload.tensors):
        oracle = Oracle(given, tensor)
        for level in range(3):
            words, _ = oracle.asked(level)
            tally = counted.tally[level, t]
            part = tally.partition if tensor.read_write else 0
            assert tally.reads == words - part, (tensor.name, level)
            assert tally.updates == (words if tensor.read_write else 0)
            if level < 2:
                _, got = oracle.asked(level + 1)
                share = got / fanout[level + 1]
                assert tally.fills == (round_half_up(share - part) if tensor.read_write else int(share))


@settings(max_examples=40, deadline=None)
@for_all(mappings(imperfect=False, bypass=True), st.booleans())
def test_past_a_level_that_keeps_nothing_the_groups_multiply(given: TimeloopInput, exact: bool) -> None:
    given = replace(given, extrapolates=not exact, links=not exact)
    assert given.mapping is not None
    counted = account(given)
    closed = evaluate(given, given.mapping)
    for (level, t), tally in counted.tally.items():
        found = [
            getattr(closed, name)[level, t, 0] for name in ("reads", "fills", "updates", "partition", "tile")
        ]
        assert found == [tally.reads, tally.fills, tally.updates, tally.partition, tally.tile]
    assert counted.cycles == closed.cycles[0]
    assert abs(counted.energy_pj - closed.energy_pj[0]) <= 1e-9 * counted.energy_pj
    if exact:
        for t, tensor in enumerate(given.workload.tensors):
            oracle = Oracle(given, tensor)
            words = 1.0
            for level in range(3):
                asked, got = oracle.asked(level)
                kept_below = level > 0 and given.mapping.keep[level - 1][t]
                words = float(asked) if level == 0 or kept_below else words * asked / got * fan(given, level)
                if (level, t) in counted.tally and not tensor.read_write:
                    assert counted.tally[level, t].reads == round_half_up(words)


def fan(given: TimeloopInput, level: int) -> int:
    assert given.mapping is not None
    return int(given.mapping.space[level].prod())


def round_half_up(words: float) -> int:
    return max(0, floor(words + 0.5))
