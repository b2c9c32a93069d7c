"""The mappings that a search keeps while it counts many: the best, the n best, or the Pareto front."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from accelsim.cost.evaluate import Cost
from accelsim.mapper.found import SearchOptions
from accelsim.mapper.objective import SAME, objective
from accelsim.tables.nest import Nest

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Numbers = Callable[[Ints], Ints]
"""Of some mappings of those at hand: where they stand among all of the search."""


@dataclass(frozen=True, eq=False)
class Kept:
    """A mapping with its cost."""

    energy_pj: float
    cycles: float
    count: Callable[[], tuple[Nest, Cost]]
    """The mapping itself and all that it costs, [J, 1]."""
    dataflow: str
    number: int
    """Where it stands among all mappings of the search: of those that cost the same the first is taken."""


class Best:
    """What is wanted of all mappings offered so far, best first; a front in the order of energy.

    The best one is the same whatever comes first: of the least objective, and of those the first by number.
    """

    def __init__(self, options: SearchOptions, incumbent: float = np.inf) -> None:
        self.options, self.incumbent = options, incumbent
        self.kept: list[Kept] = []

    @property
    def limit(self) -> float:
        """Where several are kept, a mapping of this objective or more is not wanted."""
        if len(self.kept) < self.options.n_best:
            return self.incumbent
        return min(self.incumbent, self.value(self.kept[-1]) * (1 - SAME))

    @property
    def one(self) -> bool:
        """Whether a single mapping is wanted."""
        return self.options.n_best == 1 and not self.options.front

    def rank(self, energy_pj: Floats, cycles: Floats) -> Floats:
        """What to look into first; for a front the product, from its middle."""
        name = "edp" if self.options.front else self.options.objective
        return objective(name, energy_pj, cycles)

    def value(self, kept: Kept) -> float:
        return float(objective(self.options.objective, np.array(kept.energy_pj), np.array(kept.cycles)))

    def wanted(self, energy_pj: Floats, cycles: Floats, first: Numbers) -> Bools:  # [B]
        """Whether mappings of at least this energy and these cycles could be wanted.

        `first` gives the least number of the mappings that some [b] of them stand for.
        """
        if self.options.front:
            wanted = np.isfinite(energy_pj)
            for kept in self.kept:
                wanted &= (energy_pj < kept.energy_pj * (1 - SAME)) | (cycles < kept.cycles)
            return wanted
        values = objective(self.options.objective, energy_pj, cycles)
        if not (self.one and self.kept):
            return np.asarray(values < self.limit)
        least = self.value(self.kept[0])
        wanted = np.asarray(values < least)
        tied = np.flatnonzero(values == least)
        if len(tied):
            wanted[tied] = first(tied) < self.kept[0].number
        return wanted

    def offer(
        self,
        energy_pj: Floats,
        cycles: Floats,
        legal: Bools,
        number: Numbers,
        count: Callable[[Ints], tuple[Nest, Cost]],
        dataflow: str,
    ) -> None:
        """Keep what is wanted of B mappings; of several that cost the same the first that was offered."""
        index = np.flatnonzero(legal)
        index = index[self.wanted(energy_pj[index], cycles[index], lambda few: number(index[few]))]
        if not len(index):
            return
        few = self._few(energy_pj, cycles, index, number)
        found = [
            Kept(float(energy_pj[i]), float(cycles[i]), partial(count, np.array([i])), dataflow, n)
            for i, n in zip(few, number(few).tolist(), strict=True)
        ]
        if self.one:
            self.kept = found
            return
        found = self.kept + found
        key = self._order(
            np.array([kept.energy_pj for kept in found]), np.array([kept.cycles for kept in found])
        )
        self.kept = [found[i] for i in key]

    def _few(self, energy_pj: Floats, cycles: Floats, index: Ints, number: Numbers) -> Ints:
        if self.one:
            values = objective(self.options.objective, energy_pj[index], cycles[index])
            least = index[values == values.min()]
            return np.array([least[int(np.argmin(number(least)))]])
        return index[self._order(energy_pj[index], cycles[index])]

    def _order(self, energy_pj: Floats, cycles: Floats) -> list[int]:
        """The mappings to keep, by their number: distinct in cost, best first."""
        if self.options.front:
            chosen: list[int] = []
            order, least = np.lexsort((cycles, energy_pj)), np.inf
            for i in order:
                if cycles[i] < least:
                    same = chosen and energy_pj[i] <= energy_pj[chosen[-1]] * (1 + SAME)
                    chosen = [*(chosen[:-1] if same else chosen), int(i)]
                    least = cycles[i]
            return chosen
        values = objective(self.options.objective, energy_pj, cycles)
        chosen = []
        for i in np.argsort(values, kind="stable"):
            if len(chosen) == self.options.n_best:
                break
            if not any(
                cycles[i] == cycles[k] and abs(energy_pj[i] - energy_pj[k]) <= SAME * energy_pj[k]
                for k in chosen
            ):
                chosen.append(int(i))
        return chosen
