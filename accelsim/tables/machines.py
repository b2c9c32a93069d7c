"""Many machines of one structure as columns: what bounds of all their costs are computed from at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from accelsim.tables.machine import Fold, Machine

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Machines:
    """A machines that differ in numbers only; fields are those of `Machine`, [A, ...]."""

    level_names: tuple[str, ...]
    holds: Bools  # [L, T]
    fanout_level: int
    fold: Fold
    dataflow: str
    vector_level: int
    activation_home: int
    clock_hz: Floats
    capacity_bytes: Floats
    word_bits: Ints
    read_pj_per_byte: Floats
    write_pj_per_byte: Floats
    read_bytes_per_cycle: Floats
    write_bytes_per_cycle: Floats
    shared_port: Bools
    double_buffered: Bools
    overlap: Bools
    padding_stored: Bools
    rows: Ints
    cols: Ints
    per_pe: Ints
    multicast: Bools
    reduce: Bools
    bits: Ints
    accumulate_bits: Ints
    mac_pj: Floats
    hop_pj_per_byte: Floats
    idle_pj_per_cycle: Floats
    vector_lanes: Ints
    vector_pj_per_op: Floats
    activation_reserve_frac: Floats
    pass_cycles: Floats
    pass_bytes_per_cycle: Floats

    @property
    def n(self) -> int:
        return len(self.rows)

    @property
    def n_levels(self) -> int:
        return len(self.level_names)

    @property
    def macs_per_cycle(self) -> Ints:  # [A]
        return np.asarray(self.rows * self.cols * self.per_pe)

    def width(self, level: int | Ints, operand: int) -> Floats:  # [A]
        """Bytes of a finished word of an operand at a level, one for all machines or one each."""
        own = self.word_bits[np.arange(self.n), level]
        return np.where(own > 0, own, self.bits[:, operand]) / 8

    def partial_width(self, level: int) -> Floats:  # [A]
        """Bytes of a partial sum at a level."""
        own = self.word_bits[:, level]
        return np.where(own > 0, own, self.accumulate_bits) / 8

    def take(self, index: NDArray[Any]) -> Machines:
        """Some of the machines."""
        own: dict[str, Any] = {
            one.name: getattr(self, one.name) if one.name in STRUCTURE else getattr(self, one.name)[index]
            for one in fields(self)
        }
        return Machines(**own)


STRUCTURE: Final = (
    "level_names",
    "holds",
    "fanout_level",
    "fold",
    "dataflow",
    "vector_level",
    "activation_home",
)


def structure_of(machine: Machine) -> tuple[Any, ...]:
    """What machines must have in common to be columns of one table."""
    own = (getattr(machine, name) for name in STRUCTURE)
    told = tuple(value.tobytes() if isinstance(value, np.ndarray) else value for value in own)
    return (*told, machine.vector_lanes > 0)


def stacked(machines: Sequence[Machine]) -> Machines:
    """The columns of machines of one structure; ValueError where they differ in it."""
    first = machines[0]
    if any(structure_of(one) != structure_of(first) for one in machines):
        raise ValueError("machines of different structures")
    columns: dict[str, Any] = {
        one.name: getattr(first, one.name)
        if one.name in STRUCTURE
        else np.array([getattr(machine, one.name) for machine in machines])
        for one in fields(Machines)
    }
    return Machines(**columns)
