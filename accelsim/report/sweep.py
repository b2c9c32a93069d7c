"""What `sweep` shows: the front, the knee, the best of each objective and network, what matters.

Everything is made of the answer's envelope, and of it the page's tables, too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from accelsim.report.blocks import Block, Head, Lines, Table
from accelsim.report.parts import more, note_lines
from accelsim.report.scatter import Dot, scatter
from accelsim.results.format import UNKNOWN, count, digits_apart, percent, quantity, si
from accelsim.tables.columns_sweep import UNITS

Row = Mapping[str, Any]

N_FRONT: Final = 16
"""Points of a front that a terminal's table has."""
N_EFFECTS: Final = 8
LEAST_SHARE: Final = 0.001
"""Of the variance, that an effect explains to be listed, and a variable to be an axis of a heat map."""
DIGITS: Final = 3
MOST_DIGITS: Final = 17
"""More tell no doubles apart."""
ALL: Final = "all networks"


def sweep_blocks(answer: Row, where: str | None = None) -> list[Block]:
    """The report of `sweep`; `where` is the directory that the rest is in."""
    blocks: list[Block] = [_heading(answer)]
    lacking = no_front(answer)
    blocks += [Lines((lacking,), style="yellow")] if lacking is not None else []
    view = first_view(answer)
    if view["n_front"]:
        blocks += _front_of(answer, view)
        blocks.append(best_table(answer))
        blocks += effects_tables(answer, view, N_EFFECTS)
        blocks += steps_tables(answer, view)
    blocks += note_lines(answer["notes"])
    place = (
        f"{where} has all points, pareto.csv, pictures and sweep.html" if where else "-o DIR keeps all points"
    )
    blocks.append(more(f"--json for the fronts of every network; {place}"))
    return blocks


def first_view(answer: Row) -> Row:
    """That of all networks, or of the first that has a front."""
    views: Sequence[Row] = answer["pareto"]
    return next((view for view in views if view["n_front"]), views[0])


def no_front(answer: Row) -> str | None:
    """Why the first view has no front, in words; None where it has one."""
    first, *others = answer["pareto"]
    if first["n_front"]:
        return None
    if not any(view["n_front"] for view in others):
        return "no point is ok: nothing to compare"
    each = ", ".join(f"{view['network']} {view['n_ok']:,} of {view['n_points']:,}" for view in others)
    return f"no machine is ok for all networks, so each is answered alone; ok are: {each}"


def named(network: str | None, answer: Row) -> str:
    """A view by its network."""
    if network is not None:
        return network
    networks = answer["inputs"]["space"]["networks"]
    return ALL if len(networks) > 1 else " ".join(networks)


def said(answer: Row, name: str, value: Any, digits: int = DIGITS) -> str:
    """A value of a column as people read it."""
    if value is None:
        return UNKNOWN
    if isinstance(value, str):
        return value
    if name.endswith("_frac"):
        return f"{percent(value)} %"
    return quantity(value, _unit(answer, name), digits)


def _unit(answer: Row, name: str) -> str:
    unit: str = answer["units"].get(name, UNITS.get(name, ""))
    return unit


def _digits(answer: Row, name: str, rows: Sequence[Row]) -> int:
    """Of a column, so that its ends read differently."""
    values = [row[name] for row in rows if isinstance(row.get(name), (int, float))]
    return digits_apart(min(values), max(values), _unit(answer, name)) if values else 3


def levels_said(answer: Row, name: str, values: Sequence[Any]) -> list[str]:
    """Values of a variable as people read them, with as many digits as tell them apart."""
    texts: list[str] = []
    for digits in range(DIGITS, MOST_DIGITS + 1):
        texts = [said(answer, name, value, digits) for value in values]
        if len({_amount(text) for text in texts}) == len(set(values)):
            break
    return texts


def _amount(text: str) -> tuple[float | str, str]:
    """What a text says, by which `100.0 k` and `100 k` are the same."""
    number, _, unit = text.partition(" ")
    try:
        return float(number.replace(",", "")), unit
    except ValueError:
        return number, unit


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
    digits = {name: _digits(answer, name, rows) for name in (*variables, *metrics)}
    heads = (Head("point", "left"), *map(Head, digits))
    lines = tuple(
        (
            f"{row['index']}{' knee' if 'knee' in row['roles'] else ''}",
            *(said(answer, name, row.get(name), n) for name, n in digits.items()),
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
    levels = levels_said(answer, variables[0], [one["level"] for one in kept])
    return ", ".join(
        f"{level}: {said(answer, found['objective'], one['mean'])}"
        for level, one in zip(levels, kept, strict=True)
    )


def steps_tables(answer: Row, view: Row) -> list[Table]:
    """What one step of each variable does to the knee, and to the point that was chosen, in percent."""
    found: list[tuple[str, Row, Sequence[Row]]] = []
    if view["steps"]:
        knee = points_of(answer, view, "knee")[0]
        found.append(
            (f"the knee of {named(view['network'], answer)} (point {knee['index']})", knee, view["steps"])
        )
    chosen = answer["around"]
    if chosen is not None:
        for one in (chosen["over_all"], chosen):
            if one is not None:
                point = one["point"]
                where = f"point {chosen['point']['index']}, {named(point['network'], answer)}"
                found.append((where, point, one["steps"]))
    return [_steps_table(answer, *one) for one in found]


def _steps_table(answer: Row, place: str, here: Row, steps: Sequence[Row]) -> Table:
    goals = [one["name"] for one in answer["objectives"]]
    without = "not searched, or fails" if answer.get("screening") else "fails"
    lines = []
    for one in steps:
        name = one["variable"]
        step = " -> ".join(levels_said(answer, name, [here[name], one["level"]]))
        changes = (_change(one["ratios"].get(goal), one["index"], without) for goal in goals)
        lines.append((name, step, *changes))
    heads = (Head("variable", "left"), Head("step", "left"), *(Head(f"{name} %") for name in goals))
    return Table(f"One step from {place}", heads, tuple(lines))


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
        values, units = one["values"], {"units": {one["name"]: one["unit"]}}
        long = len(values) > 12
        shown = levels_said(units, one["name"], [*values[:5], *values[-2:]] if long else values)
        if long:
            shown.insert(5, "...")
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
    others = ("excluded", "infeasible", "error", "screened")
    words += [f"{totals[f'n_{kind}']:,} {kind}" for kind in others if totals.get(f"n_{kind}")]
    return ", ".join(words)


def _heading(answer: Row) -> Lines:
    return Lines((*question(answer), counts(answer)), style="bold")


def _front_of(answer: Row, view: Row) -> list[Block]:
    """The front of a view: its table, and a plot of its first two objectives."""
    goals, rows = answer["objectives"], points_of(answer, view, "front")
    blocks: list[Block] = [front_table(answer, view, N_FRONT)]
    if len(goals) > 1 and len(rows) > 2:
        x, y = goals[0]["name"], goals[1]["name"]
        dots = [Dot(float(row[x]), float(row[y])) for row in rows]
        dots += [Dot(float(row[x]), float(row[y]), "*") for row in rows if "knee" in row["roles"]]
        across, up = (_digits(answer, name, rows) for name in (x, y))
        plot = scatter(
            dots,
            lambda v: said(answer, x, v, across),
            lambda v: said(answer, y, v, up),
            x,
            f"{y}; * is the knee",
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
    notes = note_lines(found["notes"])
    return [Lines(tuple(question(found)), style="bold"), space, Lines(tuple(lines)), *notes]
