"""Closed form of whole networks on many systolic machines: cycles, words, bytes and energy without a mapping.

Each layer is a product (`cost.systolic`), cut into Fr row folds and Fc column folds. X lies on the rows and
is used by all column folds, Y lies on the columns and is used by all row folds, S stays in the array:

          X   Y   S        a slab of X: what a row fold uses; of Y: what a column fold uses
    os    I   W   O
    ws    I   O   W        where Y is O, a column fold's partial sums
    is    W   O   I

**DRAM.** Each operand has a share of the SRAM, a third of it (half of that where tiles are doubled). S moves
once. What fits whole in its share moves once. With row folds outside, a slab of X that fits stays for all its
column folds, else X is read Fc times; Y that does not fit whole is read Fr times. With column folds outside
it is the other way round. Of the two orders, the one that moves fewer bits (row folds outside if equal).
Partial sums that don't stay leave and return Fr - 1 times; in the SRAM they are as wide as sums. Inputs are
the distinct words that a layer touches; slabs have equal parts of them.

**SRAM.** The array's edge (`cost.systolic.network_systolic`), all that comes from DRAM, all that goes there.
**Cycles.** latency = max(compute + fill and drain, SRAM bytes / bandwidth, DRAM bytes / bandwidth).
**Energy.** multiply-accumulates, the register of S at each of them, words that enter a PE from a neighbour or
the edge (hops), bytes of SRAM and DRAM, leakage and clock.

Counts are whole numbers: a sum over layers has the same bits in any order. A machines, B distinct layers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from accelsim.base.errors import InputError, Problem
from accelsim.cost.closed_machines import DRAM, REG, SRAM, SystolicMachines
from accelsim.cost.systolic import Gemm, fold_cycles, fold_gemm
from accelsim.tables.dims import I, O, W
from accelsim.tables.layer_cost import whole_cycles
from accelsim.tables.machine import STATIONARY

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

ON_ROWS = {"os": I, "ws": I, "is": W}
ON_COLS = {"os": W, "ws": O, "is": O}
CHUNK = 2**13
"""Machines that are counted at once: their columns stay in the processor's cache."""
MAX_COUNT = 2.0**62


@dataclass(frozen=True)
class ArrayWork:
    """A layer of multiply-accumulates; `macs` are the algorithm's, `beside` words of a fused shortcut."""

    pixels: int
    filters: int
    reduction: int
    groups: int
    inputs: int  # distinct words that a run touches
    runs: int
    macs: int
    beside: int = 0


@dataclass(frozen=True)
class MovedWork:
    """A layer of the vector engine, or (`ops` 0, `moves`) one that only moves words."""

    ops: int
    inputs: int
    weights: int
    outputs: int
    moves: bool = False


Work = ArrayWork | MovedWork


@dataclass(frozen=True)
class NetworkWork:
    """The distinct layers of a network and how often each occurs; what lives in DRAM beside them."""

    layers: Mapping[Work, int]
    live_words: int  # activations in DRAM at the fullest step
    weight_words: int

    @cached_property
    def macs(self) -> int:
        return sum(n * layer.macs for layer, n in self.layers.items() if isinstance(layer, ArrayWork))


@dataclass(eq=False)
class Moves:
    """Words of one layer by level, operand and direction, with their bits; sums that are not finished apart.

    Words are [A] or [1]; several additions to one place add up.
    """

    machines: SystolicMachines
    words: dict[tuple[int, int, bool], list[tuple[Ints, Ints]]] = field(default_factory=dict)
    hops: list[tuple[int, Ints]] = field(default_factory=list)

    def read(self, level: int, operand: int, words: Ints, partial: bool = False) -> None:
        self._add(level, operand, False, words, partial)

    def write(self, level: int, operand: int, words: Ints, partial: bool = False) -> None:
        self._add(level, operand, True, words, partial)

    def _add(self, level: int, operand: int, write: bool, words: Ints, partial: bool) -> None:
        of = self.machines
        bits = of.partial_bits[level] if partial else of.bits[level][operand]
        self.words.setdefault((level, operand, write), []).append((words, bits))

    def count(self, level: int, operand: int, write: bool) -> Ints:
        """Words, whatever their width."""
        return _total([words for words, _ in self.words.get((level, operand, write), ())])

    def bits(self, level: int, operand: int, write: bool) -> Ints:
        return _total([words * bits for words, bits in self.words.get((level, operand, write), ())])

    def level_bits(self, level: int, write: bool) -> Ints:
        return _total([self.bits(level, t, write) for t in (I, W, O) if (level, t, write) in self.words])

    def hop_bits(self, operand: int) -> Ints:
        return _total([words * self.machines.hop_bits[t] for t, words in self.hops if t == operand])


@dataclass(frozen=True, eq=False)
class LayerForm:
    """One layer on A machines; columns [A] or [1]."""

    moves: Moves
    compute_cycles: Ints
    fill_drain_cycles: Ints
    latency_cycles: Ints
    transfers: tuple[Floats, Floats]  # cycles of SRAM and DRAM
    macs: int  # that the array executes
    vector_ops: int
    active_pes: Ints


@dataclass(frozen=True, eq=False)
class NetworkForm:
    """A network on A machines."""

    latency_cycles: Ints  # [A]
    energy_pj: Floats  # [A]
    dram_read_bytes: Ints  # [A]
    dram_write_bytes: Ints  # [A]
    sram_bytes: Ints  # [A]
    needs_bytes: Floats  # [A], of the SRAM at least
    needs_dram_bytes: Floats  # [A]


def network_form(work: NetworkWork, machines: SystolicMachines) -> NetworkForm:
    """All layers of a network on all machines, one after the other; memory does not grow with A x B.

    InputError where counts would pass 64 bits.
    """
    check_counts(work, machines)
    n = machines.n
    parts = [_chunk(work, machines.take(slice(at, at + CHUNK))) for at in range(0, n, CHUNK)]
    names = NetworkForm.__dataclass_fields__
    return NetworkForm(**{name: np.concatenate([getattr(part, name) for part in parts]) for name in names})


def check_counts(work: NetworkWork, machines: SystolicMachines) -> None:
    """InputError where a count of the closed form could pass 2^62."""
    widest = max(float(bits.max()) for bits in (*sum(machines.bits, ()), *machines.partial_bits))
    skew = float((2 * machines.rows + machines.cols).max())
    most = 4 * max(widest * 8, skew) * max(work.macs, 1)
    moved = (layer for layer in work.layers if isinstance(layer, MovedWork))
    most = max(most, 4.0 * widest * sum(layer.inputs + layer.weights + layer.outputs for layer in moved))
    for layer in work.layers:
        if isinstance(layer, ArrayWork):  # words x rows, before they are divided into slabs
            words = max(layer.inputs, layer.reduction * layer.filters, layer.pixels * layer.filters)
            most = max(most, float(words) * max(layer.pixels, layer.filters, layer.reduction))
            most = max(most, float(words) * layer.groups * layer.runs * widest * 8)
    if most > MAX_COUNT:
        raise InputError(
            Problem(
                f"counts of up to {most:.3g} overflow 64 bits",
                expected=f"at most {MAX_COUNT:.3g} bits or cycles",
                hint="lower --batch, or array.rows and array.cols",
            )
        )


def _chunk(work: NetworkWork, machines: SystolicMachines) -> NetworkForm:
    n = machines.n
    names = (
        "cycles",
        "hop",
        "dram_read",
        "dram_write",
        *(f"{rw}{level}" for rw in "rw" for level in range(3)),
    )
    total = {name: np.zeros(n, np.int64) for name in names}
    macs = ops = 0
    for layer, times in work.layers.items():
        if not is_costed(layer, machines):
            continue
        form = layer_form(layer, machines)
        macs, ops = macs + times * form.macs, ops + times * form.vector_ops
        total["cycles"] += times * form.latency_cycles
        for level in (REG, SRAM, DRAM):
            for rw, write in (("r", False), ("w", True)):
                bits = form.moves.level_bits(level, write)
                total[f"{rw}{level}"] += times * bits
                if level == DRAM:
                    total["dram_write" if write else "dram_read"] += times * ((bits + 7) >> 3)
        for t in (I, W, O):
            total["hop"] += times * form.moves.hop_bits(t)
    energy = macs * machines.mac_pj + ops * machines.vector_pj
    for level in (REG, SRAM, DRAM):
        energy = energy + total[f"r{level}"] / 8 * machines.read_pj[level]
        energy = energy + total[f"w{level}"] / 8 * machines.write_pj[level]
    energy = energy + total["hop"] / 8 * machines.hop_pj + total["cycles"] * machines.idle_pj
    return NetworkForm(
        latency_cycles=total["cycles"],
        energy_pj=energy,
        dram_read_bytes=total["dram_read"],
        dram_write_bytes=total["dram_write"],
        sram_bytes=(total["r1"] + total["w1"] + 7) >> 3,
        needs_bytes=np.broadcast_to(sram_need(machines), n),
        needs_dram_bytes=np.broadcast_to(dram_need(work, machines), n),
    )


def sram_need(machines: SystolicMachines) -> Floats:  # [A] bytes
    """The least SRAM: the share of an operand must hold one word for each row and for each column."""
    widest = np.maximum(machines.partial_bits[SRAM], machines.bits[SRAM][I])
    widest = np.maximum(widest, machines.bits[SRAM][W])
    parts = 6 if machines.kind.double_buffered else 3
    need: Floats = np.maximum(machines.rows, machines.cols) * widest * parts / 8
    return need


def dram_need(work: NetworkWork, machines: SystolicMachines) -> Floats:  # [A] bytes
    """Weights and the activations that live at the fullest step."""
    bits = machines.bits[DRAM]
    need: Floats = (work.live_words * bits[I] + work.weight_words * machines.hop_bits[W]) / 8
    return need


def is_costed(layer: Work, machines: SystolicMachines) -> bool:
    """Work of an engine that the machine does not have is not costed."""
    return isinstance(layer, ArrayWork) or layer.moves or machines.kind.vector_at is not None


def layer_form(layer: Work, machines: SystolicMachines) -> LayerForm:
    return _array(layer, machines) if isinstance(layer, ArrayWork) else _moved(layer, machines)


def _array(layer: ArrayWork, machines: SystolicMachines) -> LayerForm:
    kind = machines.kind
    gemm = Gemm(*(_one(n) for n in (layer.pixels, layer.filters, layer.reduction, layer.groups * layer.runs)))
    rows, cols, runs = machines.rows, machines.cols, layer.groups * layer.runs
    cut = fold_gemm(gemm, rows, cols, kind.dataflow)
    per_run = cut.folds // layer.runs if layer.runs > 1 else cut.folds
    compute, skew = fold_cycles(per_run, cut.streamed, rows, cols, kind.dataflow, kind.fold)
    compute, skew = compute * layer.runs, skew * layer.runs
    macs = int(gemm.macs[0])
    outputs = _one(runs * layer.pixels * layer.filters)
    edge = {I: _one(runs * layer.pixels * layer.reduction), W: _one(runs * layer.reduction * layer.filters)}
    x, y, s = ON_ROWS[kind.dataflow], ON_COLS[kind.dataflow], STATIONARY[kind.dataflow]
    moves = Moves(machines)
    if kind.has_register:
        partial = s == O
        moves.read(REG, s, _one(macs), partial)
        moves.write(REG, s, _one(macs) if partial else edge[s], partial)
    for t in (I, W):
        moves.read(SRAM, t, edge[t] * (cut.col_folds if t == x else cut.row_folds if t == y else 1))
        moves.hops.append((t, edge[t] if t == s else _one(macs)))
    if s == O:
        moves.write(SRAM, O, outputs)
    else:  # the SRAM adds the sums of the row folds
        moves.hops.append((O, macs - cut.row_folds * outputs))
        moves.read(SRAM, O, (cut.row_folds - 1) * outputs, partial=True)
        moves.write(SRAM, O, cut.row_folds * outputs, partial=True)
    distinct = {I: layer.inputs * layer.runs, W: int(edge[W][0]), O: int(outputs[0])}
    x_times, y_times = _times(layer, machines, cut.row_folds, cut.col_folds, distinct)
    for t in (I, W):
        words = distinct[t] * (x_times if t == x else y_times if t == y else _one(1))
        moves.read(DRAM, t, words)
        moves.write(SRAM, t, words)
    moves.write(DRAM, O, outputs)
    moves.read(SRAM, O, outputs, partial=s != O)
    if y == O:
        returns = (y_times - 1) * outputs
        for level in (SRAM, DRAM):
            moves.read(level, O, returns, partial=True)
            moves.write(level, O, returns, partial=True)
    if layer.beside:  # the shortcut of a fused addition
        moves.read(DRAM, I, _one(layer.beside))
    latency, transfers = _latency(compute + skew, moves)
    active = np.minimum(rows, _extent(layer, "rows", kind.dataflow)) * np.minimum(
        cols, _extent(layer, "cols", kind.dataflow)
    )
    return LayerForm(moves, compute, skew, latency, transfers, macs, 0, active)


def _times(
    layer: ArrayWork,
    machines: SystolicMachines,
    row_folds: Ints,
    col_folds: Ints,
    distinct: Mapping[int, int],
) -> tuple[Ints, Ints]:  # [A] each
    """How often X and Y come from DRAM, in the better order of the folds."""
    flow = machines.kind.dataflow
    x, y, groups = ON_ROWS[flow], ON_COLS[flow], layer.groups * layer.runs
    share, bits = machines.share_bits, machines.bits[SRAM]
    x_words, y_words = -(-distinct[x] // groups), -(-distinct[y] // groups)
    y_bits = machines.partial_bits[SRAM] if y == O else bits[y]
    x_slab = _slab(x_words, machines.rows, _extent(layer, "rows", flow))
    y_slab = _slab(y_words, machines.cols, _extent(layer, "cols", flow))
    x_inner = np.where(x_slab * bits[x] <= share, 1, col_folds)  # row folds outside
    y_inner = np.where(y_words * y_bits <= share, 1, row_folds)
    x_outer = np.where(x_words * bits[x] <= share, 1, col_folds)  # column folds outside
    y_outer = np.where(y_slab * y_bits <= share, 1, row_folds)
    at_dram = machines.bits[DRAM]
    per_x = distinct[x] * at_dram[x]
    per_y = distinct[y] * (2 * machines.partial_bits[DRAM] if y == O else at_dram[y])
    other = x_outer * per_x + y_outer * per_y < x_inner * per_x + y_inner * per_y
    return np.where(other, x_outer, x_inner), np.where(other, y_outer, y_inner)


def _slab(words: int, size: Ints, extent: int) -> Ints:
    """Words of the largest fold's part of an operand."""
    return -(-words * np.minimum(size, extent) // extent)


def _extent(layer: ArrayWork, axis: str, dataflow: str) -> int:
    """What lies on the rows or columns."""
    if axis == "rows":
        return layer.pixels if dataflow == "os" else layer.reduction
    return layer.pixels if dataflow == "is" else layer.filters


def _moved(layer: MovedWork, machines: SystolicMachines) -> LayerForm:
    """The rules of `cost.vector`: words from DRAM to the engine and back."""
    moves, at = Moves(machines), machines.kind.vector_at
    through = not layer.moves and at == SRAM
    for t, words in ((I, layer.inputs), (W, layer.weights), (O, layer.outputs)):
        if not words:
            continue
        (moves.write if t == O else moves.read)(DRAM, t, _one(words))
        if through:
            moves.write(SRAM, t, _one(words))
            moves.read(SRAM, t, _one(words))
    compute = _one(0) if layer.moves else -(-layer.ops // machines.vector_lanes)
    ops = 0 if layer.moves else layer.ops
    latency, transfers = _latency(compute, moves)
    return LayerForm(moves, compute, _one(0), latency, transfers, 0, ops, _one(0))


def _latency(pace: Ints, moves: Moves) -> tuple[Ints, tuple[Floats, Floats]]:
    of = moves.machines
    sram = _port(moves, SRAM, of.sram_read, of.sram_write, of.kind.sram_shared)
    dram = _port(moves, DRAM, of.dram_read, of.dram_write, of.kind.dram_shared)
    slowest = np.maximum(whole_cycles(sram), whole_cycles(dram))
    return np.maximum(pace, slowest).astype(np.int64), (sram, dram)


def _port(moves: Moves, level: int, read_rate: Floats, write_rate: Floats, shared: bool) -> Floats:
    read = moves.level_bits(level, False) / 8 / read_rate
    write = moves.level_bits(level, True) / 8 / write_rate
    cycles: Floats = read + write if shared else np.maximum(read, write)
    return cycles


def _total(columns: list[Ints]) -> Ints:
    if not columns:
        return _one(0)
    total = columns[0]
    for column in columns[1:]:
        total = total + column
    return total


def _one(value: int) -> Ints:
    return np.array([value], np.int64)
