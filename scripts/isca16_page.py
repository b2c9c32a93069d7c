"""Writes the tables of docs/isca16.md and its pictures: the comparison of ISCA 2016 beside an exact count.

python scripts/isca16_page.py
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np
from make_docs import GALLERY, ROOT, write_region
from numpy.typing import NDArray

from accelsim.charts.dataflows import energy_by_dataflow
from accelsim.compat.isca16 import FORMS, LEVELS, Best
from accelsim.evidence.isca16.exact import PADDING, exact
from accelsim.evidence.isca16.model import best_cell
from accelsim.evidence.isca16_groups.model import GROUPS, group

PAGE: Final = ROOT / "docs" / "isca16.md"
NUM_PES, BATCH = 256, 16
SHOWN: Final = "CONV3"
"""Layer of the table of counts."""
OPERANDS: Final = ("inputs", "weights", "sums")

Bars = dict[str, dict[str, float]]


def table(heads: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    rows = [heads, ["---"] * len(heads), *lines]
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def cells(dataflow: str, layers: str) -> list[tuple[str, Best]]:
    """The layers of a group that fit, all of them in what the page shows."""
    found = [(name, best_cell(dataflow, NUM_PES, BATCH, name)) for name in GROUPS[layers]]
    return [(name, best) for name, best in found if best is not None]


def bars(layers: str) -> tuple[Bars, Bars]:
    """Energy per MAC by level of each dataflow: by the closed forms, and counted exactly."""
    forms: Bars = {}
    counted: Bars = {}
    for dataflow in FORMS:
        here = cells(dataflow, layers)
        macs = sum(best.shape.macs for _, best in here)
        ours = [exact(best, PADDING.get(name, 0)).level_energy for name, best in here]
        forms[dataflow] = parts([best.level_energy for _, best in here], macs)
        counted[dataflow] = parts(ours, macs)
    return forms, counted


def parts(energies: Sequence[NDArray[np.float64]], macs: int) -> dict[str, float]:
    by_level = np.sum(energies, axis=0) / macs
    return {"mac": 1.0, **{name: float(value) for name, value in zip(LEVELS, by_level, strict=True)}}


def energies(layers: str) -> str:
    """Both ways to count, level by level."""
    both = bars(layers)
    first = [sum(way["rs"].values()) for way in both]
    lines = []
    for dataflow in FORMS:
        line = [dataflow.upper()]
        for way, rs in zip(both, first, strict=True):
            here = way[dataflow]
            total = sum(here.values())
            line += [*(f"{here[level]:.3f}" for level in LEVELS), f"{total:.2f}", f"{total / rs:.2f}"]
        lines.append(line)
    heads = [*(f"{level}" for level in LEVELS), "energy", "of RS"]
    return table(["", *(f"form: {head}" for head in heads), *(f"exact: {head}" for head in heads)], lines)


def counts() -> str:
    """Accesses of one layer where the two ways differ, in millions of words."""
    lines = []
    for dataflow in FORMS:
        best = best_cell(dataflow, NUM_PES, BATCH, SHOWN)
        assert best is not None
        ours = exact(best, PADDING.get(SHOWN, 0)).words
        for at, level in enumerate(LEVELS):
            for t, operand in enumerate(OPERANDS):
                form, own = best.counts[at, t] / 1e6, ours[at, t] / 1e6
                if abs(form - own) > 0.005 * max(form, own):
                    lines.append((dataflow.upper(), f"{level} {operand}", f"{form:,.1f}", f"{own:,.1f}"))
    return table(("dataflow", "accesses", "closed form", "exact count"), lines)


def gains() -> str:
    """Energy of each dataflow in row-stationary's over sizes and batches."""
    lines = []
    for layers, batches in (("CONV", (1, 16, 64)), ("FC", (16, 64, 256))):
        for num_pes in (256, 512, 1024):
            for batch in batches:
                found = {name: group(name, num_pes, batch, layers) for name in FORMS}
                rs = found["rs"]
                assert rs is not None
                gain = [
                    "does not fit" if one is None else f"{one.energy / rs.energy:.2f}"
                    for one in list(found.values())[1:]
                ]
                lines.append((layers, str(num_pes), str(batch), f"{rs.energy:.2f}", *gain))
    return table(("layers", "PEs", "batch", "RS, MACs", *(name.upper() for name in list(FORMS)[1:])), lines)


def pictures() -> None:
    with (GALLERY / "isca16.csv").open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(["layers", "counted", "dataflow", "mac", *LEVELS])
        for layers in GROUPS:
            forms, counted = bars(layers)
            for way, named in ((forms, "closed form"), (counted, "exact")):
                for dataflow, here in way.items():
                    writer.writerow([layers, named, dataflow, *(f"{here[n]:.6g}" for n in ("mac", *LEVELS))])
            title = f"{layers} layers of AlexNet, {NUM_PES} PEs, batch {BATCH}, equal storage area"
            figure = energy_by_dataflow([("the paper's forms", forms), ("exact count", counted)], title)
            name = f"isca16_{layers.lower()}.png"
            figure.savefig(GALLERY / name, dpi=110, metadata={"Software": None})


def main() -> None:
    pictures()
    for name, text in {
        "gains": gains(),
        "energies conv": energies("CONV"),
        "energies fc": energies("FC"),
        "counts": counts(),
    }.items():
        write_region(PAGE, name, text)


if __name__ == "__main__":
    main()
