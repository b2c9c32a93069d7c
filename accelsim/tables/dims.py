"""Loop dimensions and operands: the letters of the field, and which operand has which dimension.

N batch, G groups (heads), K output channels, C input channels, P/Q output rows/columns, R/S filter
rows/columns, Z output depth, V filter depth. I input activations, W weights, O outputs and partial sums.
"""

from __future__ import annotations

from typing import Final

DIMS: Final = ("N", "G", "K", "C", "P", "Q", "R", "S", "Z", "V")
N, G, K, C, P, Q, R, S, Z, V = range(len(DIMS))
N_DIMS: Final = len(DIMS)

OPERANDS: Final = ("I", "W", "O")
I, W, O = range(len(OPERANDS))
N_OPERANDS: Final = len(OPERANDS)

WINDOWS: Final = ((P, R), (Q, S), (Z, V))
"""Input rows come from (P, R), columns from (Q, S), depth from (Z, V): h = p stride + r dilation - pad."""

INPUT_SIMPLE: Final = (N, G, C)
"""The dimensions that index the input directly; the others reach it through a window."""

WEIGHT_DIMS: Final = (G, K, C, R, S, V)
OUTPUT_DIMS: Final = (N, G, K, P, Q, Z)
REDUCTION_DIMS: Final = (C, R, S, V)


def relevant_dims(operand: int, weight_has_batch: bool = False) -> tuple[int, ...]:
    """The dimensions whose loops move an operand's tile (I: all that a window reads, too)."""
    if operand == I:
        return (N, G, C, P, R, Q, S, Z, V)
    if operand == W:
        return (N, *WEIGHT_DIMS) if weight_has_batch else WEIGHT_DIMS
    return OUTPUT_DIMS
