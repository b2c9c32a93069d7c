"""What `sweep` shows: the front, the knee, the best of each objective and network, what matters.

Everything is made of the answer's envelope, and of it the page's tables, too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from accelsim.report.blocks import Block, Head, Lines, Table
from accelsim.report.parts import more, note_lines
from accelsim.report.scatter import Dot, scatter
from accelsim.results.format import UNKNOWN, count, percent, quantity, si
from accelsim.tables.columns_sweep import UNITS

Row = Mapping[str, Any]

N_FRONT: Final = 16
"""Points of a front that a terminal's table has."""
N_EFFECTS: Final = 8
LEAST_SHARE: Final = 0.001
ALL: Final = "all networks"


def sweep_blocks(answer: Row, where: str | None = None) -> list[Block]:
    """The report of `sweep`; `where` is the directory that the rest is in."""
    blocks: list[Block] = [_heading(answer)]
    blocks += _first_view(answer)
    blocks.append(best_table(answer))
    blocks += effects_tables(answer, answer["pareto"][0], N_EFFECTS)
    steps = steps_table(answer, answer["pareto"][0])
    blocks += [steps] if steps is not None else []
    blocks += note_lines(answer["notes"])
    place = (
        f"{where} has all points, pareto.csv, pictures and sweep.html" if where else "-o DIR keeps all points"
    )
    blocks.append(more(f"--json for the fronts of every network; {place}"))
    return blocks


def named(network: str | None, answer: Row) -> str:
    """A view by its network."""
    if network is not None:
        return network
    networks = answer["inputs"]["space"]["networks"]
    return ALL if len(networks) > 1 else " ".join(networks)


def said(answer: Row, name: str, value: Any) -> str:
    """A value of a column as people read it."""
    if value is None:
        return UNKNOWN
    if isinstance(value, str):
        return value
    if name.endswith("_frac"):
        return f"{percent(value)} %"
    return quantity(value, answer["units"].get(name, UNITS.get(name, "")))


def shown_columns(answer: Row, rows: Sequence[Row]) -> tuple[list[str], list[str]]:
    """Variables of more than one value, and metrics: the objectives first."""
    variables = answer["inputs"]["space"]["variables"]
    varied = [one["name"] for one in variables if one["name"] != "network" and len(one["values"]) > 1]
    goals = [one["name"] for one in answer["objectives"]]
    rest = [name for name in ("area_mm2", "utilization_frac") if name not in goals]
    return varied, goals + [name for name in rest if any(row.get(name) is not None for row in rows)]


def front_table(answer: Row, view: Row, most: int) -> Table:
    """The points of a view's front, spread where there are more than `most`; the knee is among them."""
    rows = points_of(answer, view, "front")
    variables, metrics = shown_columns(answer, rows)
    shown = _spread(rows, most)
    title = f"Pareto front of {named(view['network'], answer)}: {count(len(rows), 'point')}"
    if view["network"] is None and len(answer["inputs"]["space"]["networks"]) > 1:
        title += ", geometric means over the networks"
    if len(shown) < len(rows):
        title += f", {len(shown)} of them shown"
    heads = (Head("point", "left"), *(Head(name) for name in (*variables, *metrics)))
    lines = tuple(
        (
            f"{row['index']}{' knee' if 'knee' in row['roles'] else ''}",
            *(said(answer, name, row.get(name)) for name in (*variables, *metrics)),
        )
        for row in shown
    )
    return Table(title, heads, lines)


def best_table(answer: Row) -> Table:
    """For each network and objective the best point, and the knee."""
    every = answer["points"]
    variables, metrics = shown_columns(answer, every)
    lines = []
    for view in answer["pareto"]:
        network = named(view["network"], answer)
        for role in (*(f"best {one['name']}" for one in answer["objectives"]), "knee"):
            for row in points_of(answer, view, role):
                cells = (said(answer, name, row.get(name)) for name in (*variables, *metrics))
                lines.append((network, role, str(row["index"]), *cells))
                network = ""
    heads = (Head("network", "left"), Head("which", "left"), Head("point"))
    return Table("Best", (*heads, *(Head(name) for name in (*variables, *metrics))), tuple(lines))


def effects_tables(answer: Row, view: Row, most: int) -> list[Block]:
    """Shares of variance, of each objective the greatest first."""
    blocks: list[Block] = []
    for found in view["effects"]:
        shares = [one for one in found["shares"] if one["share_frac"] >= LEAST_SHARE][:most]
        if not shares:
            continue
        kind = "the logarithm of " if found["log"] else ""
        sure = "" if found["complete"] else "; estimates, since not every combination is there"
        lines = tuple(
            (
                " x ".join(one["variables"]),
                percent(one["share_frac"]),
                _levels(answer, found, one["variables"]),
            )
            for one in shares
        )
        title = f"What explains the variance of {kind}{found['objective']}{sure}"
        blocks.append(
            Table(
                title,
                (Head("variable", "left"), Head("%"), Head("mean by level", "left")),
                lines,
                gives_way=2,
            )
        )
    return blocks


def _levels(answer: Row, found: Row, variables: Sequence[str]) -> str:
    """The means at up to six levels, the ends among them."""
    means = found["means"].get(variables[0], []) if len(variables) == 1 else []
    kept = _spread(means, 6)
    return ", ".join(
        f"{said(answer, variables[0], one['level'])}: {said(answer, found['objective'], one['mean'])}"
        for one in kept
    )


def steps_table(answer: Row, view: Row) -> Table | None:
    """What one step of each variable does to the knee, in percent."""
    if not view["steps"]:
        return None
    goals = [one["name"] for one in answer["objectives"]]
    knee = points_of(answer, view, "knee")[0]
    lines = []
    for one in view["steps"]:
        name = one["variable"]
        step = f"{said(answer, name, knee[name])} -> {said(answer, name, one['level'])}"
        without = "not searched, or fails" if answer.get("screening") else "fails"
        changes = (_change(one["ratios"].get(goal), one["index"], without) for goal in goals)
        lines.append((name, step, *changes))
    heads = (Head("variable", "left"), Head("step", "left"), *(Head(f"{name} %") for name in goals))
    title = f"One step from the knee of {named(view['network'], answer)} (point {knee['index']})"
    return Table(title, heads, tuple(lines))


def _change(ratio: float | None, index: int | None, without: str) -> str:
    if index is None:
        return "no such point"
    return without if ratio is None else f"{100 * (ratio - 1):+.1f}"


def points_of(answer: Row, view: Row, role: str) -> list[Row]:
    """The points of a view that have a role: front, knee, or best of an objective."""
    return [row for row in answer["points"] if row["network"] == view["network"] and role in row["roles"]]


def question(answer: Row) -> list[str]:
    """What was asked, in words: the space's description, what varies, what must hold, what is wanted."""
    space = answer["inputs"]["space"]
    lines = [f"{space['name']}: {space['description']}" if space["description"] else str(space["name"])]
    wanted = ", ".join(
        f"{'most' if one['maximise'] else 'least'} {one['name']}" for one in answer["objectives"]
    )
    compat = answer["inputs"]["options"].get("compat")
    method = f"{space['method']} by the rules of {compat}" if compat else space["method"]
    lines.append(f"{', '.join(space['networks'])} on {space['arch']}, method {method}; wanted: {wanted}")
    return lines


def space_lines(answer: Row) -> list[tuple[str, str, str]]:
    """Each variable with its number of values and the values, then what is derived and what must hold."""
    space, lines = answer["inputs"]["space"], []
    for one in space["variables"]:
        values = [said({"units": {one["name"]: one["unit"]}}, one["name"], value) for value in one["values"]]
        shown = values if len(values) <= 12 else [*values[:5], "...", *values[-2:]]
        lines.append((one["name"], str(len(values)), ", ".join(shown)))
    lines += [(one["name"], "", f"= {one['text']}") for one in space.get("derived", ())]
    lines += [("where", "", text) for text in space.get("constraints", ())]
    return lines


def counts(answer: Row) -> str:
    """What came of the points."""
    totals = answer["totals"]
    words = [
        f"{totals['n_raw']:,} combinations",
        count(totals["n_points"], "point"),
        f"{totals['n_ok']:,} ok",
    ]
    others = ("infeasible", "error", "screened")
    words += [f"{totals[f'n_{kind}']:,} {kind}" for kind in others if totals.get(f"n_{kind}")]
    return ", ".join(words)


def _heading(answer: Row) -> Lines:
    return Lines((*question(answer), counts(answer)), style="bold")


def _first_view(answer: Row) -> list[Block]:
    """The front of all networks, or of the only one: its table, and a plot of its first two objectives."""
    view, goals = answer["pareto"][0], answer["objectives"]
    rows = points_of(answer, view, "front")
    if not rows:
        return [Lines(("no point is ok: nothing to compare",), style="yellow")]
    blocks: list[Block] = [front_table(answer, view, N_FRONT)]
    if len(goals) > 1 and len(rows) > 2:
        x, y = goals[0]["name"], goals[1]["name"]
        dots = [Dot(float(row[x]), float(row[y])) for row in rows]
        dots += [Dot(float(row[x]), float(row[y]), "*") for row in rows if "knee" in row["roles"]]
        plot = scatter(
            dots, lambda v: said(answer, x, v), lambda v: said(answer, y, v), x, f"{y}; * is the knee"
        )
        blocks.append(Lines(plot))
    return blocks


def _spread(rows: Sequence[Any], most: int) -> list[Any]:
    """At most so many, evenly along the list, its ends and the knee among them."""
    if len(rows) <= most:
        return list(rows)
    kept = {round(at * (len(rows) - 1) / (most - 1)) for at in range(most)}
    kept |= {at for at, row in enumerate(rows) if "knee" in row.get("roles", ())}
    return [row for at, row in enumerate(rows) if at in kept]


def estimate_blocks(found: Row) -> list[Block]:
    """The report of `sweep --dry-run`."""
    figures: Row = found["run"]["estimate"]
    n_points, pace = figures["n_points"], figures["s_per_point"]
    space = Table(
        "",
        (Head("variable", "left"), Head("values"), Head("which", "left")),
        tuple(space_lines(found)),
        gives_way=2,
    )
    lines = [f"{figures['n_raw']:,} combinations"]
    if n_points is not None and n_points != figures["n_raw"]:
        lines[0] += f", {n_points:,} of them meet the constraints on variables"
    sample = found["inputs"]["space"]["sample"]
    if sample is not None:
        said = f"sample: {sample['points']:,} points, {sample['method']}, seed {sample['seed']}"
        if figures["n_asked"] < sample["points"]:
            said += f"; takes at most {figures['n_asked']:,}, of machines with all networks"
        lines.append(said)
    if pace is None:
        lines.append("no point could be timed")
    else:
        rate = (
            f"{quantity(1 / pace if pace else None)} points/s"
            if pace < 1
            else f"{quantity(pace, 's')} a point"
        )
        timed = f"{count(figures['n_timed'], 'point')} timed, {rate}"
        most = "about" if figures.get("bounds_s") is None else "at most about"
        lines.append(f"time: {most} {quantity(figures['seconds'], 's', 2)} ({timed})")
        if figures.get("search_s") is not None:
            took = quantity(figures["search_s"], "s", 2)
            lines.append(f"choosing the points (optuna) takes {took} of it, in one process")
        if figures.get("bounds_s") is not None:
            took = quantity(figures["bounds_s"], "s", 2)
            lines.append(f"bounds of all points take {took} of it; how many they spare is known only then")
    lines.append(f"memory: about {si(figures['memory_bytes'], 'B', 2)}")
    if figures["disk_bytes"] is not None:
        lines.append(f"disk: about {si(figures['disk_bytes'], 'B', 2)}")
    return [Lines(tuple(question(found)), style="bold"), space, Lines(tuple(lines))]
