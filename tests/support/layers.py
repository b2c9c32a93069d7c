"""Layers by the letters of their dimensions, inputs just as large as what is read of them."""

from __future__ import annotations

from accelsim.tables.dims import DIMS
from accelsim.tables.nest import Problem


def problem(
    stride: int = 1, dilation: int = 1, pad: int = 0, batched: bool = False, **extents: int
) -> Problem:
    """Extents by letter, ones left out; rows and columns share stride, dilation and padding on both sides."""
    x = dict.fromkeys(DIMS, 1) | extents
    rows, columns = (
        (stride, dilation, pad, (x[p] - 1) * stride + (x[r] - 1) * dilation + 1 - 2 * pad)
        for p, r in ("PR", "QS")
    )
    return Problem(tuple(x.values()), (rows, columns, (1, 1, 0, x["Z"] + x["V"] - 1)), batched)
