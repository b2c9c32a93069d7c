"""The command `accelsim`: its commands, and the one place where errors become lines and exit codes."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from accelsim.base.version import VERSION
from accelsim.cli import failure, streams
from accelsim.cli.area import area
from accelsim.cli.cache import cache
from accelsim.cli.check import check
from accelsim.cli.evaluate import evaluate
from accelsim.cli.inspect import inspect
from accelsim.cli.list import list_
from accelsim.cli.map import map_
from accelsim.cli.reuse import reuse
from accelsim.cli.run import run
from accelsim.cli.schema import schema
from accelsim.cli.simulate import simulate
from accelsim.cli.split import split
from accelsim.cli.sweep import sweep
from accelsim.cli.validate import validate

app = typer.Typer(
    name="accelsim",
    help="What a neural network costs on an accelerator: cycles, memory accesses, energy.",
    epilog="Try `accelsim run resnet50 --arch eyeriss`, and `accelsim list` for what ships.",
    add_completion=False,
    rich_markup_mode=None,  # rich would double the time of --help
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        streams.out(f"accelsim {VERSION}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def _root(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", help="Show the version and stop.", callback=_version, is_eager=True)
    ] = False,
) -> None:
    if context.invoked_subcommand is None:
        streams.err(context.get_help())
        raise typer.Exit(2)


app.command("run")(run)
app.command("simulate")(simulate)
app.command("map")(map_)
app.command("evaluate")(evaluate)
app.command("split")(split)
app.command("sweep")(sweep)
app.command("inspect")(inspect)
app.command("area")(area)
app.command("validate")(validate)
app.command("reuse")(reuse)
app.command("list")(list_)
app.command("check")(check)
app.command("schema")(schema)
app.command("cache")(cache)


def execute(arguments: Sequence[str]) -> int:
    """Runs one command line and gives its exit code; every error has become lines or JSON by then."""
    as_json = "--json" in arguments
    try:
        command = typer.main.get_command(app)
        # not command.main(): its handlers would turn a closed pipe and ctrl-C into exit code 1
        with command.make_context("accelsim", list(arguments)) as context:
            command.invoke(context)
        streams.flush()
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else 0 if stop.code is None else 1
    except BaseException as error:
        return failure.report(error, as_json)
    return 0


def main() -> None:
    """Entry point of the console script."""
    # Before anything imports NumPy: starting a thread pool costs more CPU time than a small network, and no
    # kernel here gains from BLAS threads. Whoever sets them keeps their setting.
    for variable in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(variable, "1")
    gc.set_threshold(200_000)  # start-up makes many objects that stay: walking them is 6 % of a run
    streams.prepare()
    code = execute(sys.argv[1:])
    streams.finish()
    sys.exit(code)
