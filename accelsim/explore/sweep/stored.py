"""The points of a sweep's directory, finished or not, as columns or as a DataFrame."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from accelsim.base.errors import InputError, Problem, did_you_mean
from accelsim.explore.sweep.encode import decode, empty
from accelsim.explore.sweep.store import part_file, read_manifest

if TYPE_CHECKING:
    from accelsim.results.frame import DataFrame


def read_columns(directory: str | Path, columns: Sequence[str] | None = None) -> dict[str, NDArray[Any]]:
    """All columns or some, each [rows], in the order of evaluation; texts as text.

    InputError where it is no sweep, has no such column, or a part that is done can't be read.
    """
    place = Path(directory)
    found = read_manifest(place)
    kinds = dict(found["columns"])
    wanted = list(kinds) if columns is None else list(columns)
    for name in wanted:
        if name not in kinds:
            raise InputError(
                Problem(f"no column {name!r}", file=str(place), hint=did_you_mean(name, list(kinds)))
            )
    pieces: dict[str, list[NDArray[Any]]] = {name: [empty(kinds[name])] for name in wanted}
    for record in found["parts"]:
        if record.rows == 0:
            continue
        file = part_file(place, record.part, found["format"])
        try:
            table = decode(file.read_bytes(), found["columns"], found["format"], wanted)
        except (OSError, ValueError) as error:  # pyarrow's errors are ValueErrors or OSErrors
            raise InputError(
                Problem(f"can't be read: {error}", file=str(file), hint="sweep --resume makes it again")
            ) from None
        for name in wanted:
            pieces[name].append(table[name])
    return {name: np.concatenate(arrays) for name, arrays in pieces.items()}


def read_points(directory: str | Path, columns: Sequence[str] | None = None) -> DataFrame:
    """The same as a DataFrame, texts as categories."""
    from accelsim.results.frame import columns_frame

    return columns_frame(read_columns(directory, columns))
