"""Standard output and error: written whole, in whatever encoding the terminal has, closed or not."""

from __future__ import annotations

import codecs
import contextlib
import os
import sys
from typing import Final, TextIO

ASCII: Final = {"µ": "u", "×": "x", "…": "...", "–": "-"}


def prepare() -> None:
    """Makes the three standard streams usable: open descriptors, and letters that any locale can print."""
    for descriptor in (0, 1, 2):
        try:
            os.fstat(descriptor)
        except OSError:  # else the next file to be opened would become standard output
            os.open(os.devnull, os.O_RDWR)
    codecs.register_error("accelsim", _spell)
    for stream in (sys.stdout, sys.stderr):
        if stream is not None and hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="accelsim")


def out(text: str) -> None:
    """Writes the answer and a line end to standard output; BrokenPipeError where the reader has gone."""
    _write(sys.stdout, text)


def err(text: str) -> None:
    """Writes to standard error; that nobody reads it is no error."""
    with contextlib.suppress(OSError, ValueError):
        _write(sys.stderr, text)


def flush() -> None:
    """Brings errors of buffered output to light while they can still be reported."""
    if sys.stdout is not None:
        sys.stdout.flush()


def finish() -> None:
    """Leaves nothing in a buffer that the interpreter would fail to write after the exit code is decided."""
    for stream in (sys.stdout, sys.stderr):
        try:
            if stream is not None:
                stream.flush()
        except (OSError, ValueError):
            with contextlib.suppress(OSError, ValueError):
                os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def is_terminal(stream: TextIO | None) -> bool:
    """Whether a person watches the stream."""
    return stream is not None and not stream.closed and stream.isatty()


def _write(stream: TextIO | None, text: str) -> None:
    if stream is None:
        return
    stream.write(text + "\n")
    stream.flush()


def _spell(error: UnicodeError) -> tuple[str, int]:
    """Letters that the locale lacks, spelt with those that it has."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    wanted = error.object[error.start : error.end]
    return "".join(ASCII.get(letter, "?") for letter in wanted), error.end
