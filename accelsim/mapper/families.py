"""Families of mappings with a bound each: those that could still win are counted member by member."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from accelsim.cost.evaluate import Cost
from accelsim.cost.grid_kernel import GridBlock, GridCost, index_of, kernel_of
from accelsim.mapper.best import Best
from accelsim.mapping.dataflows.base import FamilyBound
from accelsim.tables.nest import Nest

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


class Families:
    """The families of a space that are still open, and how their members are counted."""

    def __init__(self, cost: GridCost, bound: FamilyBound) -> None:
        self.cost, self.bound = cost, bound
        self._n_cut = 0
        self._least = cost.families(bound.d, bound.first)
        self._order: tuple[int, ...] = ()
        self._energy, self._cycles = np.zeros(0), np.zeros(0)  # [F] of the open families
        self._place = np.zeros(0, np.int64)  # [F]

    def bounds(self, best: Best) -> Iterator[GridBlock]:
        """The least cost of every family that could win; legal is one that may have a legal member."""
        run = kernel_of("numpy")
        if self.bound.exempt is not None:  # of some the least cost is not known
            return self._least.blocks(run, legal_only=True)
        return self._least.worth_blocks(run, best.wanted)

    @property
    def n_cut(self) -> int:
        """Families that can't win."""
        return self._n_cut + self._least.n_cut

    def add(self, block: GridBlock, best: Best) -> None:
        """The families of a block that may have a legal member and could win."""
        energy, cycles = block.energy_pj, block.latency
        if self.bound.exempt is not None:
            legal = np.flatnonzero(block.legal)
            exempt = legal[self.bound.exempt(block.grid.choice_of(block.index(legal)))]
            energy, cycles = energy.copy(), cycles.copy()
            energy[exempt], cycles[exempt] = 0.0, 0.0
        place = np.flatnonzero(block.legal & best.wanted(energy, cycles))
        self._n_cut += int(np.count_nonzero(block.legal)) - len(place)
        if len(place):
            self._energy = np.concatenate([self._energy, energy[place]])
            self._cycles = np.concatenate([self._cycles, cycles[place]])
            self._place = np.concatenate([self._place, block.place(place)])
        self._order = block.order

    def most_promising(self, best: Best, n: int) -> dict[int, Ints] | None:
        """Cut what can't win, and take out the n families of the least bound.

        Gives their choice of each dimension; None where no family is left.
        """
        wanted = np.flatnonzero(best.wanted(self._energy, self._cycles))
        self._n_cut += len(self._energy) - len(wanted)
        rank = best.rank(self._energy[wanted], self._cycles[wanted])
        few = np.argpartition(rank, n - 1)[:n] if len(rank) > n else np.arange(len(rank))
        chosen, rest = self._place[wanted[few]], np.delete(wanted, few)
        self._energy, self._cycles, self._place = self._energy[rest], self._cycles[rest], self._place[rest]
        if not len(chosen):
            return None
        grid = self._least.grid
        return grid.choice_of(index_of(grid, self._order, chosen))

    def members(
        self, choice: dict[int, Ints]
    ) -> tuple[Floats, Floats, Bools, Callable[[Ints], tuple[Nest, Cost]]]:
        """Energy, cycles and legality of all members of families, and how to get all about some of them."""
        first = self.bound.first
        family = choice[self.bound.d]
        n = first[family + 1] - first[family]
        which = np.repeat(np.arange(len(n)), n)
        number = np.arange(len(which)) - np.repeat(np.cumsum(n) - n, n)
        every = {d: places[which] for d, places in choice.items()}
        every[self.bound.d] = first[family][which] + number
        index = self.cost.grid.index_of(every)
        energy, cycles, legal = self.cost.at(index)
        return energy, cycles, legal, lambda few: self.cost.cost([place[few] for place in index])
