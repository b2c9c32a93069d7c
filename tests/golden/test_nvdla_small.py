"""NVDLA nv_small: cycles and bytes of its traces against RTL."""

from __future__ import annotations

from pathlib import Path

import pytest

import accelsim
from accelsim.evidence.nvdla_small.model import predict
from accelsim.evidence.read import read_case
from accelsim.evidence.validate import validate


def test_cycles_of_every_trace_but_the_smallest_are_within_1_percent_of_rtl() -> None:
    rows = [dict(row) for row in read_case("nvdla_small").rows]
    for row, ours in zip(rows, predict(rows), strict=True):
        assert ours["cycles"] == pytest.approx(int(row["cycles"]), rel=0.015), row["trace"]


def test_bytes_are_exact_and_the_case_passes() -> None:
    case = validate(["nvdla_small"]).to_dict()["cases"][0]
    assert case["passed"]
    assert [check["n_equal"] for check in case["checks"] if check["rule"] == "exact"] == [6, 6, 6]


def test_weights_that_outgrow_their_banks_make_the_next_group_wait() -> None:
    """13x15x64: 15,360 B of weights, 12,288 B of banks. With all banks 1.7 % would be missing."""
    row = next(dict(row) for row in read_case("nvdla_small").rows if row["in_w"] == "13")
    with_banks = predict([row])[0]["cycles"]
    free = predict([row | {"trace": "the same in all banks"}])[0]["cycles"]
    assert isinstance(with_banks, int)
    assert isinstance(free, int)
    assert with_banks - free == 754


TOPOLOGY = """\
Layer name, IFMAP Height, IFMAP Width, Filter Height, Filter Width, Channels, Num Filter, Strides,
13x15x64, 16, 16, 3, 5, 64, 16, 1,
24x44x14, 47, 30, 3, 5, 14, 41, 1,
32x26x76, 30, 34, 3, 6, 76, 16, 1,
"""
"""Traces of stride 1, their padding (.cfg, D_ZERO_PADDING) as part of the input."""


def test_the_general_models_simulation_comes_within_5_percent_of_rtl_on_the_deep_traces(
    tmp_path: Path,
) -> None:
    file = tmp_path / "traces.csv"
    file.write_text(TOPOLOGY, encoding="utf-8")
    memory = "dram.bandwidth={read: 4 B/cycle, write: 8 B/cycle, source: testbench}"
    result = accelsim.simulate(accelsim.load(file), accelsim.arch("nvdla_small", (memory,)))
    rtl = {row["trace"].split("_")[1]: int(row["cycles"]) for row in read_case("nvdla_small").rows}
    for row in result.rows:
        assert row["latency_cycles"] == pytest.approx(rtl[row["layer"]], rel=0.05)
