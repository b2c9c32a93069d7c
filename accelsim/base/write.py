"""Files that appear whole or not at all."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import Final

TEMPORARY: Final = ".tmp"


def write_whole(file: Path, data: bytes) -> None:
    """Writes a new file beside it and renames that one: readers see all of the data or what was there before.

    OSError where it can't be written; nothing is left beside unless the process is killed.
    """
    temporary = file.with_name(f"{file.name}.{os.getpid()}.{os.urandom(4).hex()}{TEMPORARY}")
    try:
        with temporary.open("xb") as stream:
            stream.write(data)
        os.replace(temporary, file)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise
