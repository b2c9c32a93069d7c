"""The closed forms of a chain of folds against an array that is stepped cycle by cycle."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accelsim.cost.systolic import fold_cycles
from accelsim.testing.systolic_array import run_array

STEPPED = {"sequential": "serial", "preload": "preload", "overlapped": "overlapped"}
SIDE = st.integers(1, 6)
EXTENT = st.integers(1, 14)


CHAINS = [(flow, rule) for flow in ("ws", "is") for rule in STEPPED] + [("os", "sequential")]
"""An output-stationary array loads nothing between folds: only its sequential chain can be stepped."""


@pytest.mark.parametrize(("dataflow", "rule"), CHAINS)
@settings(max_examples=25, deadline=None, derandomize=True)
@given(rows=SIDE, cols=SIDE, m=EXTENT, n=EXTENT, k=EXTENT)
def test_closed_form_of_a_chain_equals_the_stepped_array(
    dataflow: str, rule: str, rows: int, cols: int, m: int, n: int, k: int
) -> None:
    rng = np.random.default_rng(m * 10_000 + n * 100 + k)
    a, b = rng.integers(-5, 6, (m, k)), rng.integers(-5, 6, (k, n))
    stepped = run_array(dataflow, rows, cols, a, b, loading=STEPPED[rule])
    on_rows, on_cols, streamed = {"ws": (k, n, m), "is": (k, m, n), "os": (m, n, k)}[dataflow]
    folds = -(-on_rows // rows) * -(-on_cols // cols)
    compute, ends = fold_cycles(folds, streamed, rows, cols, dataflow, rule)
    assert stepped.cycles == int(compute) + int(ends)
    assert np.array_equal(stepped.product, a @ b)
