"""The stepped array makes numpy's products, and its cycles are those of design section 5."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accelsim.testing.systolic_array import ArrayRun, run_array

sizes = st.tuples(*[st.integers(1, 5)] * 2, *[st.integers(1, 11)] * 3)  # R, C, M, N, K
check = settings(max_examples=60, deadline=None, derandomize=True, database=None)


def folds(rows: int, cols: int, down: int, across: int) -> int:
    return -(-down // rows) * -(-across // cols)


def run(dataflow: str, rows: int, cols: int, m: int, n: int, k: int, **options: str) -> ArrayRun:
    rng = np.random.default_rng(m + 16 * n + 256 * k)
    a, b = rng.integers(1, 10, (m, k)), rng.integers(1, 10, (k, n))
    result = run_array(dataflow, rows, cols, a, b, **options)
    assert np.array_equal(result.product, a @ b)
    return result


@check
@given(sizes)
def test_output_stationary_fold_takes_stream_plus_rows_plus_columns_less_two(size):
    R, C, M, N, K = size
    result = run("os", R, C, M, N, K)
    assert result.folds == folds(R, C, M, N)
    assert result.cycles == result.folds * (K + R + C - 2)


@check
@given(sizes)
def test_weight_stationary_fold_takes_stream_plus_twice_rows_plus_columns_less_two(size):
    R, C, M, N, K = size
    result = run("ws", R, C, M, N, K)
    assert result.folds == folds(R, C, K, N)
    assert result.cycles == result.folds * (M + 2 * R + C - 2)


@check
@given(sizes)
def test_input_stationary_fold_takes_stream_plus_twice_rows_plus_columns_less_two(size):
    R, C, M, N, K = size
    result = run("is", R, C, M, N, K)
    assert result.folds == folds(R, C, K, M)
    assert result.cycles == result.folds * (N + 2 * R + C - 2)


@check
@given(sizes)
def test_preloaded_chain_takes_stream_plus_rows_a_fold_and_drains_once(size):
    R, C, M, N, K = size
    result = run("ws", R, C, M, N, K, loading="preload")
    assert result.cycles == result.folds * (M + R) + R + C - 2


@check
@given(sizes)
def test_double_buffered_chain_takes_the_longer_of_stream_and_rows_a_fold(size):
    """Load R, then max(T, R) from fold to fold, then the last stream T and the drain R + C - 2."""
    R, C, M, N, K = size
    result = run("ws", R, C, M, N, K, loading="overlapped")
    assert result.cycles == R + (result.folds - 1) * max(M, R) + M + R + C - 2


@check
@given(sizes)
def test_edges_pass_the_words_that_scalesim_counts_plus_returning_sums(size):
    """SCALE-Sim's counts (without its added shape sums for os) and the returns that it leaves out."""
    R, C, M, N, K = size
    over_m, over_n, over_k = (lambda axis, extent: -(-extent // axis) for _ in range(3))
    os, ws, is_ = (run(dataflow, R, C, M, N, K) for dataflow in ("os", "ws", "is"))
    assert (os.input_reads, os.weight_reads) == (over_n(C, N) * M * K, over_m(R, M) * K * N)
    assert (os.sum_writes, os.sum_reads) == (M * N, 0)
    assert (ws.input_reads, ws.weight_reads) == (over_n(C, N) * M * K, K * N)
    assert (is_.input_reads, is_.weight_reads) == (M * K, over_m(C, M) * K * N)
    for run_ in (ws, is_):
        assert (run_.sum_writes, run_.sum_reads) == (over_k(R, K) * M * N, (over_k(R, K) - 1) * M * N)


@check
@given(sizes, st.sampled_from(["preload", "overlapped"]))
def test_loading_early_moves_no_word_more(size, loading):
    serial, early = run("ws", *size), run("ws", *size, loading=loading)
    edges = ["input_reads", "weight_reads", "sum_reads", "sum_writes"]
    assert [getattr(serial, edge) for edge in edges] == [getattr(early, edge) for edge in edges]


@pytest.mark.parametrize(("n", "cycles"), [(4, 10), (8, 22), (16, 46)])
def test_square_product_on_its_own_size_takes_the_cycles_of_the_rtl(n, cycles):
    """SCALE-Sim's authors (ISPASS 2020) give 3n - 2 for their RTL, output-stationary: 4 x 4 takes 10."""
    assert run("os", n, n, n, n, n).cycles == cycles
