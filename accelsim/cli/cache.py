"""`accelsim cache`: where results of searches are kept, how much of them, and away with it."""

from __future__ import annotations

from typing import Annotated

import typer

from accelsim.cli.options import Json


def cache(
    clear: Annotated[bool, typer.Option("--clear", help="Remove all entries.")] = False,
    json: Json = False,
) -> None:
    """Results of searches that are kept on disk.

    ACCELSIM_CACHE names another folder, or `off`. Entries of an older version are never used; the oldest make
    room for new ones.
    """
    from accelsim.base.errors import InputError, Problem
    from accelsim.base.version import VERSION
    from accelsim.cli import streams
    from accelsim.cli.answer import give_object
    from accelsim.mapper.solve import open_cache

    disk = open_cache()
    try:
        n_cleared = disk.clear() if disk is not None and clear else 0
        n_entries, n_bytes = disk.usage() if disk is not None else (0, 0)
    except OSError as error:
        raise InputError(Problem(f"can't be cleared: {error.strerror}", file=error.filename)) from None
    path = str(disk.folder) if disk is not None else None
    if json:
        facts = {"path": path, "n_entries": n_entries, "bytes": n_bytes, "n_cleared": n_cleared}
        tool = {"name": "accelsim", "version": VERSION}
        give_object({"schema": "accelsim.cache/1", "tool": tool, "cache": facts})
    elif path is None:
        streams.out("no cache: ACCELSIM_CACHE is off")
    else:
        cleared = f"{n_cleared:,} entries removed; " if clear else ""
        streams.out(f"{path}: {cleared}{n_entries:,} entries, {n_bytes:,} B")
