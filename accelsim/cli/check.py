"""`accelsim check`: whether files can be used, with all that is wrong with them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from accelsim.cli.options import Json, Quiet


def check(
    files: Annotated[
        list[Path],
        typer.Argument(metavar="FILE...", help="Models, architectures, mappings, spaces: known by content."),
    ],
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Whether files can be used, and what is wrong."""
    from accelsim.base.errors import InputError, Problem
    from accelsim.checking import check as check_file
    from accelsim.cli import streams
    from accelsim.cli.answer import give_list

    found: list[dict[str, Any]] = []
    problems: list[Problem] = []
    for file in files:
        try:
            found.extend(check_file(file))
        except InputError as error:  # the other files are checked all the same
            problems.extend(error.problems)
    if json and not problems:
        give_list("accelsim.check/1", "files", found)
    elif not json and not quiet:
        for item in found:
            streams.out(
                f"{item['file']}: {item['kind']}: {'ok' if item['ok'] else 'not ok'}: {item['summary']}"
            )
    if problems:
        raise InputError(problems)
