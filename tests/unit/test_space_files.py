"""What is wrong with a space file is told with its line and key, all of it at once."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.space_files import problems_of, space_of, written

from accelsim.base.errors import InputError
from accelsim.explore.sweep import read_space
from accelsim.explore.sweep.schema import json_schema

ROWS = "vary:\n  array.rows: [8, 16]\n"


@pytest.mark.parametrize(
    ("text", "line", "key", "said"),
    [
        ("vary:\n  array.row: [8]\n", 6, "vary.array.row", "no such setting in systolic_32x32 (did you mean"),
        ("vary:\n  size: [8 KiB]\n", 6, "vary.size", "could be any of"),
        (
            "vary:\n  array.rows: [8]\n  core.array.rows: [9]\n",
            7,
            "vary.core.array.rows",
            "which array.rows sets",
        ),
        ("vary:\n  sram.size: [64]\n", 6, "vary.sram.size", "64 has no unit, expected a size such as"),
        ("vary:\n  sram.size: [64 KIB]\n", 6, "vary.sram.size.0", "unknown unit 'KIB'"),
        ("vary:\n  sram.size: [1 GB/s]\n", 6, "vary.sram.size", "is a bandwidth"),
        ("vary:\n  array.rows: [8, 8.5]\n", 6, "vary.array.rows", "8.5 does not fit, expected whole"),
        ("vary:\n  array.rows: [8, 0]\n", 6, "vary.array.rows", "0 does not fit, expected at least 1"),
        ("vary:\n  array.rows: 8..256 step x1\n", 6, "vary.array.rows", "never ends"),
        ("vary:\n  array.rows: 256..8 step 8\n", 6, "vary.array.rows", "is empty"),
        ("vary:\n  array.rows:\n    - 8\n    - 8\n", 8, "vary.array.rows.1", "lists 8 twice"),
        ("vary:\n  dataflow: [ws, oss]\n", 6, "vary.dataflow", "did you mean 'os'?"),
        ("vary:\n  batch: [0]\n", 6, "vary.batch", "0 does not fit"),
        ("vary:\n  mp: [1]\n", 6, "vary.mp", "has no effect (method: split)"),
        ("vary:\n  array.rows: 2 * array.colz\n", 6, "vary.array.rows", "unknown name 'array.colz'"),
        ("vary:\n  array.rows: 2 *\n", 6, "vary.array.rows", "is no expression"),
        (
            "vary:\n  batch: [3]\n  array.rows: 8 / batch\n",
            7,
            "vary.array.rows",
            "is 2.66667 where batch = 3",
        ),
        ("vary:\n  batch: [1]\n  array.rows: 8 // (batch - 1)\n", 7, "vary.array.rows", "is no number where"),
        ("vary:\n  batch: [1]\n  array.rows: batch > 1\n", 7, "vary.array.rows", "is true or false"),
        ("vary:\n  batch: [1]\n  array.rows: batch * 1 B\n", 7, "vary.array.rows", "is in B"),
        ("vary:\n  array.rows: latency_s * 2\n", 6, "vary.array.rows", "known only after"),
        ("vary:\n  array.rows: array.rows + 1\n", 6, "vary.array.rows", "array.rows -> array.rows"),
        (
            "vary:\n  array.rows: 2 * array.cols\n  array.cols: array.rows\n",
            6,
            "vary.array.rows",
            "follows from it",
        ),
        (ROWS + "where: [array.rows]\n", 7, "where.0", "is neither true nor false"),
        (ROWS + "where: array.rows > 64\n", 7, "where", "no point of 2 combinations meets"),
        (ROWS + "where: [aray.rows > 1]\n", 7, "where.0", "did you mean 'array.rows'?"),
        (ROWS + "where: [area_mm2 <= 50 KiB]\n", 7, "where.0", "between a number in mm2 and a number in B"),
        (ROWS + "where: [sram.size <= 50]\n", 7, "where.0", "between a number in B and a plain number"),
        (ROWS + "where: [2 < 3]\n", 7, "where.0", "names no variable or metric"),
        (ROWS + "where: [7]\n", 7, "where.0", "is no constraint"),
        (ROWS + "method: closedform\n", 7, "method", "did you mean 'closed_form'?"),
        (ROWS + "objective: epd\n", 7, "objective", "did you mean 'edp'?"),
        (ROWS + "answers: {minimise: [latencys]}\n", 7, "answers.minimise.0", "did you mean 'latency_s'?"),
        (ROWS + "answers: {minimize: [latency_s]}\n", 7, "answers.minimize", "did you mean 'minimise'?"),
        (ROWS + "sample: {method: lsh, points: 4}\n", 7, "sample.method", "did you mean 'lhs'?"),
        (ROWS + "sample: {method: lhs}\n", 7, "sample", "has no points"),
        (ROWS + "varry: {}\n", 7, "varry", "unknown key (did you mean 'vary'?)"),
        ("vary: {}\n", 5, "vary", "varies nothing"),
        ("vary:\n  network: [alexnet]\n", 4, "networks", "given here and in vary.network"),
        (
            "vary:\n  p:\n    a: {mac.bits: 8}\n    b: {array.rows: 8}\n",
            7,
            "vary.p.a",
            "does not set array.rows",
        ),
    ],
)
def test_what_is_wrong_is_told_with_its_line_and_key(
    tmp_path: Path, text: str, line: int, key: str, said: str
) -> None:
    problems = problems_of(tmp_path, text)
    told = [problem for problem in problems if said in str(problem)]
    assert told, "\n".join(map(str, problems))
    assert (told[0].file, told[0].line, told[0].key) == (str(tmp_path / "space.yaml"), line, key)


def test_units_that_can_never_agree_get_no_hint_at_a_missing_one(tmp_path: Path) -> None:
    (said,) = map(str, problems_of(tmp_path, ROWS + "where: [latency <= 5 mm2]\n"))
    assert said.endswith("'<=' between a number in s and a number in mm2, expected one unit on both sides")
    (said,) = map(str, problems_of(tmp_path, ROWS + "where: [latency <= 5]\n"))
    assert said.endswith("(2 * 64 KiB, not 2 * 64)")


def test_everything_that_is_wrong_is_told_at_once(tmp_path: Path) -> None:
    text = """vary:
  array.row: [8]
  sram.size: [64 KIB]
  array.cols: 4 * nothing
  reg.size: clock
  clock: reg.size
where: [sram.size >= 4, 5]
method: none
"""
    problems = problems_of(tmp_path, text)
    assert [problem.line for problem in problems] == [6, 7, 8, 9, 11, 12]


def test_too_many_combinations_are_refused(tmp_path: Path) -> None:
    names = ("array.rows", "array.cols", "batch", "sram.size", "dram.size", "reg.size")
    texts = [
        f"  {name}: 1..1000 {'B' if 'size' in name else ''} step 1{' B' if 'size' in name else ''}"
        for name in names
    ]
    (problem,) = problems_of(tmp_path, "vary:\n" + "\n".join(texts) + "\n")
    assert "1,000,000,000,000,000,000 combinations" in str(problem)


def test_networks_and_architectures_have_to_exist(tmp_path: Path) -> None:
    networks = ("networks: resnet50", "networks: [resnet50, resnet51]")
    path = written(tmp_path, ROWS, ("systolic_32x32", "systolic_33x33"), networks)
    with pytest.raises(InputError) as caught:
        read_space(path)
    problems = caught.value.problems
    assert [(problem.line, problem.key) for problem in problems] == [(3, "arch"), (4, "networks.1")]
    assert all(problem.hint for problem in problems)


def test_files_beside_the_space_come_before_shipped_names(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text("schema: accelsim.arch/1\nextends: systolic_32x32\nname: mine\n")
    path = written(tmp_path, ROWS, ("systolic_32x32", "mine.yaml"))
    assert read_space(path).arch == str(tmp_path / "mine.yaml")


def test_a_fault_of_the_first_machine_is_told(tmp_path: Path) -> None:
    path = written(tmp_path, "vary: {core.count: [31, 33]}\n", ("systolic_32x32", "mlu100"))
    with pytest.raises(InputError, match=r"space.yaml:5.*31 cores don't divide into 4 clusters"):
        read_space(path)


def test_a_space_describes_itself_in_plain_data(tmp_path: Path) -> None:
    told = space_of(tmp_path, ROWS + "  array.cols: 2 * array.rows\nwhere: array.cols < 20\n").describe()
    assert told["n_raw"] == 2
    assert told["variables"][1] == {
        "name": "array.rows",
        "unit": "",
        "n_values": 2,
        "first": "8",
        "last": "16",
    }
    assert told["derived"] == [{"name": "array.cols", "unit": "", "expression": "2 * array.rows"}]
    assert told["constraints"] == [{"text": "array.cols < 20", "on_metrics": False}]


def test_the_schema_knows_every_key_that_the_reader_knows() -> None:
    from accelsim.explore.sweep.read import KEYS

    assert tuple(json_schema()["properties"]) == KEYS
