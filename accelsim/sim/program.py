"""Programs: what a core does for one layer, tile step by tile step, as data.

A tile step loads tiles, computes and stores. Steps that do the same are one *kind*, so that a program is a
short table and a sequence of numbers. Moves name ports by number: a core binds them to its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

MIN_STEPS = 8
"""Steps that a skip must save: to look for repetition costs as much as a few of them."""
Moves = tuple[tuple[int, int], ...]
"""(port number, ticks) of one transfer: it takes all these ports, each for its own time."""


@dataclass(frozen=True, slots=True)
class Stage:
    """A buffer that tiles of one operand are loaded into ahead of their use.

    `slots` tiles fit at once: with 2 the next one comes in while this one is in use.
    """

    name: str
    slots: int
    parent: int | None = None
    """The stage that must have the tile before this one can load from it."""
    gates: bool = False
    """Tiles that begin with a step's `apart` moves wait for them."""
    tile_bytes: int = 0
    level: int = -1


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of tile step; times in ticks."""

    compute: int = 0
    fill: int = 0
    """Ticks in which the array fills or drains while all memory rests."""
    wait: int = 0
    """Ticks in which the array waits for its own next weights; memory goes on."""
    begins: tuple[int, ...] = ()
    """Stages of which another tile is used from this step on."""
    loads: tuple[Moves, ...] = ()  # [begins]
    drains: tuple[Moves, ...] = ()  # [begins] what leaves of the tile that was used before
    trailing: Moves = ()
    """What leaves single-buffered levels when the step before has ended; this one can't end before it."""
    streams: Moves = ()
    """What moves while the step computes."""
    apart: tuple[Moves, ...] = ()
    """What moves while all else is at rest, before the step, one after the other."""
    owed: Moves = ()
    """What the other ends of such moves have to do, at any time afterwards."""


@dataclass(frozen=True, eq=False)
class Program:
    """Tile steps of one layer; the last one computes nothing and stores what is left."""

    name: str
    stages: tuple[Stage, ...]
    kinds: tuple[Kind, ...]
    steps: NDArray[np.int32]  # [n + 1] number of the kind
    periods: tuple[int, ...] = ()
    """Steps of one iteration of each loop that is walked, outermost first: where repetition is looked for."""
    lead: int = 0
    """Ticks in which the array fills before the first step, memory at rest."""
    tail: int = 0
    """Ticks in which it drains after the last one."""
    pad: int = 0
    """Ticks to whole cycles of all moves apart, level by level: compute goes on at the edge of a cycle."""
    weights: int | None = None
    """The stage of weights from the outermost memory: they may be loaded before the layer begins."""

    @property
    def n_steps(self) -> int:
        return len(self.steps) - 1

    @cached_property
    def repeats(self) -> tuple[list[int], list[NDArray[np.int32]], bytes]:
        """Periods worth looking at, how long each repeats from every step on, and where to look."""
        return _repeats(self.steps, self.periods)

    def counts(self) -> NDArray[np.int64]:
        """How often each kind occurs in a run."""
        return np.bincount(self.steps, minlength=len(self.kinds))


def _repeats(
    steps: NDArray[np.int32], periods: tuple[int, ...]
) -> tuple[list[int], list[NDArray[np.int32]], bytes]:
    """For each period worth it: how many steps, from each on, equal those a period later; and where to look.

    A step's mark has bit j set where loop j may repeat often enough.
    """
    n = len(steps)
    marks = np.zeros(n, np.uint8)
    kept: list[int] = []
    repeats: list[NDArray[np.int32]] = []
    for period in sorted(set(periods)):
        if len(kept) == 8 or 2 * period >= n:
            break
        differs = np.flatnonzero(steps[:-period] != steps[period:])
        at = np.arange(n)
        ends = np.append(differs, n - period)
        run = np.maximum(ends[np.minimum(np.searchsorted(ends, at), len(ends) - 1)] - at, 0)
        worth = run >= period + max(period, MIN_STEPS)
        worth[period:] |= worth[:-period].copy()  # the second look of a pair
        if not worth.any():
            continue
        marks |= (worth << len(kept)).astype(np.uint8)
        kept.append(period)
        repeats.append(run.astype(np.int32))
    return kept, repeats, marks.tobytes()
