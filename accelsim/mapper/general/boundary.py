"""What the words that cross between two levels cost: energy, and cycles of every port, as linear forms.

A boundary lies between a level that keeps an operand (child) and the next one out that keeps it (parent).
All counts of a mapping are linear in the words that its boundaries send and take (Sigma over b):

    cost_r = k0_r + sum_t k1_rt / m_t + sum_b (s0_rb + s1_rb m_t) sent_b + (t0_rb + t1_rb m_t) taken_b

with m_t the instances side by side along dimensions that operand t does not have. r = 0 is energy in pJ,
the others are cycles of one port of a level (times the instances, for levels inside the array).
Where two memories inside the PEs keep sums, the form is a bound from below, else it is exact.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from accelsim.mapping.footprint import moved_bytes, partial_bytes
from accelsim.tables.dims import N_OPERANDS, O
from accelsim.tables.layer_cost import whole_cycles
from accelsim.tables.machine import Machine

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Boundary:
    operand: int
    child: int
    parent: int


@dataclass(frozen=True)
class Port:
    """A bandwidth: reads, writes or both of a level, of the operands that move beside compute or apart."""

    level: int
    reads: bool
    writes: bool
    overlap: bool


def ports_of(machine: Machine) -> tuple[Port, ...]:
    """The ports of finite bandwidth."""
    ports = []
    for level in range(machine.n_levels):
        read = np.isfinite(machine.read_bytes_per_cycle[level])
        write = np.isfinite(machine.write_bytes_per_cycle[level])
        for overlap in sorted({bool(beside) for beside in machine.overlap[level]}):
            if machine.shared_port[level] and (read or write):
                ports.append(Port(level, True, True, overlap))
            else:
                ports += [Port(level, True, False, overlap)] * bool(read)
                ports += [Port(level, False, True, overlap)] * bool(write)
    return tuple(ports)


class Units:
    """What a word costs at the levels of a machine, each once for all choices of what they keep."""

    def __init__(self, machine: Machine) -> None:
        self.machine, self.ports = machine, ports_of(machine)
        self._known: dict[tuple[int, bool, float, int], Floats] = {}

    def of(self, level: int, write: bool, width_bytes: float, operand: int) -> Floats:  # [r]
        """Cost of one word of an operand read from or written to a level."""
        key = (level, write, width_bytes, operand)
        if key not in self._known:
            machine = self.machine
            pj = machine.write_pj_per_byte if write else machine.read_pj_per_byte
            speed = machine.write_bytes_per_cycle if write else machine.read_bytes_per_cycle
            unit = [width_bytes * float(pj[level])]
            for port in self.ports:
                mine = port.level == level and (port.writes if write else port.reads)
                mine = mine and port.overlap == machine.overlap[level, operand]
                unit.append(width_bytes / float(speed[level]) if mine else 0.0)
            self._known[key] = np.array(unit)
        return self._known[key]


class Forms:
    """The linear forms of one machine for one choice of what every level keeps."""

    def __init__(
        self, units: Units, keep: Bools, macs: tuple[float, float, float], outputs: float, ragged: bool
    ) -> None:
        self.units, self.ports, machine = units, units.ports, units.machine
        self.machine, self.keep, self.outputs, self.ragged = machine, keep, outputs, ragged
        self.kept = [[int(level) for level in np.flatnonzero(keep[:, t])] for t in range(N_OPERANDS)]
        self.boundaries = [
            Boundary(t, child, parent)
            for t in range(N_OPERANDS)
            for child, parent in zip(self.kept[t], self.kept[t][1:], strict=False)
        ]
        n_r, n_b = 1 + len(self.ports), len(self.boundaries)
        self.k0, self.k1 = np.zeros(n_r), np.zeros((n_r, N_OPERANDS))
        self.s0, self.s1, self.t0, self.t1 = (np.zeros((n_r, n_b)) for _ in range(4))
        self.k0[0] = macs[O] * machine.mac_pj
        for t in range(N_OPERANDS):
            if t == O:
                self._sums(macs[O])
            else:
                self._reads(t, macs[t])

    @cached_property
    def inside(self) -> Bools:  # [r], ports of one PE
        return np.array([False, *(port.level < self.machine.fanout_level for port in self.ports)])

    def _unit(self, level: int, write: bool, width_bytes: float, operand: int = O) -> Floats:  # [r]
        return self.units.of(level, write, width_bytes, operand)

    def _hop(self, operand: int) -> Floats:  # [r]
        machine = self.machine
        bits = machine.accumulate_bits if operand == O else int(machine.bits[operand])
        return np.array([bits / 8 * machine.hop_pj_per_byte, *(0.0 for _ in self.ports)])

    def _reads(self, t: int, macs: float) -> None:
        machine, fan = self.machine, self.machine.fanout_level
        innermost = self.kept[t][0]
        unit = self._unit(innermost, False, moved_bytes(machine, innermost, t), t)
        if innermost >= fan and machine.multicast[t]:
            self.k1[:, t] += unit * macs
        else:
            self.k0 += unit * macs
        inside = [level for level in self.kept[t] if level < fan]
        if not inside:
            self.k0 += self._hop(t) * macs
        for b, bound in enumerate(self.boundaries):
            if bound.operand != t:
                continue
            send = self._unit(bound.parent, False, moved_bytes(machine, bound.parent, t), t)
            take = self._unit(bound.child, True, moved_bytes(machine, bound.child, t), t)
            if inside and bound.child == inside[-1]:
                take = take + self._hop(t)
            above = bound.parent if machine.multicast[t] else bound.child
            (self.s1 if above < fan else self.s0)[:, b] += send
            (self.t1 if bound.child < fan else self.t0)[:, b] += take

    def _sums(self, macs: float) -> None:
        machine, fan, outputs = self.machine, self.machine.fanout_level, self.outputs
        innermost, home = self.kept[O][0], self.kept[O][-1]
        add = self._unit(innermost, True, partial_bytes(machine, innermost))
        look = self._unit(innermost, False, partial_bytes(machine, innermost))
        hop = self._hop(O) * (
            not self.ragged
        )  # where the last group is smaller, fewer sums hop: none is sure
        if innermost >= fan and machine.reduce:
            self.k1[:, O] += (add + look) * macs
            self.k0 += hop * macs
            self.k1[:, O] -= hop * macs
        else:
            self.k0 += (add + look) * macs
        self.k0 -= look * outputs  # a sum starts at zero, without a read
        if innermost == home:
            self.k0 -= (add - self._unit(innermost, True, moved_bytes(machine, innermost, O))) * outputs
        for b, bound in enumerate(self.boundaries):
            if bound.operand != O:
                continue
            c, p = bound.child, bound.parent
            drain = self._unit(c, False, partial_bytes(machine, c))
            update = self._unit(p, True, partial_bytes(machine, p))
            returned = self._unit(p, False, partial_bytes(machine, p)) + self._unit(
                c, True, partial_bytes(machine, c)
            )
            crossing = c < fan <= p
            visits = self.t1 if c < fan else self.t0
            visits[:, b] += drain
            (self.s1 if p < fan or (crossing and not machine.reduce) else self.s0)[:, b] += update
            self.s0[:, b] += returned
            self.k0 -= returned * outputs
            self.k0 -= (update - self._unit(p, True, moved_bytes(machine, p, O))) * outputs
            if c != innermost:
                self.k0 -= (drain - self._unit(c, False, moved_bytes(machine, c, O))) * outputs
            if crossing and machine.reduce:
                self.t1[:, b] += hop
                self.t0[:, b] -= hop
            if c == innermost and c < fan:  # each instance's first sum of a visit starts at zero
                self.t1[:, b] -= look
                self.t0[:, b] += look

    def constant(self, m: Floats) -> Floats:  # m [T, B] -> [r, B]
        """Cost that does not depend on tiles, where m instances share operands."""
        total: Floats = self.k0[:, None] + self.k1 @ (1 / m)
        return total

    def sends(self, b: int, m: Floats) -> Floats:  # [r, B]
        """Cost of a word sent at a boundary."""
        words: Floats = self.s0[:, b, None] + self.s1[:, b, None] * m[self.boundaries[b].operand]
        return words

    def takes(self, b: int, m: Floats) -> Floats:  # [r, B]
        """Cost of a word taken at a boundary."""
        words: Floats = self.t0[:, b, None] + self.t1[:, b, None] * m[self.boundaries[b].operand]
        return words


def latency(
    machine: Machine,
    ports: tuple[Port, ...],
    cycles: Floats,
    compute: Floats,
    waits: Floats,
    fill_drain: Floats,
) -> Floats:  # cycles [port, B]
    """`cost.latency` on the cycles of ports: the slowest that overlap, those that do not, and the array's."""
    beside, apart = compute + waits, np.zeros_like(compute)
    for level in range(machine.n_levels):
        for overlap in (False, True):
            mine = [k for k, port in enumerate(ports) if port.level == level and port.overlap == overlap]
            if not mine:
                continue
            transfer = whole_cycles(cycles[mine].max(0))
            if overlap:
                beside = np.maximum(beside, transfer)
            else:
                apart = apart + transfer
    return beside + apart + fill_drain - waits
