"""How the hypervolume of a sample grows with its points, and what all points of its space would have."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from accelsim.explore.sweep.answers import answers_of
from accelsim.explore.sweep.hypervolume import growth, hypervolume
from accelsim.explore.sweep.numbering import Numbering
from accelsim.explore.sweep.pareto import Floats, Objective
from accelsim.explore.sweep.source import OK, Sifted, geometric
from accelsim.explore.sweep.space import Space
from accelsim.explore.sweep.stored import Stored

N_GROWTH: Final = 40
"""Places at which the hypervolume of a sample is taken."""
BEYOND: Final = 1.1
"""Of the box between the ends of what was seen: so far beyond the worst, so that ends of the front count."""
CHECKED: Final = 2**16
"""Combinations up to which all points of a closed form are evaluated beside a sample: about a second."""


def growth_of(
    points: Sifted, numbering: Numbering, objectives: Sequence[Objective], every: Floats | None = None
) -> dict[str, Any] | None:
    """Shares of the box between the ends of what was seen, after so many evaluations; None for less than two.

    `every`: costs of the front of all points, [f, k]; what they dominate is `whole`. The sample's objectives
    are held, as the sample is.
    """
    costs, seen = _costs(points, numbering, objectives)
    known = np.isfinite(costs).all(axis=1)
    costs, seen = costs[known], seen[known]
    if len(costs) < 2:
        return None
    low, high = costs.min(axis=0), costs.max(axis=0)
    if every is not None and len(every):
        low = np.minimum(low, every.min(axis=0))
    span = np.where(high > low, high - low, 1.0)
    corner = np.full(len(low), BEYOND)
    box = float(np.prod(corner))
    at = np.unique(np.linspace(1, len(costs), min(len(costs), N_GROWTH)).astype(np.int64))
    volume = growth((costs - low) / span, corner, at) / box
    whole = None if every is None else hypervolume((every - low) / span, corner) / box
    return {"evaluations": (seen[at - 1] + 1).tolist(), "volume": volume.tolist(), "whole": whole}


def front_of_all(space: Space, objectives: Sequence[Objective]) -> Floats | None:
    """Costs of the front of all points of a sampled space, where they are few and in closed form  # [f, k]"""
    from accelsim.explore.sweep.evaluate import evaluator_of
    from accelsim.explore.sweep.run import sweep

    if space.method != "closed_form" or space.n_raw > CHECKED:
        return None
    whole = replace(space, sample=None)
    with tempfile.TemporaryDirectory(prefix="accelsim_whole_") as place:
        sweep(whole, evaluator_of(whole), Path(place))
        goals = [one.name for one in objectives]
        found = answers_of(Sifted(Stored(place)), space.variables, objectives, ["index", *goals])
    return found.views[0].costs


def _costs(
    points: Sifted, numbering: Numbering, objectives: Sequence[Objective]
) -> tuple[Floats, NDArray[np.int64]]:
    """(costs [n, k], place of its last point among all [n]) of machines of every network, as evaluated."""
    table = points.held([one.name for one in objectives])
    ok = table["status"] == OK
    machine, network = numbering.split(table["index"])
    _, which, n = np.unique(machine, return_inverse=True, return_counts=True)
    rows = np.empty((len(n), numbering.n_networks), np.int64)
    whole = n == numbering.n_networks
    some = whole[which]
    rows[which[some], network[some]] = np.flatnonzero(some)
    rows = rows[whole]
    rows = rows[np.argsort(rows.max(axis=1, initial=-1), kind="stable")]
    costs = np.stack([one.cost(geometric(table[one.name][rows])) for one in objectives], axis=1)
    return np.where(ok[rows].all(axis=1)[:, None], costs, np.nan), rows.max(axis=1, initial=-1)
