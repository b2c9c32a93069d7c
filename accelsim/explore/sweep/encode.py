"""Points in columns as the bytes of a file and back: Parquet, or CSV where pyarrow is not installed.

Equal columns give equal bytes: no time stamps, one row group a file. Floats come back to the last digit.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from accelsim.base.errors import InputError, Problem

Format = Literal["parquet", "csv"]
FORMATS: Final[tuple[Format, ...]] = ("parquet", "csv")
Kind = Literal["int64", "float64", "bool", "string"]
Columns = tuple[tuple[str, Kind], ...]
_KINDS: Final[dict[str, Kind]] = {"i": "int64", "u": "int64", "f": "float64", "b": "bool", "U": "string"}
_DTYPES: Final[dict[Kind, Any]] = {
    "int64": np.int64,
    "float64": np.float64,
    "bool": np.bool_,
    "string": np.str_,
}
REPEATS: Final = 2
"""A column with so many values of each kind is written by its kinds."""


@dataclass(frozen=True, slots=True)
class Coded:
    """A column of texts as codes into them: as quick as numbers."""

    codes: NDArray[Any]  # [n]
    labels: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.codes)


Column = NDArray[Any] | Coded


def choose_format(wanted: str | None) -> Format:
    """The one asked for, else Parquet where it can be written. InputError where it can't or is unknown."""
    installed = importlib.util.find_spec("pyarrow") is not None
    if wanted is None:
        return "parquet" if installed else "csv"
    if wanted == "parquet" and not installed:
        raise InputError(
            Problem(
                "Parquet files need pyarrow, which is not installed",
                key="format",
                hint="pip install 'accelsim[parquet]', or --format csv",
            )
        )
    for known in FORMATS:
        if wanted == known:
            return known
    raise InputError(Problem(f"is {wanted!r}", key="format", expected=" or ".join(FORMATS)))


def plain(column: Any) -> NDArray[Any]:
    """A column as an array of one of the four kinds."""
    array = np.asarray(column)
    if array.dtype.kind not in _KINDS:
        array = array.astype(np.str_)
    return array.astype(_DTYPES[_KINDS[array.dtype.kind]], copy=False)


def encode(table: Mapping[str, Column], format: Format) -> tuple[Columns, bytes]:
    """The columns with their kinds, and the file."""
    columns = tuple((name, _kind(column)) for name, column in table.items())
    return columns, _parquet(table) if format == "parquet" else _csv(table)


def _kind(column: Column) -> Kind:
    return "string" if isinstance(column, Coded) else _KINDS[column.dtype.kind]


def decode(data: bytes, columns: Columns, format: Format, wanted: Sequence[str]) -> dict[str, NDArray[Any]]:
    """Some columns of a file, in the order asked for."""
    return (_from_parquet if format == "parquet" else _from_csv)(data, dict(columns), wanted)


def empty(kind: Kind) -> NDArray[Any]:
    """A column of no points."""
    return np.empty(0, _DTYPES[kind])


def _parquet(table: Mapping[str, Column]) -> bytes:
    """Texts as the codes that they are; without Arrow's own schema any reader takes them for plain texts."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    columns = pa.table({name: _arrow(column) for name, column in table.items()})
    sink = pa.BufferOutputStream()
    rows = max(columns.num_rows, 1)
    pq.write_table(columns, sink, row_group_size=rows, compression="snappy", store_schema=False)
    return bytes(sink.getvalue())


def _arrow(column: Column) -> Any:
    """From buffers: `pyarrow.array` would import pandas, half a second, to see whether a column is of it."""
    import pyarrow as pa

    kind = _kind(column)
    if kind == "string":
        codes, labels = _codes(column)
        texts = [label.encode() for label in labels]
        ends = np.cumsum([0, *map(len, texts)], dtype=np.int32)
        known = pa.StringArray.from_buffers(len(texts), pa.py_buffer(ends), pa.py_buffer(b"".join(texts)))
        places = np.ascontiguousarray(codes, np.int32)
        at = pa.Array.from_buffers(pa.int32(), len(places), [None, pa.py_buffer(places)])
        return pa.DictionaryArray.from_arrays(at, known)
    types = {"int64": pa.int64(), "float64": pa.float64(), "bool": pa.bool_()}
    assert not isinstance(column, Coded)
    packed = np.packbits(column, bitorder="little") if kind == "bool" else np.ascontiguousarray(column)
    return pa.Array.from_buffers(types[kind], len(column), [None, pa.py_buffer(packed)])


def _codes(column: Column) -> tuple[NDArray[Any], Sequence[str]]:
    """A column of texts as codes and what they mean."""
    if isinstance(column, Coded):
        return column.codes, column.labels
    if len(column) and (column == column[0]).all():  # most columns of text say the same of all points
        return np.zeros(len(column), np.int64), (str(column[0]),)
    words, codes = np.unique(column, return_inverse=True)
    return codes, words.tolist()


def _from_parquet(data: bytes, kinds: Mapping[str, Kind], wanted: Sequence[str]) -> dict[str, NDArray[Any]]:
    """Through buffers, and not by `read_table`: both would import pandas and more, a second."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    texts = [name for name in wanted if kinds[name] == "string"]
    file = pq.ParquetFile(pa.BufferReader(data), read_dictionary=texts)
    table = file.read(columns=list(wanted), use_threads=False)
    return {name: _array(table.column(name).combine_chunks(), kinds[name]) for name in wanted}


def _array(column: Any, kind: Kind) -> NDArray[Any]:
    """One of our own columns, which have no nulls."""
    if kind == "string":
        words = np.asarray(column.dictionary.to_pylist(), np.str_)
        found: NDArray[Any] = words[_buffer(column.indices, np.int32)]
        return found
    if kind == "bool":
        bits = np.unpackbits(_buffer(column, np.uint8, (len(column) + 7) // 8), bitorder="little")
        return bits[: len(column)].astype(np.bool_)
    return _buffer(column, _DTYPES[kind])


def _buffer(column: Any, dtype: Any, n: int | None = None) -> NDArray[Any]:
    return np.frombuffer(column.buffers()[1], dtype, len(column) if n is None else n)


def _csv(table: Mapping[str, Column]) -> bytes:
    """Column by column, each value that repeats once: four times as fast as a csv.writer, and its bytes."""
    columns = [_quoted(list(table)), *zip(*map(_texts, table.values()), strict=True)]
    return ("\n".join(map(",".join, columns)) + "\n").encode()


def _texts(column: Column) -> list[str]:
    """The cells of a column; floats in the fewest digits that tell them apart."""
    if _kind(column) == "string":
        codes, labels = _codes(column)
        return _taken(_quoted(labels), codes)
    assert not isinstance(column, Coded)
    values, which = np.unique(column, return_inverse=True)
    if REPEATS * len(values) <= len(column):
        return _taken(_list(values), which)
    return _list(column)


def _list(values: NDArray[Any]) -> list[str]:
    """What Python says of each number: of a whole list at once it takes half the time."""
    return str(values.tolist())[1:-1].split(", ") if len(values) else []


def _taken(words: Sequence[str], codes: NDArray[Any]) -> list[str]:
    found: list[str] = np.asarray(words, object)[codes].tolist()
    return found


def _quoted(words: Sequence[str]) -> list[str]:
    """With quotes where a reader needs them."""
    special = set(',"\n\r')
    return [f'"{word.replace(chr(34), chr(34) * 2)}"' if special & set(word) else word for word in words]


def _from_csv(data: bytes, kinds: Mapping[str, Kind], wanted: Sequence[str]) -> dict[str, NDArray[Any]]:
    """By pandas: nine times as fast as NumPy's own reader."""
    from accelsim.results.frame import csv_columns

    types = {name: {"int64": "int64", "float64": "float64"}.get(kinds[name], "category") for name in wanted}
    found = csv_columns(data, types)
    return {name: found[name] == "True" if kinds[name] == "bool" else found[name] for name in wanted}
