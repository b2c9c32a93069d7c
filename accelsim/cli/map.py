"""`accelsim map`: the best mapping of each layer, with its proof."""

from __future__ import annotations

from typing import Annotated

import typer

from accelsim.base.errors import InputError, Problem
from accelsim.cli.options import (
    Batch,
    Cache,
    Dataflow,
    Gap,
    Goal,
    Jobs,
    Json,
    MapCompat,
    Model,
    Objective,
    Output,
    Quiet,
    Ragged,
    Sets,
    TimeLimit,
)


def given(context: typer.Context) -> dict[str, str]:
    """Parameters that the command line names, with the long form of each."""
    found = {}
    for parameter in context.command.params:
        source = context.get_parameter_source(str(parameter.name))
        if source is not None and source.name == "COMMANDLINE":
            spelt = [name for name in (*parameter.opts, *parameter.secondary_opts) if name.startswith("--")]
            found[str(parameter.name)] = "/".join(spelt)
    return found


def map_(
    model: Model,
    context: typer.Context,
    arch: Annotated[
        str | None,
        typer.Option(
            "--arch", "-a", help="A shipped architecture or a YAML file; a Timeloop file has its own."
        ),
    ] = None,
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
    compat: Annotated[
        MapCompat | None,
        typer.Option("--compat", help="MODEL is an input file of another mapper, counted as it counts."),
    ] = None,
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
    if compat is not None:
        from accelsim.cli.timeloop import OPTIONS, give_timeloop, refuse

        refuse([option for name, option in given(context).items() if name not in OPTIONS])
        give_timeloop(model, objective.value, as_json=json, output=output, quiet=quiet)
        return
    if arch is None:
        raise InputError(
            Problem(
                "no architecture is given",
                key="--arch",
                expected="the name of one, or a YAML file",
                hint="`accelsim list` shows those that ship; --compat timeloop takes a Timeloop file alone",
            )
        )
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
