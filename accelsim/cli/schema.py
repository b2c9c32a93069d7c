"""`accelsim schema`: what a file or an answer looks like, for editors and programs."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer


class Kind(StrEnum):
    """What has a schema: files that are read, and answers that are written."""

    arch = "arch"
    space = "space"
    run = "run"
    simulate = "simulate"
    map = "map"
    inspect = "inspect"
    reuse = "reuse"
    split_ = "split"  # `split` is a method of every string
    sweep = "sweep"
    validate = "validate"


def schema(
    kind: Annotated[Kind, typer.Argument(help="An architecture or space file, or the answer of a command.")],
    json: Annotated[bool, typer.Option("--json", help="Changes nothing: a schema is JSON already.")] = False,
) -> None:
    """JSON Schema of a file or of an answer."""
    from accelsim.cli.answer import give_object

    if kind is Kind.arch:
        from accelsim.hardware.schema import json_schema

        give_object(json_schema())
    elif kind in (Kind.space, Kind.sweep):
        from accelsim.explore.sweep import schema as of_sweeps

        give_object(of_sweeps.json_schema() if kind is Kind.space else of_sweeps.answer_schema())
    else:
        from accelsim.results.schema import answer_schema

        give_object(answer_schema(kind.value))
