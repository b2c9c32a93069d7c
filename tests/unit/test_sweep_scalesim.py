"""Sweeps by SCALE-Sim's rules: its own cycles, the totals of `run --compat scalesim`, and what is refused."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

import accelsim
from accelsim.base.errors import InputError
from accelsim.cli.app import execute
from accelsim.compat.scalesim.array import Products, array_cycles, products_of, sram_words
from accelsim.cost.systolic import Gemm
from accelsim.evidence.read import FOLDER, read_values
from accelsim.evidence.scalesim.model import work
from accelsim.explore.sweep.evaluate import evaluator_of
from accelsim.explore.sweep.machines import ORDER
from accelsim.explore.sweep.read import read_space

TEXT = """schema: accelsim.space/1
name: shapes
arch: systolic_32x32
networks: [two.csv]
vary:
  array.rows: [4, 9, 32]
  array.cols: [3, 16]
  dataflow: [os, ws, is]
compat: scalesim
"""
TWO = (
    "Layer name, IFMAP Height, IFMAP Width, Filter Height, Filter Width, Channels, Num Filter, Strides,\n"
    "wide, 9, 11, 3, 3, 4, 20, 2,\nagain, 9, 11, 3, 3, 4, 20, 2,\nflat, 5, 5, 1, 1, 6, 7, 1,\n"
)


def write(folder: Path, text: str = TEXT) -> Path:
    (folder / "two.csv").write_text(TWO)
    (folder / "space.yaml").write_text(text)
    return folder / "space.yaml"


def test_cycles_and_words_are_those_of_scalesims_own_runs() -> None:
    rows = [row for row in read_values(FOLDER / "scalesim" / "values.csv") if row["mode"] == "CALC"]
    assert len(rows) > 100
    for row in rows:
        one = work(row)
        gemm = Gemm(*(np.array([extent], np.int64) for extent in (one.m, one.n, one.k, 1)))
        products = Products(gemm, np.ones(1, np.int64), 0)
        array = (np.array([int(row["array_rows"])]), np.array([int(row["array_cols"])]), row["dataflow"])
        assert array_cycles(products, *array) - 1 == int(row["total_cycles"])
        counted = ("sram_ifmap_reads", "sram_filter_reads", "sram_ofmap_writes")
        assert sram_words(products, *array) == sum(int(row[name]) for name in counted)


def test_points_are_the_totals_of_run_compat_scalesim(tmp_path: Path) -> None:
    space = read_space(write(tmp_path))
    points = space.points(0, space.n_raw)
    found = evaluator_of(space)(points)
    assert tuple(found) == ORDER
    graph = accelsim.load(str(tmp_path / "two.csv"))
    assert products_of(graph).times.tolist() == [2, 1]
    for i in range(len(points)):
        machine = accelsim.arch("systolic_32x32", space.machine_sets(points.row(i)))
        result = accelsim.run(graph, machine, compat="scalesim")
        for name in ("latency_cycles", "latency_s", "utilization_frac", "macs"):
            assert found[name][i] == result.totals[name]
        reports = [row["scalesim"] for row in result.rows]
        words = sum(value for row in reports for name, value in row.items() if name in SRAM_WORDS)
        assert found["sram_bytes"][i] == words
    assert (found["status"] == "ok").all()
    for name in ("energy_j", "power_w", "dram_bytes"):
        assert np.isnan(found[name]).all()


SRAM_WORDS = ("sram_ifmap_reads", "sram_filter_reads", "sram_ofmap_writes")


def test_the_option_is_the_key(tmp_path: Path) -> None:
    plain = TEXT.replace("compat: scalesim\n", "") + "answers: {minimise: [latency_s]}\n"
    file = write(tmp_path, plain)
    assert read_space(file, compat="scalesim").compat == "scalesim"
    kept = tmp_path / "out"
    command = ["sweep", str(file), "-o", str(kept), "--format", "csv", "-q"]
    assert execute([*command, "--compat", "scalesim"]) == 0
    with next((kept / "points").glob("*.csv")).open() as stream:
        assert {row["energy_j"] for row in csv.DictReader(stream)} == {"nan"}
    assert execute([*command, "--resume"]) == 2  # its points are another model's


@pytest.mark.parametrize(
    ("old", "new", "line", "message"),
    [
        ("compat: scalesim", "compat: scalsim", 9, "no compat 'scalsim', expected one of scalesim"),
        ("compat: scalesim", "compat: scalesim\nmethod: dataflow", 10, "'dataflow' has no compat: scalesim"),
        (
            "compat: scalesim",
            "compat: scalesim\nanswers: {minimise: [energy_j]}",
            10,
            "energy_j: compat: scalesim does not give it",
        ),
        (
            "compat: scalesim",
            "compat: scalesim\nwhere: dram_bytes <= 1 MB",
            10,
            "dram_bytes: compat: scalesim does not give it",
        ),
    ],
)
def test_what_scalesim_does_not_give_is_refused_with_its_line(
    tmp_path: Path, old: str, new: str, line: int, message: str
) -> None:
    file = write(tmp_path, TEXT.replace(old, new))
    with pytest.raises(InputError, match=message) as caught:
        read_space(file)
    assert caught.value.problems[0].line == line


def test_a_network_without_a_form_there_says_why(tmp_path: Path) -> None:
    space = read_space(write(tmp_path, TEXT.replace("two.csv", "alexnet")))
    found = evaluator_of(space)(space.points(0, 2))
    assert set(found["status"]) == {"error"}
    assert "has 2 groups" in found["reason"][0]
