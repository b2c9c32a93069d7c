"""The mappings that a dataflow's parameters make, without the search that chooses among them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from accelsim.mapping.dataflows import Dataflow
from accelsim.mapping.legality import legal
from accelsim.tables.machine import Machine
from accelsim.tables.nest import Nest, Problem

AT_ONCE = 2**15


def mappings(
    problem: Problem,
    machine: Machine,
    dataflow: Dataflow,
    homes: tuple[int, int, int] | None = None,
    most: int | None = None,
) -> Iterator[Nest]:
    """All of them, legal or not, in the order of the grids; with `most` as many of each grid, evenly spread.

    All operands are at home in the outermost level where no homes are given.
    """
    keep = dataflow.keep(machine, homes or (machine.n_levels - 1,) * 3)
    for space in dataflow.spaces(problem, machine, keep):
        points = np.arange(space.grid.n_points)
        if most is not None and len(points) > most:
            points = np.unique(np.linspace(0, len(points) - 1, most).astype(np.int64))
        for first in range(0, len(points), AT_ONCE):
            yield space.grid.nest(points[first : first + AT_ONCE])


def legal_mappings(
    problem: Problem,
    machine: Machine,
    dataflow: Dataflow,
    homes: tuple[int, int, int] | None = None,
    most: int | None = None,
) -> Iterator[Nest]:
    """Those of them that fit the machine."""
    for nest in mappings(problem, machine, dataflow, homes, most):
        fits = nest.take(np.flatnonzero(legal(problem, nest, machine, dataflow)))
        if fits.n_points:
            yield fits
