"""What `map --compat timeloop` shows: the loop nest, what each level costs, the proof."""

from __future__ import annotations

from typing import TYPE_CHECKING

from accelsim.report.blocks import Block, Head, Lines, Table
from accelsim.results.format import energy, percent, si

if TYPE_CHECKING:
    from accelsim.results.result import Result


def timeloop_blocks(result: Result) -> list[Block]:
    """The report of the one layer that a Timeloop file holds."""
    row = result.rows[0]
    certificate = row["certificate"]
    total = row["energy_pj"]
    heads = (
        Head("level", "left"),
        Head("tensor", "left"),
        Head("reads"),
        Head("writes"),
        Head("energy"),
        Head("%"),
    )
    rows = []
    for level, pj in reversed(row["energy_pj_by_level"].items()):
        share = (energy(pj), percent(pj / total))
        accesses = row["accesses"].get(level, {})
        if accesses or pj:
            rows.append((level, "", "", "", *share))
        rows += [
            ("", name, si(words["read"]), si(words["write"]), "", "") for name, words in accesses.items()
        ]
    rows.append(("total", "", "", "", energy(total), percent(1.0)))
    seconds, n = result.run["seconds"], result.run["n_evaluated"]
    return [
        Lines((f"{row['layer']}: {energy(total)}, {row['latency_cycles']:,} cycles, "
               f"{percent(row['utilization_frac'])} % of the multipliers",), "bold"),
        Lines(tuple(row["mapping"].splitlines())),
        Table("Accesses (words) and energy", heads, tuple(rows), 1),
        Lines(
            (
                f"{certificate['objective']}: best {certificate['best']:.6g}, lower bound "
                f"{certificate['lower_bound']:.6g}, {'proven' if certificate['proven'] else 'not proven'}; "
                f"{n:,} mappings counted in {seconds:.2f} s",
                *result.notes,
                "-o DIR writes mapping.yaml in Timeloop's own form, --json every number",
            )
        ),
    ]  # fmt: skip
