"""No constraint: any operand may stay, any dimension may be unrolled on any axis."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from accelsim.mapping.dataflows.array import IS, NLR, OS, WS
from accelsim.mapping.dataflows.base import Bools, Dataflow, ParameterSpace
from accelsim.mapping.dataflows.row_stationary import RS
from accelsim.tables.dims import N_DIMS, I, O, W
from accelsim.tables.machine import Machine
from accelsim.tables.nest import Nest, Problem

EVERY = tuple(range(N_DIMS))


@dataclass(frozen=True)
class Unconstrained(Dataflow):
    """The search tries what each named dataflow would do; a given mapping may do anything that fits."""

    def candidates(self, problem: Problem, machine: Machine, keep: Bools) -> Iterator[Nest]:
        """The candidates of all dataflows, each with only its own operands kept inside the array."""
        for flow, own in self._kept(machine, keep):
            yield from flow.candidates(problem, machine, own)

    def spaces(self, problem: Problem, machine: Machine, keep: Bools) -> Iterator[ParameterSpace]:
        """The parameters of all dataflows, each with only its own operands kept inside the array."""
        for flow, own in self._kept(machine, keep):
            yield from flow.spaces(problem, machine, own)

    def _kept(self, machine: Machine, keep: Bools) -> Iterator[tuple[Dataflow, Bools]]:
        for flow in (WS, OS, IS, NLR, RS):
            own = keep.copy()
            for t in (I, W, O):
                if t not in flow.in_array:
                    own[: machine.fanout_level, t] = False
            if own.any(axis=0).all():
                yield flow, own


ANY = Unconstrained("any", "unconstrained", rows=EVERY, cols=EVERY, in_array=(I, W, O))
