"""Direct convolution as NVDLA does it: weights stay for a stripe of pixels, sums till all channels are in.

    for each strip of input rows:                    DRAM -> buffer, whole
      for each group of kernels:                     DRAM -> buffer, one after the other
        for each stripe of 2 x columns pixels:       accumulators hold its sums
          for each channel group and filter tap:     weights -> array
            for each pixel of the stripe:            rows x columns products a cycle

or strips inside groups, where weights are the larger part. Source: nvdla.org, hardware architecture and unit
description: atomic, stripe, block, channel and group operations; nvdla/hw, csc/NV_NVDLA_CSC_sg.v.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from accelsim.mapping.dataflows.base import Bools, Dataflow, ParameterSpace, ladder
from accelsim.tables.dims import C, G, K, N, O, P, Q, R, S, V, W, Z
from accelsim.tables.grid import Grid
from accelsim.tables.machine import Machine
from accelsim.tables.nest import Problem

Choices = list[tuple[int, ...]]


@dataclass(frozen=True)
class DirectConvolution(Dataflow):
    """Parameters: rows of a strip, kernel groups in the buffer, channels added at once, which is outside."""

    def spaces(
        self, problem: Problem, machine: Machine, keep: Bools, wider: bool = False
    ) -> Iterator[ParameterSpace]:
        """One grid of all parameters."""
        top, fan = machine.n_levels - 1, machine.fanout_level
        buffers = [level for level in range(fan, top) if keep[level].any()] or [fan]
        buffer = buffers[-1]
        sums = next((level for level in buffers if keep[level, O]), fan)
        loops: list[tuple[int, int, str]] = [(d, top, "") for d in (G, Z, N)]
        loops += [(K, top, ""), (P, top, ""), (K, top, ""), (C, top, "")]
        loops += [(K, buffer, ""), (P, buffer, ""), (Q, buffer, "")]
        loops += [(d, sums, "") for d in (C, V, R, S, P, Q)]
        loops += [(C, fan, "rows"), (K, fan, "cols")]
        dims, levels, axis = zip(*loops, strict=True)
        x = problem.extents
        rows_per_stripe = min(x[P], max(1, 2 * machine.cols // x[Q]))
        choices = {
            K: _kernels(x[K], machine.cols),
            C: _channels(x[C], machine.rows),
            P: [choice for rows in sorted({1, rows_per_stripe}) for choice in _strips(x[P], rows)],
            Q: [_pair(x[Q], min(x[Q], 2 * machine.cols))],
        } | {d: [(x[d],)] for d in (G, Z, N, V, R, S)}
        table = {d: np.array(found, np.int64).T for d, found in choices.items()}
        yield ParameterSpace(Grid(dims, levels, axis, keep, table))


def _kernels(extent: int, cols: int) -> Choices:
    """Groups around the strips, between strips and buffer, in the buffer, and kernels of a group."""
    across, groups = _even(extent, cols)
    found: Choices = []
    for held in ladder(groups):
        rest = -(-groups // int(held))
        found += [(rest, 1, int(held), across), (1, rest, int(held), across)][: 2 if rest > 1 else 1]
    return found


def _channels(extent: int, rows: int) -> Choices:
    """Parts of the channels, whose sums leave and return; channel groups of a part; channels of a group."""
    down, groups = _even(extent, rows)
    return [(-(-groups // int(held)), int(held), down) for held in ladder(groups)]


def _strips(extent: int, rows: int) -> Choices:
    """Strips, stripes of a strip, rows of a stripe."""
    n = -(-extent // rows)
    return [(-(-n // int(held)), int(held), rows) for held in ladder(n)]


def _pair(extent: int, most: int) -> tuple[int, int]:
    """(tiles, their even size) of an extent."""
    size, n = _even(extent, most)
    return n, size


def _even(extent: int, most: int) -> tuple[int, int]:
    """(even size, tiles): as few tiles as tiles of `most` would be."""
    n = -(-extent // min(most, extent))
    return -(-extent // n), n


DC = DirectConvolution(
    "dc",
    "direct convolution (NVDLA): weights stay for a stripe of pixels, sums until all channels are added",
    rows=(C,),
    cols=(K,),
    in_array=(W,),
)
