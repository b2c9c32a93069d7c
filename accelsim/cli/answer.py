"""An answer on its way out: saved first, printed last, so that what is printed is also true."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from accelsim.base.version import VERSION
from accelsim.cli import streams

if TYPE_CHECKING:
    from accelsim.report.blocks import Block
    from accelsim.results.result import Result


def give(
    result: Result,
    blocks: Callable[[Result], Sequence[Block]],
    *,
    as_json: bool,
    output: Path | None = None,
    quiet: bool = False,
) -> None:
    """Saves the result where asked, then prints it as JSON or as tables."""
    names = result.save(output) if output is not None else ()
    if as_json:
        streams.out(result.to_json())
    elif not quiet:
        show(blocks(result))
        if output is not None:
            streams.err(f"wrote {', '.join(names)} to {output}")


def show(blocks: Sequence[Block]) -> None:
    """Tables for a person: fitted to a terminal and with its styles, plain unwrapped lines elsewhere."""
    from accelsim.report.blocks import render

    if streams.is_terminal(sys.stdout):
        colour = not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
        streams.out(render(blocks, width=shutil.get_terminal_size().columns, colour=colour))
    else:
        streams.out(render(blocks))


def give_list(schema: str, key: str, items: Sequence[Mapping[str, Any]]) -> None:
    """Prints an envelope of plain items as JSON, one item a line."""
    from accelsim.results.plain import plain, to_json

    tool = {"name": "accelsim", "version": VERSION}
    streams.out(to_json({"schema": schema, "tool": tool, key: [plain(item) for item in items]}))


def give_object(value: Mapping[str, Any]) -> None:
    """Prints any JSON object, indented."""
    streams.out(json.dumps(value, indent=2))
