"""The points of a space are those of nested loops in Python, in their order, however they are cut."""

from __future__ import annotations

import itertools
import math
import pickle
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from support.space_files import space_of

from accelsim.base.errors import InputError
from accelsim.explore.sweep import Space
from accelsim.explore.sweep.points import digits_of, index_of

NAMES = ("batch", "mp", "dp", "threads")
FUNCTIONS: dict[str, Any] = {"min": min, "max": max, "ceil": math.ceil, "floor": math.floor}


def numbers(depth: int = 2) -> st.SearchStrategy[str]:
    """Texts of expressions that divide by what is at least 1."""
    leaves = st.sampled_from(NAMES) | st.integers(1, 9).map(str)
    if depth == 0:
        return leaves
    below = numbers(depth - 1)
    return (
        leaves
        | st.builds("({} {} {})".format, below, st.sampled_from("+-*"), below)
        | st.builds("({} {} {})".format, below, st.sampled_from(["/", "//", "%"]), leaves)
        | st.builds("{}({}, {})".format, st.sampled_from(["min", "max"]), below, below)
        | st.builds("{}({})".format, st.sampled_from(["ceil", "floor"]), below)
        | st.builds("(-{})".format, below)
    )


def named() -> st.SearchStrategy[str]:
    return numbers().filter(lambda text: any(name in text for name in NAMES))


def truths() -> st.SearchStrategy[str]:
    signs = st.sampled_from(["<", "<=", ">", ">=", "==", "!="])
    compared = st.builds("({} {} {})".format, named(), signs, numbers())
    texts = st.sampled_from(["dataflow == 'ws'", "dataflow in ['os', 'is']", "dataflow != 'is'"])
    one = compared | texts
    return (
        one
        | st.builds("{} {} {}".format, one, st.sampled_from(["and", "or"]), one)
        | st.builds("not {}".format, one)
    )


@st.composite
def spaces(draw: st.DrawFn) -> dict[str, Any]:
    values = st.lists(st.integers(1, 40), min_size=1, max_size=4, unique=True)
    names = draw(st.permutations([*NAMES, "dataflow"]))
    flows = st.lists(st.sampled_from(["ws", "os", "is"]), min_size=3, max_size=3, unique=True)
    vary: dict[str, Any] = {name: draw(flows if name == "dataflow" else values) for name in names}
    derived = {
        "array.rows": f"max(1, min(4096, floor({draw(named())})))",
        "array.cols": f"max(array.rows // 2, 1) if {draw(truths())} else 7",
        "dram.bandwidth.value": f"max({draw(named())}, 1) * 1 GB/s",
    }
    return {"vary": vary, "derived": derived, "where": draw(st.lists(truths(), max_size=3))}


def python_of(text: str) -> str:
    return text.replace("1 GB/s", "1e9").replace("array.rows", "array_rows")


def brute_force(case: dict[str, Any]) -> list[dict[str, Any]]:
    """Every point by nested loops, each expression evaluated by Python itself."""
    found = []
    levels = [v if name == "dataflow" else sorted(v) for name, v in case["vary"].items()]
    for index, values in enumerate(itertools.product(*levels)):
        row: dict[str, Any] = dict(zip(case["vary"], values, strict=True))
        for name, text in case["derived"].items():
            row[name.replace(".", "_")] = eval(python_of(text), FUNCTIONS, row)
        if all(eval(python_of(text), FUNCTIONS, row) for text in case["where"]):
            found.append({"index": index, **row})
    return found


def file_of(case: dict[str, Any]) -> str:
    lines = ["method: split", "vary:"]
    lines += [f"  {name}: {values}".replace("'", "") for name, values in case["vary"].items()]
    lines += [f'  {name}: "{text}"' for name, text in case["derived"].items()]
    lines += ["where:", *(f'  - "{text}"' for text in case["where"])] if case["where"] else []
    return "\n".join(lines) + "\n"


def rows_of(space: Space, start: int, stop: int) -> list[dict[str, Any]]:
    points = space.points(start, stop)
    rows = [{"index": int(points.index[i]), **points.row(i)} for i in range(len(points))]
    return [{name.replace(".", "_"): v for name, v in row.items() if name != "network"} for row in rows]


@given(case=spaces(), cuts=st.lists(st.integers(0, 800), max_size=3))
@settings(max_examples=30, deadline=None)
def test_points_are_those_of_nested_loops_and_slices_join_to_the_whole(
    case: dict[str, Any], cuts: list[int]
) -> None:
    expected = brute_force(case)
    with tempfile.TemporaryDirectory() as folder:
        try:
            space = space_of(Path(folder), file_of(case))
        except InputError as error:
            said = "; ".join(problem.message for problem in error.problems)
            assert "no point of" in said
            assert expected == []
            return
    whole = rows_of(space, 0, space.n_raw)
    assert space.n_raw == math.prod(len(values) for values in case["vary"].values())
    assert whole == expected
    assert space.count() == len(expected)
    ends = sorted([0, space.n_raw, *cuts])
    assert [row for pair in itertools.pairwise(ends) for row in rows_of(space, *pair)] == expected
    assert rows_of(pickle.loads(pickle.dumps(space)), 0, space.n_raw) == expected


@given(shape=st.lists(st.integers(1, 6), min_size=1, max_size=5))
@settings(max_examples=40, deadline=None)
def test_numbers_of_combinations_count_with_the_last_variable_fastest(shape: list[int]) -> None:
    index = np.arange(math.prod(shape), dtype=np.int64)
    digits = digits_of(index, shape)
    assert list(zip(*(digit.tolist() for digit in digits), strict=True)) == [
        *itertools.product(*map(range, shape))
    ]
    assert index_of(digits, shape).tolist() == index.tolist()


def test_whole_quotients_are_whole_numbers_in_every_chunk(tmp_path: Path) -> None:
    space = space_of(
        tmp_path, "vary: {batch: [1, 2, 3], array.rows: '8..64 step x2', array.cols: 4096 / array.rows}"
    )
    for start in range(space.n_raw):
        column = space.points(start, start + 1).columns["array.cols"]
        assert column.dtype == np.int64
    assert space.points(0, 4).columns["array.cols"].tolist() == [512, 256, 128, 64]


def test_a_quotient_need_be_whole_only_where_the_constraints_hold(tmp_path: Path) -> None:
    text = (
        "vary: {array.rows: '8..64 step 8', array.cols: 4096 / array.rows}\nwhere: 4096 % array.rows == 0\n"
    )
    assert space_of(tmp_path, text).points(0, 8).columns["array.cols"].tolist() == [512, 256, 128, 64]


def test_texts_are_codes_with_labels(tmp_path: Path) -> None:
    points = space_of(tmp_path, "vary: {dataflow: [ws, os], batch: [1, 2]}").points(0, 4)
    assert points.columns["dataflow"].tolist() == [0, 0, 1, 1]
    assert points.text("dataflow").tolist() == ["ws", "ws", "os", "os"]
    assert points.row(2) == {"network": "resnet50", "dataflow": "os", "batch": 1}
    assert points.take(points.columns["batch"] == 2).text("dataflow").tolist() == ["ws", "os"]


def test_networks_are_the_slowest_variable_unless_vary_places_them(tmp_path: Path) -> None:
    text = "networks: [resnet50, alexnet]\n"
    first = (tmp_path / "a.yaml", "vary: {batch: [1, 2]}\n" + text)
    last = (tmp_path / "b.yaml", "vary: {batch: [1, 2], network: [resnet50, alexnet]}\n")
    from accelsim.explore.sweep import read_space

    head = "schema: accelsim.space/1\nname: n\narch: systolic_32x32\n"
    orders = []
    for path, body in (first, last):
        path.write_text(head + body, encoding="utf-8")
        orders.append(read_space(path).points(0, 4).text("network").tolist())
    assert orders == [["resnet50", "resnet50", "alexnet", "alexnet"], ["resnet50", "alexnet"] * 2]


def test_a_choice_sets_several_keys_on_one_axis(tmp_path: Path) -> None:
    low, high = "{mac.bits: 8, sram.size: 64 KiB}", "{mac.bits: 16, sram.size: 1 MiB}"
    text = f"vary:\n  precision:\n    low: {low}\n    high: {high}\n"
    space = space_of(tmp_path, text + "  batch: [1, 2]\n")
    assert space.n_raw == 4
    points = space.points(0, 4)
    assert points.columns["mac.bits"].tolist() == [8, 8, 16, 16]
    assert points.columns["sram.size"].tolist() == [65536, 65536, 2**20, 2**20]
    assert space.machine_sets(points.row(3)) == ("mac.bits=16", "sram.size=1 MiB")


def test_settings_of_a_point_make_its_machine(tmp_path: Path) -> None:
    import accelsim

    text = """vary:
  array.rows: [48]
  sram.size: [96 KiB]
  dram.bandwidth.value: [12.8 GB/s]
  clock: [333 MHz]
  mac.energy.value: [0.1 pJ]
  dataflow: os
  cores: 4
  batch: 2
"""
    space = space_of(tmp_path, text)
    row = space.points(0, 1).row(0)
    arch = accelsim.arch(space.arch, space.machine_sets(row))
    assert arch.dataflow == "os"
    assert arch.spec.core.count == 4
    assert arch.spec.core.array.rows == 48
    assert arch.spec.clock.value == row["clock"] == 333e6
    assert arch.spec.memories[0].bandwidth is not None
    assert arch.spec.memories[0].bandwidth.value is not None
    assert arch.spec.memories[0].bandwidth.value.value == row["dram.bandwidth.value"] == 12.8e9
    assert space.run_options(row) == {"network": "resnet50", "batch": 2}


def test_constraints_on_metrics_wait_for_the_metrics(tmp_path: Path) -> None:
    where = "where: ['area <= 50 mm2', 'energy_j <= 2 and latency_s <= 1 ms', \"dataflow == 'os'\"]\n"
    space = space_of(tmp_path, "vary: {dataflow: [ws, os], batch: [1, 2, 3]}\n" + where)
    points = space.points(0, 6)
    assert len(points) == 3
    metrics = {
        "area_mm2": np.array([50.0, 50.1, np.nan]),
        "energy_j": np.array([2.0, 1.0, 1.0]),
        "latency_s": np.array([1e-3, 1e-4, 1e-4]),
    }
    broken = space.broken({**points.columns, **metrics}).tolist()
    assert broken == ["", "area <= 50 mm2", "area <= 50 mm2"]
    metrics |= {"area_mm2": np.ones(3), "energy_j": np.array([2.0, 2.1, np.nan])}
    assert space.broken({**points.columns, **metrics}).tolist() == [
        "",
        *["energy_j <= 2 and latency_s <= 1 ms"] * 2,
    ]
