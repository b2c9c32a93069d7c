"""Cycles and energy of B mappings of one layer on one core, from their traffic.

latency = max(compute, transfers that overlap it, level by level) + transfers that do not + fill and drain
          (in an array that loads weights beside the stream, waits for a load count with compute)
energy  = sum over levels of bytes x pJ/B, plus multiply-accumulates, hops between PEs and leakage
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from accelsim.cost.digits import steps_down_to
from accelsim.cost.latency import Transfers, busy_cycles, transfers_of
from accelsim.cost.systolic import fold_cycles
from accelsim.cost.traffic import Links, Traffic, count_traffic
from accelsim.mapping.footprint import moved_bytes, partial_bytes, word_bytes
from accelsim.tables.dims import N_OPERANDS, O, W, relevant_dims
from accelsim.tables.layer_cost import LayerCost, whole_cycles
from accelsim.tables.machine import STATIONARY, Machine
from accelsim.tables.nest import Nest, Problem

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

MAC, HOP, LEAKAGE = "mac", "hop", "leakage"
"""Names of the energies that belong to no memory."""


@dataclass(frozen=True)
class Cost:
    """What B mappings cost; a level's bytes are those of all its instances."""

    traffic: Traffic
    read_bytes: Floats  # [L, T, B]
    write_bytes: Floats  # [L, T, B]
    transfers: Transfers  # [L, B], of the busier port of an instance, its share of the work the average
    compute_cycles: Ints  # [B]
    fill_drain_cycles: Ints  # [B]
    wait_cycles: Ints  # [B], of the fill and drain, those that transfers run beside
    latency_cycles: Ints  # [B]
    level_pj: Floats  # [L, T, B]
    mac_pj: float
    hop_pj: Floats  # [T, B]
    idle_pj: Floats  # [B]

    @property
    def energy_pj(self) -> Floats:  # [B]
        total: Floats = self.level_pj.sum((0, 1)) + self.mac_pj + self.hop_pj.sum(0) + self.idle_pj
        return total

    @property
    def stall_cycles(self) -> Ints:  # [B]
        return self.latency_cycles - self.compute_cycles - self.fill_drain_cycles

    def objective(self, name: str) -> Floats:  # [B]
        """latency in cycles, energy in pJ or their product."""
        if name == "latency":
            return self.latency_cycles.astype(np.float64)
        if name == "energy":
            return self.energy_pj
        return self.energy_pj * self.latency_cycles

    def point(self, i: int, active_pes: int) -> LayerCost:
        """One mapping's cost by itself."""
        return LayerCost(
            reads=np.asarray(self.traffic.reads[:, :, i], np.int64),
            writes=np.asarray(self.traffic.writes[:, :, i], np.int64),
            read_bytes=self.read_bytes[:, :, i],
            write_bytes=self.write_bytes[:, :, i],
            transfer_cycles=self.transfers.all[:, i],
            beside_cycles=self.transfers.beside[:, i],
            apart_cycles=self.transfers.apart[:, i],
            compute_cycles=int(self.compute_cycles[i]),
            fill_drain_cycles=int(self.fill_drain_cycles[i]),
            latency_cycles=int(self.latency_cycles[i]),
            level_pj=self.level_pj[:, :, i],
            compute_pj=float(self.mac_pj),
            hop_pj=self.hop_pj[:, i],
            idle_pj=float(self.idle_pj[i]),
            active_pes=active_pes,
            wait_cycles=int(self.wait_cycles[i]),
        )


def links_of(machine: Machine) -> Links:
    return Links(
        machine.multicast,
        machine.reduce,
        machine.diagonal,
        machine.padding_stored,
        machine.fetch_box,
        machine.fanout_level,
    )


def evaluate(problem: Problem, nest: Nest, machine: Machine, dataflow: str) -> Cost:
    """Cost of every point of a nest; the fold rule is that of the mapping's dataflow on this array."""
    traffic = count_traffic(problem, nest, links_of(machine))
    return assemble(problem, nest, machine, traffic, dataflow)


def assemble(problem: Problem, nest: Nest, machine: Machine, traffic: Traffic, dataflow: str) -> Cost:
    read_bytes, write_bytes = bytes_of(traffic, machine)
    transfers = transfers_of(
        machine, *(each / _instances(nest, machine) for each in (read_bytes, write_bytes))
    )
    compute, fill_drain, waits = array_cycles(problem, nest, machine, traffic.steps, dataflow)
    if dataflow == "rs":
        rest = pass_cycles(problem, nest, machine, traffic)
        fill_drain, waits = fill_drain + rest, waits + rest
    latency = busy_cycles(compute + waits, transfers) + fill_drain - waits
    level_pj = (
        read_bytes * machine.read_pj_per_byte[:, None, None]
        + write_bytes * machine.write_pj_per_byte[:, None, None]
    )
    hops = np.stack([traffic.delivered[t] * hop_bytes(machine, t) for t in range(N_OPERANDS)])
    return Cost(
        traffic,
        read_bytes,
        write_bytes,
        transfers,
        compute,
        fill_drain,
        waits,
        latency,
        level_pj,
        problem.n_macs * machine.mac_pj,
        hops * machine.hop_pj_per_byte,
        np.asarray(latency * machine.idle_pj_per_cycle, np.float64),
    )


def bytes_of(traffic: Traffic, machine: Machine) -> tuple[Floats, Floats]:  # [L, T, B] each
    """Words times their width: unfinished sums are wider than finished outputs."""
    n_levels = machine.n_levels
    width = np.array(
        [[moved_bytes(machine, level, t) for t in range(N_OPERANDS)] for level in range(n_levels)]
    )
    extra = np.array([partial_bytes(machine, level) for level in range(n_levels)]) - width[:, O]
    read = traffic.reads * width[:, :, None]
    write = traffic.writes * width[:, :, None]
    read[:, O] += traffic.partial_reads * extra[:, None]
    write[:, O] += traffic.partial_writes * extra[:, None]
    return read, write


def _instances(nest: Nest, machine: Machine) -> Floats:  # [L, 1, B]
    """Instances of each level among which its bytes are shared."""
    instances = np.ones((machine.n_levels, nest.n_points))
    for level in range(machine.n_levels):
        for j in range(len(nest.dims)):
            if nest.spatial[j] and nest.levels[j] > level:
                instances[level] *= nest.trips[j]
    return instances[:, None]


def array_cycles(
    problem: Problem, nest: Nest, machine: Machine, steps: Ints, dataflow: str
) -> tuple[Ints, Ints, Ints]:  # [B] each
    """Compute steps; cycles in which a systolic array fills, drains and loads beside them; those of a load.

    Where loads run beside the stream (`overlapped`), a fold that streams less than R steps waits for the next
    weights. Memory goes on meanwhile: such waits are part of the array's pace, not of its fill and drain.
    """
    compute = -(-steps // machine.per_pe)
    if machine.fold == "broadcast" or dataflow not in STATIONARY:
        return compute, np.zeros_like(compute), np.zeros_like(compute)
    folds = n_folds(problem, nest, STATIONARY[dataflow])
    streamed = -(-compute // folds)
    _, fill_drain = fold_cycles(folds, streamed, machine.rows, machine.cols, dataflow, machine.fold)
    waits = np.zeros_like(compute)
    if machine.fold == "overlapped" and dataflow != "os":
        waits = (folds - 1) * np.maximum(machine.rows - streamed, 0)
    return compute, np.asarray(fill_drain, np.int64), waits


def pass_cycles(problem: Problem, nest: Nest, machine: Machine, traffic: Traffic) -> Ints:  # [B]
    """Cycles in which a row-stationary array rests while the weights of its passes come in.

    passes x control + bytes of the weights / bandwidth of the links that bring them, one read for all PEs.
    """
    passes = n_folds(problem, nest, W, machine.fanout_level)
    level = weight_level(nest.keep, machine)
    weight_bytes = traffic.reads[level, W] * word_bytes(machine, level, W)
    loading = whole_cycles(weight_bytes / machine.pass_bytes_per_cycle)
    return np.asarray(passes * machine.pass_cycles + loading, np.int64)


def weight_level(keep: NDArray[np.bool_], machine: Machine) -> int:
    """Level from which weights go to the array: the innermost outside it that keeps them."""
    return next(level for level in range(machine.fanout_level, machine.n_levels) if keep[level, W])


def n_folds(problem: Problem, nest: Nest, stationary: int, level: int = 0) -> Ints:  # [B]
    """How often the array takes a new stationary tile: steps of the loops down to its innermost own one.

    Only loops at `level` and further out count.
    """
    key = ("n_folds", problem, stationary, level)
    if key not in nest.known:
        nest.known[key] = _count_folds(problem, nest, stationary, level)
    return nest.known[key]


def _count_folds(problem: Problem, nest: Nest, stationary: int, level: int) -> Ints:  # [B]
    folds = np.ones(nest.n_points, np.int64)
    for j, own in enumerate(nest.dims):
        if nest.spatial[j] or own not in relevant_dims(stationary, problem.weight_has_batch):
            continue
        if nest.levels[j] < level:
            continue
        steps = np.ones(nest.n_points, np.int64)
        for d in set(nest.dims[: j + 1]):
            steps = steps * steps_down_to(nest, j, d, problem.extents[d])
        folds = np.where(nest.trips[j] > 1, steps, folds)
    return folds


def hop_bytes(machine: Machine, operand: int) -> float:
    """Bytes of a word of an operand on its way between PEs: sums travel unfinished."""
    bits = machine.accumulate_bits if operand == O else int(machine.bits[operand])
    return bits / 8
