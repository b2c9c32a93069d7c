"""SCALE-Sim 3.0.0's reports, to the digit: its runs as evidence, its walk over the folds elsewhere."""

from __future__ import annotations

import csv
from importlib.resources import files
from math import ceil

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accelsim.base.errors import InputError
from accelsim.compat.scalesim import REPORT_COLUMNS, scalesim_layer
from accelsim.tables.dims import DIMS
from accelsim.workload.layer import Layer, Window

TEXT = files("accelsim.evidence").joinpath("scalesim_cycles.csv").read_text()
ROWS = list(csv.DictReader(line for line in TEXT.splitlines() if not line.startswith("#")))


def layer(name: str = "l", windows: tuple[Window, Window, Window] | None = None, **extents: int) -> Layer:
    dims = tuple(extents.get(dim, 1) for dim in DIMS)
    return Layer(name, "Conv", "array", dims=dims, windows=windows or (Window(), Window(), Window()))


def from_row(row: dict[str, str]) -> Layer:
    """A topology line as SCALE-Sim reads it: output size rounded up, GEMM as a 1 x K filter on M rows."""
    h, w, r, s, stride = (int(row[key]) for key in ("ifmap_h", "ifmap_w", "filt_h", "filt_w", "stride"))
    p, q = (ceil((size - taps + stride) / stride) for size, taps in ((h, r), (w, s)))
    return layer(row["layer"], P=p, Q=q, R=r, S=s, C=int(row["channels"]), K=int(row["num_filters"]))


def test_evidence_has_all_dataflows_and_both_stalled_and_stall_free_runs() -> None:
    assert len(ROWS) >= 54
    assert {row["dataflow"] for row in ROWS} == {"os", "ws", "is"}
    assert {row["stall_cycles"] == "0" for row in ROWS} == {True, False}


@pytest.mark.parametrize(
    "row", ROWS, ids=lambda r: "-".join(r[k] for k in ("layer", "dataflow", "array_rows", "stall_cycles"))
)
def test_every_column_of_the_report_is_equal(row: dict[str, str]) -> None:
    stalls = int(row["stall_cycles"])
    rows, cols = int(row["array_rows"]), int(row["array_cols"])
    found = scalesim_layer(from_row(row), rows, cols, row["dataflow"], stalls)
    expected = {key: float(row[key]) if "." in row[key] else int(row[key]) for key in REPORT_COLUMNS}
    assert {key: found[key] for key in REPORT_COLUMNS} == expected
    assert found["compute_cycles"] == int(row["total_cycles"]) - stalls + 1


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
    found = scalesim_layer(layer(P=m, K=n, C=k), *array, dataflow)
    expected = walk(m, n, k, *array, dataflow)
    assert {key: found[key] for key in expected} == expected
    if found["total_cycles"]:
        assert found["overall_util"] == m * n * k * 100 / (expected["total_cycles"] * array[0] * array[1])


def test_average_over_more_folds_than_a_chunk_is_still_that_of_a_sum_fold_by_fold(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("accelsim.compat.scalesim.CHUNK", 7)
    found = scalesim_layer(layer(P=61, K=50, C=13), 3, 7, "os")
    expected = walk(61, 50, 13, 3, 7, "os")
    assert {key: found[key] for key in expected} == expected


def test_average_over_too_many_folds_for_scalesim_is_the_exact_mean(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("accelsim.compat.scalesim.MAX_EXACT_FOLDS", 1)
    found = scalesim_layer(layer(P=61, K=50, C=13), 3, 7, "os")
    expected = walk(61, 50, 13, 3, 7, "os")
    for column in ("mapping_eff", "compute_util"):
        assert found[column] == pytest.approx(expected[column], rel=1e-12)


def test_one_cycle_run_has_no_utilisation_where_scalesim_divides_by_zero() -> None:
    found = scalesim_layer(layer(), 1, 1, "os")
    assert (found["compute_cycles"], found["total_cycles"], found["overall_util"]) == (1, 0, None)


@pytest.mark.parametrize(("extents", "why"), [({"N": 2}, "batch is 2"), ({"G": 3}, "3 groups")])
def test_batch_and_groups_are_refused_with_the_layers_name(extents: dict[str, int], why: str) -> None:
    with pytest.raises(InputError, match=f"layer conv7: .*{why}"):
        scalesim_layer(layer("conv7", **extents), 8, 8, "os")


def test_wrong_dataflow_and_empty_array_are_told_together() -> None:
    with pytest.raises(InputError) as error:
        scalesim_layer(layer(), 0, 8, "rs")
    assert [problem.key for problem in error.value.problems] == ["dataflow", "array"]


def test_operators_without_a_matrix_product_are_refused() -> None:
    with pytest.raises(InputError, match="Relu is no convolution"):
        scalesim_layer(Layer("r", "Relu", "vector"), 8, 8, "os")
