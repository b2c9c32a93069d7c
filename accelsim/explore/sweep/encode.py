"""Points in columns as the bytes of a file and back: Parquet, or CSV where pyarrow is not installed.

Equal columns give equal bytes: no time stamps, one row group a file. Floats come back to the last digit.
"""

from __future__ import annotations

import csv
import importlib.util
import io
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


@dataclass(frozen=True, slots=True)
class Coded:
    """A column of texts as codes into them: in Parquet as quick as numbers."""

    codes: NDArray[Any]  # [n]
    labels: tuple[str, ...]

    def texts(self) -> NDArray[np.str_]:
        texts: NDArray[np.str_] = np.asarray(self.labels, np.str_)[self.codes]
        return texts


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
    import pyarrow as pa
    import pyarrow.parquet as pq

    columns = pa.table({name: _arrow(column) for name, column in table.items()})
    sink = pa.BufferOutputStream()
    pq.write_table(columns, sink, row_group_size=max(columns.num_rows, 1), compression="snappy")
    return bytes(sink.getvalue())


def _arrow(column: Column) -> Any:
    """From buffers: `pyarrow.array` would import pandas, half a second, to see whether a column is of it."""
    import pyarrow as pa

    if isinstance(column, Coded):
        return _decoded(column.codes, column.labels)
    kind = _kind(column)
    if kind == "string":
        if len(column) and (column == column[0]).all():  # most columns of text say the same of all points
            return _decoded(np.zeros(len(column)), (str(column[0]),))
        words, codes = np.unique(column, return_inverse=True)
        return _decoded(codes, words.tolist())
    types = {"int64": pa.int64(), "float64": pa.float64(), "bool": pa.bool_()}
    packed = np.packbits(column, bitorder="little") if kind == "bool" else np.ascontiguousarray(column)
    return pa.Array.from_buffers(types[kind], len(column), [None, pa.py_buffer(packed)])


def _decoded(codes: NDArray[Any], words: Sequence[str]) -> Any:
    import pyarrow as pa

    texts = [word.encode() for word in words]
    ends = np.cumsum([0, *map(len, texts)], dtype=np.int32)
    known = pa.StringArray.from_buffers(len(texts), pa.py_buffer(ends), pa.py_buffer(b"".join(texts)))
    places = np.ascontiguousarray(codes, np.int32)
    return known.take(pa.Array.from_buffers(pa.int32(), len(places), [None, pa.py_buffer(places)]))


def _from_parquet(data: bytes, kinds: Mapping[str, Kind], wanted: Sequence[str]) -> dict[str, NDArray[Any]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pq.read_table(pa.BufferReader(data), columns=list(wanted), use_threads=False)
    found = {}
    for name in wanted:
        column = table.column(name)
        if kinds[name] == "string":
            coded = column.combine_chunks().dictionary_encode()
            words = np.asarray(coded.dictionary.to_pylist(), np.str_)
            found[name] = words[coded.indices.to_numpy()]
        else:
            found[name] = column.to_numpy().astype(_DTYPES[kinds[name]], copy=False)
    return found


def _csv(table: Mapping[str, Column]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(table)
    lists = ((c.texts() if isinstance(c, Coded) else c).tolist() for c in table.values())
    writer.writerows(zip(*lists, strict=True))
    return text.getvalue().encode()


def _from_csv(data: bytes, kinds: Mapping[str, Kind], wanted: Sequence[str]) -> dict[str, NDArray[Any]]:
    """NumPy's own reader, a pass for each kind: ten times as fast as a csv.reader and Python's numbers."""
    names = next(csv.reader(io.StringIO(data[: data.index(b"\n")].decode())))
    found: dict[str, NDArray[Any]] = {}
    for kind in dict.fromkeys(kinds[name] for name in wanted):
        some = [name for name in wanted if kinds[name] == kind]
        table = np.loadtxt(
            io.StringIO(data.decode()),
            dtype=np.str_ if kind in ("string", "bool") else _DTYPES[kind],
            delimiter=",",
            quotechar='"',
            comments=None,
            skiprows=1,
            usecols=[names.index(name) for name in some],
            ndmin=2,
        )
        found |= {name: np.ascontiguousarray(table[:, at]) for at, name in enumerate(some)}
    return {name: found[name] == "True" if kinds[name] == "bool" else found[name] for name in wanted}
