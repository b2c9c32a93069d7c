"""The kernel's combining stage compiled by numba: the same tables, the same arithmetic, one pass a mapping.

Each outer choice is one turn of the loop; its mappings are put together some hundred at a time in buffers
that stay in the first-level cache, by plain loops over float64 that become vector instructions.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from accelsim.cost.grid_quantities import NONE
from accelsim.cost.grid_tables import Tables
from accelsim.tables.layer_cost import WHOLE

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

WIDTH = 256
"""Mappings that are put together at once."""
NO_FOLDS, SEQUENTIAL, PRELOAD, OVERLAPPED = range(4)
FOLD_CODES = {"broadcast": NO_FOLDS, "sequential": SEQUENTIAL, "preload": PRELOAD, "overlapped": OVERLAPPED}


def combine(tables: Tables, left: Floats) -> tuple[Floats, Floats, Bools]:  # [n_a n_inner] each
    """Energy, latency and legality of the mappings of some outer choices, as `grid_kernel.combine`."""
    rules, n = tables.rules, left.shape[1] * tables.n_inner
    energy, latency, fits = np.empty(n), np.empty(n), np.empty(n, np.bool_)
    bits_per_cycle = 8 * np.stack([rules.read_bytes_per_cycle, rules.write_bytes_per_cycle])
    fold = FOLD_CODES[rules.fold] if rules.folds != NONE else NO_FOLDS
    load = 0 if rules.dataflow == "os" else rules.rows
    _machine_code()(
        np.ascontiguousarray(left.T),
        tables.right,
        tables.start,
        rules.pj,
        rules.limit,
        np.stack([rules.read, rules.write, rules.instances]),
        bits_per_cycle,
        np.stack(
            [rules.shared_port, rules.overlap, (np.frexp(bits_per_cycle)[0] == 0.5).all(axis=0), rules.rests]
        ),
        np.array([rules.steps, rules.folds, fold, load, rules.rows, rules.cols, rules.per_pe], np.int64),
        np.array([rules.mac_pj, rules.idle_pj_per_cycle]),
        energy,
        latency,
        fits,
    )
    return energy, latency, fits


@cache
def _machine_code() -> Callable[..., Any]:
    """The loops below, compiled; kept on disk for the next process where there is a place.

    numba is loaded here, when a compiled kernel is first asked for.
    """
    from numba import njit

    names = globals()  # the functions call each other by name, and are compiled when first called
    for function in (_put_together, _transfer, _transfer_of_one, _array_cycles, _combine):
        try:
            code = njit(cache=True, error_model="numpy", fastmath={"contract"})(function)
        except RuntimeError:  # nowhere to keep it
            code = njit(error_model="numpy", fastmath={"contract"})(function)
        names[function.__name__] = code
    combined: Callable[..., Any] = names["_combine"]
    return combined


def _put_together(
    left: Floats, right: Floats, a: int, row: int, last_row: int, first: int, out: Floats
) -> None:
    """One quantity of some mappings: the sum of its rows, at first as many as leave fours."""
    n, odd = len(out), (last_row - row) % 4
    if row == last_row:
        for b in range(n):
            out[b] = 0.0
    elif odd == 1:
        w, one = left[a, row], right[row][first : first + n]
        for b in range(n):
            out[b] = w * one[b]
    elif odd == 2:
        w, x = left[a, row], left[a, row + 1]
        one, two = right[row][first : first + n], right[row + 1][first : first + n]
        for b in range(n):
            out[b] = w * one[b] + x * two[b]
    elif odd == 3:
        w, x, y = left[a, row], left[a, row + 1], left[a, row + 2]
        one, two = right[row][first : first + n], right[row + 1][first : first + n]
        three = right[row + 2][first : first + n]
        for b in range(n):
            out[b] = w * one[b] + x * two[b] + y * three[b]
    else:
        for b in range(n):
            out[b] = 0.0
    row += odd
    while row < last_row:
        w, x, y, z = left[a, row], left[a, row + 1], left[a, row + 2], left[a, row + 3]
        one, two = right[row][first : first + n], right[row + 1][first : first + n]
        three, four = right[row + 2][first : first + n], right[row + 3][first : first + n]
        for b in range(n):
            out[b] += (w * one[b] + x * two[b]) + (y * three[b] + z * four[b])
        row += 4


def _transfer(
    read: Floats, write: Floats, instances: Floats, bandwidth: Floats, shared: bool, cycles: Floats
) -> None:
    """Cycles of a level's port, for each mapping (`latency.port_cycles`)."""
    reading, writing = bandwidth
    for b in range(len(cycles)):
        r, w = read[b] / instances[b] / reading, write[b] / instances[b] / writing
        longer = r if r > w else w
        cycles[b] = np.ceil((r + w if shared else longer) * WHOLE)


def _transfer_of_one(
    read: Floats, write: Floats, bandwidth: Floats, shared: bool, inverse: bool, cycles: Floats
) -> None:
    """As `_transfer`, where the level has one instance; a power of 2 divides exactly by its inverse."""
    reading, writing = bandwidth
    if inverse:
        fast, quick = 1.0 / reading, 1.0 / writing
        for b in range(len(cycles)):
            r, w = read[b] * fast, write[b] * quick
            longer = r if r > w else w
            cycles[b] = np.ceil((r + w if shared else longer) * WHOLE)
        return
    for b in range(len(cycles)):
        r, w = read[b] / reading, write[b] / writing
        longer = r if r > w else w
        cycles[b] = np.ceil((r + w if shared else longer) * WHOLE)


def _array_cycles(pace: Floats, ends: Floats, folds: Floats, array: Ints) -> None:
    """Compute steps in `pace` become the array's pace; `ends` is what it adds (`evaluate.array_cycles`)."""
    _, _, fold, load, rows, cols, per_pe = array
    skew = float(rows + cols - 2)
    if per_pe > 1:
        for b in range(len(pace)):
            pace[b] = np.ceil(pace[b] / per_pe)
    for b in range(len(pace)):
        ends[b] = 0.0
    if fold == SEQUENTIAL:
        for b in range(len(pace)):
            ends[b] = folds[b] * (load + skew)
    elif fold == PRELOAD:
        for b in range(len(pace)):
            ends[b] = load + (folds[b] - 1.0) * rows + skew
    elif fold == OVERLAPPED:
        for b in range(len(pace)):
            wait = rows - np.ceil(pace[b] / folds[b])
            waits = (folds[b] - 1.0) * (wait if wait > 0.0 else 0.0)
            ends[b] = load + skew + (0.0 if load > 0 else waits)
            pace[b] += waits if load > 0 else 0.0


def _combine(
    left: Floats,  # [n_a, U]
    right: Floats,  # [U, n_inner]
    start: Ints,  # [Q + 1]
    pj: Floats,  # [Q]
    limit: Floats,  # [Q]
    numbers: Ints,  # [3, M] bits read, bits written, instances
    bandwidth: Floats,  # [2, M] bits a cycle, read and write
    flags: Bools,  # [4, M] shared port, overlap, both bandwidths are powers of 2, rests
    array: Ints,  # steps, folds, fold rule, load, rows, cols, multipliers in a PE
    constant: Floats,  # pJ of the arithmetic, pJ of leakage a cycle
    energy: Floats,  # [n_a n_inner], the result
    latency: Floats,
    fits: Bools,
) -> None:
    n_inner, n_quantities = right.shape[1], len(pj)
    value, excess = np.empty((n_quantities, WIDTH)), np.empty(WIDTH)
    buffer, ends = np.empty(WIDTH), np.empty(WIDTH)
    for a in range(left.shape[0]):
        for first in range(0, n_inner, WIDTH):
            n = min(WIDTH, n_inner - first)
            place, end = a * n_inner + first, a * n_inner + first + n
            joules, late, legal = energy[place:end], latency[place:end], fits[place:end]
            for b in range(n):
                joules[b] = constant[0]
                excess[b] = 0.0
            for q in range(n_quantities):
                count = value[q][:n]
                _put_together(left, right, a, start[q], start[q + 1], first, count)
                price, most = pj[q], limit[q]
                if price != 0.0:
                    for b in range(n):
                        joules[b] += count[b] * price
                if most < np.inf:
                    for b in range(n):
                        excess[b] = max(excess[b], count[b] - most)
            pace = value[array[0]][:n]
            _array_cycles(pace, ends[:n], value[array[1]], array)
            for i in range(numbers.shape[1]):
                read, write, instances = value[numbers[0, i]], value[numbers[1, i]], numbers[2, i]
                shared, cycles = flags[0, i], buffer[:n]
                if instances == NONE:
                    _transfer_of_one(read, write, bandwidth[:, i], shared, flags[2, i], cycles)
                else:
                    _transfer(read, write, value[instances], bandwidth[:, i], shared, cycles)
                if flags[3, i]:
                    for b in range(n):
                        pace[b] += cycles[b]
                elif flags[1, i]:
                    for b in range(n):
                        pace[b] = max(pace[b], cycles[b])
                else:
                    for b in range(n):
                        ends[b] += cycles[b]
            leakage = constant[1]
            for b in range(n):
                late[b] = pace[b] + ends[b]
                joules[b] += late[b] * leakage
                legal[b] = excess[b] <= 0.0
