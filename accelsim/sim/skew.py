"""What an array needs beside its steps: to load, fill and drain, by its fold rule, or to set up a pass.

A chain of folds of T steps on R rows and C columns (`docs/semantics.md`): sequential, each fold
L + R + C - 2; preload, L first, R between two folds, R + C - 2 last; overlapped, max(R - T, 0) between two.
L = R cycles, in os 0. Memory rests meanwhile, but where the next weights load beside the stream: waits for
them are the array's own pace. T is the mean of the layer's folds, rounded up.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

from accelsim.sim.tile_steps import TileSteps
from accelsim.tables.machine import Machine


@dataclass(frozen=True)
class Skew:
    """Ticks: before the first step, after the last one, and for each fold."""

    lead: int = 0
    tail: int = 0
    fill: int = 0
    wait: int = 0
    first_too: bool = True
    """Whether the first fold takes them like the others, or begins with the lead."""

    def of(self, folds: int, first: bool) -> tuple[int, int]:
        """Ticks of fill and of waits in a tile step that begins so many folds."""
        n = folds - (first and not self.first_too)
        return n * self.fill, n * self.wait


def skew_of(tiles: TileSteps, machine: Machine, dataflow: str, ticks: int) -> Skew:
    """The skew of a mapping that follows `dataflow`; none on a bus, or where nothing is systolic."""
    if tiles.stationary is None:
        return Skew()
    if dataflow == "rs":
        return Skew(wait=int(machine.pass_cycles) * ticks)
    loops = tiles.loops
    folds, steps = loops.n_valid(tiles.n_fold_loops), loops.n_valid(len(loops.time))
    streamed = ceil(ceil(steps / machine.per_pe) / folds)
    load = 0 if dataflow == "os" else machine.rows
    ends = machine.rows + machine.cols - 2
    if machine.fold == "sequential":
        return Skew(fill=(load + ends) * ticks)
    between = machine.rows if machine.fold == "preload" else max(machine.rows - streamed, 0)
    beside = machine.fold == "overlapped" and dataflow != "os"
    return Skew(
        load * ticks,
        ends * ticks,
        0 if beside else between * ticks,
        between * ticks if beside else 0,
        first_too=False,
    )
