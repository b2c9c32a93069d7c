"""What a search knows of its result: the best found, and the least that anything left out could be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

PROVEN_WITHIN = 1e-9
"""Bounds and exact counts are sums of the same numbers in another order: they agree to rounding."""


@dataclass(frozen=True)
class Certificate:
    """best >= every mapping's optimum >= lower_bound, of the objective, over the whole space searched.

    `best` is a value of the objective: cycles, pJ or their product. With a gap of 0 it is the optimum.
    """

    objective: str
    space: str
    """What was searched, in words."""
    best: float
    lower_bound: float
    n_evaluated: int = 0
    """Mappings counted exactly."""
    n_pruned_by: Mapping[str, int] = field(default_factory=dict)
    """Partial mappings that were cut, by the rule that cut them."""
    seconds: float = 0.0
    complete: bool = True
    """No limit (time, steps, orders) ended the search: of the K best or a front, none is missing."""

    @property
    def gap_frac(self) -> float:
        """How far below the best another mapping could be: (best - lower_bound) / best."""
        return max(0.0, 1 - self.lower_bound / self.best) if self.best > 0 else 0.0

    @property
    def proven(self) -> bool:
        return self.gap_frac <= PROVEN_WITHIN
