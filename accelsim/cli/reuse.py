"""`accelsim reuse`: where the accesses go."""

from __future__ import annotations

from typing import Annotated

import typer

from accelsim.cli.options import (
    Batch,
    Dataflow,
    Goal,
    Json,
    MappingFile,
    Model,
    Objective,
    Output,
    Quiet,
    Sets,
)


def reuse(
    model: Model,
    arch: Annotated[
        str | None,
        typer.Option("--arch", "-a", help="Also what this architecture achieves at each level."),
    ] = None,
    sets: Sets = None,
    batch: Batch = None,
    dataflow: Dataflow = None,
    objective: Goal = Objective.edp,
    mapping: MappingFile = None,
    json: Json = False,
    output: Output = None,
    quiet: Quiet = False,
) -> None:
    """Where the accesses go, and what each kind of reuse saves.

    Without reuse, with convolutional, image, filter and partial-sum reuse alone, with all of them, and what
    an architecture really achieves at each level.
    """
    from accelsim import flow
    from accelsim.base.errors import InputError
    from accelsim.cli.answer import give
    from accelsim.report.terminal import reuse_blocks

    if arch is None and (sets or dataflow or mapping):
        raise InputError("--set, --dataflow and --mapping are of an architecture: give one with --arch")
    graph = flow.load(model, batch=batch)
    machine = flow.arch(arch, sets=sets or (), dataflow=dataflow) if arch else None
    result = flow.reuse(graph, machine, objective=objective.value, mapping=mapping)
    give(result, reuse_blocks, as_json=json, output=output, quiet=quiet)
