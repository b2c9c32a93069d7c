"""The parameters of least energy inside a dataflow: all of them are looked at, or known not to be better."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from accelsim.base.errors import InputError, Problem, did_you_mean
from accelsim.compat.isca16 import form
from accelsim.compat.isca16.form import Floats, Form, Parameters
from accelsim.compat.isca16.machine import ACCESS_COST, Room, room
from accelsim.compat.isca16.no_local_reuse import NoLocalReuse
from accelsim.compat.isca16.output_stationary import OutputStationaryA, OutputStationaryB, OutputStationaryC
from accelsim.compat.isca16.row_stationary import RowStationary
from accelsim.compat.isca16.shape import Shape
from accelsim.compat.isca16.weight_stationary import WeightStationary

FORMS: Final[dict[str, Form]] = {
    one.name: one
    for one in (
        RowStationary(),
        WeightStationary(),
        OutputStationaryA(),
        OutputStationaryB(),
        OutputStationaryC(),
        NoLocalReuse(),
    )
}
"""The six dataflows, in the paper's order."""

SAME: Final = 1e-12
"""Energies this close are equal: they come from the same fractions, rounded on other ways."""


@dataclass(frozen=True, eq=False)
class Best:
    """The mapping of least energy of one layer, and what it counts."""

    form: Form
    shape: Shape
    room: Room
    parameters: dict[str, int]
    counts: Floats  # [L, T] words, at dram, glb, array, rf
    active_pes: int

    @property
    def energy(self) -> float:
        """Of the layer, in multiply-accumulates."""
        return float(self.level_energy.sum()) + self.shape.macs

    @property
    def level_energy(self) -> Floats:  # [L]
        """By level, multiply-accumulates apart."""
        return np.asarray(ACCESS_COST * self.counts.sum(1))

    @property
    def mapping(self) -> str:
        return " ".join(f"{name}={value}" for name, value in self.parameters.items())


def form_of(dataflow: str) -> Form:
    """A dataflow by its name, in any case; InputError where it is none of the six."""
    try:
        return FORMS[dataflow.lower()]
    except KeyError:
        raise InputError(
            Problem(
                f"the comparison of ISCA 2016 has no dataflow {dataflow!r}",
                key="dataflow",
                expected=", ".join(FORMS),
                hint=did_you_mean(dataflow.lower(), FORMS),
            )
        ) from None


def best_mapping(dataflow: str, shape: Shape, num_pes: int) -> Best | None:
    """The mapping of least energy on the equal-area machine, None where none fits.

    Of equal energies the one with more active PEs, then the smaller parameters in the order of the form.
    InputError where the dataflow is unknown or there is no PE.
    """
    flow = form_of(dataflow)
    if num_pes < 1:
        raise InputError(Problem(f"{num_pes} PEs", key="num_pes", expected="at least 1"))
    there = room(num_pes, flow.rf_bytes)
    best: tuple[float, int, tuple[int, ...]] | None = None  # energy, idle-most last, parameters
    for block in flow.blocks(shape, there):
        if best is not None and block.floor > best[0] * (1 + SAME):
            continue
        at = flow.candidates(shape, there, block)
        at = form.only(at, flow.fits(shape, there, at))
        found = _least(flow, shape, at)
        if found is not None and (best is None or _before(found, best)):
            best = found
    if best is None:
        return None
    parameters = dict(zip(flow.parameters, best[2], strict=True))
    at = {name: np.array([value], np.int64) for name, value in parameters.items()}
    return Best(flow, shape, there, parameters, flow.counts(shape, at)[:, :, 0], -best[1])


def _least(flow: Form, shape: Shape, at: Parameters) -> tuple[float, int, tuple[int, ...]] | None:
    """The best of a block: energy, active PEs negated, parameters."""
    if len(at[flow.parameters[0]]) == 0:
        return None
    energies = form.energy(shape, flow.counts(shape, at))
    least = np.flatnonzero(energies <= energies.min() * (1 + SAME))
    active = -flow.active_pes(shape, at)[least]
    keys = [at[name][least] for name in flow.parameters]
    first = np.lexsort((*reversed(keys), active))[0]
    return float(energies[least[first]]), int(active[first]), tuple(int(key[first]) for key in keys)


def _before(one: tuple[float, int, tuple[int, ...]], other: tuple[float, int, tuple[int, ...]]) -> bool:
    """Less energy, or as much and a better tie."""
    if abs(one[0] - other[0]) <= SAME * other[0]:
        return one[1:] < other[1:]
    return one[0] < other[0]


def misfits(dataflow: str, shape: Shape, num_pes: int) -> dict[str, tuple[int, int]]:
    """Constraints that no mapping meets: what the smallest one needs, and what there is, by name.

    Every demand grows with every parameter, so the mapping of ones needs least; if it fits, something does.
    """
    flow = form_of(dataflow)
    ones = {name: np.ones(1, np.int64) for name in flow.parameters}
    there = room(num_pes, flow.rf_bytes)
    demands = {
        name: (int(np.ravel(need)[0]), int(np.ravel(limit)[0]))
        for name, (need, limit) in flow.demands(shape, there, ones).items()
    }
    return {name: both for name, both in demands.items() if both[0] > both[1]}
