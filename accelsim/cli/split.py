"""`accelsim split`: the best split of a chip's cores."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from accelsim.base.errors import InputError, Problem
from accelsim.cli.options import Arch, Cache, Dataflow, Json, Model, Output, Quiet, Sets


class Strategy(StrEnum):
    """How the cores of an instance may be used."""

    uniform = "uniform"
    hybrid = "hybrid"
    pipeline = "pipeline"


class Goal(StrEnum):
    """What the best cell has most or least of."""

    throughput = "throughput"
    latency = "latency"
    energy = "energy"
    edp = "edp"


def numbers(text: str | None, option: str) -> list[int] | None:
    """`1,2,4` as numbers; InputError for anything else."""
    if text is None:
        return None
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isascii() and part.isdigit() and len(part) < 10 for part in parts):
        expected = "whole numbers and commas, as in 1,2,4"
        raise InputError(Problem(f"{text!r} is no list of numbers", key=option, expected=expected))
    return [int(part) for part in parts]


def _list(option: str, said: str) -> typer.models.OptionInfo:
    return typer.Option(option, metavar="N,N,...", help=said)  # type: ignore[no-any-return]


def split(
    model: Model,
    arch: Arch,
    cores: Annotated[
        int | None, typer.Option("--cores", min=1, help="Cores of the chip; those of the architecture else.")
    ] = None,
    mp: Annotated[str | None, _list("--mp", "Cores of a replica: model parallelism.")] = None,
    dp: Annotated[str | None, _list("--dp", "Replicas of an instance: data parallelism.")] = None,
    threads: Annotated[str | None, _list("--threads", "Host threads, each with its own instance.")] = None,
    batch: Annotated[str | None, _list("--batch", "Images of a replica in a pass.")] = None,
    objective: Annotated[
        Goal, typer.Option("--objective", help="What decides between cells.")
    ] = Goal.throughput,
    strategy: Annotated[
        Strategy,
        typer.Option(
            "--strategy",
            help="One split for all layers, each layer its own, or groups of layers as stages, too.",
        ),
    ] = Strategy.uniform,
    full: Annotated[bool, typer.Option("--full", help="Only splits that use all cores.")] = False,
    simulate: Annotated[
        int | None,
        typer.Option(
            "--simulate",
            metavar="N",
            min=0,
            help="Simulate at least the N best cells. Where not given, all of 2,000 or fewer, else 50.",
        ),
    ] = None,
    images: Annotated[
        int | None,
        typer.Option("--images", metavar="N", min=1, help="Also the time for a data set of N images."),
    ] = None,
    trace: Annotated[
        Path | None,
        typer.Option("--trace", metavar="FILE.json.gz", help="Write the timeline of the best cell."),
    ] = None,
    sets: Sets = None,
    dataflow: Dataflow = None,
    cache: Cache = True,
    json: Json = False,
    output: Output = None,
    quiet: Quiet = False,
) -> None:
    """The best split of a chip's cores over model parallelism, data parallelism, host threads and batch.

    Lists that are not given are powers of two. What does not fit in memory is told with its bytes.
    """
    from accelsim import flow
    from accelsim.cli.answer import give
    from accelsim.cli.progress import Progress
    from accelsim.explore.split import split as split_cores
    from accelsim.report.split import split_blocks

    lists = {
        name: numbers(text, f"--{name}")
        for name, text in (("mp", mp), ("dp", dp), ("threads", threads), ("batch", batch))
    }
    graph = flow.load(model, batch=1)
    machine = flow.arch(arch, sets=sets or (), dataflow=dataflow)
    with Progress(not json and not quiet) as progress:
        result = split_cores(
            graph,
            machine,
            cores=cores,
            **lists,
            objective=objective.value,
            strategy=strategy.value,
            full=full,
            simulate=simulate,
            images=images,
            trace=trace,
            cache=cache,
            progress=progress,
        )
    give(result, split_blocks, as_json=json, output=output, quiet=quiet)
