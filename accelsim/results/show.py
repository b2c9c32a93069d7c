"""How a result shows itself in a Python prompt and in a notebook."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import TYPE_CHECKING, Any, Final

from accelsim.base.html import html_table
from accelsim.results.format import count, energy, percent, si

if TYPE_CHECKING:
    from accelsim.results.result import Result

SHOWN: Final = (
    ("layer", "layer"),
    ("op", "op"),
    ("macs", "MACs"),
    ("params", "params"),
    ("latency_cycles", "cycles"),
    ("utilization_frac", "util. %"),
    ("energy_pj", "energy"),
    ("arithmetic_intensity", "MACs/B"),
    ("bound", "bound"),
)


def cell(name: str, value: Any) -> str:
    """A value of a column as people read it."""
    if value is None:
        return "-"
    if isinstance(value, str):
        return value
    if name.endswith("_pj"):
        return energy(value)
    if name.endswith("_frac"):
        return percent(value)
    if name.endswith("_bytes"):
        return si(value, "B")
    if name.endswith("_s"):
        return si(value, "s")
    return si(value)


def title(inputs: Mapping[str, Any]) -> str:
    """`resnet50 on eyeriss`, with what is known of both."""
    names = [str(inputs[part]["name"]) for part in ("model", "arch") if inputs.get(part)]
    return " on ".join(names)


def summary(totals: Mapping[str, Any]) -> str:
    """The totals that matter most, on a line."""
    if "n_cells" in totals:
        kinds = ("ok", "run"), ("oom", "out of memory"), ("infeasible", "without enough cores")
        said = [f"{totals[f'n_{kind}']:,} {word}" for kind, word in kinds if totals[f"n_{kind}"]]
        return f"{count(totals['n_cells'], 'cell')}: {', '.join(said)}; {totals['n_simulated']:,} simulated"
    words = [count(totals.get("n_layers", 0), "layer")]
    for name, unit in (
        ("macs", " MACs"),
        ("latency_cycles", " cycles"),
        ("latency_s", ""),
        ("throughput_fps", " images/s"),
        ("energy_pj", ""),
    ):
        if totals.get(name) is not None:
            words.append(f"{cell(name, totals[name])}{unit}")
    if totals.get("utilization_frac") is not None:
        words.append(f"{percent(totals['utilization_frac'])} % utilised")
    if totals.get("n_not_costed"):
        words.append(f"{totals['n_not_costed']} not costed")
    return ", ".join(words)


def text(result: Result) -> str:
    """Two lines: what was asked, what came out."""
    return f"<accelsim {result.command}: {title(result.inputs)}>\n{summary(result.totals)}"


def html(result: Result) -> str:
    """A table of the layers under a line of totals, without any script or style sheet."""
    names = [(name, head) for name, head in SHOWN if any(name in row for row in result.rows)]
    rows = [[cell(name, row.get(name)) for name, _ in names] for row in result.rows]
    heads = [label for _, label in names]
    notes = "".join(f"<li>{escape(note)}</li>" for note in result.notes)
    table = html_table(title(result.inputs), heads, rows, summary(result.totals))
    return table + (f"<ul>{notes}</ul>" if notes else "")
