"""What is asked of a search and what it gives: the options, the mappings found, the certificate."""

from __future__ import annotations

from dataclasses import dataclass

from accelsim.tables.certificate import Certificate
from accelsim.tables.layer_cost import LayerCost
from accelsim.tables.nest import Nest

OBJECTIVES = ("latency", "energy", "edp")


@dataclass(frozen=True)
class SearchOptions:
    """All that decides what a search returns, the layer and the machine apart."""

    objective: str = "edp"
    ragged: bool = False
    """Tiles of any size, not only those that divide the extents."""
    n_best: int = 1
    """How many of the best mappings to return; they differ in energy or latency."""
    front: bool = False
    """Return all mappings that no other one beats in both energy and latency."""
    gap_frac: float = 0.0
    """Stop where nothing can be better than the best by more than this part of it."""
    time_limit_s: float | None = None


@dataclass(frozen=True)
class Point:
    """One mapping with its exact cost."""

    nest: Nest  # [J, 1]
    cost: LayerCost
    value: float
    """Of the objective."""
    dataflow: str
    """That the array follows: it decides the fold rule."""


@dataclass(frozen=True)
class Found:
    """The best mappings, best first; with `front` the Pareto front, least energy first."""

    points: tuple[Point, ...]
    certificate: Certificate

    @property
    def best(self) -> Point:
        return min(self.points, key=lambda point: point.value)
