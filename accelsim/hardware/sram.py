"""What an SRAM costs against its size and width: a sum of physical terms, fitted to CACTI."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

MAT_BYTES: Final = 32768
"""Largest bank that CACTI builds as one mat, the block of cells whose bit lines swing together: of 16, 32 and
64 KiB the one with the least error."""

TERMS: Final = (
    "fixed",
    "per_bit",
    "per_root_byte",
    "per_bit_root_byte",
    "per_byte",
    "per_mat_byte",
    "per_bit_between_mats",
)
"""Of a bank of n bytes read w bits at a time:
fixed                 decoder and control
per_bit               w: sense amplifiers, drivers of the word
per_root_byte         sqrt(n): a row of cells beside the word, address wires
per_bit_root_byte     w sqrt(n): data wires across the bank, as long as its edge
per_byte              n: all cells
per_mat_byte          min(n, m): the bit lines of the one mat at work, m = MAT_BYTES
per_bit_between_mats  w max(sqrt(n) - sqrt(m), 0): the tree of wires between mats"""


def terms(n_bytes: float, width_bits: float) -> tuple[float, ...]:
    """The value of each of TERMS for a bank of `n_bytes` with a word of `width_bits`."""
    root = math.sqrt(n_bytes)
    between = max(root - math.sqrt(MAT_BYTES), 0.0)
    mat = min(n_bytes, MAT_BYTES)
    return 1.0, width_bits, root, width_bits * root, n_bytes, mat, width_bits * between


@dataclass(frozen=True, slots=True)
class Curve:
    """One quantity of an SRAM bank, y = sum of coefficient x term, no coefficient below zero, so that it
    never falls with size or width."""

    coefficients: tuple[float, ...]  # in the order of TERMS, in the quantity's unit

    def __call__(self, n_bytes: float, width_bits: float) -> float:
        pairs = zip(self.coefficients, terms(n_bytes, width_bits), strict=True)
        return sum(coefficient * term for coefficient, term in pairs)

    def without(self, name: str) -> Curve:
        """The curve with one of TERMS left out."""
        kept = (0.0 if term == name else c for term, c in zip(TERMS, self.coefficients, strict=True))
        return Curve(tuple(kept))


@dataclass(frozen=True, slots=True)
class Sram:
    """The SRAM of a technology; `n_banks` equal banks share the bytes, an access wakes one of them."""

    read_pj: Curve
    write_pj: Curve
    leakage_mw: Curve
    area_mm2: Curve
    access_ns: Curve

    def read_pj_per_byte(self, n_bytes: float, width_bits: int, n_banks: int = 1) -> float:
        """E_read(n / banks, w) / (w / 8), in pJ a byte."""
        return self.read_pj(n_bytes / n_banks, width_bits) * 8 / width_bits

    def write_pj_per_byte(self, n_bytes: float, width_bits: int, n_banks: int = 1) -> float:
        """E_write(n / banks, w) / (w / 8), in pJ a byte."""
        return self.write_pj(n_bytes / n_banks, width_bits) * 8 / width_bits

    def total_leakage_mw(self, n_bytes: float, width_bits: int, n_banks: int = 1) -> float:
        """Of all banks, in mW."""
        return self.leakage_mw(n_bytes / n_banks, width_bits) * n_banks

    def total_area_mm2(self, n_bytes: float, width_bits: int, n_banks: int = 1) -> float:
        """Of all banks, in mm2."""
        return self.area_mm2(n_bytes / n_banks, width_bits) * n_banks
