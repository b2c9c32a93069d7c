"""`accelsim inspect`: what a network is."""

from __future__ import annotations

from typing import Annotated

import typer

from accelsim.cli.options import Batch, Json, Model, Output, Quiet


def inspect(
    model: Model,
    batch: Batch = None,
    fusion: Annotated[
        bool | None,
        typer.Option(
            "--fusion/--no-fusion",
            help="Tell what the graph passes did, or show the operators as the file has them.",
            show_default=False,
        ),
    ] = None,
    json: Json = False,
    output: Output = None,
    quiet: Quiet = False,
) -> None:
    """What a network is.

    Layers, shapes, parameters, MACs, activation and weight bytes, arithmetic intensity.
    """
    from accelsim import flow
    from accelsim.cli.answer import give
    from accelsim.report.terminal import inspect_blocks

    result = flow.inspect(flow.load(model, batch=batch), fuse=fusion is not False)
    give(
        result,
        lambda found: inspect_blocks(found, with_passes=bool(fusion)),
        as_json=json,
        output=output,
        quiet=quiet,
    )
