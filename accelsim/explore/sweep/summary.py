"""What answers need of all points, but for the few that they name: of each part, and of parts together.

The summary of a part goes with the part from who evaluates it, so that its points need not be read again.
Parts are merged in their order: who evaluated them, and when, changes no digit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from accelsim.explore.sweep.numbering import Numbering, Varies
from accelsim.explore.sweep.pareto import Floats, Objective
from accelsim.explore.sweep.seen import Seen
from accelsim.explore.sweep.source import (
    ABSENT,
    STATUSES,
    WITH_METRICS,
    Block,
    Sifted,
    blocks,
    geometric,
    status_codes,
)

Ints8 = NDArray[np.int8]


@dataclass(frozen=True, slots=True)
class Summary:
    """Numbers of points by their status; what is seen of each network and, of several, over all (None)."""

    counts: NDArray[np.int64]  # [STATUSES]
    seen: dict[int | None, Seen]

    def merge(self, other: Summary) -> None:
        """The points of another one come after those of this one."""
        self.counts[:] += other.counts
        for network, seen in self.seen.items():
            seen.merge(other.seen[network])

    @property
    def n_bytes(self) -> int:
        """Of the tables, which are most of it."""
        return sum(one.cells.n_bytes for one in self.seen.values())


class Summing:
    """Makes summaries of a space's points."""

    def __init__(self, variables: Sequence[Varies], objectives: Sequence[Objective]) -> None:
        self.numbering, self.objectives = Numbering(variables), tuple(objectives)

    def nothing(self) -> Summary:
        """Of no points."""
        n = self.numbering.n_networks
        views: list[int | None] = [None, *range(n)] if n > 1 else [0]
        shape, goals = self.numbering.shape, self.objectives
        seen = {view: Seen(shape, goals, pictured=view == views[0]) for view in views}
        return Summary(np.zeros(len(STATUSES), np.int64), seen)

    def of_all(self, points: Sifted) -> Summary:
        """Of all points of a source, in one pass."""
        total = self.nothing()
        for block in blocks(points, self.numbering, [one.name for one in self.objectives]):
            total.merge(self._of_block(block))
        return total

    def of_part(self, columns: Mapping[str, NDArray[Any]]) -> Summary:
        """Of the points of one part, of a space with one network."""
        status = status_codes(columns["status"])
        values = {one.name: columns[one.name][:, None] for one in self.objectives}
        return self._of_block(Block(self.numbering.split(columns["index"])[0], status[:, None], values))

    def _of_block(self, block: Block) -> Summary:
        found = self.nothing()
        found.counts[:] = np.bincount(block.status[block.status != ABSENT], minlength=len(STATUSES))
        codes = self.numbering.codes(block.machine)
        for network, seen in found.seen.items():
            view = _over_networks(block) if network is None else _of_network(block, network)
            seen.add(block.machine, codes, *view)
        return found


@dataclass
class Tally:
    """The summaries of parts as they come: one that is early waits for those before it."""

    summing: Summing
    n_parts: int = 0
    """So many from the first are in `total`."""
    waiting: dict[int, Summary | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.total = self.summing.nothing()

    def add(self, number: int, summary: Summary | None) -> None:
        """That of a part, None where no point of it is in the space."""
        self.waiting[number] = summary
        while self.n_parts in self.waiting:
            summary = self.waiting.pop(self.n_parts)
            if summary is not None:
                self.total.merge(summary)
            self.n_parts += 1


def _of_network(block: Block, network: int) -> tuple[Ints8, Floats]:
    """(status [m], metrics [k, m]) of a network; NaN where a point has none."""
    status = block.status[:, network]
    values = np.stack([column[:, network] for column in block.values.values()])
    return status, np.where((status >= 0) & (status < WITH_METRICS), values, np.nan)


def _over_networks(block: Block) -> tuple[Ints8, Floats]:
    """(status [m], metrics [k, m]) of machines with a point for every network; ABSENT where one is missing.

    Geometric means; a machine that fails for one network has failed.
    """
    values = np.stack([geometric(column) for column in block.values.values()])
    there = (block.status != ABSENT).all(axis=1)
    status = np.where(there, block.status.max(axis=1), ABSENT).astype(np.int8)
    return status, np.where(there & (status < WITH_METRICS), values, np.nan)
