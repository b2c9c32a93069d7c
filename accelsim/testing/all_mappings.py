"""Every mapping of a small layer on a small machine, written out one by one: what no search may miss.

A mapping is what each level keeps, how each dimension is split into loops, where they stand in time and on
the array, and in which order the loops of a level run. Nothing is left out because it looks hopeless and
nothing is merged because it looks equal, two things apart: a loop of one trip is no loop, and a dimension
that lies side by side may lie along rows or along cols.

Dims d, levels L, mappings B, loops J.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from functools import lru_cache
from math import prod

import numpy as np
from numpy.typing import NDArray

from accelsim.mapping.dataflows import ANY, followed
from accelsim.mapping.legality import legal
from accelsim.tables.dims import N_OPERANDS
from accelsim.tables.machine import Machine
from accelsim.tables.nest import Nest, Problem

Split = tuple[int, ...]
"""Trips of one dimension's loops: in time from the outermost level in, then on rows and on cols."""


def all_mappings(
    problem: Problem, machine: Machine, homes: tuple[int, int, int], ragged: bool = False
) -> Iterator[Nest]:
    """All legal mappings, in one nest for each choice of what is kept where; `homes` are those of I, W, O."""
    every = all_loops(problem, machine, ragged)
    for keep in all_keeps(machine, homes):
        nest = Nest(every.dims, every.levels, every.axis, every.trips, keep)
        fits = legal(problem, nest, machine, followed(nest, machine, ANY))
        if fits.any():
            yield nest.take(np.flatnonzero(fits))


def all_keeps(machine: Machine, homes: tuple[int, int, int]) -> Iterator[NDArray[np.bool_]]:  # [L, T] each
    """Each operand is kept at its home and at any of the levels below it that can hold it."""
    free = [(level, t) for t in range(N_OPERANDS) for level in range(homes[t]) if machine.holds[level, t]]
    for chosen in itertools.product((True, False), repeat=len(free)):
        keep = np.zeros((machine.n_levels, N_OPERANDS), np.bool_)
        keep[list(homes), range(N_OPERANDS)] = True
        for (level, t), kept in zip(free, chosen, strict=True):
            keep[level, t] = kept
        yield keep


def all_loops(problem: Problem, machine: Machine, ragged: bool = False) -> Nest:
    """All splits of all dimensions in all orders, as one nest that keeps nothing yet.

    In time a level repeats the list of all dimensions as often as there are dimensions. Every order of some
    of them is found in there from left to right; the loops in between have one trip.
    """
    dims = [d for d, extent in enumerate(problem.extents) if extent > 1]
    in_time = dims * len(dims)
    loops: list[tuple[int, int, str]] = []
    for level in range(machine.n_levels - 1, -1, -1):
        loops += [(d, level, "") for d in in_time]
        if level == machine.fanout_level:
            loops += [(d, level, axis) for axis in ("rows", "cols") for d in dims]
    mappings: list[tuple[int, ...]] = []
    for splits in all_splits([problem.extents[d] for d in dims], machine, ragged):
        slots = list(zip(*splits, strict=True)) if splits else [()] * (machine.n_levels + 2)
        *time, rows, cols = slots  # trips of each dimension
        at_levels = [all_orders(trips) for trips in time]
        at_levels.insert(machine.n_levels - machine.fanout_level, ((*rows, *cols),))
        mappings += (sum(parts, ()) for parts in itertools.product(*at_levels))
    trips = np.array(mappings, np.int64).reshape(len(mappings), len(loops)).T  # [J, B]
    keep = np.zeros((machine.n_levels, N_OPERANDS), np.bool_)
    return Nest(
        tuple(d for d, _, _ in loops),
        tuple(level for _, level, _ in loops),
        tuple(axis for _, _, axis in loops),
        np.ascontiguousarray(trips),
        keep,
    ).without_single_trips()


@lru_cache(maxsize=4096)
def all_orders(trips: tuple[int, ...]) -> tuple[tuple[int, ...], ...]:
    """All orders of the loops of one level, as trips of its list of dimensions, len(trips) times over."""
    n = len(trips)
    found = []
    for order in itertools.permutations([i for i in range(n) if trips[i] > 1]):
        level, place = [1] * (n * n), 0
        for i in order:
            place += (i - place) % n  # the next time that the list comes to this dimension
            level[place] = trips[i]
        found.append(tuple(level))
    return tuple(found)


def all_splits(extents: list[int], machine: Machine, ragged: bool) -> list[tuple[Split, ...]]:
    """A split for each dimension so that together they fit the array; of those that differ only in which
    axis takes what, the first."""
    partial: list[tuple[Split, ...]] = [()]
    for extent in extents:
        own = splits_of(extent, machine.n_levels + 2, ragged)
        partial = [
            (*before, split)
            for before in partial
            for split in own
            if prod(s[-2] for s in before) * split[-2] <= machine.rows
            and prod(s[-1] for s in before) * split[-1] <= machine.cols
        ]
    distinct: dict[tuple[Split, ...], tuple[Split, ...]] = {}
    for splits in partial:
        distinct.setdefault(tuple((*s[:-2], s[-2] * s[-1]) for s in splits), splits)
    return list(distinct.values())


@lru_cache(maxsize=1024)
def splits_of(extent: int, n_loops: int, ragged: bool) -> tuple[Split, ...]:
    """Trips of n loops whose product is the extent; `ragged`: covers it, but with no trip less anywhere.

    What n - 1 loops must cover where the first makes n_1 trips is ceil(extent / n_1).
    """
    if n_loops == 1:
        return ((extent,),)
    found = []
    for trips in range(1, extent + 1):
        if not ragged and extent % trips:
            continue
        for rest in splits_of(-(-extent // trips), n_loops - 1, ragged):
            if trips == 1 or (trips - 1) * prod(rest) < extent:
                found.append((trips, *rest))
    return tuple(found)
