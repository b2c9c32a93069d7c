"""Whether a mapping can run on a machine; if not, which limit it breaks, by how much, and what mends it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from accelsim.base.errors import Problem as Message
from accelsim.base.errors import did_you_mean
from accelsim.mapping.dataflows import Dataflow
from accelsim.mapping.dataflows.base import spatial_trips
from accelsim.mapping.footprint import level_bytes
from accelsim.mapping.mapping import Mapping
from accelsim.tables.dims import DIMS, OPERANDS
from accelsim.tables.machine import Machine
from accelsim.tables.nest import Nest, Problem

Bools = NDArray[np.bool_]


def legal(problem: Problem, nest: Nest, machine: Machine, dataflow: Dataflow) -> Bools:  # [B]
    """Points whose tiles fit every level and whose spatial loops fit the array."""
    fits = dataflow.fits_array(nest, machine)
    for level in limited_levels(machine):
        fits &= level_bytes(problem, nest, machine, level) <= machine.capacity_bytes[level]
    return fits


def limited_levels(machine: Machine) -> list[int]:
    """Levels with a capacity, the home of all data apart: it is checked for the whole network."""
    return [level for level in range(machine.n_levels - 1) if np.isfinite(machine.capacity_bytes[level])]


def reasons(problem: Problem, nest: Nest, machine: Machine, dataflow: Dataflow, layer: str) -> list[Message]:
    """What keeps one mapping (the nest's only point) from running, with demand, limit and remedy."""
    found = [Message(text, key=layer) for text in dataflow.refusals(nest, machine)]
    found += _uncovered(problem, nest, layer)
    if not dataflow.fits_array(nest, machine).all():
        found.append(_array_overflow(nest, machine, layer))
    for level in limited_levels(machine):
        found += capacity_problem(problem, nest, machine, level, layer)
    for level in range(machine.n_levels):
        for t in np.flatnonzero(nest.keep[level] & ~machine.holds[level]):
            name = machine.level_names[level]
            found.append(
                Message(
                    f"{name} does not hold {OPERANDS[t]}", key=layer, hint=f"take it out of {name}'s keep"
                )
            )
    return found


def structure_problems(mapping: Mapping, machine: Machine) -> list[Message]:
    """What of a given mapping has no meaning on a machine: its levels, their order, where instances stand."""
    known = machine.level_names
    found, last = [], len(known)
    for level in mapping.levels:
        if level.level not in known:
            hint = did_you_mean(level.level, known)
            text = f"{machine.name} has no level {level.level!r}"
            found.append(Message(text, expected=", ".join(known), hint=hint))
            continue
        number = known.index(level.level)
        if number >= last:
            order = " > ".join(reversed(known))
            found.append(
                Message(f"level {level.level} stands twice or too far in", expected=f"the order {order}")
            )
        last = number
        if number != machine.fanout_level and any(loop.axis for loop in level.loops):
            around = known[machine.fanout_level]
            found.append(
                Message(
                    f"loops side by side at {level.level}", expected=f"them at {around}, around the array"
                )
            )
    return found


def capacity_problem(problem: Problem, nest: Nest, machine: Machine, level: int, layer: str) -> list[Message]:
    """The least demand of a nest's points at a level, where even that is above the capacity."""
    demand = float(level_bytes(problem, nest, machine, level).min())
    limit = float(machine.capacity_bytes[level])
    if demand <= limit:
        return []
    name = machine.level_names[level]
    return [
        Message(
            f"{name} needs {demand:,.0f} B of {limit:,.0f} B for layer {layer}",
            key=layer,
            hint=f"a smaller tile, or --set {name}.size='{int(np.ceil(demand))} B'",
        )
    ]


def _uncovered(problem: Problem, nest: Nest, layer: str) -> list[Message]:
    found = []
    for d, extent in enumerate(problem.extents):
        covered = int(nest.tile(d, nest.keep.shape[0])[0])
        if covered < extent:
            found.append(
                Message(
                    f"the loops of {DIMS[d]} cover {covered} of {extent}", key=layer, hint="raise their trips"
                )
            )
    return found


def _array_overflow(nest: Nest, machine: Machine, layer: str) -> Message:
    rows, cols = int(spatial_trips(nest, "rows")[0]), int(spatial_trips(nest, "cols")[0])
    total = int(spatial_trips(nest, None)[0])
    return Message(
        f"{rows} x {cols} processing elements on rows x cols, {total} in all, for layer {layer}",
        key=layer,
        expected=f"at most {machine.rows} x {machine.cols}",
        hint="lower the spatial trips",
    )
