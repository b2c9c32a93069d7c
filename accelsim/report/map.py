"""What `map` shows: a table of the layers, or of each layer the nest, tiles, traffic, certificate, others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from accelsim.report.blocks import Block, Head, Lines, Table
from accelsim.report.front import front_blocks
from accelsim.report.parts import Row, heading, levels_table, more, note_lines
from accelsim.report.top import top_table
from accelsim.results.format import energy, percent, si

if TYPE_CHECKING:
    from accelsim.results.result import Result

MORE: Final = "--json for every number, -o DIR for result.json, layers.csv and mapping.yaml"


def map_blocks(result: Result) -> list[Block]:
    """The report of `map`: of layers that were named (or of a single one) all, of a network a line each."""
    options = result.inputs["options"]
    groups = _groups(result.rows)
    effort: Row = result.run.get("layers") or {}
    blocks: list[Block] = [heading(result)]
    detailed = bool(options.get("layers")) or len(groups) == 1
    if not detailed:
        blocks.append(_network(groups, effort, bool(options.get("front"))))
    for group in groups:
        row = group[0]
        if detailed:
            blocks += _layer(row, [str(other["layer"]) for other in group[1:]], effort)
        if options.get("top") and (detailed or row["same_as"] is None):
            blocks.append(top_table(row, int(options["top"])))
        if options.get("front") and detailed:
            blocks += front_blocks(row)
    if not detailed:
        blocks.append(_summary(result, effort))
    blocks += note_lines(result.notes)
    blocks.append(more(("" if detailed else "--layer L for the nest of one, ") + MORE))
    return blocks


def value_said(objective: str, value: float) -> str:
    """A value of the objective with its unit."""
    if objective == "energy":
        return energy(value)
    return f"{si(value)} cycles" if objective == "latency" else f"{value:.4g} pJ x cycles"


def _groups(rows: Sequence[Row]) -> list[list[Row]]:
    """Layers of one search and one cost, in network order: a fused shortcut costs beside an equal nest."""
    groups: dict[Any, list[Row]] = {}
    for row in rows:
        key = (row["same_as"] or row["layer"], row["energy_pj"], row["latency_cycles"])
        groups.setdefault(key, []).append(row)
    return list(groups.values())


def _network(groups: Sequence[Sequence[Row]], effort: Row, front: bool) -> Table:
    """One line a distinct layer; costs are those of one of them."""
    heads = (
        Head("layer", "left"),
        Head("times", "left"),
        Head("loops", "left", 150),
        Head("MACs", least_width=90),
        Head("cycles"),
        Head("energy"),
        *(
            (Head("points"), Head("least cycles", least_width=110), Head("least energy", least_width=110))
            if front
            else ()
        ),
        Head("gap %"),
        Head("proven", "left"),
        Head("seconds"),
    )
    rows = []
    for group in groups:
        row, certificate = group[0], group[0]["certificate"]
        points = row["points"]
        ends = (
            str(len(points)),
            si(min(point["latency_cycles"] for point in points) * row["runs"]),
            energy(min(point["energy_pj"] for point in points) * row["runs"]),
        )
        rows.append(
            (
                str(row["layer"]),
                f"x{len(group)}" if len(group) > 1 else "",
                _dims(row),
                si(row["macs"]),
                si(row["latency_cycles"]),
                energy(row["energy_pj"]),
                *(ends if front else ()),
                percent(certificate["gap_frac"]),
                "yes" if certificate["proven"] else "no",
                _seconds(effort.get(str(row["layer"]))),
            )
        )
    return Table("", heads, tuple(rows))


def _summary(result: Result, effort: Row) -> Lines:
    totals = result.totals
    n_layers, n_searches, n_proven = (totals[name] for name in ("n_layers", "n_searches", "n_proven"))
    counted = sum(facts["n_evaluated"] for facts in effort.values())
    proof = "all proven optimal"
    if n_proven < n_searches:
        worst = percent(totals["gap_frac_max"])
        proof = f"{n_proven} of them proven optimal, the widest gap is {worst} %"
    seconds = sum(facts["seconds"] for facts in effort.values())
    cached = result.run.get("n_from_cache") or 0
    taken = f", {cached} of the {n_searches} taken from the cache" if cached else ""
    return Lines(
        (
            f"{n_layers} layers, {n_searches} different searches: {proof}",
            f"{si(counted)} mappings counted exactly in {seconds:.3g} s of search{taken}",
        ),
        style="bold",
    )


def _layer(row: Row, others: Sequence[str], effort: Row) -> list[Block]:
    """Everything about one layer's best mapping."""
    title = str(row["layer"])
    if row["same_as"]:
        title += f"  (searched as {row['same_as']})"
    if others:
        title += f"  (x{len(others) + 1}: {', '.join(others)} too)"
    costs = [f"{row['op']}, {si(row['macs'])} MACs: {_dims(row)}"]
    if row["runs"] > 1:
        costs.append("nest, tiles and proof are of one run, costs and accesses of all")
    cycles = [
        f"{si(row[f'{part}_cycles'])} {said}"
        for part, said in (("compute", "compute"), ("fill_drain", "fill and drain"), ("stall", "stall"))
        if row[f"{part}_cycles"]
    ]
    costs.append(f"{si(row['latency_cycles'])} cycles ({si(row['latency_s'], 's')}): {', '.join(cycles)}")
    product = row["energy_pj"] * 1e-12 * row["latency_s"]
    costs.append(
        f"{energy(row['energy_pj'])}, energy x delay {si(product, 'J s')}; {row['active_pes']:,} PEs active, "
        f"{percent(row['utilization_frac'])} % utilised, bound by {row['bound']}"
    )
    costs += _proof(row["certificate"])
    facts = effort.get(row["same_as"] or row["layer"])
    return [
        Lines((title, *costs)),
        Lines(tuple(str(row["mapping"]).splitlines())),
        _tiles(row["nest"]),
        levels_table(row),
        *([Lines((_effort(facts),))] if facts else []),
    ]


def _tiles(nest: Sequence[Row]) -> Table:
    """Tiles by level and operand with the room that they take."""
    live = any(level["live_bytes"] and level["capacity_bytes"] for level in nest)
    heads = (
        Head("level", "left"),
        Head("instances"),
        *(
            Head(f"{operand} {what}", least_width=120 if what == "words" else 0)
            for operand in "IWO"
            for what in ("words", "bytes")
        ),
        *((Head("live bytes", least_width=100),) if live else ()),
        Head("used %"),
        Head("of"),
    )
    rows = [
        (
            str(level["level"]),
            f"{level['n_instances']:,}",
            *(
                f"{level[what][operand]:,}" if operand in level[what] else ""
                for operand in "IWO"
                for what in ("tile_words", "tile_bytes")
            ),
            *((f"{level['live_bytes']:,.0f}" if level["capacity_bytes"] else "",) if live else ()),
            percent(level["used_frac"]),
            si(level["capacity_bytes"], "B"),
        )
        for level in reversed(nest)
    ]
    return Table(
        "Largest tiles in one instance of a level; at its home an operand as a whole", heads, tuple(rows)
    )


def _proof(certificate: Row) -> list[str]:
    objective, space = str(certificate["objective"]), certificate["space"]
    best = value_said(objective, certificate["best"])
    if certificate["proven"]:
        return [f"proven: no mapping has a smaller {objective} than {best}", f"searched: {space}"]
    bound = value_said(objective, certificate["lower_bound"])
    return [
        f"not proven: the best {objective} found is {best}, none is below {bound}: "
        f"gap {percent(certificate['gap_frac'])} %",
        f"searched: {space}",
    ]


def _effort(facts: Row) -> str:
    cut = ", ".join(f"{si(n)} ({rule})" for rule, n in facts["n_pruned_by"].items() if n)
    said = f"{facts['n_evaluated']:,} mappings counted exactly in {_seconds(facts)} s"
    return f"{said}; left out by rules: {cut}" if cut else said


def _dims(row: Row) -> str:
    said = [f"{dim} {n}" for dim, n in row["dims"].items()] or ["one multiply-accumulate"]
    for name in ("stride", "dilation"):
        if any(step != 1 for step in row[f"{name}s"]):
            rows, cols, depth = row[f"{name}s"]
            said.append(f"{name} {rows}x{cols}" + (f"x{depth}" if depth != 1 else ""))
    if row["runs"] > 1:
        said.append(f"x {row['runs']:,} runs")
    return " ".join(said)


def _seconds(effort: Row | None) -> str:
    return "" if effort is None else f"{effort['seconds']:.3f}"
