"""SCALE-Sim topology CSV into a layer graph: the convolution form and the GEMM form.

Column meanings, the rounding up of the output size and the convention that "DP" in a name means depthwise are
those of SCALE-Sim 3.0.0 (scalesim-project/SCALE-Sim, topology_utils.py).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from math import prod
from typing import Final

from accelsim.base.errors import InputError, Problem
from accelsim.tables.dims import DIMS
from accelsim.workload.graph import LayerGraph
from accelsim.workload.layer import Layer, Tensor, Window

CONV_COLUMNS: Final = (
    "IFMAP Height",
    "IFMAP Width",
    "Filter Height",
    "Filter Width",
    "Channels",
    "Num Filter",
    "Strides",
)
GEMM_COLUMNS: Final = ("M", "N", "K")

WORD_BITS: Final = 8
"""SCALE-Sim counts words of one byte."""

MAX_COUNT: Final = 2**63 - 1
MAX_PROBLEMS: Final = 20
"""A file that is no topology would else have one problem a line."""

_WHOLE = re.compile(r"[+-]?\d+")
_SPARSITY = re.compile(r"(\d{1,9}):(\d{1,9})")


@dataclass(frozen=True)
class Cell:
    text: str
    column: int


@dataclass(frozen=True)
class Row:
    """A line with what is in it; empty cells at its end (trailing commas) are dropped."""

    line: int
    cells: tuple[Cell, ...]


def read_scalesim(text: str, path: str, batch: int | None) -> LayerGraph:
    """Each row as a layer of its own, as SCALE-Sim runs it; `batch` sets N (1 where it is None).

    InputError: no rows, a missing or surplus column, no positive whole number, a filter larger than its map.
    """
    rows = list(_rows(text))
    header = rows[0] if rows and _is_header(rows[0]) else None
    rows = rows[1:] if header else rows
    if not rows:
        raise InputError(
            Problem("no layer in this file", file=path, expected="one row a layer below the header")
        )
    gemm = _is_gemm(header or rows[0])
    problems: list[Problem] = []
    layers: list[Layer] = []
    tensors: dict[str, Tensor] = {}
    sparse: list[str] = []
    names: set[str] = set()
    for row in rows:
        try:
            values, ratio = _values(row, path, GEMM_COLUMNS if gemm else CONV_COLUMNS)
            name = _unique(row.cells[0].text or f"line {row.line}", names)
            make = _gemm if gemm else _conv
            layer, own = make(name, values, batch or 1, path, row)
        except InputError as error:
            problems.extend(error.problems)
            if len(problems) >= MAX_PROBLEMS:
                break
            continue
        layers.append(layer)
        tensors.update({tensor.name: tensor for tensor in own})
        if ratio not in ("", "1:1"):
            sparse.append(f"{name} ({ratio})")
    if problems:
        raise InputError(problems)
    notes = [
        "SCALE-Sim's layers are independent: each reads its input from outside and leaves its output there"
    ]
    if depthwise := [layer.name for layer in layers if layer.op == "depthwise_conv"]:
        notes.append(f"depthwise, for SCALE-Sim takes 'DP' in a name so: {', '.join(depthwise)}")
    if sparse:
        notes.append(f"counted dense, their sparsity is not used: {', '.join(sparse)}")
    return LayerGraph(
        name="topology",
        layers=tuple(layers),
        tensors=tensors,
        inputs=tuple(layer.inputs[0] for layer in layers),
        outputs=tuple(layer.outputs[0] for layer in layers),
        batch=batch or 1,
        format="scalesim",
        notes=tuple(notes),
    )


def _rows(text: str) -> Iterator[Row]:
    for number, line in enumerate(text.splitlines(), start=1):
        if line.lstrip().startswith("#"):
            continue
        cells, begin = [], 0
        for part in line.split(","):
            indent = len(part) - len(part.lstrip())
            cells.append(Cell(part.strip().strip('"').strip(), begin + indent + 1))
            begin += len(part) + 1
        while cells and not cells[-1].text:
            cells.pop()
        if cells:
            yield Row(number, tuple(cells))


def _is_header(row: Row) -> bool:
    """A first row without a number in it names columns."""
    return not any(_WHOLE.fullmatch(cell.text) for cell in row.cells[1:])


def _is_gemm(row: Row) -> bool:
    """By the header's column names where it has them, else by the number of columns."""
    names = [cell.text.lower() for cell in row.cells[1:4]]
    if names == ["m", "n", "k"]:
        return True
    return not any("map" in name for name in names) and len(row.cells) <= 2 + len(GEMM_COLUMNS)


def _values(row: Row, path: str, columns: tuple[str, ...]) -> tuple[list[int], str]:
    """The numbers of a row and its sparsity ratio ("" where it has none)."""
    cells = list(row.cells[1:])
    ratio = ""
    if len(cells) == len(columns) + 1 and _SPARSITY.fullmatch(cells[-1].text):
        ratio = cells.pop().text
    problems: list[Problem] = []
    if len(cells) != len(columns):
        raise InputError(
            Problem(
                f"{len(cells)} columns beside the name",
                file=path,
                line=row.line,
                key=row.cells[0].text,
                expected=f"{len(columns)}: {', '.join(columns)}, and perhaps a sparsity as 2:4",
            )
        )
    values: list[int] = []
    for cell, column in zip(cells, columns, strict=True):
        is_whole = _WHOLE.fullmatch(cell.text) and len(cell.text) <= 20
        values.append(int(cell.text) if is_whole else 0)
        if not 1 <= values[-1] <= MAX_COUNT:
            problems.append(
                Problem(
                    f"found {cell.text[:40]!r}",
                    file=path,
                    line=row.line,
                    column=cell.column,
                    key=column,
                    expected="a positive whole number",
                )
            )
    if problems:
        raise InputError(problems)
    return values, ratio


def _unique(name: str, names: set[str]) -> str:
    unique, count = name, 1
    while unique in names:
        count += 1
        unique = f"{name}#{count}"
    names.add(unique)
    return unique


def _conv(
    name: str, values: list[int], batch: int, path: str, row: Row
) -> tuple[Layer, tuple[Tensor, Tensor]]:
    """P = ceil((H - R + stride) / stride), without padding.

    SCALE-Sim rounds up, so the last window can reach over the map's end: its words there don't exist.
    """
    height, width, filter_rows, filter_columns, channels, filters, stride = values
    if filter_rows > height or filter_columns > width:
        raise InputError(
            Problem(
                f"a {filter_rows}x{filter_columns} filter on a {height}x{width} map",
                file=path,
                line=row.line,
                key=name,
                expected="a filter that fits on its map (SCALE-Sim's map includes its padding)",
            )
        )
    out_rows = -(-(height - filter_rows + stride) // stride)
    out_columns = -(-(width - filter_columns + stride) // stride)
    # SCALE-Sim runs a depthwise row once for each channel, each time with all of the row's filters.
    groups, per_group = (channels, 1) if "DP" in name and channels > 1 else (1, channels)
    dims = {
        "N": batch,
        "G": groups,
        "K": filters,
        "C": per_group,
        "P": out_rows,
        "Q": out_columns,
        "R": filter_rows,
        "S": filter_columns,
    }
    windows = (Window(stride=stride, size=height), Window(stride=stride, size=width), Window())
    shapes = (batch, channels, height, width), (batch, groups * filters, out_rows, out_columns)
    op = "depthwise_conv" if groups > 1 else "conv"
    params = groups * filters * per_group * filter_rows * filter_columns
    return _layer(name, op, dims, windows, shapes, params, path, row)


def _gemm(
    name: str, values: list[int], batch: int, path: str, row: Row
) -> tuple[Layer, tuple[Tensor, Tensor]]:
    """[M x K] times [K x N]: our rows P = M, filters K = N, reduction C = K."""
    m, n, k = values
    dims = {"N": batch, "P": m, "K": n, "C": k}
    windows = (Window(size=m), Window(), Window())
    return _layer(name, "gemm", dims, windows, ((batch, m, k), (batch, m, n)), n * k, path, row)


def _layer(
    name: str,
    op: str,
    dims: dict[str, int],
    windows: tuple[Window, Window, Window],
    shapes: tuple[tuple[int, ...], tuple[int, ...]],
    params: int,
    path: str,
    row: Row,
) -> tuple[Layer, tuple[Tensor, Tensor]]:
    macs = prod(dims.values())
    if max(macs, *(prod(shape) for shape in shapes)) > MAX_COUNT:
        raise InputError(
            Problem(
                f"{macs:.3e} multiply-accumulates don't fit in 64 bits", file=path, line=row.line, key=name
            )
        )
    source, target = (
        Tensor(f"{name}.{end}", shape, WORD_BITS) for end, shape in zip(("in", "out"), shapes, strict=True)
    )
    layer = Layer(
        name=name,
        op=op,
        kind="array",
        inputs=(source.name,),
        outputs=(target.name,),
        dims=tuple(dims.get(dim, 1) for dim in DIMS),
        windows=windows,
        macs=macs,
        params=params,
        params_bn_folded=params,
        source=f"{path}:{row.line}",
    )
    return layer, (source, target)
