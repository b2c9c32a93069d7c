"""What each command shows a person: layers, totals, where accesses and energy go, what is left out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from accelsim.report.blocks import Block, Head, Lines, Table
from accelsim.report.parts import Row, heading, levels_table, more, note_lines, over, ratio
from accelsim.results.format import UNKNOWN, energy, percent, si

if TYPE_CHECKING:
    from accelsim.results.result import Result


def run_blocks(result: Result) -> list[Block]:
    """The report of `run`."""
    blocks: list[Block] = [
        heading(result),
        _layers(result),
        levels_table(result.totals),
        _bounds(result.totals),
    ]
    blocks += _not_costed(result.rows)
    blocks += note_lines(result.notes)
    blocks.append(more("--json for every number, -o DIR for result.json, layers.csv and pictures"))
    return [block for block in blocks if not isinstance(block, Table) or block.rows]


def simulate_blocks(result: Result) -> list[Block]:
    """The report of `simulate`: times beside the analytic ones, stalls by cause."""
    heads = (
        Head("layer", "left"),
        Head("op", "left", 90),
        Head("MACs"),
        Head("cycles"),
        Head("analytic"),
        Head("times"),
        Head("compute", least_width=110),
        Head("fill", least_width=120),
        Head("channel"),
        Head("port"),
        Head("other", least_width=120),
        Head("util %"),
    )
    ran = [row for row in result.rows if row.get("latency_cycles") is not None]
    rows = [_simulated(row) for row in (*ran, {"layer": "total", "op": "", **result.totals})]
    caption = "Cycles: simulated, analytic, and what the array did: waits for the memory channel, for a port"
    blocks: list[Block] = [heading(result), Table(caption, heads, tuple(rows), n_foot=1)]
    blocks += _not_costed(result.rows)
    blocks += note_lines(result.notes)
    blocks.append(more("--trace FILE.json.gz for a timeline, -o DIR for pictures, --json for every number"))
    return blocks


def _simulated(row: Row) -> tuple[str, ...]:
    causes = row.get("stall_cycles_by_cause") or {}
    other = sum(causes.get(name, 0) for name in ("barrier", "host", "dependency"))
    return (
        str(row["layer"]),
        str(row["op"]),
        si(row.get("macs")),
        si(row.get("latency_cycles")),
        si(row.get("analytic_latency_cycles")),
        ratio(row.get("simulated_to_analytic")),
        si(row.get("compute_cycles")),
        si(row.get("fill_drain_cycles")),
        si(causes.get("memory_channel")),
        si(causes.get("port")),
        si(other),
        percent(row.get("utilization_frac")),
    )


def inspect_blocks(result: Result, with_passes: bool = False) -> list[Block]:
    """The report of `inspect`; `with_passes` adds what each graph pass did."""
    heads = (
        Head("layer", "left"),
        Head("op", "left"),
        Head("output", "left", 100),
        Head("MACs"),
        Head("params"),
        Head("weights B", least_width=110),
        Head("in B", least_width=90),
        Head("out B", least_width=90),
        Head("MACs/B"),
    )
    rows = [
        (
            str(row["layer"]),
            str(row["op"]),
            _shape(row.get("output_shape")),
            *(
                si(row.get(name))
                for name in ("macs", "params", "weight_bytes", "input_bytes", "output_bytes")
            ),
            ratio(row.get("arithmetic_intensity")),
        )
        for row in (*result.rows, {"layer": "total", "op": "", **result.totals})
    ]
    blocks: list[Block] = [heading(result), Table("", heads, tuple(rows), n_foot=1)]
    blocks += _not_costed(result.rows)
    if with_passes:
        blocks.append(Lines(tuple(result.notes) or ("the passes found nothing to do",)))
    blocks.append(more("--fusion for what the graph passes did, --json for every number"))
    return blocks


def reuse_blocks(result: Result) -> list[Block]:
    """The report of `reuse`: accesses left under each kind of reuse, and what the architecture achieves."""
    kinds = ("no_reuse", "convolutional", "image", "filter", "partial_sum", "all")
    levels = list(result.totals.get("achieved") or {})
    heads = (
        Head("layer", "left"),
        Head("MACs"),
        *(Head(kind.replace("_", " "), least_width=90 if kind in kinds[1:-1] else 0) for kind in kinds),
        *(Head(level, least_width=100) for level in levels),
    )
    body = [row for row in result.rows if row.get("macs")]
    lines = [
        (
            str(row["layer"]),
            si(row.get("macs")),
            *(si(row.get(kind)) for kind in kinds),
            *(si((row.get("achieved") or {}).get(level)) for level in levels),
        )
        for row in (*body, {"layer": "total", **result.totals})
    ]
    macs = result.totals.get("macs")
    per_mac = (
        "per MAC",
        "",
        *(ratio(over(result.totals.get(kind), macs)) for kind in kinds),
        *(ratio(over((result.totals.get("achieved") or {}).get(level), macs)) for level in levels),
    )
    caption = "Accesses, in words" + (
        f"; {', '.join(levels)}: what the mapping achieves at each level" if levels else ""
    )
    return [
        heading(result),
        Table(caption, heads, (*lines, per_mac), n_foot=2),
        *note_lines(result.notes),
        more(("" if levels else "--arch ARCH for what a machine achieves, ") + "--json for every number"),
    ]


def list_blocks(items: Sequence[Row]) -> list[Block]:
    """What ships, a table a kind."""
    kinds = dict.fromkeys(str(item["kind"]) for item in items)
    heads = (Head("name", "left"), Head("what it is", "left"))
    return [
        Table(
            kind,
            heads,
            tuple((str(i["name"]), str(i.get("summary") or "")) for i in items if i["kind"] == kind),
            gives_way=1,
        )
        for kind in kinds
    ]


def _layers(result: Result) -> Table:
    """One line a layer and one for the total."""
    heads = (
        Head("layer", "left"),
        Head("op", "left", 90),
        Head("MACs"),
        Head("cycles"),
        Head("stall", least_width=110),
        Head("util %"),
        Head("energy"),
        Head("DRAM B"),
        Head("bound", "left"),
    )
    rows = [_layer(row) for row in result.rows if row.get("status") != "not_costed"]
    total = _layer({"layer": "total", "op": "", "bound": "", **result.totals})
    return Table("", heads, (*rows, total), n_foot=1)


def _layer(row: Row) -> tuple[str, ...]:
    return (
        str(row["layer"]),
        str(row["op"]),
        si(row.get("macs")),
        si(row.get("latency_cycles")),
        si(row.get("stall_cycles")),
        percent(row.get("utilization_frac")),
        energy(row.get("energy_pj")),
        si(_dram_bytes(row)),
        UNKNOWN if row.get("bound") is None else str(row["bound"]),
    )


def _bounds(totals: Row) -> Table:
    """What the network costs beside the least that any mapping could."""
    dram = _dram_bytes(totals)
    cycles, pj = totals.get("latency_cycles"), totals.get("energy_pj")
    compared: tuple[tuple[str, Any, str, Callable[[Any], str]], ...] = (
        ("cycles, arithmetic alone", cycles, "compute_bound_cycles", si),
        ("cycles, DRAM alone", cycles, "memory_bound_cycles", si),
        ("DRAM traffic", dram, "compulsory_dram_bytes", _bytes),
        ("energy", pj, "energy_bound_pj", energy),
    )
    rows = [
        (name, shown(found), shown(totals[bound]), ratio(over(found, totals[bound])))
        for name, found, bound, shown in compared
        if totals.get(bound) is not None
    ]
    heads = (Head("beside the least possible", "left"), Head("found"), Head("least"), Head("times"))
    return Table("", heads, tuple(rows))


def _not_costed(rows: Sequence[Row]) -> list[Block]:
    left_out = [row for row in rows if row.get("status") == "not_costed"]
    if not left_out:
        return []
    lines = [f"Not costed: {len(left_out)} of {len(rows)} layers; the totals leave them out"]
    lines += [f"  {row['layer']} ({row['op']}): {row.get('reason') or 'no reason given'}" for row in left_out]
    return [Lines(tuple(lines), style="yellow")]


def _dram_bytes(row: Row) -> int | None:
    read, write = row.get("dram_read_bytes"), row.get("dram_write_bytes")
    return None if read is None or write is None else read + write


def _bytes(value: float | None) -> str:
    return si(value, "B")


def _shape(shape: Sequence[int] | None) -> str:
    return "x".join(map(str, shape)) if shape else UNKNOWN
