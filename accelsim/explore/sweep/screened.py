"""What a screening says of itself: how many points it searched, and what the others may have been."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from accelsim.explore.sweep.pareto import Objective
from accelsim.explore.sweep.screen import SCREENED, bound_names
from accelsim.explore.sweep.space import Screen, Space
from accelsim.explore.sweep.stored import read_columns
from accelsim.explore.sweep.survivors import DONE, FAILED, OPEN, Survivors, views_of


def screening(
    space: Space, directory: Path, columns: Mapping[str, NDArray[Any]], objectives: Sequence[Objective]
) -> dict[str, Any]:
    """`missed` has an object a view: see `Survivors.missed`; with no budget all of it is 0.

    `columns` are those of the answer, their status that of constraints on metrics, too.
    """
    status, names = columns["status"], [one.name for one in objectives]
    kept = [f"{name}_bound" for name in bound_names(space)]
    bounds = read_columns(directory, kept)
    values = np.stack(
        [
            np.where(status == SCREENED, bounds.get(f"{name}_bound", columns[name]), columns[name])
            for name in names
        ],
        axis=1,
    )
    state = np.where(status == "ok", DONE, np.where(status == SCREENED, OPEN, FAILED)).astype(np.int8)
    networks = next((one.labels for one in space.variables if one.name == "network"), ())
    views = views_of(columns, [one.name for one in space.variables], networks)
    settings = space.screen or Screen()
    return {
        "method": settings.method,
        "refine": settings.refine,
        "gap_frac": settings.gap,
        "n_searched": int((status != SCREENED).sum()),
        "n_screened": int((status == SCREENED).sum()),
        "missed": Survivors(objectives, values, state, views).missed(),
    }


def note_of(found: Mapping[str, Any]) -> str:
    """The same in a line."""
    total = found["n_searched"] + found["n_screened"]
    said = f"{found['n_searched']:,} of {total:,} points were searched"
    if all(view["front_frac"] == 0 for view in found["missed"]):
        return f"{said}; bounds prove that the others are on no front"
    if any(view["front_frac"] is None for view in found["missed"]):
        return f"{said}, none of which has an answer: what the others are is not known"
    worst = max(view["front_frac"] for view in found["missed"])
    single: dict[str, float] = {}
    for view in found["missed"]:
        for name, share in view["best_frac"].items():
            single[name] = max(single.get(name, 0.0), share)
    each = ", ".join(f"{name} by {100 * share:.2g} %" for name, share in single.items())
    return (
        f"{said}; bounds leave open that others are better than a front in all objectives by up to "
        f"{100 * worst:.2g} %, and than the best {each}"
    )
