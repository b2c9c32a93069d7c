"""The answers of a sweep: its points read back, the fronts, tables and pictures written beside them."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from accelsim.base.errors import InputError, Problem
from accelsim.base.write import write_whole
from accelsim.explore.sweep.answers import View, views_of
from accelsim.explore.sweep.envelope import envelope, points_of
from accelsim.explore.sweep.hypervolume import growth
from accelsim.explore.sweep.pareto import MOST_OBJECTIVES, Columns, Objective
from accelsim.explore.sweep.pictures import growth_picture, pictures
from accelsim.explore.sweep.space import Space
from accelsim.explore.sweep.stored import read_columns
from accelsim.report.sweep_page import sweep_page
from accelsim.results.plain import to_json

RESULT: Final = "result.json"
FRONT: Final = "pareto.csv"
PAGE: Final = "sweep.html"
DPI: Final = 110
KINDS: Final = ("ok", "infeasible", "error", "screened")
"""What can come of a point."""
N_GROWTH: Final = 40
"""Places at which the hypervolume of a sample is taken."""


def answer(
    space: Space,
    directory: Path,
    *,
    options: Mapping[str, Any],
    run: Mapping[str, Any] | None = None,
    keep: bool = True,
) -> dict[str, Any]:
    """The envelope of a finished sweep; with `keep` its files are written into the directory, too.

    Reads columns of the answers only, so that a million points take some hundred megabytes.
    """
    objectives = objectives_of(space)
    columns = _columns(space, directory, objectives)
    views = views_of(columns, space.variables, objectives)
    found = envelope(
        said_of(space),
        views,
        objectives,
        totals=counts(space, columns),
        options=options,
        notes=_notes(space, views),
        run=run,
    )
    curve = _growth(views[0]) if space.sample is not None else None
    found["hypervolume"] = curve
    if space.method == "screen":
        from accelsim.explore.sweep.screened import note_of, screening

        found["screening"] = screening(space, directory, columns, objectives)
        found["notes"].append(note_of(found["screening"]))
    if keep:
        _write(space, directory, found, views, objectives)
    return found


def objectives_of(space: Space) -> tuple[Objective, ...]:
    """What the space asks for. InputError for more than four, of which nearly all points are the best."""
    wanted = [Objective(name) for name in space.answers.minimise]
    wanted += [Objective(name, maximise=True) for name in space.answers.maximise]
    if not 1 <= len(wanted) <= MOST_OBJECTIVES:
        raise InputError(
            Problem(
                f"{len(wanted)} objectives",
                file=space.file,
                key="answers",
                expected=f"1 to {MOST_OBJECTIVES}",
            )
        )
    return tuple(wanted)


def said_of(space: Space) -> dict[str, Any]:
    """The space as the envelope has it; choices of several keys at once are one variable."""
    return {
        "name": space.name,
        "description": space.description,
        "file": space.file,
        "sha256": space.sha256,
        "arch": space.arch,
        "networks": list(space.networks),
        "method": space.method,
        "objective": space.objective,
        "variables": [
            {"name": one.name, "unit": one.unit, "values": list(one.values)} for one in space.variables
        ],
        "derived": [{"name": one.name, "unit": one.unit, "text": one.text} for one in space.derived],
        "constraints": [one.text for one in space.constraints],
        "sample": None
        if space.sample is None
        else {key: getattr(space.sample, key) for key in ("method", "points", "seed")},
    }


def counts(space: Space, columns: Columns) -> dict[str, int]:
    """Points by what came of them."""
    status = columns["status"]
    totals = {"n_raw": space.n_raw, "n_points": len(status)}
    return totals | {f"n_{kind}": int((status == kind).sum()) for kind in KINDS}


def _columns(space: Space, directory: Path, objectives: Sequence[Objective]) -> dict[str, NDArray[Any]]:
    """The points in columns; those that break a constraint on metrics are infeasible."""
    on_metrics = frozenset().union(*(one.tree.names() for one in space.constraints if one.on_metrics))
    shown = ("area_mm2", "utilization_frac", "latency_s", "energy_j", "power_w")
    wanted = ["index", *space.names, *(one.name for one in objectives), *shown, *sorted(on_metrics), "status"]
    columns = read_columns(directory, list(dict.fromkeys(wanted)))
    if on_metrics:
        broken = ~space.keeps(columns) & (columns["status"] == "ok")
        columns["status"] = np.where(broken, "infeasible", columns["status"])
    return columns


def _notes(space: Space, views: Sequence[View]) -> list[str]:
    notes = []
    if len(views) > 1:
        notes.append("over several networks a machine has the geometric mean of each metric")
    if space.sample is not None:
        said = f"{space.sample.method} sample of seed {space.sample.seed}"
        notes.append(f"{said}: the front is that of the points seen, not of the space")
    if all(not view.factors for view in views):
        notes.append("nothing varies but the network")
    return notes


def _growth(view: View) -> dict[str, Any] | None:
    """Hypervolume of the first points seen, in shares of the box between the ends of what was seen."""
    known = np.isfinite(view.costs).all(axis=1)
    if known.sum() < 2:
        return None
    costs = view.costs[known]
    low, span = costs.min(axis=0), np.ptp(costs, axis=0)
    scaled = (costs - low) / np.where(span > 0, span, 1.0)
    n = len(scaled)
    at = np.unique(np.linspace(1, n, min(n, N_GROWTH)).astype(np.int64))
    corner = np.full(scaled.shape[1], 1.1)  # beyond the worst of each, so that ends of the front count
    volume = growth(scaled, corner, at) / float(np.prod(corner))
    seen = np.flatnonzero(known)[at - 1] + 1
    return {"evaluations": seen.tolist(), "volume": volume.tolist()}


def _write(
    space: Space,
    directory: Path,
    found: Mapping[str, Any],
    views: Sequence[View],
    objectives: Sequence[Objective],
) -> None:
    """Front, pictures and page; the envelope comes last, so that it stands for all of them."""
    from accelsim.charts.png import png

    title = f"{space.name} on {space.arch}"
    drawn = {name: png(figure, DPI) for name, figure in pictures(views[0], objectives, space.units, title)}
    if found["hypervolume"] is not None:
        drawn["hypervolume"] = png(growth_picture(found["hypervolume"], title), DPI)
    files = {f"{name}.png": data for name, data in drawn.items()}
    files[FRONT] = _csv([row for view in views for row in points_of(view)]).encode()
    files[PAGE] = sweep_page(found, drawn).encode()
    files[RESULT] = (to_json(found) + "\n").encode()
    try:
        for name, data in files.items():
            write_whole(directory / name, data)
    except OSError as error:
        said = f"can't write the answers: {error.strerror or error}"
        raise InputError(Problem(said, file=str(directory), hint="--resume writes them again")) from error


def _csv(rows: Sequence[Mapping[str, Any]]) -> str:
    text = io.StringIO()
    names = list(dict.fromkeys(name for row in rows for name in row))
    writer = csv.DictWriter(text, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows({**row, "roles": " / ".join(row["roles"])} for row in rows)
    return text.getvalue()
