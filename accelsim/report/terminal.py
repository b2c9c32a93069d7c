"""What each command shows a person: layers, totals, where accesses and energy go, what is left out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from accelsim.report.blocks import Block, Head, Lines, Table
from accelsim.results.format import UNKNOWN, energy, percent, si
from accelsim.results.show import summary, title

if TYPE_CHECKING:
    from accelsim.results.result import Result

Row = Mapping[str, Any]

_FUSED: Final = {
    True: "batch norm and activations fused into the layers before them",
    False: "operators as the file has them",
}


def run_blocks(result: Result) -> list[Block]:
    """The report of `run`."""
    blocks: list[Block] = [_head(result), _layers(result), _levels(result.totals), _bounds(result.totals)]
    blocks += _not_costed(result.rows)
    blocks += _notes(result.notes)
    blocks.append(_more("--json for every number, -o DIR for result.json, layers.csv and pictures"))
    return [block for block in blocks if not isinstance(block, Table) or block.rows]


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
            _ratio(row.get("arithmetic_intensity")),
        )
        for row in (*result.rows, {"layer": "total", "op": "", **result.totals})
    ]
    blocks: list[Block] = [_head(result), Table("", heads, tuple(rows), n_foot=1)]
    blocks += _not_costed(result.rows)
    if with_passes:
        blocks.append(Lines(tuple(result.notes) or ("the passes found nothing to do",)))
    blocks.append(_more("--fusion for what the graph passes did, --json for every number"))
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
        *(_ratio(_over(result.totals.get(kind), macs)) for kind in kinds),
        *(_ratio(_over((result.totals.get("achieved") or {}).get(level), macs)) for level in levels),
    )
    caption = "Accesses, in words" + (
        f"; {', '.join(levels)}: what the mapping achieves at each level" if levels else ""
    )
    return [
        _head(result),
        Table(caption, heads, (*lines, per_mac), n_foot=2),
        *_notes(result.notes),
        _more(("" if levels else "--arch ARCH for what a machine achieves, ") + "--json for every number"),
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


def _head(result: Result) -> Lines:
    options = result.inputs.get("options") or {}
    said = ", ".join(
        _FUSED[value] if key == "fuse" else f"{key} {_said(value)}"
        for key, value in options.items()
        if key == "fuse" or value not in (None, [], (), False)
    )
    head = title(result.inputs) + (f"  ({said})" if said else "")
    return Lines((head, summary(result.totals)), style="bold")


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


def _levels(totals: Row) -> Table:
    """Accesses by level and operand, read and write apart, with each level's share of the energy."""
    accesses: Row = totals.get("accesses") or {}
    by_level: Row = totals.get("energy_pj_by_level") or {}
    whole = totals.get("energy_pj")
    operands = list(dict.fromkeys(operand for level in accesses.values() for operand in level))
    heads = (
        Head("level", "left"),
        *(Head(f"{operand} {rw}") for operand in operands for rw in ("read", "write")),
        Head("energy"),
        Head("share %"),
    )
    rows = []
    for level in (*(name for name in by_level if name not in accesses), *accesses):
        counts = accesses.get(level) or {}
        rows.append(
            (
                str(level),
                *(si((counts.get(o) or {}).get(rw)) for o in operands for rw in ("read", "write")),
                energy(by_level.get(level)),
                percent(_over(by_level.get(level), whole)),
            )
        )
    return Table("Accesses (words, all instances) and energy by level", heads, tuple(rows))


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
        (name, shown(found), shown(totals[bound]), _ratio(_over(found, totals[bound])))
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


def _notes(notes: Sequence[str]) -> list[Block]:
    return [Lines(tuple(f"note: {note}" for note in notes))] if notes else []


def _more(where: str) -> Lines:
    return Lines((f"More: {where}",), style="dim")


def _dram_bytes(row: Row) -> int | None:
    read, write = row.get("dram_read_bytes"), row.get("dram_write_bytes")
    return None if read is None or write is None else read + write


def _over(part: float | None, whole: float | None) -> float | None:
    return None if part is None or not whole else part / whole


def _ratio(value: float | None) -> str:
    if value is None:
        return UNKNOWN
    return f"{value:.3g}" if 1e-3 <= abs(value) < 1e3 else si(value)


def _said(value: Any) -> str:
    return " ".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)


def _bytes(value: float | None) -> str:
    return si(value, "B")


def _shape(shape: Sequence[int] | None) -> str:
    return "x".join(map(str, shape)) if shape else UNKNOWN
