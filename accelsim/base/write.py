"""Files that appear whole or not at all."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

TEMPORARY: Final = ".tmp"


def write_whole(file: Path, data: bytes, durable: bool = False) -> None:
    """Writes a new file beside it and renames that one: readers see all of the data or what was there before.

    `durable`: both are on the disk when it returns, so that a loss of power takes neither.
    OSError where it can't be written; nothing is left beside unless the process is killed.
    """
    put_whole(write_beside(file, data, durable), file, durable)


def write_beside(file: Path, data: bytes, durable: bool = False) -> Path:
    """The new file beside it, for `put_whole` by whoever may; as `write_whole` else."""
    temporary = file.with_name(f"{file.name}.{os.getpid()}.{os.urandom(4).hex()}{TEMPORARY}")
    with _gone_on_error(temporary), temporary.open("xb") as stream:
        stream.write(data)
        if durable:
            stream.flush()
            os.fsync(stream.fileno())
    return temporary


def put_whole(temporary: Path, file: Path, durable: bool = False) -> None:
    """Gives a new file its name."""
    with _gone_on_error(temporary):
        os.replace(temporary, file)
        if durable:
            sync_folder(file.parent)


@contextlib.contextmanager
def _gone_on_error(temporary: Path) -> Iterator[None]:
    try:
        yield
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise


def sync_folder(folder: Path) -> None:
    """The names in a folder are on the disk when it returns, where the system can say so."""
    with contextlib.suppress(PermissionError):  # Windows opens no folder
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
