"""`accelsim validate`: how well the models agree with the world."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from accelsim.cli.options import Json, Output, Quiet

DIFFERS = 1


def validate(
    cases: Annotated[
        list[str] | None,
        typer.Argument(metavar="[CASE]...", help="Cases; all that ship where none is given."),
    ] = None,
    values: Annotated[
        Path | None,
        typer.Option(
            "--values",
            metavar="FILE.csv",
            help="Rows of your own for the one case named, with the columns of its table.",
        ),
    ] = None,
    json: Json = False,
    output: Output = None,
    quiet: Quiet = False,
) -> None:
    """Each model against published silicon, RTL and other simulators: theirs, ours, the error, the source.

    Exit code 1 where a case is outside its tolerance.
    """
    from accelsim.cli.answer import give
    from accelsim.cli.progress import Progress
    from accelsim.evidence.validate import validate as hold_against
    from accelsim.report.validate import validate_blocks

    with Progress(not json and not quiet) as progress:
        result = hold_against(tuple(cases or ()), values=values, progress=progress)
    give(result, validate_blocks, as_json=json, output=output, quiet=quiet)
    if result.totals["n_failed"]:
        raise typer.Exit(DIFFERS)
