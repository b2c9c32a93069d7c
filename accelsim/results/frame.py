"""Rows or columns as a pandas DataFrame."""

from __future__ import annotations

import io
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
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


def csv_columns(data: bytes, types: Mapping[str, str]) -> dict[str, NDArray[Any]]:
    """Some columns of a CSV file: int64, float64 (to the last digit), or "category" (texts, as they are).

    ValueError where a column is missing or a number is none.
    """
    floats = {name: ["nan"] for name, kind in types.items() if kind == "float64"}
    # 3.1 reads to the last digit by itself and warns of the option, earlier ones need it
    exact: dict[str, Any] = (
        {"float_precision": "round_trip"} if int(pd.__version__.split(".")[0]) <= 3 else {}
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        table = pd.read_csv(
            io.BytesIO(data),
            usecols=list(types),
            dtype=dict(types),
            keep_default_na=False,
            na_values=floats,
            **exact,
        )
    return {name: _plain(table[name], kind) for name, kind in types.items()}


def _plain(column: Any, kind: str) -> NDArray[Any]:
    if kind != "category":
        values: NDArray[Any] = column.to_numpy()
        return values
    words = np.asarray(column.cat.categories, dtype=np.str_)
    return words[column.cat.codes.to_numpy()] if len(words) else np.full(len(column), "")
