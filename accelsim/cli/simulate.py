"""`accelsim simulate`: what a network takes when transfers queue, tile by tile."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from accelsim.cli.options import (
    Arch,
    Batch,
    Cache,
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


def simulate(
    model: Model,
    arch: Arch,
    sets: Sets = None,
    batch: Batch = None,
    objective: Goal = Objective.edp,
    dataflow: Dataflow = None,
    mapping: MappingFile = None,
    zeros: ZerosFile = None,
    trace: Annotated[
        Path | None,
        typer.Option("--trace", metavar="FILE.json.gz", help="Write a timeline that Perfetto opens."),
    ] = None,
    skip: Annotated[
        bool,
        typer.Option(
            "--skip/--no-skip", help="Multiply what repeats, which changes no number; or run it all."
        ),
    ] = True,
    cores: Annotated[
        int | None,
        typer.Option("--cores", min=1, help="Cores for parallel branches; those of one memory channel."),
    ] = None,
    strict: Strict = False,
    jobs: Jobs = 1,
    cache: Cache = True,
    json: Json = False,
    output: Output = None,
    quiet: Quiet = False,
) -> None:
    """The same network with contention and a timeline.

    Programs that walk the mapping's loops run on queues for ports, buffers and the memory channel: latency,
    throughput and stalls by cause, beside the analytic model's latency.
    """
    from accelsim import flow
    from accelsim.cli.answer import give
    from accelsim.cli.progress import Progress
    from accelsim.report.terminal import simulate_blocks

    graph = flow.load(model, batch=batch)
    machine = flow.arch(arch, sets=sets or (), dataflow=dataflow)
    with Progress(not json and not quiet) as progress:
        result = flow.simulate(
            graph,
            machine,
            objective=objective.value,
            mapping=mapping,
            zeros=zeros,
            strict=strict,
            jobs=jobs,
            cache=cache,
            skip=skip,
            cores=cores,
            trace=trace if trace is not None else output is not None,
            progress=progress,
        )
    give(result, simulate_blocks, as_json=json, output=output, quiet=quiet)
