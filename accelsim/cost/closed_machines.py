"""Many systolic machines as columns: what the closed form of a network sees of each of them.

One memory (`sram`) between the array and DRAM, at most one register in a PE. A machines; what all of them
share is an array of one, so that columns broadcast.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from accelsim.base.errors import InputError, Problem
from accelsim.cost.systolic import SYSTOLIC_DATAFLOWS
from accelsim.tables.dims import N_OPERANDS, OPERANDS, I, O, W
from accelsim.tables.machine import STATIONARY, Fold, Machine

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

REG, SRAM, DRAM = 0, 1, 2
"""Levels of the closed form; machines without a register leave the first empty."""
UNLIMITED_BITS = 2**62


@dataclass(frozen=True)
class Kind:
    """What has no columns: machines of one kind are costed together."""

    dataflow: str
    fold: Fold
    has_register: bool
    """A register in the PE keeps the stationary operand."""
    vector_at: int | None
    """Level of the vector engine; None where there is none."""
    sram_shared: bool
    dram_shared: bool
    double_buffered: bool


@dataclass(frozen=True, eq=False)
class SystolicMachines:
    """A machines of one kind; each column is [A] or [1]."""

    kind: Kind
    rows: Ints
    cols: Ints
    sram_bytes: Floats  # inf where the file sets no limit
    dram_bytes: Floats
    bits: tuple[tuple[Ints, Ints, Ints], ...]  # [3][T], of a finished word at each level
    partial_bits: tuple[Ints, ...]  # [3], of a partial sum
    hop_bits: tuple[Ints, Ints, Ints]  # [T], on the way between PEs
    read_pj: tuple[Floats, ...]  # [3], per byte
    write_pj: tuple[Floats, ...]  # [3], per byte
    sram_read: Floats  # bytes a cycle
    sram_write: Floats
    dram_read: Floats
    dram_write: Floats
    mac_pj: Floats
    hop_pj: Floats  # per byte
    idle_pj: Floats  # per cycle
    vector_lanes: Ints
    vector_pj: Floats  # per operation
    clock_hz: Floats

    @property
    def n(self) -> int:
        return max(len(column) for column in self.columns())

    @property
    def share_bits(self) -> Ints:  # [A] bits
        """Room of one operand: a third of the SRAM, half of that where tiles are doubled."""
        parts = N_OPERANDS * (2 if self.kind.double_buffered else 1)
        limit = float(UNLIMITED_BITS)
        return np.minimum(self.sram_bytes * 8 // parts, limit).astype(np.int64)

    def columns(self) -> list[NDArray[Any]]:
        return [column for field in fields(self)[1:] for column in _flat(getattr(self, field.name))]

    def take(self, which: slice | Ints) -> SystolicMachines:
        """Some of the machines; columns of one value stay as they are."""
        n = self.n

        def some(value: Any) -> Any:
            if isinstance(value, tuple):
                return tuple(some(item) for item in value)
            return value if len(value) == 1 and n > 1 else value[which]

        return replace(self, **{field.name: some(getattr(self, field.name)) for field in fields(self)[1:]})


def joined(machines: Sequence[SystolicMachines]) -> SystolicMachines:
    """Machines of one kind one after the other; a column in which all agree stays an array of one."""

    def put(values: Sequence[Any]) -> Any:
        if isinstance(values[0], tuple):
            return tuple(put(items) for items in zip(*values, strict=True))
        if all(len(value) == 1 and value[0] == values[0][0] for value in values):
            return values[0]
        return np.concatenate(
            [np.broadcast_to(value, one.n) for value, one in zip(values, machines, strict=True)]
        )

    first = machines[0]
    names = [field.name for field in fields(first)[1:]]
    return replace(first, **{name: put([getattr(one, name) for one in machines]) for name in names})


def columns_of(machine: Machine) -> SystolicMachines:
    """One machine as columns of one; InputError with all that keeps it from having a closed form."""
    if wrong := list(_refused(machine)):
        raise InputError(wrong)
    sram, dram = machine.n_levels - 2, machine.n_levels - 1
    levels = (0 if machine.fanout_level else sram, sram, dram)
    stationary = STATIONARY[machine.dataflow]
    kept = machine.fanout_level == 1 and bool(machine.holds[0, stationary])
    engine = None if machine.vector_lanes == 0 else SRAM if machine.vector_level == sram else DRAM
    own = [int(machine.word_bits[level]) for level in levels]
    return SystolicMachines(
        kind=Kind(
            machine.dataflow,
            machine.fold,
            kept,
            engine,
            bool(machine.shared_port[sram]),
            bool(machine.shared_port[dram]),
            bool(machine.double_buffered[sram]),
        ),
        rows=_int(machine.rows),
        cols=_int(machine.cols),
        sram_bytes=_float(machine.capacity_bytes[sram]),
        dram_bytes=_float(machine.capacity_bytes[dram]),
        bits=tuple(_three([_int(width or machine.bits[t]) for t in (I, W, O)]) for width in own),
        partial_bits=tuple(_int(width or machine.accumulate_bits) for width in own),
        hop_bits=_three([_int(machine.bits[I]), _int(machine.bits[W]), _int(machine.accumulate_bits)]),
        read_pj=tuple(_float(machine.read_pj_per_byte[level]) for level in levels),
        write_pj=tuple(_float(machine.write_pj_per_byte[level]) for level in levels),
        sram_read=_float(machine.read_bytes_per_cycle[sram]),
        sram_write=_float(machine.write_bytes_per_cycle[sram]),
        dram_read=_float(machine.read_bytes_per_cycle[dram]),
        dram_write=_float(machine.write_bytes_per_cycle[dram]),
        mac_pj=_float(machine.mac_pj),
        hop_pj=_float(machine.hop_pj_per_byte),
        idle_pj=_float(machine.idle_pj_per_cycle),
        vector_lanes=_int(machine.vector_lanes),
        vector_pj=_float(machine.vector_pj_per_op),
        clock_hz=_float(machine.clock_hz),
    )


def _refused(machine: Machine) -> list[Problem]:
    """What a closed form needs and the machine has not."""
    outside = machine.level_names[machine.fanout_level : -1]
    said: list[tuple[str, str, str]] = []
    if machine.dataflow not in SYSTOLIC_DATAFLOWS:
        said.append(("core.dataflow", f"runs {machine.dataflow}", "one of ws, os, is (--dataflow)"))
    if len(outside) != 1:
        names = " and ".join(outside) or "no memory"
        said.append(("core.memories", f"has {names} between array and dram", "one memory there"))
    elif not machine.holds[machine.fanout_level].all():
        absent = ", ".join(OPERANDS[t] for t in (I, W, O) if not machine.holds[machine.fanout_level, t])
        said.append(("core.memories", f"keeps no {absent} in {outside[0]}", "I, W and O there"))
    if machine.fanout_level > 1:
        names = " and ".join(machine.level_names[: machine.fanout_level])
        said.append(("core.pe.memories", f"has {names} in a PE", "one register there, or none"))
    elif machine.fanout_level == 1 and np.isfinite(machine.read_bytes_per_cycle[0]):
        said.append(("core.pe.memories", "limits the bandwidth of a register", "a register that keeps up"))
    if machine.per_pe > 1:
        said.append(("core.mac.per_pe", f"has {machine.per_pe} multipliers in a PE", "one"))
    if machine.activation_home != machine.n_levels - 1:
        said.append(("activations", "keeps activations inside the chip", "activations: dram"))
    if not machine.overlap[machine.fanout_level :].all():
        said.append(("overlap", "moves words while the array rests", "overlap: true in each memory"))
    if not machine.reduce or not (machine.multicast[I] and machine.multicast[W]):
        said.append(("core.array", "has no links between its PEs", "multicast: [I, W] and reduce: true"))
    if machine.padding_stored[machine.fanout_level :].any() or machine.fetch_box.any():
        said.append(("core.memories", "moves words that are not used", "padding: none, fetch: touched"))
    return [
        Problem(
            f"{machine.name} {what}: no closed form",
            key=key,
            expected=expected,
            hint="run without --closed-form searches a mapping",
        )
        for key, what, expected in said
    ]


def _flat(value: Any) -> list[NDArray[Any]]:
    return [value] if isinstance(value, np.ndarray) else [column for item in value for column in _flat(item)]


def _int(value: Any) -> Ints:
    return np.array([value], np.int64)


def _float(value: Any) -> Floats:
    return np.array([value], np.float64)


def _three(columns: Sequence[Ints]) -> tuple[Ints, Ints, Ints]:
    first, second, third = columns
    return first, second, third
