"""`accelsim map FILE --compat timeloop`: a Timeloop input file, under Timeloop's own counts."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from accelsim.base.errors import InputError, Problem

OPTIONS: Final = frozenset({"model", "compat", "objective", "json", "output", "quiet"})
"""Parameters of `map` that have a meaning for a Timeloop file; it says the rest itself."""


def give_timeloop(
    file: str, objective: str, *, as_json: bool = False, output: Path | None = None, quiet: bool = False
) -> None:
    """Maps the one layer of a Timeloop file and prints or saves the answer."""
    from accelsim.cli.answer import give
    from accelsim.compat.timeloop.map import map_timeloop
    from accelsim.report.timeloop import timeloop_blocks

    give(map_timeloop(Path(file), objective), timeloop_blocks, as_json=as_json, output=output, quiet=quiet)


def refuse(options: Sequence[str]) -> None:
    """InputError for options that have no meaning for a Timeloop file, by their long form."""
    if options:
        raise InputError(
            Problem(
                f"{', '.join(options)}: no meaning with --compat timeloop",
                expected="--objective, --json, --output or --quiet alone",
                hint="the file says layer, machine and constraints, and all that they allow is searched",
            )
        )
