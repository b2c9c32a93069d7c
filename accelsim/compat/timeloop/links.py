"""Words that neighbours hand each other: Timeloop's link transfers, one mapping at a time.

At each step a child whose delta equals that of a 4-neighbour at the step before takes it from there. Under
one loop nest all children's deltas are the same box at their own offsets, so a child at offset o is served by
a neighbour at offset o + v, where v is how far the tile moved since the step before and both boxes have one
shape. Timeloop takes the links of a step where that leaves fewer groups of equal deltas for the parent to
serve. Source: ComputeNetworkLinkTransfers in Timeloop's src/loop-analysis/nest-analysis.cpp.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from math import prod

Vector = tuple[int, ...]
Words = tuple[int, int, int]


@dataclass(frozen=True)
class Children:
    """The children of one instance: loops in space, innermost first, as (trips, shift of the box in
    words).
    """

    loops: tuple[tuple[int, Vector], ...]
    row: int
    """Children on a row: the physical or the used ones, whichever are more."""


@lru_cache(maxsize=4096)
def _served(children: Children, move: Vector) -> tuple[int, int]:
    """(children that a neighbour serves, groups of equal deltas that remain) for a move of the tile."""
    counters = product(*(range(trips) for trips, _ in reversed(children.loops)))
    offsets = [
        tuple(
            sum(index * shift[axis] for index, (_, shift) in zip(reversed(at), children.loops, strict=True))
            for axis in range(len(move))
        )
        for at in counters
    ]
    remaining = set()
    n_served = 0
    for index, offset in enumerate(offsets):
        beside = [index - children.row, index + children.row]
        if index % children.row:
            beside.append(index - 1)
        if (index + 1) % children.row:
            beside.append(index + 1)
        wanted = tuple(o + v for o, v in zip(offset, move, strict=True))
        if any(move) and any(0 <= b < len(offsets) and offsets[b] == wanted for b in beside):
            n_served += 1
        else:
            remaining.add(offset)
    return n_served, len(remaining)


@lru_cache(maxsize=65536)
def with_links(box: Vector, loops: tuple[tuple[int, Vector], ...], children: Children, exact: bool) -> Words:
    """(words read at the parent, words that children got from it, words handed over by links).

    `loops`: all temporal loops of more than one trip outside the child, innermost first, as (trips, shift);
    the first must move the tile. `exact`: all steps of a loop, not its first two (see `fetch`).
    """
    fanout = prod(trips for trips, _ in children.loops)
    _, n_groups = _served(children, (0,) * len(box))
    tile = prod(box)
    n_first, first = loops[0]
    delta = tile - prod(max(0, side - shift) for side, shift in zip(box, first, strict=True))

    def step(words: int, move: Vector, linked: bool) -> Words:
        n_served, n_left = _served(children, move) if linked else (0, n_groups)
        if n_left >= n_groups:
            return words * n_groups, words * fanout, 0
        return words * n_left, words * (fanout - n_served), words * n_served

    # What a pass of the innermost loop costs after its first step, by what that step fetched: the boxes of
    # two steps have one shape where both fetched the tile or both the delta, none after an empty step.
    whole = step(delta, first, delta == tile)
    rest = {kind: _scaled(words, n_first - 1) for kind, words in {
        "tile": whole, "delta": step(delta, first, True), "none": step(delta, first, False)
    }.items()}  # fmt: skip
    back = tuple(s * (n_first - 1 if exact else 1) for s in first)
    for trips, shift in loops[1:]:
        move = tuple(s - b for s, b in zip(shift, back, strict=True))
        kind = "none" if not any(move) else "delta" if move == first else "tile"
        size = {"none": 0, "delta": delta, "tile": tile}[kind]
        jump = step(size, move, kind == "delta" or size == delta)
        again = _scaled(_added(jump, rest[kind]), trips - 1)
        rest = {start: _added(words, again) for start, words in rest.items()}
        back = tuple(b + s * (trips - 1 if exact else 1) for b, s in zip(back, shift, strict=True))
    return _added(step(tile, first, False), rest["tile"])


def _added(a: Words, b: Words) -> Words:
    return a[0] + b[0], a[1] + b[1], a[2] + b[2]


def _scaled(a: Words, n: int) -> Words:
    return a[0] * n, a[1] * n, a[2] * n
