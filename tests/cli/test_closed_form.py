"""`run --closed-form` in the tables, files and errors of every other run."""

from __future__ import annotations

import json
from pathlib import Path

from .conftest import Here

RUN = ("run", "lenet", "--arch", "systolic_32x32", "--closed-form")


def test_the_answer_has_the_columns_of_a_run_and_no_mapping(here: Here, tmp_path: Path) -> None:
    outcome = here(*RUN, "--dataflow", "os", "-o", tmp_path / "result", "--quiet")
    assert outcome.code == 0, outcome.err
    result = json.loads((tmp_path / "result" / "result.json").read_text())
    assert result["inputs"]["options"]["closed_form"] is True
    assert result["inputs"]["options"]["dataflow"] == "os"
    rows = [row for row in result["layers"] if row["macs"]]
    assert all(row["latency_cycles"] >= row["compute_bound_cycles"] for row in rows)
    assert all(
        row["dram_read_bytes"] + row["dram_write_bytes"] >= row["compulsory_dram_bytes"] for row in rows
    )
    assert not (tmp_path / "result" / "mapping.yaml").exists()


def test_the_table_is_printed(here: Here) -> None:
    outcome = here(*RUN)
    assert outcome.code == 0, outcome.err
    assert any(line.startswith("total") for line in outcome.out.splitlines())


def test_an_architecture_without_one_is_refused_with_what_is_needed(here: Here) -> None:
    outcome = here("run", "lenet", "--arch", "eyeriss", "--closed-form")
    assert outcome.code == 2
    assert "one of ws, os, is" in outcome.err
    assert "without --closed-form" in outcome.err


def test_an_sram_that_is_too_small_is_infeasible(here: Here) -> None:
    outcome = here(*RUN, "--set", "sram.size=100 B")
    assert outcome.code == 3
    assert "sram needs" in outcome.err


def test_a_mapping_beside_it_is_refused(here: Here) -> None:
    outcome = here(*RUN, "--mapping", "some.yaml")
    assert outcome.code == 2
    assert "leave --mapping out" in outcome.err
