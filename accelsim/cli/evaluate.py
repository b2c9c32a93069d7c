"""`accelsim evaluate`: a given mapping under another tool's counts."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from accelsim.cli.options import Json, Output, Quiet


def evaluate(
    timeloop: Annotated[
        list[Path],
        typer.Option(
            "--timeloop",
            metavar="DIR|FILE",
            help="Timeloop's files: a folder with input.yaml, or one file a section.",
        ),
    ],
    files: Annotated[
        list[Path] | None, typer.Argument(metavar="FILE...", help="More of Timeloop's files.")
    ] = None,
    exact_walk: Annotated[
        bool,
        typer.Option("--exact-walk", help="All steps of every loop; Timeloop runs the first two."),
    ] = False,
    json: Json = False,
    output: Output = None,
    quiet: Quiet = False,
) -> None:
    """What a mapping costs as Timeloop counts it: reads, fills, updates, cycles, energy.

    The folder holds input.yaml with architecture, problem and mapping, and beside it mapping.yaml (in place
    of its mapping), ERT.yaml and ART.yaml where there are any.
    """
    from accelsim.cli.answer import give
    from accelsim.compat.timeloop.answer import evaluate_timeloop
    from accelsim.report.timeloop import evaluated_blocks

    result = evaluate_timeloop([*timeloop, *(files or ())], exact_walk=exact_walk)
    give(result, evaluated_blocks, as_json=json, output=output, quiet=quiet)
