"""Rows as plain data: JSON without NaN, and nested columns flattened for CSV and DataFrames."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from math import isfinite
from typing import Any, Final

from accelsim.tables.columns import BY_NAME
from accelsim.tables.dims import DIMS

LINEWISE: Final = (
    "layers", "grid", "items", "files", "errors", "cases", "comparisons", "points", "pareto"
)  # fmt: skip
"""Lists of the envelope that are written one element a line: readable, diffable, and ten times the speed."""


def plain(value: Any) -> Any:
    """The value as JSON knows it: numbers of NumPy as Python's, unknown numbers as None."""
    if value is None or isinstance(value, (bool, str, int)):
        return value
    if isinstance(value, float):
        return float(value) if isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if hasattr(value, "tolist"):  # NumPy's scalars and arrays, without importing it
        return plain(value.tolist())
    return str(value)


def to_json(envelope: Mapping[str, Any]) -> str:
    """The envelope as JSON text, a key a line and, in its long lists, an element a line."""
    parts = []
    for key, value in envelope.items():
        if key in LINEWISE and isinstance(value, list) and value:
            lines = ",\n".join(f"    {_compact(item)}" for item in value)
            parts.append(f'  "{key}": [\n{lines}\n  ]')
        else:
            parts.append(f'  "{key}": {_compact(value)}')
    return "{\n" + ",\n".join(parts) + "\n}"


def _compact(value: Any) -> str:
    # ASCII throughout: the bytes are the same in every locale, and a C locale can print them
    return json.dumps(value, allow_nan=False)


def flatten(row: Mapping[str, Any]) -> dict[str, Any]:
    """One row of a flat table: mappings by dotted name, lists joined by spaces, shapes as 1x3x224x224.

    Lists of objects (a nest's levels) have no place in a flat table: they are left to JSON.
    """
    flat: dict[str, Any] = {}
    for name, value in row.items():
        column = BY_NAME.get(name)
        if isinstance(value, Mapping):
            for key, item in flatten(value).items():
                flat[f"{name}.{key}"] = item
        elif value is None and column is not None and column.dtype == "dict":
            continue  # its dotted names stay empty in this row
        elif isinstance(value, (list, tuple)):
            if not any(isinstance(item, Mapping) for item in value):
                flat[name] = _joined(value)
        else:
            flat[name] = plain(value)
    return flat


def column_names(rows: Iterable[Mapping[str, Any]]) -> list[str]:
    """Names of all rows, those of one nested column side by side.

    The order is that of the rows that have most; a name that only others have comes after its neighbour
    there. Loop dimensions stand in the order of `tables.dims.DIMS`.
    """
    orders = list(dict.fromkeys(tuple(row) for row in rows))
    heads = _merged(dict.fromkeys(tuple(dict.fromkeys(map(_head, order))) for order in orders))
    found = []
    for head in heads:
        names = _merged(tuple(name for name in order if _head(name) == head) for order in orders)
        found += sorted(names, key=_dimension) if head == "dims" else names
    return found


def _head(name: str) -> str:
    return name.partition(".")[0]


def _dimension(name: str) -> int:
    letter = name.rpartition(".")[2]
    return DIMS.index(letter) if letter in DIMS else -1


def _merged(orders: Iterable[Sequence[str]]) -> list[str]:
    """One order of all names: the longest first, each name that it lacks put after its predecessor."""
    merged: list[str] = []
    for order in sorted(orders, key=len, reverse=True):
        place = 0
        for name in order:
            if name not in merged:
                merged.insert(place, name)
            place = merged.index(name) + 1
    return merged


def _joined(values: Sequence[Any]) -> str:
    if values and all(isinstance(value, int) for value in values):
        return "x".join(map(str, values))
    return " ".join(_joined(v) if isinstance(v, (list, tuple)) else str(v) for v in values)
