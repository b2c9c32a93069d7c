"""Points of a space have the metrics of one run each, to the last digit, however many there are at once."""

from __future__ import annotations

import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import accelsim
from accelsim.base.errors import InfeasibleError, InputError
from accelsim.explore.split import split
from accelsim.explore.sweep.distinct import distinct
from accelsim.explore.sweep.evaluate import evaluator_of
from accelsim.explore.sweep.machines import ORDER
from accelsim.explore.sweep.read import read_space
from accelsim.explore.sweep.space import Answers, Space
from accelsim.explore.sweep.variables import Value, Variable
from accelsim.hardware.constants import total_area_mm2

ROWS = Variable("array.rows", (1, 7, 16, 40, 128), "", "core.array.rows")
COLS = Variable("array.cols", (3, 16, 33), "", "core.array.cols")
SIZE = Variable("sram.size", (2048, 40000, 2**18, 2**22), "B", "core.memories.sram.size")
PACE = Variable("dram.bandwidth.value", (1e9, 25.6e9), "B/s", "memories.dram.bandwidth.value")
FLOW = Variable("dataflow", ("ws", "os", "is"), "", "core.dataflow")
BATCH = Variable("batch", (1, 3), "")
CLOCK = Variable("clock", (7e8, 1e9), "Hz", "clock")


def space(*variables: Variable, arch: str = "systolic_32x32", method: str = "closed_form") -> Space:
    return Space(
        "test", "", arch, ("alexnet",), variables, (), (), method, "edp", Answers(), None, "space.yaml", ""
    )


def technology_arch(folder: Path) -> str:
    """The systolic array with energy and area from the tables of its process node."""
    (folder / "tech.yaml").write_text(
        "schema: accelsim.arch/1\nextends: systolic_32x32.yaml\nname: tech\n"
        "core:\n"
        "  array: {area: {value: 0.1 mm2, source: example}}\n"
        "  mac: {bits: 8, energy: {from: technology}, area: {from: technology}}\n"
        "  pe: {memories: {reg: {area: {value: 0.001 mm2, source: example}}}}\n"
        "  memories: {sram: {energy: {from: technology, width: 128}, area: {from: technology}}}\n"
    )
    return str(folder / "tech.yaml")


def assert_equal_to_runs(tested: Space, few: int) -> None:
    evaluate = evaluator_of(tested)
    points = tested.points(0, tested.n_raw)
    found = evaluate(points)
    assert tuple(found) == ORDER
    chosen = np.random.default_rng(3).choice(len(points), min(few, len(points)), replace=False)
    for i in chosen.tolist():
        row = points.row(i)
        machine = accelsim.arch(tested.arch, tested.machine_sets(row))
        batch = row.get("batch")
        graph = accelsim.load("alexnet", None if batch is None else int(batch))
        closed = tested.method == "closed_form"
        try:
            totals = accelsim.run(graph, machine, closed_form=closed, objective=tested.objective).totals
        except InfeasibleError:
            assert found["status"][i] == "infeasible"
            assert np.isnan(found["latency_s"][i])
            continue
        assert found["status"][i] == "ok", found["reason"][i]
        for name in ("latency_cycles", "latency_s", "utilization_frac", "macs"):
            assert found[name][i] == totals[name]
        assert found["energy_j"][i] == totals["energy_pj"] * 1e-12
        assert found["dram_bytes"][i] == totals["dram_read_bytes"] + totals["dram_write_bytes"]
        area = total_area_mm2(machine.spec)
        assert (area is None and np.isnan(found["area_mm2"][i])) or found["area_mm2"][i] == area


def test_points_of_the_closed_form_are_runs() -> None:
    assert_equal_to_runs(space(ROWS, COLS, SIZE, PACE, FLOW, BATCH), 25)


def test_settings_without_columns_of_their_own_are_runs_too() -> None:
    bits = Variable("mac.bits", (4, 8, 16), "", "core.mac.bits")
    fold = Variable("array.fold", ("sequential", "preload", "overlapped"), "", "core.array.fold")
    assert_equal_to_runs(space(bits, ROWS, fold, CLOCK, PACE), 25)


def test_a_space_file_gives_runs(tmp_path: Path) -> None:
    (tmp_path / "space.yaml").write_text(
        "schema: accelsim.space/1\nname: shapes\ndescription: of one number of PEs\narch: systolic_128x128\n"
        "networks: [alexnet]\nvary:\n  array.rows: 16..256 step x2\n  array.cols: 4096 // array.rows\n"
        "  dram.bandwidth: [25.6 GB/s, 100 GB/s]\n  sram.bandwidth.read: [64 B/cycle, 1 KB/cycle]\n"
        "  dataflow: [ws, os]\nmethod: closed_form\n"
    )
    tested = read_space(tmp_path / "space.yaml")
    assert len(evaluator_of(tested).direct) == 4  # type: ignore[attr-defined]
    assert_equal_to_runs(tested, 12)


def test_points_of_a_split_are_splits() -> None:
    mp, cores = Variable("mp", (1, 4), ""), Variable("core.count", (16, 32), "", "core.count")
    tested = replace(
        space(mp, BATCH, cores, arch="mlu100", method="split"), networks=("lenet",), objective="throughput"
    )
    points = tested.points(0, tested.n_raw)
    found = evaluator_of(tested)(points)
    for i in (0, 5):
        row = points.row(i)
        machine = accelsim.arch("mlu100", tested.machine_sets(row))
        best = split(
            accelsim.load("lenet"),
            machine,
            mp=int(row["mp"]),
            batch=int(row["batch"]),
            objective="throughput",
        ).best
        for name in ("throughput_fps", "latency_s", "energy_j"):
            assert found[name][i] == best[name]
        assert found["edp_js"][i] == best["energy_j"] * best["latency_s"]
        assert found["power_w"][i] == best["energy_j"] * best["throughput_fps"]
        assert found["macs"][i] == sum(layer.macs for layer in accelsim.load("lenet").layers)  # of an image


def test_energy_and_area_of_the_technology_follow_the_size(tmp_path: Path) -> None:
    tested = space(SIZE, ROWS, COLS, arch=technology_arch(tmp_path))
    assert_equal_to_runs(tested, 20)
    area = evaluator_of(tested)(tested.points(0, tested.n_raw))["area_mm2"]
    assert np.isfinite(area).all()
    assert len(np.unique(area)) == tested.n_raw


def test_points_of_the_search_are_runs() -> None:
    words = Variable("glb.size", (2**16, 2**17), "B", "core.memories.glb.size")
    assert_equal_to_runs(space(words, arch="eyeriss", method="dataflow"), 2)


def test_what_the_search_finds_no_mapping_for_is_infeasible() -> None:
    words = Variable("glb.size", (2**10, 2**17), "B", "core.memories.glb.size")
    tested = space(words, arch="eyeriss", method="dataflow")
    found = evaluator_of(tested)(tested.points(0, 2))
    assert found["status"].tolist() == ["infeasible", "ok"]
    assert "glb" in found["reason"][0] or "conv1" in found["reason"][0]
    assert np.isnan(found["energy_j"][0])


def test_a_chunk_does_not_change_its_points() -> None:
    tested = space(ROWS, COLS, SIZE, FLOW)
    evaluate = evaluator_of(tested)
    whole = evaluate(tested.points(0, tested.n_raw))
    parts = [evaluate(tested.points(at, at + 7)) for at in range(0, tested.n_raw, 7)]
    for name in ORDER:
        together = np.concatenate([part[name] for part in parts])
        assert np.array_equal(whole[name], together, equal_nan=together.dtype.kind == "f")


def test_an_evaluator_survives_the_way_to_another_process() -> None:
    tested = space(ROWS, FLOW)
    evaluate = evaluator_of(tested)
    again = pickle.loads(pickle.dumps(evaluate))
    points = tested.points(0, tested.n_raw)
    assert np.array_equal(evaluate(points)["energy_j"], again(points)["energy_j"])


def test_a_space_without_a_closed_form_is_refused() -> None:
    with pytest.raises(InputError, match="one of ws, os, is") as error:
        evaluator_of(space(ROWS, arch="eyeriss"))
    assert "method: dataflow" in str(error.value)


@pytest.mark.parametrize(("method", "line"), [("\nmethod: closed_form", 7), ("", 3)])
def test_what_closed_forms_lack_is_told_at_the_method_or_the_architecture(
    tmp_path: Path, method: str, line: int
) -> None:
    file = tmp_path / "space.yaml"
    head = "schema: accelsim.space/1\nname: x\narch: eyeriss\nnetworks: lenet\nvary:\n  array.rows: [8, 16]"
    file.write_text(head + method)
    with pytest.raises(InputError, match="no closed form") as error:
        evaluator_of(read_space(file))
    assert {(problem.file, problem.line) for problem in error.value.problems} == {(str(file), line)}


def test_what_is_no_machine_is_an_error_of_its_points() -> None:
    rows = replace(ROWS, values=(0, 8))
    bits = Variable("mac.bits", (8, 500), "", "core.mac.bits")
    tested = space(rows, bits)
    found = evaluator_of(tested)(tested.points(0, 4))
    assert found["status"].tolist() == ["error", "error", "ok", "error"]
    assert "mac.bits" in found["reason"][3]


def test_no_points_have_no_metrics() -> None:
    tested = space(ROWS, COLS)
    found = evaluator_of(tested)(tested.points(5, 5))
    assert all(len(column) == 0 for column in found.values())


def test_distinct_finds_each_combination_once() -> None:
    rng = np.random.default_rng(0)
    columns = [rng.integers(0, 4, 200), rng.choice([0.5, 2.5], 200), rng.integers(-3, 3, 200)]
    first, which = distinct(columns, 200)
    rows: list[tuple[Value, ...]] = list(zip(*(column.tolist() for column in columns), strict=True))
    assert len(first) == len(set(rows))
    for i, row in enumerate(rows):
        assert rows[first[which[i]]] == row
