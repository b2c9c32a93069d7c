"""Room that a mapping's tiles take at each level: what legality checks and the search filters on."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from accelsim.mapping.touched import Axis, Tile, n_touched
from accelsim.tables.dims import INPUT_SIMPLE, REDUCTION_DIMS, WINDOWS, I, O, relevant_dims
from accelsim.tables.machine import Machine
from accelsim.tables.nest import Nest, Problem

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


NO_WINDOW = (1, 1, 0, 1)
"""Stride, dilation, padding and size of an axis of one word."""


def tile_words(
    problem: Problem, nest: Nest, operand: int, level: int, padded: bool, box: bool
) -> Ints:  # [B]
    """Words of the largest tile of an operand at a level: the product over its dimensions and input axes."""
    words = np.ones(nest.n_points, np.int64)
    simple = INPUT_SIMPLE if operand == I else relevant_dims(operand, problem.weight_has_batch)
    for d in simple:
        if problem.extents[d] > 1:
            words = words * np.minimum(nest.tile(d, level), problem.extents[d])
    if operand == I:
        for (p, r), window in zip(WINDOWS, problem.windows, strict=True):
            if window == NO_WINDOW and problem.extents[p] == problem.extents[r] == 1:
                continue
            stride, dilation, pad, size = window
            n_p = np.minimum(nest.tile(p, level), problem.extents[p])
            n_r = np.minimum(nest.tile(r, level), problem.extents[r])
            if stride == dilation == 1:
                touched = n_p + n_r - 1
            elif problem.extents[r] == 1 and not box:
                touched = n_p
            else:
                zero = np.zeros(nest.n_points, np.int64)
                axis = Axis(stride, dilation, pad, size, padded=True, box=box)
                touched = n_touched(Tile(zero, n_p, zero, n_r), axis)
            words = words * (touched if padded else np.minimum(touched, size))
    return words


def is_partial(nest: Nest, level: int) -> NDArray[np.bool_]:  # [B]
    """Whether a level holds unfinished sums: the innermost of O, or a reduction runs outside its child."""
    kept = nest.kept_levels(O)
    inner = [k for k in kept if k < level]
    partial = np.full(nest.n_points, not inner)
    for j, d in enumerate(nest.dims):
        if inner and d in REDUCTION_DIMS and nest.levels[j] > inner[-1]:
            partial = partial | (nest.trips[j] > 1)
    return partial


def word_bytes(machine: Machine, level: int, operand: int) -> float:
    """Bytes of a finished word of an operand at a level: the memory's own width, or the operand's."""
    return float(machine.word_bits[level] or machine.bits[operand]) / 8


def moved_bytes(machine: Machine, level: int, operand: int) -> float:
    """Bytes of a finished word of an operand as it moves at a level: coded, where the machine codes it."""
    coded = float(machine.moved_bits[level, operand]) if machine.moved_bits is not None else 0.0
    return coded / 8 or word_bytes(machine, level, operand)


def partial_bytes(machine: Machine, level: int) -> float:
    """Bytes of a partial sum at a level."""
    return float(machine.word_bits[level] or machine.accumulate_bits) / 8


def tile_bytes(problem: Problem, nest: Nest, machine: Machine, operand: int, level: int) -> Floats:  # [B]
    """Bytes of the largest tile of an operand that passes through one instance of a level."""
    words = tile_words(
        problem, nest, operand, level, bool(machine.padding_stored[level]), bool(machine.fetch_box[level])
    )
    width = np.full(nest.n_points, word_bytes(machine, level, operand))
    if operand == O:
        width = np.where(is_partial(nest, level), partial_bytes(machine, level), width)
    total: Floats = words * width
    return total


def level_bytes(problem: Problem, nest: Nest, machine: Machine, level: int) -> Floats:  # [B]
    """Bytes that the tiles passing through one instance of a level take, twice with double buffering.

    An operand whose home is this level lies here whole, whatever the mapping: liveness counts it, not this.
    """
    total = np.zeros(nest.n_points, np.float64)
    for operand in np.flatnonzero(nest.keep[level]):
        t = int(operand)
        if nest.kept_levels(t)[-1] == level:
            continue
        total = total + tile_bytes(problem, nest, machine, t, level)
    return total * (2 if machine.double_buffered[level] else 1)
