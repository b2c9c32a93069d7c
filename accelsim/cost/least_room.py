"""The least that must pass between DRAM and a chip of little room, in whatever order a layer is computed.

Hong and Kung (STOC 1981) in the form of Irony, Toledo and Tiskin (JPDC 64, 2004). Cut the computation where
X bytes have passed. In a piece of it the words of I and W at hand were there at its beginning or came in, and
the sums worked on are there at its end or went out. With room for S bytes, a, b and c words of I, W and O of
wI, wW and wO bytes, of which r and X - r bytes passed,

    wI a + wW b <= S + r,   wO c <= S + X - r

and a piece has at most sqrt(u a b c) multiply-accumulates (Loomis and Whitney, 1949), u being how many pairs
of an output pixel and a filter tap use one input word (Chen et al., HPCA 2020, on convolutions). The most
over r and the split of a and b is sqrt(u / (wI wW wO)) ((X + 2 S) / 3)^1.5 for X >= S, so that

    bytes >= X (MACs / most - 1)

for any X; three are tried. What no memory keeps passes in the step that uses it: S has room for that, too.
"""

from __future__ import annotations

from math import prod
from typing import Final

import numpy as np
from numpy.typing import NDArray

from accelsim.tables.dims import N_OPERANDS, WINDOWS, O
from accelsim.tables.machines import Machines
from accelsim.tables.nest import Problem

Floats = NDArray[np.float64]

PIECES: Final = (1.0, 2.0, 4.0)
"""X / S; 4 is best for large layers; smaller ones lose less at the end of a small layer."""


def least_dram_bytes(problem: Problem, machines: Machines, keeps: NDArray[np.bool_]) -> Floats:  # [A]
    """Of a layer whose operands all live in DRAM; `keeps` [L, T] may be kept on the chip."""
    room = room_bytes(machines, keeps)
    widest = np.max([widths_of(machines, operand).max(axis=0) for operand in range(N_OPERANDS)], axis=0)
    widths = np.ones(machines.n)
    for operand in range(N_OPERANDS):
        widths = widths * widths_of(machines, operand).min(axis=0)
    most = np.sqrt(uses_of_a_word(problem) / widths)
    best = np.zeros(machines.n)
    with np.errstate(invalid="ignore"):
        for ratio in PIECES:
            piece = most * ((ratio + 2) / 3 * room) ** 1.5
            found = (ratio * room - widest) * (problem.n_macs / piece - 1)  # words are not cut
            best = np.fmax(best, found)
    return best


def room_bytes(machines: Machines, keeps: NDArray[np.bool_]) -> Floats:  # [A]
    """Of all memories on the chip that may keep something, and of the words of one step."""
    n_pes = (machines.rows * machines.cols * machines.per_pe).astype(np.float64)
    room = n_pes * sum(widths_of(machines, t).max(axis=0) for t in range(N_OPERANDS))
    for level in range(machines.n_levels - 1):
        if keeps[level].any():
            instances = machines.rows * machines.cols if level < machines.fanout_level else 1
            tiles = machines.capacity_bytes[:, level] / np.where(machines.double_buffered[:, level], 2, 1)
            room = room + instances * tiles
    total: Floats = room
    return total


def widths_of(machines: Machines, operand: int) -> Floats:  # [any number, A]
    """Bytes of a word of an operand wherever it may be, finished or not."""
    levels = range(machines.n_levels)
    widths = [machines.width(level, operand) for level in levels]
    if operand == O:
        widths += [machines.partial_width(level) for level in levels]
    return np.stack(widths)


def uses_of_a_word(problem: Problem) -> int:
    """The most pairs of an output pixel and a filter tap that read the same input word."""
    x, uses = problem.extents, []
    for (p, r), (stride, dilation, pad, size) in zip(WINDOWS, problem.windows, strict=True):
        h = (np.arange(x[p])[:, None] * stride + np.arange(x[r]) * dilation - pad).ravel()
        there = h[(h >= 0) & (h < size)]
        uses.append(int(np.bincount(there).max()) if len(there) else 1)
    return prod(uses)
