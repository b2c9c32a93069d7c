"""Lowering: every number of a small machine worked out by hand, and what ships."""

import csv
import math
import os
from pathlib import Path

import numpy as np
import pytest

from accelsim.base.files import list_shipped
from accelsim.hardware import load_arch
from accelsim.tables.machine import BEST_HOME, FOLDS

TINY = """\
schema: accelsim.arch/1
name: tiny
description: a machine whose numbers are easy
clock: 500 MHz
technology: 45nm
core:
  count: 4
  dataflow: [os, ws]
  array:
    rows: 2
    cols: 3
    fold: preload
    multicast: [W]
    hop: {energy: {value: 4 pJ/word, source: by hand}}
  mac: {bits: 8, weight_bits: 4, per_pe: 2, energy: {value: 0.5 pJ, source: by hand}}
  pe:
    memories:
      - name: reg
        size: 6 words
        holds: [W]
        energy: {read: 2 pJ/word, write: 3 pJ/word, source: by hand}
  memories:
    - name: sums
      size: 1 KiB
      holds: [O]
      bits: 32
      bandwidth: {read: 8 words/cycle, write: 1 GB/s, source: by hand}
      energy: {read: 8 pJ/word, write: 1 pJ/bit, source: by hand}
      double_buffered: true
    - name: glb
      size: 2 KB
      holds: [I, O]
      bandwidth: {value: 16 B/cycle, source: by hand}
      energy: {read: 1 pJ/B, write: 2 pJ/B, source: by hand}
      padding: stored
      fetch: box
  vector: {lanes: 5, memory: glb, energy: {value: 100 fJ, source: by hand}}
  leakage: {value: 3 mW, source: by hand}
memories:
  - name: dram
    bandwidth: {value: 10 GB/s, source: by hand}
    energy: {read: 100 pJ/B, write: 120 pJ/B, source: by hand}
    overlap: false
clusters: {count: 2, cores: 2, channel: {bandwidth: {value: 5 GB/s, source: by hand}}}
activations: {home: glb, reserve: 25%, source: by hand}
"""


def test_each_number_of_a_small_machine_is_the_one_worked_out_by_hand(tmp_path: Path) -> None:
    path = tmp_path / "tiny.yaml"
    path.write_text(TINY)
    m = load_arch(str(path)).machine()
    assert m.level_names == ("reg", "sums", "glb", "dram")
    assert m.capacity_bytes.tolist() == [3.0, 1024.0, 2000.0, math.inf]  # 6 weights of 4 bits
    assert m.holds.astype(int).tolist() == [[0, 1, 0], [0, 0, 1], [1, 0, 1], [1, 1, 1]]  # I, W, O
    assert m.word_bits.tolist() == [0, 32, 0, 0]
    assert m.read_pj_per_byte.tolist() == [4.0, 2.0, 1.0, 100.0]  # 2 pJ per 4 bits, 8 pJ per 32 bits
    assert m.write_pj_per_byte.tolist() == [6.0, 8.0, 2.0, 120.0]
    assert m.read_bytes_per_cycle.tolist() == [
        math.inf,
        32.0,
        16.0,
        10.0,
    ]  # dram: a channel, 5 GB/s / 500 MHz
    assert m.write_bytes_per_cycle.tolist() == [math.inf, 2.0, 16.0, 10.0]  # 1 GB/s / 500 MHz
    assert m.shared_port.tolist() == [False, False, True, True]
    assert m.double_buffered.tolist() == [False, True, False, False]
    assert m.overlap.tolist() == [[each] * 3 for each in (True, True, True, False)]
    assert m.padding_stored.tolist() == [False, False, True, False]
    assert m.fetch_box.tolist() == [False, False, True, False]
    assert (m.fanout_level, m.rows, m.cols, m.per_pe, m.macs_per_cycle, m.fold) == (1, 2, 3, 2, 12, "preload")
    assert m.multicast.tolist() == [False, True, False]
    assert (m.reduce, m.diagonal) == (True, False)  # reduce: left out
    assert m.bits.tolist() == [8, 4, 8]
    assert m.accumulate_bits == 32
    assert (m.mac_pj, m.hop_pj_per_byte, m.idle_pj_per_cycle) == (0.5, 4.0, 6.0)  # 3 mW for 2 ns
    assert (m.vector_lanes, m.vector_pj_per_op, m.vector_level) == (5, pytest.approx(0.1), 2)
    assert (m.dataflows, m.dataflow) == (("os", "ws"), "os")
    assert (m.activation_home, m.activation_reserve_frac) == (2, 0.25)
    assert (m.clock_hz, m.n_cores, m.n_clusters) == (5e8, 4, 2)


def test_what_the_file_leaves_out_has_the_value_that_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "tiny.yaml"
    path.write_text(TINY)
    sets = ["core.vector=null", "core.leakage=null", "array.hop=null", "clusters=null", "activations=best"]
    m = load_arch(str(path), [*sets, "mac.bits=16", "mac.weight_bits=null"]).machine()
    assert (m.vector_lanes, m.vector_pj_per_op, m.idle_pj_per_cycle, m.hop_pj_per_byte) == (0, 0, 0, 0)
    assert m.read_bytes_per_cycle[-1] == 20.0  # 10 GB/s / 500 MHz
    assert m.activation_home == BEST_HOME
    assert m.bits.tolist() == [16, 16, 16]
    assert m.accumulate_bits == 16


@pytest.mark.parametrize("name", list_shipped("arch_configs"))
def test_what_ships_loads_and_lowers_with_each_of_its_dataflows(name: str) -> None:
    arch = load_arch(name)
    assert arch.name == name
    for dataflow in (*arch.spec.core.dataflow, "any"):
        m = load_arch(name, dataflow=dataflow).machine()
        n_levels = m.n_levels
        assert m.level_names[-1] == "dram"
        assert m.holds.shape == (n_levels, 3)
        assert m.holds[-1].all()
        for field in ("capacity_bytes", "read_pj_per_byte", "read_bytes_per_cycle", "word_bits"):
            assert getattr(m, field).shape == (n_levels,)
        assert np.isfinite(m.read_pj_per_byte).all()
        assert np.isfinite(m.read_bytes_per_cycle[m.fanout_level :]).all()
        assert m.fold in FOLDS
        assert m.vector_lanes > 0, "pooling has an engine or a host to run on"
        assert m.dataflow == dataflow


def test_the_seven_architectures_ship() -> None:
    assert set(list_shipped("arch_configs")) >= {
        "systolic_32x32",
        "systolic_128x128",
        "tpu_v1",
        "gemmini_16x16",
        "eyeriss",
        "eyeriss_isca16_256",
        "mlu100",
    }


def test_eyeriss_is_the_chip_of_the_paper() -> None:
    """Chen et al., JSSC 2017; the numbers as ../shared/reference/eyeriss_chip_spec.csv has them."""
    m = load_arch("eyeriss").machine()
    assert (m.rows, m.cols, m.clock_hz, m.diagonal) == (12, 14, 200e6, True)
    assert m.macs_per_cycle * m.clock_hz == 33.6e9
    room = dict(zip(m.level_names, m.capacity_bytes.tolist(), strict=True))
    words = {"spad_filter": 224, "spad_ifmap": 12, "spad_psum": 24}
    assert {name: room[name] / 2 for name in words} == words
    assert room["glb"] == 25 * 4096
    assert m.read_bytes_per_cycle[-1] == pytest.approx(60e6 * 8 / 200e6)  # 64-bit link at 60 MHz
    assert m.overlap[-1].tolist() == [False, True, False]
    sram_bytes = room["glb"] + 8 * 1024 + 168 * room["spad_filter"]  # the smaller pads are registers
    assert sram_bytes / 1024 == 181.5


def test_tpu_v1_has_the_peak_and_the_memories_of_the_paper() -> None:
    """Jouppi et al., ISCA 2017, Table 2: 92 TOPS int8, 24 MiB + 4 MiB on chip, 34 GB/s."""
    m = load_arch("tpu_v1").machine()
    assert 2 * m.macs_per_cycle * m.clock_hz == pytest.approx(92e12, rel=0.005)
    assert m.capacity_bytes[m.level("unified_buffer")] == 24 * 2**20
    assert m.capacity_bytes[m.level("accumulators")] == 4096 * 256 * 4
    assert m.read_bytes_per_cycle[-1] * m.clock_hz == pytest.approx(34e9)
    assert m.level_names[m.activation_home] == "unified_buffer"


def test_mlu100_has_the_dense_peak_and_a_channel_for_eight_cores() -> None:
    """../shared/reference/mlu100_spec.csv: 16 TFLOPS FP16 dense, 102.4 GB/s over four channels."""
    arch = load_arch("mlu100")
    m = arch.machine()
    assert 2 * m.macs_per_cycle * m.clock_hz * m.n_cores == pytest.approx(16e12, rel=0.03)
    assert (m.n_cores, m.n_clusters) == (32, 4)
    assert m.read_bytes_per_cycle[-1] * m.clock_hz == pytest.approx(102.4e9 / 4)


def test_energies_typed_from_the_tables_are_those_of_the_tables() -> None:
    shared = Path(os.environ.get("ACCELSIM_SHARED", Path(__file__).parents[3] / "shared")) / "reference"
    if not shared.is_dir():
        pytest.skip(f"no reference tables at {shared}")
    with (shared / "energy_cacti.csv").open() as stream:
        rows = list(csv.DictReader(line for line in stream if not line.startswith("#")))
    table = {
        (row["component"], row["tech_nm"]): (
            float(row["read_pJ_per_access"]) / int(row["line_bytes"]),
            float(row["write_pJ_per_access"]) / int(row["line_bytes"]),
        )
        for row in rows
    }
    for name, level, component, nm in (
        ("systolic_32x32", "sram", "multi-chip 256KB", "45"),
        ("systolic_32x32", "reg", "PE local buffer 64B", "45"),
        ("gemmini_16x16", "scratchpad", "multi-chip 256KB", "22"),
        ("gemmini_16x16", "accumulator", "GLB 64KB", "22"),
        ("gemmini_16x16", "reg", "PE local buffer 64B", "22"),
    ):
        m = load_arch(name).machine()
        index = m.level(level)
        found = (m.read_pj_per_byte[index], m.write_pj_per_byte[index])
        assert found == pytest.approx(table[component, nm], rel=2e-3), (name, level)


@pytest.mark.parametrize("name", ["systolic_32x32", "systolic_128x128", "tpu_v1", "gemmini_16x16"])
def test_a_move_between_pes_costs_a_read_and_a_write_of_the_register(name: str) -> None:
    """Operands stream through the registers of the PEs: read from one, written to the next."""
    m = load_arch(name).machine()
    reg = m.level("reg")
    assert m.hop_pj_per_byte == pytest.approx(m.read_pj_per_byte[reg] + m.write_pj_per_byte[reg])
    assert m.hop_pj_per_byte > 0
