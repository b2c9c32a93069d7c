"""Mappings that won before: one of them known at the start of a search lets it cut most of the rest.

What a search finds does not depend on them, only how soon: they are counted like any other, and of those that
cost the same the first by number wins (`best.Best`). Machines of a sweep find much of what they need here.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from accelsim.tables.grid import Grid
from accelsim.tables.nest import Problem

Ints = NDArray[np.int64]
Trips = tuple[tuple[int, bytes], ...]
"""Of each dimension the trips of its loops."""
MAX_LAYERS, MAX_EACH = 2**9, 2**5
_WON: dict[tuple[Any, ...], dict[Trips, None]] = {}


def _key(problem: Problem, grid: Grid, flow: str) -> tuple[Any, ...]:
    return problem, flow, grid.dims, grid.levels, grid.axis, grid.keep.tobytes()


def remember(problem: Problem, grid: Grid, flow: str, choice: dict[int, int]) -> None:
    """The mapping of a grid that won, by its choice of each dimension; the last ones are kept."""
    key = _key(problem, grid, flow)
    won = _WON.pop(key, {})
    trips = tuple((d, table[:, choice.get(d, 0)].tobytes()) for d, table in grid.choices.items())
    won.pop(trips, None)
    won[trips] = None
    if len(won) > MAX_EACH:
        del won[next(iter(won))]
    _WON[key] = won
    if len(_WON) > MAX_LAYERS:
        del _WON[next(iter(_WON))]


def known(problem: Problem, grid: Grid, flow: str) -> dict[int, Ints] | None:
    """The mappings that won before and are in a grid, by their choices of each dimension [n]."""
    found = []
    for trips in _WON.get(_key(problem, grid, flow), ()):
        choice = [grid.choices_by_trips[d].get(own) for d, own in trips]
        if None not in choice:
            found.append(choice)
    if not found:
        return None
    return dict(zip(grid.choices, np.array(found, np.int64).T, strict=True))
