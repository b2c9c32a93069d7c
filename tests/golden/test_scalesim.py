"""SCALE-Sim 3.0.0's reports, to the digit: its runs as evidence, its walk over the folds elsewhere."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import accelsim
from accelsim import flow
from accelsim.base.errors import InputError
from accelsim.compat.scalesim import COLUMNS, Setup, Work, simulate_layer, unsupported, work_of
from accelsim.compat.scalesim.compute import compute_report
from accelsim.compat.scalesim.folds import Folds
from accelsim.evidence.read import read_case
from accelsim.evidence.scalesim.model import predict
from accelsim.tables.dims import DIMS
from accelsim.workload.layer import Layer, Window

HERE = Path(__file__).parent / "scalesim"
CASE = read_case("scalesim")
CHECKED = tuple(check.quantity for check in CASE.checks)
with (HERE / "runs.csv").open(encoding="utf-8") as file:
    RUNS = list(csv.DictReader(line for line in file if not line.startswith("#")))


def test_evidence_has_both_modes_all_dataflows_and_stalled_runs() -> None:
    assert len(CASE.rows) == 270
    assert {row["dataflow"] for row in CASE.rows} == {"os", "ws", "is"}
    assert {row["mode"] for row in CASE.rows} == {"CALC", "USER"}
    assert sum(row["stall_cycles"] != "0" for row in CASE.rows) == 27
    inputs = {*CASE.key, "filter_sram_kb", "ofmap_sram_kb", "kind", "M", "N", "K"}
    inputs |= {"ifmap_h", "ifmap_w", "filt_h", "filt_w", "channels", "num_filters", "stride"}
    assert set(CHECKED) == set(CASE.rows[0]) - inputs, "every column of theirs is checked"


def test_every_column_of_every_row_is_equal() -> None:
    found = predict([dict(row) for row in CASE.rows])
    theirs = [{name: float(row[name]) for name in CHECKED} for row in CASE.rows]
    assert [{name: row[name] for name in CHECKED} for row in found] == theirs


@pytest.mark.parametrize(
    "row", RUNS, ids=lambda r: "-".join(r[k] for k in ("mode", "dataflow", "stall_cycles"))
)
def test_every_column_of_a_random_run_is_equal(row: dict[str, str]) -> None:
    layer = ("height", "width", "filter_rows", "filter_cols", "channels", "filters", "stride", "stride")
    sizes = {
        name: int(text)
        for name, text in row.items()
        if name.endswith(("_kb", "_bandwidth")) and "am_" not in name
    }
    setup = Setup(int(row["rows"]), int(row["cols"]), row["dataflow"], mode=row["mode"], **sizes)  # type: ignore[arg-type]
    found = simulate_layer(Work("run", *(int(row[name]) for name in layer)), setup)
    assert {name: found[name] for name in COLUMNS} == {name: float(row[name]) for name in COLUMNS}


def test_random_runs_have_both_modes_and_stalls_in_each_dataflow() -> None:
    stalled = [row["dataflow"] for row in RUNS if row["stall_cycles"] != "0"]
    assert len(stalled) >= 12
    assert set(stalled) == {"os", "ws", "is"}
    assert {row["mode"] for row in RUNS} == {"CALC", "USER"}


@pytest.mark.parametrize("name", ["conv_user", "gemm_calc"])
def test_reports_are_those_of_scalesim_byte_for_byte(name: str, tmp_path: Path) -> None:
    graph = accelsim.load(HERE / name / "topology.csv")
    result = flow.run(graph, flow.scale_config(HERE / name / "scale.cfg"), compat="scalesim")
    result.save(tmp_path / "out")
    for theirs in sorted((HERE / name).glob("*_REPORT.csv")):
        assert (tmp_path / "out" / theirs.name).read_bytes() == theirs.read_bytes()
    assert len(list((tmp_path / "out").glob("*_REPORT.csv"))) == 3


def layer(name: str = "l", windows: tuple[Window, Window, Window] | None = None, **extents: int) -> Layer:
    dims = tuple(extents.get(dim, 1) for dim in DIMS)
    return Layer(name, "Conv", "array", dims=dims, windows=windows or (Window(), Window(), Window()))


def walk(m: int, n: int, k: int, rows: int, cols: int, dataflow: str) -> dict[str, float]:
    """SCALE-Sim's loop over folds, literally: what it counts and averages in each of them."""
    on_rows, on_cols, steps = {"os": (m, n, k), "ws": (k, n, m), "is": (k, m, n)}[dataflow]
    eff_sum, util_sum, n_folds = 0.0, 0.0, 0
    reads_i = reads_w = writes = lines = 0
    for col in range(0, on_cols, cols):
        for row in range(0, on_rows, rows):
            used_rows, used_cols = min(rows, on_rows - row), min(cols, on_cols - col)
            # height and width of the matrix of demands that it divides by
            if dataflow == "os":
                height, width = steps - 1 + rows, cols
                lines += height + width - 1
                reads_i += steps * used_rows
                reads_w += steps * used_cols
                writes += used_rows * used_cols + rows + cols
            else:
                height, width = rows + (rows + cols + steps - 2), cols
                lines += height
                reads_i += steps * used_rows if dataflow == "ws" else used_rows * used_cols
                reads_w += steps * used_rows if dataflow == "is" else used_rows * used_cols
                writes += steps * used_cols
            eff_sum += used_rows * used_cols / (rows * cols)
            util_sum += used_rows * used_cols * steps / (rows * cols * (height + width - 1))
            n_folds += 1
    return {
        "compute_cycles": lines,
        "total_cycles": lines - 1,
        "mapping_eff": eff_sum / n_folds * 100,
        "compute_util": util_sum / n_folds * 100,
        "sram_ifmap_reads": reads_i,
        "sram_filter_reads": reads_w,
        "sram_ofmap_writes": writes,
    }


@settings(max_examples=150, deadline=None, derandomize=True)
@given(
    m=st.integers(1, 300),
    n=st.integers(1, 90),
    k=st.integers(1, 90),
    array=st.sampled_from([(1, 1), (1, 7), (3, 5), (4, 4), (9, 2), (32, 32), (128, 8), (8, 128)]),
    dataflow=st.sampled_from(["os", "ws", "is"]),
)
def test_averages_are_those_of_a_sum_fold_by_fold_on_any_array(
    m: int, n: int, k: int, array: tuple[int, int], dataflow: str
) -> None:
    expected = walk(m, n, k, *array, dataflow)
    found = compute_report(Folds(m, n, k, *array, dataflow), int(expected["total_cycles"]), 0)
    assert {key: found[key] for key in expected} == expected
    if found["total_cycles"]:
        assert found["overall_util"] == m * n * k * 100 / (expected["total_cycles"] * array[0] * array[1])


def test_average_over_more_folds_than_a_chunk_is_still_that_of_a_sum_fold_by_fold(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("accelsim.compat.scalesim.compute.CHUNK", 7)
    expected = walk(61, 50, 13, 3, 7, "os")
    found = compute_report(Folds(61, 50, 13, 3, 7, "os"), int(expected["total_cycles"]), 0)
    assert {key: found[key] for key in expected} == expected


def test_average_over_too_many_folds_for_scalesim_is_the_exact_mean(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("accelsim.compat.scalesim.compute.MAX_EXACT_FOLDS", 1)
    expected = walk(61, 50, 13, 3, 7, "os")
    found = compute_report(Folds(61, 50, 13, 3, 7, "os"), int(expected["total_cycles"]), 0)
    for column in ("mapping_eff", "compute_util"):
        assert found[column] == pytest.approx(expected[column], rel=1e-12)


def test_one_cycle_run_has_no_utilisation_where_scalesim_divides_by_zero() -> None:
    found = simulate_layer(Work("l", 1, 1, 1, 1, 1, 1), Setup(1, 1, "os", 64, 64, 64))
    assert (found["compute_cycles"], found["total_cycles"], found["overall_util"]) == (1, 0, None)


def test_two_buffers_that_fill_up_in_one_cycle_are_refused_where_scalesim_divides_by_zero() -> None:
    with pytest.raises(InputError, match="SCALE-Sim divides by zero"):
        simulate_layer(Work("l", 1, 1, 1, 1, 1, 1500), Setup(1, 1500, "ws", 1, 1, 1))


@pytest.mark.parametrize(("extents", "why"), [({"N": 2}, "batch is 2"), ({"G": 3}, "3 groups")])
def test_batch_and_groups_are_refused_with_the_layers_name(extents: dict[str, int], why: str) -> None:
    problem = unsupported(layer("conv7", **extents))
    assert f"{why}" in str(problem)
    assert "layer conv7: " in str(problem)


def test_wrong_dataflow_and_empty_array_are_told_together() -> None:
    with pytest.raises(InputError) as error:
        simulate_layer(Work("l", 1, 1, 1, 1, 1, 1), Setup(0, 8, "rs", 64, 64, 64))
    assert [problem.key for problem in error.value.problems] == ["dataflow", "array"]


def test_operators_without_a_matrix_product_are_refused() -> None:
    assert "Relu is no convolution" in str(unsupported(Layer("r", "Relu", "vector")))


def test_a_padded_map_is_given_with_its_padding_and_an_unused_edge_is_left_out() -> None:
    padded = (Window(1, 1, 1, 14), Window(2, 1, 1, 14), Window())
    work = work_of(layer(windows=padded, P=14, Q=7, R=3, S=3, C=8, K=4))
    assert (work.height, work.width, work.out_rows, work.out_cols) == (16, 15, 14, 7)


def test_dilated_windows_are_the_matrix_product_of_their_im2col() -> None:
    dilated = (Window(1, 2, 0, 9), Window(1, 2, 0, 9), Window())
    work = work_of(layer(windows=dilated, P=5, Q=5, R=3, S=3, C=2, K=4))
    assert (work.m, work.n, work.k, work.touched_map_words) == (25, 4, 18, 25 * 18)
