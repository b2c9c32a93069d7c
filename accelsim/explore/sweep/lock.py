"""One process at a time on a directory.

The system holds the lock for the process (`flock`) and lets go of it when that ends, however it ends: what a
dead process left is taken over. The file says who holds it, for the one that is refused.
"""

from __future__ import annotations

import contextlib
import errno
import os
import socket
from pathlib import Path
from types import TracebackType
from typing import Final

from accelsim.base.errors import InputError, Problem

NAME: Final = ".lock"
_HELD: Final = (errno.EWOULDBLOCK, errno.EAGAIN, errno.EACCES)


class Lock:
    """Context manager; InputError where another process has the directory. OSError where none can be had."""

    def __init__(self, directory: Path) -> None:
        self._file = directory / NAME
        self._handle = -1

    def __enter__(self) -> Lock:
        import fcntl

        while self._handle < 0:
            handle = os.open(self._file, os.O_RDWR | os.O_CREAT, 0o644)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if _is(handle, self._file):
                    self._handle = handle
            except OSError as error:
                holder = os.pread(handle, 200, 0).decode(errors="replace").strip()
                if error.errno not in _HELD:
                    raise
                raise InputError(
                    Problem(
                        f"another process works in it: {holder or 'it has only just started'}",
                        file=str(self._file.parent),
                        hint="wait for it or stop it, or choose another directory",
                    )
                ) from None
            finally:
                if self._handle < 0:  # refused, or the file was removed by the one that held it until now
                    os.close(handle)
        # a full disk keeps nobody from the lock: only the name of its holder is missing then
        with contextlib.suppress(OSError):
            os.ftruncate(self._handle, 0)
            os.pwrite(self._handle, f"process {os.getpid()} on {socket.gethostname()}\n".encode(), 0)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with contextlib.suppress(OSError):
            self._file.unlink()
        os.close(self._handle)
        self._handle = -1


def _is(handle: int, file: Path) -> bool:
    """Whether an open file is still the one of this name."""
    try:
        return os.path.samestat(os.fstat(handle), file.stat())
    except FileNotFoundError:
        return False
