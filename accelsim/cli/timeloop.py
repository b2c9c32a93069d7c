"""`accelsim map FILE --compat timeloop`: a Timeloop input file, under Timeloop's own counts."""

from __future__ import annotations

from pathlib import Path


def give_timeloop(
    file: str, objective: str, *, as_json: bool = False, output: Path | None = None, quiet: bool = False
) -> None:
    """Maps the one layer of a Timeloop file and prints or saves the answer."""
    from accelsim.cli.answer import give
    from accelsim.compat.timeloop.map import map_timeloop
    from accelsim.report.timeloop import timeloop_blocks

    give(map_timeloop(Path(file), objective), timeloop_blocks, as_json=as_json, output=output, quiet=quiet)
