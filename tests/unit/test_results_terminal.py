"""The report for a person: aligned, unwrapped, and never with a cut number."""

from __future__ import annotations

import re
from typing import Any

import pytest

from accelsim.report.blocks import Head, Lines, Table, render
from accelsim.report.terminal import inspect_blocks, reuse_blocks, run_blocks
from accelsim.results.result import Result
from accelsim.results.totals import totals


def row(name: str, **more: Any) -> dict[str, Any]:
    return {
        "layer": name,
        "op": "Conv",
        "status": "costed",
        "macs": 5_110_000,
        "params": 1234,
        "latency_cycles": 53_600,
        "stall_cycles": 0,
        "utilization_frac": 0.567,
        "energy_pj": 245e6,
        "energy_pj_by_level": {"mac": 100e6, "glb": 45e6, "dram": 100e6},
        "dram_read_bytes": 900_000,
        "dram_write_bytes": 94_000,
        "accesses": {
            "glb": {o: {"read": 123_456_789, "write": 23_456_789} for o in "IWO"},
            "dram": {o: {"read": 3_456_789, "write": 456_789} for o in "IWO"},
        },
        "bound": "dram",
        "compulsory_dram_bytes": 497_000,
        **more,
    }


LEFT_OUT = {
    "layer": "nms",
    "op": "NonMaxSuppression",
    "status": "not_costed",
    "reason": "depends on the data",
}


def report(rows: list[dict[str, Any]], **options: Any) -> str:
    inputs = {"model": {"name": "net"}, "arch": {"name": "chip"}, "options": {"objective": "energy"}}
    made = Result("accelsim.run/1", inputs, totals(rows, 168, 2e8), rows, notes=("one core of 32",))
    return render(run_blocks(made), **options)


def test_the_report_says_layers_total_levels_bound_and_what_is_left_out() -> None:
    text = report([row("conv1"), row("conv2"), LEFT_OUT])
    lines = text.splitlines()
    assert lines[0].startswith("net on chip")
    total = next(line for line in lines if line.startswith("total"))
    assert re.match(r"total +10.2 M +107 k +0 +56.7 +490 µJ +1.99 M$", total)
    assert any(re.match(r"dram +6.91 M +914 k", line) for line in lines)
    # 1,988,000 bytes moved against 994,000 compulsory
    assert any(re.match(r"DRAM traffic +1.99 MB +994 kB +2$", line) for line in lines)
    assert "Not costed: 1 of 3 layers" in text
    assert "nms (NonMaxSuppression): depends on the data" in text
    assert "note: one core of 32" in text
    assert "--json" in lines[-1]


def test_the_head_names_files_and_leaves_their_hashes_to_json() -> None:
    zeros, mapping = {"name": "z.csv", "sha256": "0" * 64}, {"file": "m.yaml", "sha256": "0" * 64}
    options = {"options": {"zeros": zeros, "mapping": mapping}}
    made = Result("accelsim.run/1", {"model": {"name": "net"}, "arch": {"name": "chip"}, **options}, {}, [])
    assert render(run_blocks(made)).splitlines()[0] == "net on chip  (zeros z.csv, mapping m.yaml)"


@pytest.mark.parametrize("width", [80, 100, 140])
def test_the_report_fits_the_terminal_and_only_names_are_cut(width: int) -> None:
    name = "/encoder/layer.11/attention" + "/a/long/name" * 8
    wide, fitted = report([row(name)]), report([row(name)], width=width)
    assert max(map(len, fitted.splitlines())) <= width
    numbers = set(re.findall(r"\d+\.\d+ [kMG]", fitted))
    assert numbers <= set(re.findall(r"\d+\.\d+ [kMG]", wide))
    assert "…" in fitted
    assert name in wide


def test_no_name_of_a_file_reaches_the_terminal_as_a_control_code() -> None:
    assert "\x1b" not in report([row("evil\x1b[2Jname")], width=100)


def test_colours_come_only_where_they_are_asked_for() -> None:
    assert "\x1b[1m" in report([row("a")], width=100, colour=True)
    assert "\x1b" not in report([row("a")], width=100)


def test_columns_are_aligned() -> None:
    table = Table("", (Head("name", "left"), Head("n")), (("a", "1"), ("long", "1000")), n_foot=1)
    assert render([table, Lines(("end",))]).splitlines() == [
        "name     n",
        "----------",
        "a        1",
        "----------",
        "long  1000",
        "",
        "end",
    ]


def test_inspect_and_reuse_have_a_line_a_layer_and_a_total() -> None:
    shape = {"output_shape": [1, 64, 56, 56], "weight_bytes": 10, "input_bytes": 20, "output_bytes": 30}
    inputs = {"model": {"name": "net"}, "options": {}}
    rows = [
        {
            "layer": "conv1",
            "op": "Conv",
            "status": "costed",
            "macs": 600,
            **shape,
            "arithmetic_intensity": 10.0,
        }
    ]
    text = render(
        inspect_blocks(Result("accelsim.inspect/1", inputs, totals(rows), rows, ("fused bn1",)), True)
    )
    assert "1x64x56x56" in text
    assert "fused bn1" in text
    kinds = dict.fromkeys(("no_reuse", "convolutional", "image", "filter", "partial_sum", "all"), 2400)
    rows = [
        {"layer": "conv1", "op": "Conv", "status": "costed", "macs": 600, **kinds, "achieved": {"dram": 60}}
    ]
    text = render(reuse_blocks(Result("accelsim.reuse/1", inputs, totals(rows), rows)))
    # four accesses a MAC without reuse (design, `reuse`), 60 of 600 at DRAM
    assert re.search(r"^per MAC +4 +4 +4 +4 +4 +4 +0\.1$", text, re.MULTILINE)
