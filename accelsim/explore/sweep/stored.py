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


class Stored:
    """The parts of a directory that have points; InputError where it is no sweep."""

    def __init__(self, directory: str | Path) -> None:
        self._place = Path(directory)
        self._found = read_manifest(self._place)
        self._parts = [record for record in self._found["parts"] if record.rows]
        self.kinds = dict(self._found["columns"])
        self.spans = [record.span for record in self._parts]
        self.in_order = self._found["sample"] is None

    def table(self, at: int, columns: Sequence[str]) -> dict[str, NDArray[Any]]:
        """Columns of a part; texts as text. InputError where it can't be read, or has no such column."""
        for name in columns:
            if name not in self.kinds:
                hint = did_you_mean(name, list(self.kinds))
                raise InputError(Problem(f"no column {name!r}", file=str(self._place), hint=hint))
        form = self._found["format"]
        file = part_file(self._place, self._parts[at].part, form)
        try:
            return decode(file.read_bytes(), self._found["columns"], form, columns)
        except (OSError, ValueError) as error:  # pyarrow's errors are ValueErrors or OSErrors
            raise InputError(
                Problem(f"can't be read: {error}", file=str(file), hint="sweep --resume makes it again")
            ) from None


def read_columns(directory: str | Path, columns: Sequence[str] | None = None) -> dict[str, NDArray[Any]]:
    """All columns or some, each [rows], in the order of evaluation; texts as text.

    InputError where it is no sweep, has no such column, or a part that is done can't be read.
    """
    stored = Stored(directory)
    wanted = list(stored.kinds) if columns is None else list(columns)
    tables = [stored.table(at, wanted) for at in range(len(stored.spans))]
    none = {name: empty(stored.kinds.get(name, "float64")) for name in wanted}
    return {name: np.concatenate([none[name], *(table[name] for table in tables)]) for name in wanted}


def read_points(directory: str | Path, columns: Sequence[str] | None = None) -> DataFrame:
    """The same as a DataFrame, texts as categories."""
    from accelsim.results.frame import columns_frame

    return columns_frame(read_columns(directory, columns))
