"""Programs: what a core does for one layer, tile step by tile step, as data.

A tile step loads tiles, computes and stores. Steps that do the same are one *kind*, so that a program is a
short table and a sequence of numbers. Moves name ports by number: a core binds them to its own.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

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
    """Ticks that make the time of moves apart whole cycles, level by level: compute goes on at a cycle's edge."""
    weights: int | None = None
    """The stage of weights that come from the outermost memory: what may be loaded before the layer begins."""
    cache: dict[str, object] = field(default_factory=dict, repr=False)

    @property
    def n_steps(self) -> int:
        return len(self.steps) - 1

    def counts(self) -> NDArray[np.int64]:
        """How often each kind occurs in a run."""
        return np.bincount(self.steps, minlength=len(self.kinds))
