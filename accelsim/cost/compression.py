"""Zeros in maps: how much shorter the run-length code makes them, and what rests while one is multiplied.

A pair of the code is a run of zeros and the value after it; a run that is longer than its field is cut by a
pair whose value is a zero. Zeros that are independent of each other, a fraction z of all values, let a pair
cover min(G, 2^b) values of which P(G = g) = z^(g-1) (1 - z): the mean is (1 - z^(2^b)) / (1 - z), so that
a value takes word_bits / pairs x (1 - z) / (1 - z^(2^b)) bits. However zeros stand, pairs a value are at
least 1 - z, one for each value that is not zero, and at most 1 - z + z / 2^b: only runs longer than their
field cost more. Zeros of real maps stand together, so that this errs towards short codes, if little.

Source of the code: Chen et al., Eyeriss, JSSC 2017 (5-bit runs, 16-bit values, three pairs in 64 bits).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from accelsim.tables.dims import N_OPERANDS, I, O
from accelsim.tables.machine import PARTS_OF_A_BIT, Machine, RunLength


@dataclass(frozen=True)
class Zeros:
    """Zero fractions of one layer's maps; None: not known, so neither coded nor skipped."""

    inputs: float | None = None
    outputs: float | None = None
    inputs_coded: bool = True
    """Whether the chip itself made the input, which has then its code; what the host brings has none."""


def coded_bits(code: RunLength, zero_frac: float) -> float:
    """Bits of a value of which so many are zeros, independent of each other, in run-length code."""
    longest = float(2**code.run_bits)
    pairs = 1 / longest if zero_frac == 1 else (1 - zero_frac) / (1 - zero_frac**longest)
    return code.word_bits / code.pairs * pairs


def with_zeros(machine: Machine, zeros: Zeros) -> Machine:
    """The machine as one layer sees it: its maps move coded, and what rests at a zero costs nothing then.

    Of a memory that rests all accesses count (1 - z) of their energy: nearly all are the multiplier's.
    """
    moved = np.zeros((machine.n_levels, N_OPERANDS))
    if machine.coding is not None:
        if zeros.inputs is not None and zeros.inputs_coded:
            moved[-1, I] = _rounded(coded_bits(machine.coding, zeros.inputs))
        if zeros.outputs is not None:
            moved[-1, O] = _rounded(coded_bits(machine.coding, zeros.outputs))
    busy = 1.0 if zeros.inputs is None else 1 - zeros.inputs
    scale = np.where(machine.gated, busy, 1.0) if machine.gated is not None else np.ones(machine.n_levels)
    return replace(
        machine,
        moved_bits=moved if moved.any() else None,
        mac_pj=machine.mac_pj * (busy if machine.gates_mac else 1.0),
        read_pj_per_byte=machine.read_pj_per_byte * scale,
        write_pj_per_byte=machine.write_pj_per_byte * scale,
    )


def _rounded(bits: float) -> float:
    """To parts that kernels count exactly; never none at all."""
    return max(1, round(bits * PARTS_OF_A_BIT)) / PARTS_OF_A_BIT
