"""No constraint: any operand may stay, any dimension may be unrolled on any axis."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from accelsim.mapping.dataflows.base import Bools, Dataflow, ParameterSpace
from accelsim.tables.dims import N_DIMS, I, O, W
from accelsim.tables.machine import Machine
from accelsim.tables.nest import Problem

EVERY = tuple(range(N_DIMS))


@dataclass(frozen=True)
class Unconstrained(Dataflow):
    """No parameters: the general search takes everything that fits, and a given mapping may do it."""

    def spaces(
        self, problem: Problem, machine: Machine, keep: Bools, wider: bool = False
    ) -> Iterator[ParameterSpace]:
        """None."""
        return iter(())


ANY = Unconstrained("any", "unconstrained", rows=EVERY, cols=EVERY, in_array=(I, W, O))
