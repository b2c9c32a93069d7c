"""The systolic closed forms against a walk that gives every multiply-accumulate its cycle and its PE.

Expected values: the walk below (written from design section 5), the os cycles 3n - 2 of an n x n x n product
(SCALE-Sim, ISPASS 2020, RTL: 10 for n = 4), and the words of SCALE-Sim 3.0.0's runs in the evidence folder.
"""

from __future__ import annotations

import csv
import sys
from importlib.resources import files
from types import FrameType

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accelsim.base.errors import InputError
from accelsim.cost.systolic import Fold, fold_cycles, gemm_view, network_systolic
from accelsim.tables.dims import DIMS

SIZES = st.integers(1, 7)
FLOWS = st.sampled_from(["os", "ws", "is"])
RULES = st.sampled_from(["sequential", "preload", "overlapped"])


def dims_of(*layers: dict[str, int]) -> np.ndarray:
    return np.array([[layer.get(dim, 1) for layer in layers] for dim in DIMS], np.int64)


def walk_cycles(folds: int, steps: int, rows: int, cols: int, dataflow: str, rule: str) -> int:
    """Last cycle + 1 of a chain of folds: step t of a fold is in PE (r, c) at start + t + r + c."""
    load = 0 if dataflow == "os" else rows
    first_step = load  # loads go in a row a cycle
    busy: set[tuple[int, int, int]] = set()
    end = 0
    for _ in range(folds):
        for t in range(steps):
            for r in range(rows):
                for c in range(cols):
                    slot = (first_step + t + r + c, r, c)
                    assert slot not in busy, "a PE has two multiplications in one cycle"
                    busy.add(slot)
                    end = max(end, slot[0] + 1)
        stream_end = first_step + steps
        first_step = {
            "sequential": end + load,
            "preload": stream_end + rows,  # the stream is in, then the next operand moves in (os: sums out)
            "overlapped": max(stream_end, first_step + rows),  # both at once, the longer one counts
        }[rule]
    return end


@settings(max_examples=300, deadline=None, derandomize=True)
@given(folds=st.integers(1, 5), steps=SIZES, rows=SIZES, cols=SIZES, dataflow=FLOWS, rule=RULES)
def test_a_chain_of_folds_takes_the_cycles_of_its_last_multiplication(
    folds: int, steps: int, rows: int, cols: int, dataflow: str, rule: Fold
) -> None:
    compute, fill_drain = fold_cycles(folds, steps, rows, cols, dataflow, rule)
    assert compute == folds * steps
    assert compute + fill_drain == walk_cycles(folds, steps, rows, cols, dataflow, rule)


@pytest.mark.parametrize("n", [4, 16, 128])
def test_an_output_stationary_square_takes_3n_minus_2_cycles(n: int) -> None:
    cost = network_systolic(dims_of({"P": n, "K": n, "C": n}), np.array([n * n]), n, n, "os", "sequential")
    assert cost.latency_cycles.tolist() == [3 * n - 2]


@given(
    folds=st.integers(1, 50), steps=st.integers(1, 300), rows=SIZES, cols=st.integers(2, 9), dataflow=FLOWS
)
def test_more_overlap_is_never_slower(folds: int, steps: int, rows: int, cols: int, dataflow: str) -> None:
    rules: tuple[Fold, ...] = ("broadcast", "overlapped", "preload", "sequential")
    totals = [int(sum(fold_cycles(folds, steps, rows, cols, dataflow, rule))) for rule in rules]
    assert totals == sorted(totals)


def test_a_broadcast_array_has_no_skew_whatever_its_dataflow() -> None:
    compute, fill_drain = fold_cycles(np.array([3, 1]), np.array([5, 7]), 12, 14, "rs", "broadcast")
    assert (compute.tolist(), fill_drain.tolist()) == ([15, 7], [0, 0])


def test_unknown_rules_and_dataflows_without_a_systolic_fold_are_refused() -> None:
    with pytest.raises(InputError, match="'rs' has no systolic fold, expected os or ws or is or dc"):
        fold_cycles(1, 1, 1, 1, "rs", "sequential")
    with pytest.raises(InputError, match="fold rule 'late'"):
        fold_cycles(1, 1, 1, 1, "os", "late")  # type: ignore[arg-type]


def walk_words(m: int, n: int, k: int, rows: int, cols: int, dataflow: str) -> list[int]:
    """Words at the ports, fold by fold and element by element: I reads, W reads, O reads, O writes."""
    words = [0, 0, 0, 0]
    on_rows, on_cols = {"os": (m, n), "ws": (k, n), "is": (k, m)}[dataflow]
    written: set[tuple[int, int]] = set()
    for col in range(0, on_cols, cols):
        for row in range(0, on_rows, rows):
            x = range(row, min(row + rows, on_rows))
            y = range(col, min(col + cols, on_cols))
            ms, ns, ks = {"os": (x, y, range(k)), "ws": (range(m), y, x), "is": (y, range(n), x)}[dataflow]
            words[0] += len(ms) * len(ks)
            words[1] += len(ks) * len(ns)
            for output in ((i, j) for i in ms for j in ns):
                words[2] += output in written
                words[3] += 1
                written.add(output)
    return words


@settings(max_examples=150, deadline=None, derandomize=True)
@given(
    m=st.integers(1, 20), n=st.integers(1, 20), k=st.integers(1, 20), rows=SIZES, cols=SIZES, dataflow=FLOWS
)
def test_words_at_the_edge_are_those_of_a_walk_over_the_folds(
    m: int, n: int, k: int, rows: int, cols: int, dataflow: str
) -> None:
    dims = dims_of({"P": m, "K": n, "C": k}, {"P": m, "K": n, "C": k, "G": 3})
    cost = network_systolic(dims, np.array([m * k, 3 * m * k]), rows, cols, dataflow, "sequential")
    found = np.array([cost.i_read_words, cost.w_read_words, cost.o_read_words, cost.o_write_words])
    expected = walk_words(m, n, k, rows, cols, dataflow)
    assert found[:, 0].tolist() == expected
    assert found[:, 1].tolist() == [3 * words for words in expected]  # groups run one after the other
    assert cost.dram_read_words.tolist() == [m * k + k * n, 3 * (m * k + k * n)]
    assert cost.dram_write_words.tolist() == [m * n, 3 * m * n]


def test_operand_reads_are_those_of_scalesim() -> None:
    text = files("accelsim.evidence").joinpath("scalesim", "values.csv").read_text()
    rows = list(csv.DictReader(line for line in text.splitlines() if not line.startswith("#")))
    assert len(rows) >= 54
    for row in rows:
        dims = dims_of({"P": int(row["M"]), "K": int(row["N"]), "C": int(row["K"])})
        array = int(row["array_rows"]), int(row["array_cols"])
        cost = network_systolic(dims, np.zeros(1, np.int64), *array, row["dataflow"], "sequential")
        assert cost.i_read_words.item() == int(row["sram_ifmap_reads"])
        assert cost.w_read_words.item() == int(row["sram_filter_reads"])
        assert cost.latency_cycles.item() == int(row["total_cycles"]) - int(row["stall_cycles"]) + 1


def test_the_gemm_of_a_layer_has_its_pixels_filters_and_reduction() -> None:
    conv = {"N": 2, "G": 4, "K": 6, "C": 3, "P": 5, "Q": 7, "Z": 2, "R": 3, "S": 1, "V": 2}
    gemm = gemm_view(dims_of(conv))
    assert (gemm.pixels.item(), gemm.filters.item(), gemm.reduction.item()) == (2 * 5 * 7 * 2, 6, 3 * 3 * 2)
    assert (gemm.groups.item(), gemm.macs.item()) == (4, 2 * 4 * 6 * 3 * 5 * 7 * 2 * 3 * 2)


def test_a_product_of_two_activations_runs_once_for_each_image() -> None:
    heads = {"N": 2, "G": 12, "P": 128, "K": 128, "C": 64}
    gemm = gemm_view(dims_of(heads, heads), np.array([True, False]))
    assert gemm.groups.tolist() == [24, 12]
    assert gemm.pixels.tolist() == [128, 256]
    assert gemm.macs[0] == gemm.macs[1]


def test_a_full_array_is_used_but_for_fill_and_drain() -> None:
    cost = network_systolic(dims_of({"P": 8, "K": 16, "C": 100}), np.array([800]), 8, 16, "os", "sequential")
    assert cost.utilization_frac.item() == 100 / (100 + 8 + 16 - 2)


def test_counts_that_would_overflow_are_refused_with_the_number() -> None:
    with pytest.raises(InputError, match=r"layer 1 has 8,000,000,000,000,000,000 multiply"):
        gemm_view(dims_of({"P": 2}, {"P": 2_000_000, "K": 2_000_000, "C": 2_000_000}))


def test_many_arrays_at_once_are_the_arrays_one_by_one() -> None:
    dims = dims_of({"P": 30, "K": 9, "C": 5}, {"P": 3, "K": 90, "C": 50})
    rows, cols = np.array([[4], [8], [1]]), np.array([[4], [3], [9]])
    words = np.array([150, 150])
    together = network_systolic(dims, words, rows, cols, "ws", "overlapped").latency_cycles
    for a in range(3):
        alone = network_systolic(dims, words, int(rows[a, 0]), int(cols[a, 0]), "ws", "overlapped")
        assert together[a].tolist() == alone.latency_cycles.tolist()


def n_calls(n_layers: int) -> int:
    """Python and C functions called, which a loop over layers would multiply."""
    dims = np.ones((len(DIMS), n_layers), np.int64)
    words = np.ones(n_layers, np.int64)
    count = 0

    def tally(frame: FrameType, event: str, arg: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(tally)
    try:
        network_systolic(dims, words, 32, 32, "ws", "preload")
    finally:
        sys.setprofile(None)
    return count


def test_a_thousand_layers_take_the_calls_of_one() -> None:
    assert n_calls(1000) == n_calls(1) < 100
