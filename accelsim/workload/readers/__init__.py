"""Model files into layer graphs: ONNX (binary and text), Caffe prototxt, SCALE-Sim topology CSV."""

from __future__ import annotations

import hashlib
import stat
from dataclasses import replace
from operator import index
from pathlib import Path
from typing import Final, SupportsIndex

from accelsim.base.errors import InputError, Problem
from accelsim.workload.graph import LayerGraph
from accelsim.workload.readers.detect import READABLE, detect

__all__ = ["read"]

MAX_BATCH: Final = 2**31
"""Beyond any memory; what a layer counts is checked beside it."""
_SUFFIXES: Final = (".onnx.txt", ".onnxtxt", ".onnx", ".prototxt", ".pbtxt", ".csv")


def read(path: Path | str, batch: int | None = None) -> LayerGraph:
    """The layer graph of a model file whose format its content shows.

    `batch` is the number of images of one run; None takes the file's own (1 where it is symbolic).
    InputError: no such file, no model, a model that is wrong or whose shapes stay unknown.
    """
    path = Path(path)
    if batch is not None:
        batch = _checked_batch(batch)
    data = _bytes_of(path)
    found = detect(data, str(path))
    if found in ("onnx", "onnx_text"):
        # The import of onnx costs 0.15 CPU seconds: only where a file needs it.
        from accelsim.workload.readers.onnx_graph import read_onnx

        graph = read_onnx(data, str(path), batch, is_text=found == "onnx_text")
    else:
        text = data.decode("utf-8-sig", errors="replace")
        if found == "caffe":
            from accelsim.workload.readers.caffe import read_caffe

            graph = read_caffe(text, str(path), batch)
        else:
            from accelsim.workload.readers.scalesim import read_scalesim

            graph = read_scalesim(text, str(path), batch)
    return replace(graph, name=_stem(path), sha256=hashlib.sha256(data).hexdigest())


def _checked_batch(batch: object) -> int:
    expected = f"1 to {MAX_BATCH:,}"
    if isinstance(batch, bool) or not isinstance(batch, SupportsIndex):  # NumPy's integers are fine
        raise InputError(Problem(f"batch {batch!r} is no whole number", expected=expected))
    images = index(batch)
    if images < 1:
        raise InputError(Problem(f"batch {images} is not positive", expected=expected))
    if images > MAX_BATCH:
        raise InputError(Problem(f"batch {images} is too large", expected=expected))
    return images


def _stem(path: Path) -> str:
    for suffix in _SUFFIXES:
        if path.name.lower().endswith(suffix) and len(path.name) > len(suffix):
            return path.name[: -len(suffix)]
    return path.stem


def _bytes_of(path: Path) -> bytes:
    """The bytes of a regular file or pipe; a device could be endless."""
    file = str(path)
    try:
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            raise InputError(Problem("this is a folder", file=file, expected=READABLE))
        if not (stat.S_ISREG(mode) or stat.S_ISFIFO(mode)):
            raise InputError(Problem("this is no regular file", file=file, expected=READABLE))
        return path.read_bytes()
    except FileNotFoundError:
        raise InputError(Problem("no such file", file=file, expected=READABLE)) from None
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise InputError(Problem(f"can't be read: {reason}", file=file, expected=READABLE)) from None
