"""Progress on a terminal's standard error; silent elsewhere."""

from __future__ import annotations

import sys
import time
from types import TracebackType

from accelsim.cli import streams

PATIENCE_S = 0.5
"""Nobody needs a bar for less than this."""


class Progress:
    """Context manager and the callable that `flow` wants: `progress(name, done, total)`."""

    def __init__(self, wanted: bool = True) -> None:
        self._wanted = wanted and streams.is_terminal(sys.stderr)
        self._next = time.monotonic() + PATIENCE_S
        self._shown = False

    def __call__(self, name: str, done: int, total: int) -> None:
        if not self._wanted or time.monotonic() < self._next:
            return
        self._next = time.monotonic() + 0.1
        self._shown = True
        sys.stderr.write(f"\r\x1b[K{done}/{total} {name[:60]}")
        sys.stderr.flush()

    def __enter__(self) -> Progress:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._shown:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
