"""A quick figure for every candidate, so that only the promising ones are counted exactly.

Words are those of whole tiles without padding: for the innermost relevant loop the tile's new part, for all
loops outside it the whole count again (Timeloop's closed form). It orders candidates; it is never reported.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from accelsim.mapping.footprint import tile_words, word_bytes
from accelsim.tables.dims import INPUT_SIMPLE, N_OPERANDS, OUTPUT_DIMS, WINDOWS, I, O, relevant_dims
from accelsim.tables.machine import Machine
from accelsim.tables.nest import Nest, Problem

Floats = NDArray[np.float64]


def screen(problem: Problem, nest: Nest, machine: Machine) -> tuple[Floats, Floats]:  # [B] each
    """Roughly the energy in pJ and the latency in cycles of every point."""
    energy = np.full(nest.n_points, problem.n_macs * machine.mac_pj)
    steps = _product(nest, lambda j: not nest.spatial[j])
    latency = steps / machine.per_pe
    exposed = np.zeros(nest.n_points)
    traffic = np.zeros((machine.n_levels, nest.n_points))
    for t in range(N_OPERANDS):
        kept = nest.kept_levels(t)
        at_macs = _mac_accesses(problem, nest, machine, t, kept[0])
        twice = 2.0 if t == O else 1.0
        traffic[kept[0]] += at_macs * twice * word_bytes(machine, kept[0], t)
        for child, parent in itertools.pairwise(kept):
            words = _fetched(problem, nest, machine, t, child)
            shared = machine.reduce if t == O else bool(machine.multicast[t])
            arriving = words * _spatial(problem, nest, t, child, child)
            leaving = words * _spatial(problem, nest, t, child, parent if shared else child)
            if t == O:  # a drain and, but for the first visit, a return
                first = float(problem.n_output_words)
                arriving, leaving = 2 * arriving - first, 2 * leaving - first
            traffic[child] += arriving * word_bytes(machine, child, t)
            traffic[parent] += leaving * word_bytes(machine, parent, t)
    pj_per_byte = (machine.read_pj_per_byte + machine.write_pj_per_byte) / 2
    bandwidth = machine.read_bytes_per_cycle + np.where(machine.shared_port, 0, machine.write_bytes_per_cycle)
    for level in range(machine.n_levels):
        energy += traffic[level] * pj_per_byte[level]
        cycles = traffic[level] / bandwidth[level] / machine.n_instances[level]
        if machine.overlap[level]:
            latency = np.maximum(latency, cycles)
        else:
            exposed += cycles
    latency = latency + exposed
    return energy + latency * machine.leakage_pj_per_cycle, latency


def _fetched(problem: Problem, nest: Nest, machine: Machine, operand: int, child: int) -> Floats:
    """T + (n - 1) new words for the innermost relevant loop, times the trips of all loops outside it."""
    relevant = relevant_dims(operand, problem.weight_has_batch)
    box = bool(machine.fetch_box[child])
    tile = tile_words(problem, nest, operand, child, bool(machine.padding_stored[child]), box).astype(
        np.float64
    )
    factor = np.ones(nest.n_points)
    inside = np.ones(nest.n_points, np.bool_)  # nothing relevant has moved yet
    for j in range(len(nest.dims) - 1, -1, -1):
        if nest.spatial[j] or nest.levels[j] <= child:
            continue
        trips = nest.trips[j]
        if nest.dims[j] in relevant:
            new = _new_share(problem, nest, operand, nest.dims[j], child) if operand == I else 1.0
            first = inside & (trips > 1)
            factor = np.where(first, 1 + (trips - 1) * new, factor * np.where(inside, 1, trips))
            inside = inside & ~first
        else:
            factor = factor * np.where(inside, 1, trips)
    return tile * factor


def _new_share(problem: Problem, nest: Nest, operand: int, d: int, child: int) -> Floats | float:
    """The part of an input tile that is new when a window dimension moves by one tile."""
    if d in INPUT_SIMPLE:
        return 1.0
    p, r = next(pair for pair in WINDOWS if d in pair)
    stride, dilation, _, _ = problem.windows[WINDOWS.index((p, r))]
    n_p = np.minimum(nest.tile(p, child), problem.extents[p])
    n_r = np.minimum(nest.tile(r, child), problem.extents[r])
    side = (n_p - 1) * stride + (n_r - 1) * dilation + 1
    step = n_p * stride if d == p else n_r * dilation
    return np.asarray(np.minimum(step / side, 1.0))


def _mac_accesses(problem: Problem, nest: Nest, machine: Machine, operand: int, level: int) -> Floats:
    shared = machine.reduce if operand == O else bool(machine.multicast[operand])
    relevant = OUTPUT_DIMS if operand == O else relevant_dims(operand, problem.weight_has_batch)
    count = np.full(nest.n_points, float(problem.n_macs))
    for j, d in enumerate(nest.dims):
        if shared and nest.spatial[j] and d not in relevant and nest.levels[j] <= level:
            count = count / nest.trips[j]
    return count


def _spatial(problem: Problem, nest: Nest, operand: int, child: int, above: int) -> Floats:
    """Instances that take part: along the operand's own dimensions all, along others those above a level."""
    relevant = relevant_dims(operand, problem.weight_has_batch)
    return _product(
        nest,
        lambda j: nest.spatial[j] and nest.levels[j] > (child if nest.dims[j] in relevant else above),
    )


def _product(nest: Nest, counted: Callable[[int], bool]) -> Floats:
    product = np.ones(nest.n_points)
    for j in range(len(nest.dims)):
        if counted(j):
            product = product * nest.trips[j]
    return product
