"""Every kind of bad architecture file gives messages with their place and remedy, and nothing else."""

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml

from accelsim.base.errors import InputError, Problem
from accelsim.hardware import load_arch

GOOD = """\
schema: accelsim.arch/1
name: tiny
description: a machine for tests
clock: 1 GHz
technology: 45nm
core:
  dataflow: [ws, os]
  array: {rows: 4, cols: 8, fold: sequential}
  mac: {bits: 8, energy: {value: 0.3 pJ, source: a table}}
  memories:
    - name: glb
      size: 64 KiB
      bandwidth: {value: 64 B/cycle, source: a guess}
      energy: {read: 1 pJ/B, write: 2 pJ/B, source: a table}
memories:
  - name: dram
    bandwidth: {value: 25.6 GB/s, source: a standard}
    energy: {read: 160 pJ/B, write: 160 pJ/B, source: a table}
activations: dram
"""


def problems(tmp_path: Path, text: str | bytes, **options: Any) -> tuple[Problem, ...]:
    path = tmp_path / "a.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(InputError) as caught:
        load_arch(str(path), **options)
    assert caught.value.exit_code == 2
    return caught.value.problems


def only(tmp_path: Path, old: str, new: str) -> Problem:
    assert old in GOOD
    (problem,) = problems(tmp_path, GOOD.replace(old, new))
    assert problem.file == str(tmp_path / "a.yaml")
    assert problem.line is not None
    return problem


def test_the_file_that_the_others_are_made_of_is_good(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text(GOOD)
    assert load_arch(str(path)).name == "tiny"


def test_a_misspelt_key_is_placed_and_mended(tmp_path: Path) -> None:
    found = only(tmp_path, "fold: sequential", "fold: sequential, redcue: true")
    assert (found.line, found.column, found.key) == (8, 47, "core.array.redcue")
    assert found.hint == "did you mean 'reduce'?"


def test_a_key_like_no_other_gets_the_list_of_keys(tmp_path: Path) -> None:
    found = only(tmp_path, "fold: sequential", "fold: sequential, zzz: 1")
    assert "rows, cols, fold" in (found.expected or "")


def test_a_wrong_unit_says_what_it_is_and_what_is_wanted(tmp_path: Path) -> None:
    found = only(tmp_path, "64 KiB", "3 GHz")
    assert (found.line, found.column, found.key) == (12, 13, "core.memories.glb.size")
    assert "is a frequency" in found.message
    assert "a size" in (found.expected or "")


def test_a_bare_number_is_no_size(tmp_path: Path) -> None:
    assert "has no unit" in only(tmp_path, "64 KiB", "65536").message


def test_a_negative_energy_is_refused(tmp_path: Path) -> None:
    found = only(tmp_path, "0.3 pJ", "-0.3 pJ")
    assert "is negative" in found.message
    assert found.key == "core.mac.energy.value"


@pytest.mark.parametrize(
    ("old", "key"),
    [
        ("value: 0.3 pJ, source: a table", "core.mac.energy.source"),
        ("value: 64 B/cycle, source: a guess", "core.memories.glb.bandwidth.source"),
        ("read: 160 pJ/B, write: 160 pJ/B, source: a table", "memories.dram.energy.source"),
    ],
)
def test_a_missing_source_is_refused(tmp_path: Path, old: str, key: str) -> None:
    found = only(tmp_path, old, old.rpartition(",")[0])
    assert (found.key, found.message) == (key, "is missing")
    assert "source:" in (found.expected or "")


def test_an_empty_source_is_no_source(tmp_path: Path) -> None:
    assert only(tmp_path, "source: a guess", "source: ''").key == "core.memories.glb.bandwidth.source"


def test_a_constant_without_braces_says_what_belongs_there(tmp_path: Path) -> None:
    found = only(tmp_path, "{value: 64 B/cycle, source: a guess}", "64 B/cycle")
    assert "source, value" in (found.expected or "")


def test_a_duplicate_key_is_refused(tmp_path: Path) -> None:
    found = only(tmp_path, "clock: 1 GHz", "clock: 1 GHz\nclock: 2 GHz")
    assert "duplicate key" in found.message
    assert found.line == 5


def test_all_that_is_wrong_is_told_at_once(tmp_path: Path) -> None:
    text = GOOD.replace("1 GHz", "1 pF").replace("rows: 4", "rows: 0").replace("[ws, os]", "[wss, os]")
    found = problems(tmp_path, text.replace("activations: dram", ""))
    assert [p.key for p in found] == ["activations", "clock", "core.dataflow.0", "core.array.rows"]
    assert [p.line for p in found] == [1, 4, 7, 8]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("name: dram", "name: ddr", "is 'ddr'"),
        ("name: glb", "name: dram", "a second memory 'dram'"),
        ("      size: 64 KiB\n", "", "has no size"),
        ("      bandwidth: {value: 64 B/cycle, source: a guess}\n", "", "has no bandwidth"),
        ("value: 64 B/cycle,", "read: 64 B/cycle,", "has read"),
        ("activations: dram", "activations: gbl", "no memory 'gbl'"),
        ("activations: dram", "activations: {home: glb, reserve: 25%}", "without a source"),
        ("[ws, os]", "[ws, ws]", "twice"),
        ("  dataflow:", "  count: 6\n  dataflow:", "6 cores don't divide into 4 clusters"),
        ("name: glb", "name: mac", "something else"),
        ("name: dram", "name: dram\n    holds: [I, O]", "without a home"),
        ("activations: dram", "activations: dram\nper_dataflow: {rs: {glb.size: 1 B}}", "does not list 'rs'"),
        ("activations: dram", "activations: dram\nper_dataflow: {os: {glb.siz: 1 B}}", "no such setting"),
    ],
)
def test_what_contradicts_itself_is_refused(tmp_path: Path, old: str, new: str, message: str) -> None:
    clusters = (
        "clusters: {count: 4, cores: 2, channel: {bandwidth: {value: 1 GB/s, source: a guess}}}\n"
        if "count: 6" in new
        else ""
    )
    found = problems(tmp_path, GOOD.replace(old, new) + clusters)
    assert any(message in problem.message for problem in found), [str(problem) for problem in found]
    assert all(problem.line is not None for problem in found)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   \n",
        "just text",
        "- a\n- b\n",
        "7",
        "[" * 200_000,
        "a: &x [*x]",
        "a: *b",
        b"\xff\xfe\x00",
        "schema: accelsim.arch/2\n",
        "extends: nothing_of_this_name\n",
        "extends: a.yaml\n",
        "extends: [1]\n",
    ],
)
def test_a_file_that_is_no_architecture_is_an_input_error(tmp_path: Path, text: str | bytes) -> None:
    assert problems(tmp_path, text)


def test_files_that_extend_each_other_are_refused_with_the_chain(tmp_path: Path) -> None:
    (tmp_path / "b.yaml").write_text("extends: a.yaml\n")
    (found,) = problems(tmp_path, "name: x\nextends: b.yaml\n")
    assert "a.yaml -> b.yaml -> a.yaml" in found.message


def test_description_fold_and_links_may_be_left_out(tmp_path: Path) -> None:
    """The design's example of section 4 gives rows and columns alone."""
    path = tmp_path / "a.yaml"
    path.write_text(GOOD.replace(", fold: sequential", "").replace("description: a machine for tests\n", ""))
    arch = load_arch(str(path))
    machine = arch.machine()
    assert arch.description == ""
    assert machine.fold == "broadcast"
    assert machine.multicast.tolist() == [True, True, False]  # I, W, O
    assert machine.reduce


ODD: list[Any] = [None, [], {}, -1, 1.5, float("nan"), "", "x", True, 10**30, [1], {"a": 1}, "1 B", "0 Hz"]


def _places(data: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    children = data.items() if isinstance(data, dict) else enumerate(data if isinstance(data, list) else ())
    return [path, *(place for key, value in children for place in _places(value, (*path, key)))]


def test_no_value_in_any_place_gives_anything_but_an_input_error(tmp_path: Path) -> None:
    good = yaml.safe_load(GOOD)
    path = tmp_path / "odd.yaml"
    refused: list[InputError] = []
    for number, place in enumerate(_places(good)[1:]):
        for odd in ODD[number % 3 :: 3]:
            data = copy.deepcopy(good)
            target = data
            for key in place[:-1]:
                target = target[key]
            target[place[-1]] = odd
            path.write_text(yaml.safe_dump(data))
            try:
                load_arch(str(path)).machine()
            except InputError as error:
                refused.append(error)
    assert len(refused) > 150
    assert all(len(str(problem)) < 600 for error in refused for problem in error.problems)
