"""Accesses of a layer added up over its tile steps: what must equal the analytic counts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from accelsim.sim.loops import Ints
from accelsim.sim.tile_steps import TileSteps
from accelsim.tables.dims import N_OPERANDS, I, O, W


@dataclass(frozen=True)
class StepTotals:
    """Words over all instances; `partial` are those of O that are unfinished sums."""

    reads: Ints  # [L, T]
    writes: Ints  # [L, T]
    partial_reads: Ints  # [L]
    partial_writes: Ints  # [L]
    steps: int
    folds: int
    n_grains: int


def step_totals(tiles: TileSteps) -> StepTotals:
    """Walks all tile steps and adds their words up."""
    words = np.zeros(len(tiles.columns), np.int64)
    rows = -1  # the last one is what drains at the end
    for block in tiles.blocks():
        words += block.sum(0)
        rows += len(block)
    return totals_of(tiles, words, rows)


def totals_of(tiles: TileSteps, words: Ints, n_grains: int) -> StepTotals:
    """The same from the sums of all columns."""
    n_levels = tiles.machine.n_levels
    total = {name: int(words[i]) for name, i in tiles.columns.items()}
    reads, writes = np.zeros((2, n_levels, N_OPERANDS), np.int64)
    partial_reads, partial_writes = np.zeros((2, n_levels), np.int64)
    for t in (I, W):
        reads[tiles.factors[t].kept[0], t] += total["mac", t]
    at = tiles.sums.kept[0]
    writes[at, O] += total["update", O]
    reads[at, O] += total["accumulate", O]
    partial_writes[at] += total["update", O] - total["complete", O]
    partial_reads[at] += total["accumulate", O]
    for b in tiles.boundaries:
        if b.operand != O:
            reads[b.parent, b.operand] += total["reads", b]
            writes[b.child, b.operand] += total["fills", b]
            continue
        drains, updates, finished, returns = (
            total[word, b] for word in ("drains", "updates", "finished", "returns")
        )
        reads[b.child, O] += drains
        writes[b.parent, O] += updates
        reads[b.parent, O] += returns
        writes[b.child, O] += returns
        partial_reads[b.child] += drains - (finished if b.child != at else 0)
        partial_writes[b.parent] += updates - finished
        partial_reads[b.parent] += returns
        partial_writes[b.child] += returns
    return StepTotals(
        reads, writes, partial_reads, partial_writes, total["steps", None], total["folds", None], n_grains
    )
