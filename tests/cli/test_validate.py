"""`accelsim validate` as a user calls it."""

from __future__ import annotations

import csv
import json
from pathlib import Path

from cli.conftest import Here

ROWS = "mp,dp,threads,batch,normalised_fps,runs\n1,1,1,1,1.0,yes\n1,4,8,16,{value},yes\n"


def test_rows_of_ones_own_are_held_against_the_model(here: Here, tmp_path: Path) -> None:
    (tmp_path / "own.csv").write_text(ROWS.format(value=29.0))
    done = here(
        "validate", "mlu100_heatmap", "--values", tmp_path / "own.csv", "--json", "-o", tmp_path / "out"
    )
    assert done.code == 0
    answer = done.json
    assert answer["schema"] == "accelsim.validate/1"
    assert [row["row"] for row in answer["comparisons"][:2]] == ["1 1 1 1", "1 4 8 16"]
    assert answer["comparisons"][0]["ours"] == 1.0
    assert answer["cases"][0]["passed"] is True
    assert {one["name"] for one in answer["cases"][0]["fitted"]} >= {"runtime.lock"}
    with (tmp_path / "out" / "comparisons.csv").open() as stream:
        assert len(list(csv.DictReader(stream))) == len(answer["comparisons"])
    assert json.loads((tmp_path / "out" / "result.json").read_text())["cases"] == answer["cases"]


def test_a_case_outside_its_tolerance_is_exit_code_one(here: Here, tmp_path: Path) -> None:
    (tmp_path / "own.csv").write_text(ROWS.format(value=290.0))
    done = here("validate", "mlu100_heatmap", "--values", tmp_path / "own.csv")
    assert done.code == 1
    assert "1 outside their tolerance: mlu100_heatmap" in done.out
    assert "OUTSIDE" in done.out


def test_an_unknown_case_is_one_line_and_exit_code_two(here: Here) -> None:
    done = here("validate", "mlu200")
    assert done.code == 2
    assert "no case 'mlu200'" in done.err
    assert not done.out
