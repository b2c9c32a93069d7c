"""Work without multiply-accumulates, counted by hand on the small machine (see `small_machine`)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from support.small_machine import small_machine

from accelsim.cost.latency import Transfers, busy_cycles, port_cycles, together
from accelsim.cost.vector import Flow, movement_cost, vector_cost
from accelsim.tables.dims import I, O, W

REG, SRAM, DRAM = range(3)


def test_pooling_through_dram_counts_every_word_once_in_and_once_out() -> None:
    """2x2 pooling of 3x8x8 to 3x4x4: 192 words in, 48 out, 144 comparisons (three a window)."""
    cost = vector_cost(small_machine(), 144, [Flow(I, 192, DRAM)], [Flow(O, 48, DRAM)])
    assert cost.reads.tolist() == [[0, 0, 0], [192, 0, 48], [192, 0, 0]]
    assert cost.writes.tolist() == [[0, 0, 0], [192, 0, 48], [0, 0, 48]]
    assert cost.compute_cycles == 144 / 4
    assert cost.transfer_cycles.tolist() == [0, 240 / 4, 240 / 2]  # sram: 240 written at 4, read at 8
    assert cost.latency_cycles == 120
    assert (cost.fill_drain_cycles, cost.stall_cycles) == (0, 120 - 36)
    assert cost.level_pj[SRAM].sum() == 240 * 10 + 240 * 20
    assert cost.level_pj[DRAM].sum() == 192 * 100 + 48 * 200
    assert cost.energy_pj == 7200 + 28800 + 144 * 3 + 120 * 7


def test_addition_of_two_maps_at_home_in_the_buffer_never_sees_dram() -> None:
    """64 words + 64 words: 128 read at 8 B/cycle, 64 written at 4, 64 additions on 4 lanes: 16 cycles."""
    cost = vector_cost(small_machine(), 64, [Flow(I, 64, SRAM), Flow(I, 64, SRAM)], [Flow(O, 64, SRAM)])
    assert cost.reads.tolist() == [[0, 0, 0], [128, 0, 0], [0, 0, 0]]
    assert cost.writes.tolist() == [[0, 0, 0], [0, 0, 64], [0, 0, 0]]
    assert (cost.compute_cycles, cost.latency_cycles, cost.stall_cycles) == (16, 16, 0)
    assert cost.energy_pj == 128 * 10 + 64 * 20 + 64 * 3 + 16 * 7


def test_operations_are_rounded_up_to_whole_cycles() -> None:
    assert vector_cost(small_machine(), 65, [Flow(I, 1, SRAM)], []).compute_cycles == 17


def test_concatenation_goes_from_home_to_home_without_the_engine() -> None:
    """30 words in the buffer and 20 in DRAM become 50 in DRAM: the engine's level sees only its own 30."""
    cost = movement_cost(small_machine(), [Flow(I, 30, SRAM), Flow(I, 20, DRAM)], [Flow(O, 50, DRAM)])
    assert cost.reads.tolist() == [[0, 0, 0], [30, 0, 0], [20, 0, 0]]
    assert cost.writes.tolist() == [[0, 0, 0], [0, 0, 0], [0, 0, 50]]
    assert (cost.compute_cycles, cost.compute_pj) == (0, 0)
    assert cost.latency_cycles == (20 + 50) / 2
    assert cost.energy_pj == 30 * 10 + 20 * 100 + 50 * 200 + 35 * 7


def test_words_are_as_wide_as_the_memory_or_else_the_operand() -> None:
    """16-bit inputs and weights, 32-bit outputs; the buffer has 64-bit words of its own."""
    machine = small_machine(bits=np.array([16, 16, 32]), word_bits=np.array([0, 64, 0]))
    cost = vector_cost(machine, 0, [Flow(I, 10, DRAM), Flow(W, 3, DRAM)], [Flow(O, 10, DRAM)])
    assert cost.read_bytes.tolist() == [[0, 0, 0], [80, 24, 80], [20, 6, 0]]
    assert cost.write_bytes.tolist() == [[0, 0, 0], [80, 24, 80], [0, 0, 40]]


def test_transfers_that_do_not_overlap_are_added() -> None:
    machine = small_machine(overlap=np.repeat([[True], [True], [False]], 3, axis=1))
    cost = vector_cost(machine, 64, [Flow(I, 64, DRAM)], [])
    # the engine 16 cycles, sram 64 / 4 = 16 beside it, dram 64 / 2 = 32 before
    assert cost.latency_cycles == 16 + 32


def test_shared_port_takes_reads_and_writes_one_after_the_other() -> None:
    machine = small_machine()
    moved = np.array([0.0, 16.0, 16.0])
    assert port_cycles(machine, moved, moved).tolist() == [0, 4, 16]
    assert port_cycles(replace(machine, shared_port=np.zeros(3, bool)), moved, moved).tolist() == [0, 4, 8]


def test_each_transfer_takes_whole_cycles() -> None:
    apart = np.array([0.1, 0.2, 2.5])
    assert busy_cycles(np.array(3), Transfers(apart, np.zeros(3), apart)) == 3 + 1 + 1 + 3


def test_fused_work_shares_the_latency_and_adds_the_counts() -> None:
    """100 words of a shortcut beside a layer of 200 operations: 50 cycles of compute, 50 + 50 of DRAM."""
    machine = small_machine()
    layer = vector_cost(machine, 200, [Flow(I, 100, DRAM)], [])
    shortcut = movement_cost(machine, [Flow(I, 100, DRAM)], [])
    both = together(machine, layer, shortcut)
    assert (layer.latency_cycles, shortcut.latency_cycles, both.latency_cycles) == (50, 50, 100)
    assert both.reads[DRAM, I] == 200
    assert both.energy_pj == pytest.approx(layer.energy_pj + shortcut.energy_pj, rel=1e-12)
    assert both.idle_pj == 100 * 7


def test_repeated_runs_cost_so_many_times() -> None:
    once = vector_cost(small_machine(), 64, [Flow(I, 64, DRAM)], [Flow(O, 64, DRAM)])
    thrice = once.repeated(3)
    assert (thrice.latency_cycles, thrice.compute_cycles) == (3 * once.latency_cycles, 48)
    assert thrice.energy_pj == 3 * once.energy_pj
    assert (thrice.reads == 3 * once.reads).all()
