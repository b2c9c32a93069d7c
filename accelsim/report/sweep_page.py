"""The page of a sweep: one HTML file that needs nothing else, with tables and pictures in it."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from accelsim.report.blocks import Block, Table
from accelsim.report.sweep import (
    best_table,
    counts,
    effects_tables,
    first_view,
    front_table,
    named,
    no_front,
    question,
    space_lines,
    steps_tables,
)

TEMPLATE: Final = "sweep_page.html"
MOST_FRONT: Final = 200
"""Points of a front that the page has; pareto.csv has all."""
CAPTIONS: Final = {
    "pareto": "Every point; those that no other beats in all objectives are in colour, the knee is ringed.",
    "parallel": "The points of the front across variables and objectives; the knee is thick.",
    "effects": "Share of each objective's variance that a variable explains, or two of them together.",
    "heat": "The best of each cell over all other variables.",
    "hypervolume": "Hypervolume of the front found against the number of points evaluated.",
}


def sweep_page(answer: Mapping[str, Any], pictures: Mapping[str, bytes]) -> str:
    """The answer as HTML; `pictures` are PNG files by name. Texts of strangers are escaped."""
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    first = first_view(answer)
    others = [view for view in answer["pareto"] if view is not first]
    space = answer["inputs"]["space"]
    return environment.get_template(TEMPLATE).render(
        title=space["name"],
        question=question(answer),
        lacking=no_front(answer),
        counts=counts(answer),
        space=space_lines(answer),
        best=best_table(answer),
        front=front_table(answer, first, MOST_FRONT) if first["n_front"] else None,
        effects=_tables(effects_tables(answer, first, MOST_FRONT)),
        steps=steps_tables(answer, first),
        others=[front_table(answer, view, MOST_FRONT) for view in others if view["n_front"]],
        first=named(first["network"], answer),
        pictures=[(name, _caption(name), _data(data)) for name, data in pictures.items()],
        notes=answer["notes"],
        version=answer["tool"]["version"],
        sha256=space["sha256"],
    )


def _tables(blocks: Sequence[Block]) -> list[Table]:
    return [block for block in blocks if isinstance(block, Table)]


def _caption(name: str) -> str:
    return next((text for start, text in CAPTIONS.items() if name.startswith(start)), name)


def _data(png: bytes) -> str:
    return f"data:image/png;base64,{base64.b64encode(png).decode('ascii')}"
