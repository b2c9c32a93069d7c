"""A quick figure for every candidate, so that only the promising ones are counted exactly.

Words are those of whole tiles without padding: for the innermost relevant loop the tile's new part, for all
loops outside it the whole count again (Timeloop's closed form). It orders candidates; it is never reported.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from accelsim.cost.evaluate import Cost, assemble
from accelsim.cost.traffic import Traffic
from accelsim.mapping.footprint import tile_words
from accelsim.tables.dims import INPUT_SIMPLE, N_OPERANDS, OUTPUT_DIMS, WINDOWS, I, O, relevant_dims
from accelsim.tables.machine import Machine
from accelsim.tables.nest import Nest, Problem

Floats = NDArray[np.float64]


def screen(problem: Problem, nest: Nest, machine: Machine, dataflow: str) -> Cost:
    """Roughly what every point costs: `cost.assemble` on words that are rough, on steps that are too."""
    shape = (machine.n_levels, N_OPERANDS, nest.n_points)
    reads, writes = np.zeros(shape), np.zeros(shape)
    partial_reads, partial_writes = np.zeros((2, shape[0], shape[2]))
    delivered = np.zeros(shape[1:])
    outputs = float(problem.n_output_words)
    for t in range(N_OPERANDS):
        kept = nest.kept_levels(t)
        at_macs = _mac_accesses(problem, nest, machine, t, kept[0])
        delivered[t] = problem.n_macs - (at_macs if t == O else 0.0)
        reads[kept[0], t] += at_macs
        if t == O:
            writes[kept[0], t] += at_macs
            partial_reads[kept[0]] += at_macs
            partial_writes[kept[0]] += at_macs - (outputs if len(kept) == 1 else 0.0)
        for child, parent in itertools.pairwise(kept):
            words = _fetched(problem, nest, machine, t, child)
            shared = machine.reduce if t == O else bool(machine.multicast[t])
            arriving = words * _spatial(problem, nest, t, child, child)
            leaving = words * _spatial(problem, nest, t, child, parent if shared else child)
            if child < machine.fanout_level <= parent:
                delivered[t] = arriving - (leaving if t == O else 0.0)
            if t != O:
                writes[child, t] += arriving
                reads[parent, t] += leaving
                continue
            returned = leaving - outputs
            reads[child, t] += arriving
            writes[parent, t] += leaving
            reads[parent, t] += returned
            writes[child, t] += returned
            partial_reads[child] += arriving - (outputs if child != kept[0] else 0.0)
            partial_writes[parent] += returned
            partial_reads[parent] += returned
            partial_writes[child] += returned
    steps = np.rint(_product(nest, lambda j: not nest.spatial[j])).astype(np.int64)
    rough = Traffic(reads, writes, partial_reads, partial_writes, delivered, steps)
    return assemble(problem, nest, machine, rough, dataflow)


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
