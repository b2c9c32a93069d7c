"""`accelsim sweep`: a space of machines, evaluated and answered."""

from __future__ import annotations

import tempfile
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from accelsim.cli.options import Cache, Json, Quiet

if TYPE_CHECKING:
    from accelsim.explore.sweep.run import State
    from accelsim.explore.sweep.space import Space


class Format(StrEnum):
    """Of the files that hold all points."""

    parquet = "parquet"
    csv = "csv"


class Peer(StrEnum):
    """Whose rules have a closed form."""

    scalesim = "scalesim"


def sweep(
    space: Annotated[
        str | None,
        typer.Argument(metavar="[SPACE]", help="A space file, or the name of one that ships."),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", metavar="DIR", help="Keep all points, fronts, pictures and a page there."
        ),
    ] = None,
    example: Annotated[
        str | None,
        typer.Option("--example", metavar="NAME", help="A space that ships (`accelsim list spaces`)."),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only tell the number of points, the time and the memory.")
    ] = False,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the sweep that DIR holds.")] = False,
    workers: Annotated[
        int, typer.Option("--workers", "-w", metavar="N", min=1, help="Evaluate in N processes.")
    ] = 1,
    cluster: Annotated[
        str | None,
        typer.Option("--cluster", metavar="ADDRESS", help="Evaluate on a Dask cluster at this address."),
    ] = None,
    format: Annotated[
        Format | None,
        typer.Option("--format", help="Of the points; parquet where pyarrow is installed, else csv."),
    ] = None,
    pictures: Annotated[
        bool, typer.Option("--pictures/--no-pictures", help="Draw into DIR; a second or two of each sweep.")
    ] = True,
    around: Annotated[
        int | None,
        typer.Option(
            "--around", metavar="POINT", help="Also one step each way from the point of this number."
        ),
    ] = None,
    compat: Annotated[
        Peer | None,
        typer.Option("--compat", help="Count by the rules of another simulator (key `compat` of the space)."),
    ] = None,
    cache: Cache = True,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """All machines of a space: which are best, what more speed costs, and what matters.

    A space file names what varies, what must hold and what is wanted. Points are kept as they are done: what
    was interrupted goes on with --resume.
    """
    from accelsim.base.errors import InputError
    from accelsim.cli import streams
    from accelsim.cli.answer import show
    from accelsim.explore.sweep.answering import objectives_of
    from accelsim.explore.sweep.evaluate import evaluator_of
    from accelsim.report.sweep import sweep_blocks
    from accelsim.results.plain import to_json

    if resume and output is None:
        raise InputError("--resume goes on with the sweep of a directory: name it with -o DIR")
    read = _read(space, example, compat.value if compat else None)
    objectives_of(read)
    evaluator = evaluator_of(read, cache=cache)
    if dry_run:
        _dry_run(read, evaluator, workers, format, json)
        return
    engine = {"workers": workers, "cluster": cluster, "resume": resume, "format": format}
    with tempfile.TemporaryDirectory(prefix="accelsim_sweep_") as passing:
        place = output if output is not None else Path(passing)
        keep = {"keep": output is not None, "drawn": pictures}
        found = _run(read, evaluator, place, engine, keep, around, progress=not json and not quiet)
    if json:
        streams.out(to_json(found))
    elif not quiet:
        show(sweep_blocks(found, None if output is None else str(output)))


def _read(space: str | None, example: str | None, compat: str | None) -> Space:
    """The space file that is named, by its path or as one that ships."""
    from accelsim.base.errors import InputError
    from accelsim.base.files import find_shipped, list_shipped
    from accelsim.explore.sweep.read import read_space

    if (space is None) == (example is None):
        raise InputError(
            f"name a space file, or with --example one that ships: {', '.join(list_shipped('spaces'))}"
        )
    return read_space(find_shipped("spaces", str(space or example)), compat)


def _run(
    space: Space,
    evaluator: Any,
    place: Path,
    engine: dict[str, Any],
    keep: dict[str, bool],
    around: int | None,
    progress: bool,
) -> dict[str, Any]:
    """Evaluates what is missing in the directory, then answers from all that it holds."""
    from accelsim.cli.progress import Progress
    from accelsim.explore.sweeping import answered

    with Progress(progress) as bar:

        def tell(state: State) -> None:
            bar(_said(state), state.n_done, state.n_total)

        return answered(space, evaluator, place, engine, keep, tell, around)


def _said(state: State) -> str:
    """Pace, time left and the best so far, on a line."""
    from math import isfinite

    from accelsim.results.format import quantity, si
    from accelsim.tables.columns_sweep import UNITS

    words = [f"points, {si(state.points_per_s)}/s"]
    if isfinite(state.left_s):
        words.append(f"{si(round(state.left_s))} s left")
    words += [f"{name} {quantity(value, UNITS.get(name, ''))}" for name, (value, _) in state.best.items()]
    return ", ".join(words)


def _dry_run(space: Space, evaluator: Any, workers: int, format: str | None, as_json: bool) -> None:
    """What the sweep would take, as lines or as JSON; figures of time and memory hold for this machine."""
    from accelsim.base.version import VERSION
    from accelsim.cli import streams
    from accelsim.cli.answer import show
    from accelsim.explore.sweep.answering import said_of
    from accelsim.explore.sweep.estimate import estimate, row
    from accelsim.explore.sweep.remarks import remarks_of
    from accelsim.report.sweep import estimate_blocks
    from accelsim.results.plain import plain, to_json

    found = {
        "schema": "accelsim.sweep/1",
        "tool": {"name": "accelsim", "version": VERSION},
        "inputs": {"space": plain(said_of(space)), "options": {"dry_run": True}},
        "objectives": [
            {"name": name, "maximise": word == "maximise"}
            for word in ("minimise", "maximise")
            for name in getattr(space.answers, word)
        ],
        "notes": remarks_of(space),
        "run": {"estimate": plain(row(estimate(space, evaluator, workers, format))), "workers": workers},
    }
    if as_json:
        streams.out(to_json(found))
    else:
        show(estimate_blocks(found))
