"""Families of mappings with a bound each: those that could still win are counted member by member."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from accelsim.cost.grid_kernel import GridBlock, GridCost
from accelsim.cost.grid_worth import Selection, WorthBlocks, only, whole
from accelsim.mapper.best import Best
from accelsim.mapping.dataflows.base import FamilyBound

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


class Families:
    """The families of a space that are still open, and how their members are counted."""

    def __init__(self, cost: GridCost, bound: FamilyBound) -> None:
        self.cost, self.bound = cost, bound
        self._n_cut = 0
        self._least = cost.families(bound.d, bound.first)
        self._bounds: WorthBlocks | None = None
        self._energy, self._cycles = np.zeros(0), np.zeros(0)  # [F] of the open families
        self._number = np.zeros(0, np.int64)  # [F] of their first members

    def bounds(self, best: Best) -> Iterator[GridBlock]:
        """The least cost of every family that could win; legal is one that may have a legal member."""
        self._bounds = WorthBlocks(self._least, best.wanted)
        return self._bounds.blocks(whole(self._least, self.bound.exempt))

    def exempt(self) -> list[Selection]:
        """The mappings of families for which the bound is not known to hold."""
        return only(self.cost, self.bound.exempt, self.bound.d, self.bound.first[:-1])

    @property
    def n_cut(self) -> int:
        """Families that can't win."""
        return self._n_cut + (self._bounds.n_cut if self._bounds is not None else 0)

    def add(self, block: GridBlock, best: Best) -> None:
        """The families of a block that may have a legal member and could win."""
        legal = np.flatnonzero(block.legal)

        def number(few: Ints) -> Ints:
            return self._least.number(block.index(legal[few]))

        energy, cycles = block.energy_pj[legal], block.latency[legal]
        wanted = np.flatnonzero(best.wanted(energy, cycles, number))
        self._n_cut += len(legal) - len(wanted)
        if len(wanted):
            self._energy = np.concatenate([self._energy, energy[wanted]])
            self._cycles = np.concatenate([self._cycles, cycles[wanted]])
            self._number = np.concatenate([self._number, number(wanted)])

    def most_promising(self, best: Best, n: int) -> dict[int, Ints] | None:
        """Cut what can't win, and take out the n families of the least bound, of equal ones the first.

        Gives their choice of each dimension; None where no family is left.
        """
        if not len(self._energy):
            return None
        wanted = np.flatnonzero(best.wanted(self._energy, self._cycles, lambda few: self._number[few]))
        self._n_cut += len(self._energy) - len(wanted)
        rank = best.rank(self._energy[wanted], self._cycles[wanted])
        few = _least_of(rank, self._number[wanted], n)
        chosen, rest = self._number[wanted[few]], np.delete(wanted, few)
        self._energy, self._cycles, self._number = self._energy[rest], self._cycles[rest], self._number[rest]
        if not len(chosen):
            return None
        choice = self.cost.grid.choice_of(self.cost.grid.index(chosen - self.cost.before))
        choice[self.bound.d] = np.searchsorted(self.bound.first, choice[self.bound.d], side="right") - 1
        return choice

    def members(self, choice: dict[int, Ints]) -> tuple[Floats, Floats, Bools, list[Ints]]:
        """Energy, cycles and legality of all members of families, and their places in the grid."""
        first = self.bound.first
        family = choice[self.bound.d]
        n = first[family + 1] - first[family]
        which = np.repeat(np.arange(len(n)), n)
        number = np.arange(len(which)) - np.repeat(np.cumsum(n) - n, n)
        every = {d: places[which] for d, places in choice.items()}
        every[self.bound.d] = first[family][which] + number
        index = self.cost.grid.index_of(every)
        return *self.cost.at(index), index


def _least_of(rank: Floats, number: Ints, n: int) -> Ints:
    """The n of the least rank; of those that are equal the first by number."""
    if len(rank) <= n:
        return np.arange(len(rank))
    last = np.partition(rank, n - 1)[n - 1]
    below, tied = np.flatnonzero(rank < last), np.flatnonzero(rank == last)
    return np.concatenate([below, tied[np.argsort(number[tied])][: n - len(below)]])
