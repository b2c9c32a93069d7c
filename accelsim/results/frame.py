"""Rows or columns as a pandas DataFrame."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
from numpy.typing import NDArray

from accelsim.results.plain import column_names, flatten

DataFrame = pd.DataFrame


def frame(rows: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """One row a layer; whole numbers with unknown ones among them stay whole (Int64 with NA)."""
    flat = [flatten(row) for row in rows]
    return pd.DataFrame({name: _series([row.get(name) for row in flat]) for name in column_names(flat)})


def _series(values: list[Any]) -> pd.Series[Any]:
    known = [value for value in values if value is not None]
    if known and len(known) < len(values) and all(type(value) is int for value in known):
        return pd.Series(values, dtype="Int64")
    if not known or any(isinstance(value, str) for value in known):
        return pd.Series(values, dtype="object")
    return pd.Series(values)


def columns_frame(columns: Mapping[str, NDArray[Any]]) -> pd.DataFrame:
    """Columns of equal length as they are; texts, of which few are different, as categories."""
    return pd.DataFrame(
        {name: pd.Categorical(c) if c.dtype.kind == "U" else c for name, c in columns.items()}
    )
