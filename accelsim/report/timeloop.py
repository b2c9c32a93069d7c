"""What `map --compat timeloop` and `evaluate --timeloop` show: the loop nest and what each level costs."""

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


def evaluated_blocks(result: Result) -> list[Block]:
    """Timeloop's report of one mapping: words per instance of each level and data space."""
    row, more = result.rows[0], result.more
    names = ("reads", "fills", "updates", "partition", "capacity", "instances")
    heads = (
        Head("level", "left"),
        Head("data space", "left"),
        *(Head(name) for name in names),
        Head("energy"),
    )
    rows = [
        ("" if n else level, name, *(f"{words[key]:,}" for key in names), energy(words["energy_total_pJ"]))
        for level, spaces in more["levels"].items()
        for n, (name, words) in enumerate(spaces.items())
    ]
    spent = tuple((name, energy(pj), f"{more['fJ_per_compute'].get(name, 0.0):,.2f}")
                  for name, pj in row["energy_pj_by_level"].items() if pj)  # fmt: skip
    total = ("total", energy(row["energy_pj"]), f"{more['fJ_per_compute']['Total']:,.2f}")
    area = "" if more["area_um2"] is None else f", {more['area_um2'] / 1e6:.3f} mm2"
    return [
        Lines((f"{row['layer']}: {energy(row['energy_pj'])}, {row['latency_cycles']:,} cycles, "
               f"{more['utilization']} of the multipliers, EDP {more['edp']} J cycles{area}",), "bold"),
        Lines(tuple(row["mapping"].splitlines())),
        Table("Words per instance of a level", heads, tuple(rows), 0),
        Table("Energy", (Head("part", "left"), Head("energy"), Head("fJ/compute")), (*spent, total), 1),
        *([Lines(result.notes)] if result.notes else ()),
    ]  # fmt: skip
