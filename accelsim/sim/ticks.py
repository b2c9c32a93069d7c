"""Time as integers: a tick is a fraction of a cycle in which every transfer takes a whole number of ticks."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import lcm

import numpy as np

from accelsim.mapping.footprint import moved_bytes, partial_bytes
from accelsim.tables.dims import N_OPERANDS, O
from accelsim.tables.machine import PARTS_OF_A_BIT, Machine

MAX_TICKS = 2**24
"""Ticks of a cycle at most: where a common multiple would be larger, transfers are rounded up to a tick."""
READ, WRITE = 0, 1


@dataclass(frozen=True)
class Ticks:
    """Ticks of a cycle, and of a word at each level; None where the bandwidth has no limit."""

    per_cycle: int
    word: dict[tuple[int, int, int], Fraction]  # (level, READ or WRITE, operand); only finite ones
    partial: dict[tuple[int, int], Fraction]  # (level, READ or WRITE) of an unfinished sum
    pass_bit: Fraction = Fraction(0)  # of weights on their way into a row-stationary array at rest

    def cycles(self, ticks: int) -> int:
        """Whole cycles that so many ticks take."""
        return -(-ticks // self.per_cycle)


def ticks_of(machine: Machine) -> Ticks:
    """ticks a word = ticks a cycle x bytes of the word / bytes a cycle, exact for every width and level."""
    cycles: dict[tuple[int, int, int], Fraction] = {}
    partial: dict[tuple[int, int], Fraction] = {}
    for level in range(machine.n_levels):
        rates = machine.read_bytes_per_cycle[level], machine.write_bytes_per_cycle[level]
        for way, rate in enumerate(rates):
            if not np.isfinite(rate):
                continue
            per_byte = 1 / Fraction(float(rate)).limit_denominator(10**6)
            for t in range(N_OPERANDS):
                cycles[level, way, t] = per_byte * Fraction(moved_bytes(machine, level, t))
            partial[level, way] = per_byte * Fraction(partial_bytes(machine, level))
    bit = Fraction(0)
    if np.isfinite(machine.pass_bytes_per_cycle):
        bit = 1 / (8 * Fraction(machine.pass_bytes_per_cycle).limit_denominator(10**6))
    parts = [x.denominator for x in (*cycles.values(), *partial.values(), bit)]
    if machine.coding is not None:  # the same ticks for all layers, however short their code
        coded = (cycles[key] for key in cycles if key[0] == machine.n_levels - 1)
        parts += [(x / (8 * PARTS_OF_A_BIT)).denominator for x in coded]
    per_cycle = lcm(machine.per_pe, max(machine.vector_lanes, 1), *parts)
    if per_cycle > MAX_TICKS:
        per_cycle = lcm(machine.per_pe, max(machine.vector_lanes, 1)) * 2**10
    return Ticks(
        per_cycle,
        {key: value * per_cycle for key, value in cycles.items()},
        {key: value * per_cycle for key, value in partial.items()},
        bit * per_cycle,
    )


def sum_ticks(ticks: Ticks, level: int, way: int, words: int, finished: int) -> Fraction:
    """Ticks of words of O of which so many are finished sums; 0 where nothing limits them."""
    if (level, way) not in ticks.partial:
        return Fraction(0)
    return ticks.partial[level, way] * (words - finished) + ticks.word[level, way, O] * finished
