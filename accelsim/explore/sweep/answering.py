"""The answers of a sweep: its points read back, the fronts, tables and pictures written beside them."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from accelsim.base.errors import InputError, Problem
from accelsim.base.write import write_whole
from accelsim.explore.sweep.answers import Answers, View, answers_of, with_dots
from accelsim.explore.sweep.envelope import envelope, points_of
from accelsim.explore.sweep.growth import front_of_all, growth_of
from accelsim.explore.sweep.notes import notes_of
from accelsim.explore.sweep.numbering import Numbering
from accelsim.explore.sweep.pareto import MOST_OBJECTIVES, Objective
from accelsim.explore.sweep.source import STATUSES, Sifted, rows_at
from accelsim.explore.sweep.space import Space
from accelsim.explore.sweep.stored import Stored
from accelsim.explore.sweep.summary import Summary, Summing, Tally
from accelsim.results.plain import to_json

RESULT: Final = "result.json"
FRONT: Final = "pareto.csv"
PAGE: Final = "sweep.html"
DPI: Final = 110
MOST_SUMMARY: Final = 2**23
"""Bytes of a part's summary that are worth sending: as many as those of its points."""


def answer(
    space: Space,
    directory: Path,
    *,
    options: Mapping[str, Any],
    run: Mapping[str, Any] | None = None,
    keep: bool = True,
    drawn: bool = True,
    summary: Summary | None = None,
    around: int | None = None,
) -> dict[str, Any]:
    """The envelope of a finished sweep; with `keep` its files are written into the directory, too.

    `drawn`: pictures among them, which take longer than a hundred thousand points. `summary` is that of all
    points, where who evaluated them has made it. `around`: a point whose neighbours are told beside those of
    the knee; InputError where it has no answer.

    Points pass part by part, so that memory does not grow with their number.
    """
    objectives = objectives_of(space)
    points = Sifted(Stored(directory))
    shown = ("area_mm2", "utilization_frac", "latency_s", "energy_j", "power_w")
    wanted = ["index", *space.names, *(one.name for one in objectives), *shown, "status"]
    columns = list(dict.fromkeys(wanted))
    answers = answers_of(points, space.variables, objectives, columns, summary, around)
    if around is not None and not answers.around:
        raise InputError(_without_answer(directory, points, around))
    curve = None
    if space.sample is not None:
        every = front_of_all(space, objectives)
        curve = growth_of(points, Numbering(space.variables), objectives, every)
    found = envelope(
        said_of(space),
        answers,
        objectives,
        n_raw=space.n_raw,
        options=options,
        notes=notes_of(space, answers, points, curve),
        run=run,
    )
    found["hypervolume"] = curve
    if space.method == "screen":
        from accelsim.explore.sweep.screened import note_of, screening

        table = points.held(columns)  # as the screening itself holds all points
        table["status"] = np.asarray(STATUSES)[table["status"]]
        found["screening"] = screening(space, directory, table, objectives)
        found["notes"].append(note_of(found["screening"]))
    if keep:
        view = with_dots(answers.shown, points, space.variables, objectives) if drawn else None
        _write(space, directory, found, answers, objectives, view)
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


def refuse_around(space: Space, around: int | None) -> None:
    """InputError for the number of a point that the space does not have."""
    if around is None:
        return
    if not 0 <= around < space.n_raw:
        expected = f"the number of a point, 0 to {space.n_raw - 1}"
        raise InputError(
            Problem(f"the space has no point {around}", space.file, key="around", expected=expected)
        )
    if not len(space.points_at(np.asarray([around], np.int64))):
        said = f"point {around} breaks a constraint on variables"
        raise InputError(Problem(said, space.file, key="around", expected="a point that has an answer"))


def _without_answer(directory: Path, points: Sifted, around: int) -> Problem:
    """Why a point has no neighbours to compare with."""
    row = rows_at(points, np.asarray([around]), ["reason"])
    if len(row["index"]):
        status = STATUSES[int(row["status"][0])]
        said = f"point {around} is {status}: {row['reason'][0]}"
    else:
        said = f"point {around} is not in the sample"
    hint = "the tables, and the column index, number the points"
    return Problem(said, str(directory), key="around", expected="a point that is ok", hint=hint)


def tally_of(space: Space) -> Tally | None:
    """Where points are many and quick, their answers come from who evaluates them.

    Else there are few, or a machine's networks may lie in several parts, or a summary is more than its part:
    then the parts are read again.
    """
    tally = Tally(Summing(space.variables, objectives_of(space)))
    quick = space.method == "closed_form" and tally.summing.numbering.n_networks == 1
    return tally if quick and tally.total.n_bytes <= MOST_SUMMARY else None


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


def _write(
    space: Space,
    directory: Path,
    found: Mapping[str, Any],
    answers: Answers,
    objectives: Sequence[Objective],
    pictured: View | None,
) -> None:
    """Front, pictures and page; the envelope comes last, so that it stands for all of them."""
    from accelsim.report.sweep_page import sweep_page

    drawn = {} if pictured is None else _drawn(space, found, pictured, objectives)
    files = {f"{name}.png": data for name, data in drawn.items()}
    files[FRONT] = _csv([row for view in answers.views for row in points_of(view)]).encode()
    files[PAGE] = sweep_page(found, drawn).encode()
    files[RESULT] = (to_json(found) + "\n").encode()
    try:
        for name, data in files.items():
            write_whole(directory / name, data)
    except OSError as error:
        said = f"can't write the answers: {error.strerror or error}"
        raise InputError(Problem(said, file=str(directory), hint="--resume writes them again")) from error


def _drawn(
    space: Space, found: Mapping[str, Any], view: View, objectives: Sequence[Objective]
) -> dict[str, bytes]:
    """Pictures by name."""
    from accelsim.charts.png import png  # matplotlib: half a second that sweeps without pictures don't need
    from accelsim.explore.sweep.pictures import growth_picture, pictures

    title = f"{space.name} on {space.arch}"
    drawn = {name: png(figure, DPI) for name, figure in pictures(view, objectives, space.units, title)}
    if found["hypervolume"] is not None:
        drawn["hypervolume"] = png(growth_picture(found["hypervolume"], title), DPI)
    return drawn


def _csv(rows: Sequence[Mapping[str, Any]]) -> str:
    text = io.StringIO()
    names = list(dict.fromkeys(name for row in rows for name in row))
    writer = csv.DictWriter(text, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows({**row, "roles": " / ".join(row["roles"])} for row in rows)
    return text.getvalue()
