"""`accelsim run`: what a network costs on an architecture."""

from __future__ import annotations

from typing import Annotated

import typer

from accelsim.cli.options import (
    Arch,
    Batch,
    Cache,
    Compat,
    Dataflow,
    Goal,
    Jobs,
    Json,
    MappingFile,
    Model,
    Objective,
    Output,
    Quiet,
    Sets,
    Strict,
    ZerosFile,
)


def run(
    model: Model,
    arch: Arch,
    sets: Sets = None,
    batch: Batch = None,
    objective: Goal = Objective.edp,
    dataflow: Dataflow = None,
    mapping: MappingFile = None,
    zeros: ZerosFile = None,
    compat: Annotated[
        Compat | None,
        typer.Option("--compat", help="Reproduce another simulator's reports, or the forms of ISCA 2016."),
    ] = None,
    closed_form: Annotated[
        bool,
        typer.Option(
            "--closed-form", help="Systolic arrays: count folds by rule instead of searching mappings."
        ),
    ] = False,
    strict: Strict = False,
    jobs: Jobs = 1,
    cache: Cache = True,
    json: Json = False,
    output: Output = None,
    quiet: Quiet = False,
) -> None:
    """What a network costs on an architecture.

    Per layer and in total: cycles, utilisation, accesses per level and operand, energy, and what limits it.
    """
    from accelsim import flow
    from accelsim.cli.answer import give
    from accelsim.cli.progress import Progress
    from accelsim.report.terminal import run_blocks

    graph = flow.load(model, batch=batch)
    own = dataflow if compat is Compat.isca16 else None  # one of the comparison's six, not the architecture's
    read = flow.scale_config if arch.lower().endswith(".cfg") else flow.arch
    machine = read(arch, sets=sets or (), dataflow=None if own else dataflow)
    with Progress(not json and not quiet) as progress:
        result = flow.run(
            graph,
            machine,
            objective=objective.value,
            mapping=mapping,
            zeros=zeros,
            compat=compat.value if compat else None,
            dataflow=own,
            closed_form=closed_form,
            strict=strict,
            jobs=jobs,
            cache=cache,
            progress=progress,
        )
    give(result, run_blocks, as_json=json, output=output, quiet=quiet)
