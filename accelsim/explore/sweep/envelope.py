"""The views of a sweep as the plain data that `--json`, the tables and the page are made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from accelsim.base.version import VERSION
from accelsim.explore.sweep.answers import Answers, Around, View
from accelsim.explore.sweep.effects import Step
from accelsim.explore.sweep.numbering import NETWORK
from accelsim.explore.sweep.pareto import Columns, Objective
from accelsim.results.plain import plain
from accelsim.tables.columns_sweep import UNITS

SCHEMA: Final = "accelsim.sweep/1"


def envelope(
    space: Mapping[str, Any],
    answers: Answers,
    objectives: Sequence[Objective],
    *,
    n_raw: int,
    options: Mapping[str, Any],
    notes: Sequence[str] = (),
    run: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The answer of a sweep: `points` are those of the fronts and the bests, `pareto` is one object a view.

    `space` has name, description, file, sha256, arch, networks, method, constraints, and `variables` with
    name, unit and values. What each column's unit is stands in `units`.
    """
    units = {one["name"]: one["unit"] for one in space["variables"]} | UNITS
    points = [row for view in answers.views for row in points_of(view)]
    names = dict.fromkeys(name for row in points for name in row)
    return {
        "schema": SCHEMA,
        "tool": {"name": "accelsim", "version": VERSION},
        "inputs": {"space": plain(space), "options": plain(options)},
        "units": {name: units[name] for name in names if units.get(name)},
        "totals": plain({"n_raw": n_raw} | answers.totals),
        "objectives": [{"name": one.name, "maximise": one.maximise} for one in objectives],
        "points": points,
        "pareto": [_summary(view, objectives) for view in answers.views],
        "around": _around(answers.around),
        "notes": list(notes),
        "run": plain(run or {}),
    }


def points_of(view: View) -> list[dict[str, Any]]:
    """Rows of the front in its order; `roles` say which are the knee and the best of an objective."""
    roles = [["front"] for _ in view.costs]
    if view.knee is not None:
        roles[view.knee].append("knee")
    for name, row in view.bests.items():
        roles[row].append(f"best {name}")
    return [
        {NETWORK: row[NETWORK], "index": row["index"], "roles": said} | row
        for said, row in zip(roles, _rows(view.network, view.rows), strict=True)
    ]


def _rows(network: str | None, columns: Columns) -> list[dict[str, Any]]:
    """Of points of one network, or of machines over all: number, variables, metrics."""
    kept = {name: plain(values) for name, values in columns.items() if name not in (NETWORK, "reason")}
    return [
        {NETWORK: network} | {name: column[at] for name, column in kept.items()}
        for at in range(len(columns["index"]))
    ]


def _around(around: Sequence[Around]) -> dict[str, Any] | None:
    """A chosen point with its steps; `over_all`: its machine over all networks, where there are several."""
    if not around:
        return None
    own, *rest = [{"point": _rows(one.network, one.rows)[0], "steps": _steps(one.steps)} for one in around]
    return {**own, "over_all": rest[0] if rest else None}


def _steps(steps: Sequence[Step]) -> list[dict[str, Any]]:
    return [
        {
            "variable": step.variable,
            "direction": step.direction,
            "level": plain(step.level),
            "index": step.point,
            "ratios": plain(step.ratios),
        }
        for step in steps
    ]


def _summary(view: View, objectives: Sequence[Objective]) -> dict[str, Any]:
    """What the front of a view comes to; points by their index."""
    index = view.rows["index"]
    return {
        NETWORK: view.network,
        "n_points": view.n_points,
        "n_ok": view.n_ok,
        "n_front": len(view.costs),
        "knee": None if view.knee is None else int(index[view.knee]),
        "best": {name: int(index[row]) for name, row in view.bests.items()},
        "least": {
            one.name: plain(view.rows[one.name][view.bests[one.name]])
            for one in objectives
            if one.name in view.bests
        },
        "effects": [
            {
                "objective": one.objective,
                "log": one.log,
                "complete": one.complete,
                "shares": [
                    {"variables": list(effect.variables), "share_frac": plain(effect.share_frac)}
                    for effect in one.effects
                ],
                "means": {
                    effect.variables[0]: [
                        {"level": plain(level), "mean": plain(mean), "n_points": n}
                        for level, mean, n in effect.means
                    ]
                    for effect in one.effects
                    if effect.means
                },
                "untold": [list(names) for names in one.untold],
            }
            for one in view.effects
        ],
        "steps": _steps(view.steps),
    }
