"""A layer as SCALE-Sim sees it: an input map, a filter, a stride, and the words that im2col makes of them.

Letters: M output pixels, N filters, K words of a filter (rows x columns x channels); H x W the input map with
its padding inside. Source: SCALE-Sim 3.0.0, topology_utils.py and compute/operand_matrix.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from accelsim.base.errors import Problem
from accelsim.tables.dims import C, G, K, N, P, Q, R, S, V, Z
from accelsim.workload.layer import Layer

Ints = NDArray[np.int64]
NO_WORD: Final = -1
"""The address of nothing: a null request, or a tap that reaches over the end of the map."""


@dataclass(frozen=True, slots=True)
class Work:
    """One line of a topology file; addresses of its input are (row W + column) channels + channel."""

    name: str
    height: int
    width: int
    filter_rows: int
    filter_cols: int
    channels: int
    filters: int
    row_stride: int = 1
    col_stride: int = 1

    @property
    def out_rows(self) -> int:
        """ceil((H - R + stride) / stride): rounded up, so the last window can reach over the map's end."""
        return -(-(self.height - self.filter_rows + self.row_stride) // self.row_stride)

    @property
    def out_cols(self) -> int:
        return -(-(self.width - self.filter_cols + self.col_stride) // self.col_stride)

    @property
    def m(self) -> int:
        return self.out_rows * self.out_cols

    @property
    def n(self) -> int:
        return self.filters

    @property
    def k(self) -> int:
        return self.filter_rows * self.filter_cols * self.channels

    @property
    def overhangs(self) -> bool:
        """Whether the last windows reach over the end of the map."""
        return (self.out_rows - 1) * self.row_stride + self.filter_rows > self.height or (
            self.out_cols - 1
        ) * self.col_stride + self.filter_cols > self.width

    @property
    def map_words(self) -> int:
        return self.height * self.width * self.channels

    @property
    def touched_map_words(self) -> int:
        """Distinct words of the input map that some window covers."""

        def covered(n_out: int, stride: int, taps: int, size: int) -> int:
            if stride >= taps:
                return (n_out - 1) * taps + max(0, min(taps, size - (n_out - 1) * stride))
            return min((n_out - 1) * stride + taps, size)

        rows = covered(self.out_rows, self.row_stride, self.filter_rows, self.height)
        cols = covered(self.out_cols, self.col_stride, self.filter_cols, self.width)
        return rows * cols * self.channels

    def map_addresses(self, pixels: Ints, taps: Ints) -> Ints:
        """Input words that output pixels need at taps of the filter (broadcast), NO_WORD over the end."""
        out_row, out_col = np.divmod(pixels, self.out_cols)
        row, col = out_row * self.row_stride, out_col * self.col_stride
        tap_row, rest = np.divmod(taps, self.filter_cols * self.channels)
        addresses: Ints = (
            (row * self.width + col) * self.channels + tap_row * self.width * self.channels + rest
        )
        if self.overhangs:
            tap_col = rest // self.channels
            inside = (row + tap_row < self.height) & (col + tap_col < self.width)
            addresses = np.where(inside, addresses, NO_WORD)
        return addresses

    def filter_addresses(self, taps: Ints, filters: Ints) -> Ints:
        """Words of the filters, one filter after the other."""
        return filters * self.k + taps


def unsupported(layer: Layer) -> Problem | None:
    """Why SCALE-Sim 3.0.0 has no form for a layer, or None: batch, groups, repeats and other operators."""
    found, hint = None, "leave out --compat scalesim"
    if layer.kind != "array":
        found = f"{layer.op} is no convolution or matrix product"
    elif layer.dims[G] > 1:
        found = f"{layer.op} has {layer.dims[G]} groups"
    elif layer.dims[N] > 1:
        found, hint = f"batch is {layer.dims[N]}, which SCALE-Sim fixes to 1", "take --batch 1"
    elif layer.repeat > 1:
        found = f"{layer.op} runs {layer.repeat} times"
    if found is None:
        return None
    return Problem(
        f"layer {layer.name}: {found}",
        file=layer.source or None,
        expected="an ungrouped convolution or GEMM of batch 1 under --compat scalesim",
        hint=hint,
    )


def work_of(layer: Layer, topology: bool = False) -> Work:
    """The line that a SCALE-Sim user writes for a layer.

    Padding becomes part of the map, and what no window touches is left out of it; a layer of a topology file
    keeps the map that it has there, over whose end windows may reach. What SCALE-Sim has no window for
    (dilation, depth, a transposed convolution) becomes the product M x K times K x N that `-i gemm` takes,
    its im2col'ed input read as a map of M x K words without overlaps.
    """
    d = layer.dims
    rows, cols, depth = layer.windows
    m, k = d[P] * d[Q] * d[Z], d[C] * d[R] * d[S] * d[V]
    plain = rows.dilation == cols.dilation == 1 and (d[V], d[Z], depth.stride) == (1, 1, 1)
    if layer.op == "gemm" or not plain or "transpose" in layer.op.lower():
        return Work(layer.name, m, k, 1, k, 1, d[K])
    height = rows.size if topology else (d[P] - 1) * rows.stride + d[R]
    width = cols.size if topology else (d[Q] - 1) * cols.stride + d[S]
    return Work(layer.name, height, width, d[R], d[S], d[C], d[K], rows.stride, cols.stride)
