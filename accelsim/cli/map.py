"""`accelsim map`: the best mapping of each layer, with its proof."""

from __future__ import annotations

from typing import Annotated

import typer

from accelsim.cli.options import (
    Arch,
    Batch,
    Cache,
    Dataflow,
    Gap,
    Goal,
    Jobs,
    Json,
    Model,
    Objective,
    Output,
    Quiet,
    Ragged,
    Sets,
    TimeLimit,
)


def map_(
    model: Model,
    arch: Arch,
    layer: Annotated[
        list[str] | None,
        typer.Option("--layer", "-l", metavar="NAME", help="Show this layer in full; may be repeated."),
    ] = None,
    front: Annotated[
        bool, typer.Option("--front", help="The Pareto front of energy and latency, not the best alone.")
    ] = False,
    top: Annotated[
        int, typer.Option("--top", metavar="K", help="The K best mappings, and how they differ.")
    ] = 1,
    sets: Sets = None,
    batch: Batch = None,
    objective: Goal = Objective.edp,
    dataflow: Dataflow = None,
    ragged: Ragged = False,
    time_limit: TimeLimit = None,
    gap: Gap = 0.0,
    jobs: Jobs = 1,
    cache: Cache = True,
    json: Json = False,
    output: Output = None,
    quiet: Quiet = False,
) -> None:
    """The best mapping of each layer, and the proof that none is better.

    Of a network a line each layer; of the layers named with --layer the loop nest with tile sizes and
    traffic at every level.
    """
    from accelsim import flow
    from accelsim.cli.answer import give
    from accelsim.cli.progress import Progress
    from accelsim.report.map import map_blocks

    graph = flow.load(model, batch=batch)
    machine = flow.arch(arch, sets=sets or (), dataflow=dataflow)
    with Progress(not json and not quiet) as progress:
        result = flow.map_layers(
            graph,
            machine,
            layer,
            objective=objective.value,
            top=top,
            front=front,
            ragged=ragged,
            gap=gap,
            time_limit=time_limit,
            jobs=jobs,
            cache=cache,
            progress=progress,
        )
    give(result, map_blocks, as_json=json, output=output, quiet=quiet)
