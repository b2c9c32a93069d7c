"""Grids of mappings, and sums of products over them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accelsim.cost.grid_sums import Factors, Sum
from accelsim.tables.dims import K, P, R
from accelsim.tables.grid import Grid

KEEP = np.ones((2, 3), np.bool_)


def small_grid() -> Grid:
    """K in two loops (3 choices), P in one (2), R in one (2)."""
    choices = {
        K: np.array([[4, 2, 1], [1, 2, 4]]),
        P: np.array([[5, 6]]),
        R: np.array([[3, 1]]),
    }
    return Grid((K, P, K, R), (1, 1, 0, 0), ("", "", "", ""), KEEP, choices)


def test_a_grid_is_the_cross_product_of_the_choices() -> None:
    grid = small_grid()
    assert grid.n_points == 3 * 2 * 2
    trips = grid.nest(np.arange(12)).trips
    assert {tuple(column) for column in trips.T.tolist()} == {
        (k, p, 4 // k, r) for k in (4, 2, 1) for p in (5, 6) for r in (3, 1)
    }


def test_dimensions_of_one_window_are_one_axis() -> None:
    grid = small_grid()
    assert grid.axes == ((K,), (P, R))
    assert grid.sizes == (3, 4)


def test_parts_are_the_whole() -> None:
    grid = small_grid()
    parts = list(grid.parts(most=2))
    assert all(max(part.sizes) <= 2 for part in parts)
    together = np.concatenate([part.nest(np.arange(part.n_points)).trips for part in parts], axis=1)
    whole = grid.nest(np.arange(12)).trips
    assert sorted(together.T.tolist()) == sorted(whole.T.tolist())


def test_loops_that_never_repeat_are_left_out() -> None:
    choices = {K: np.array([[4, 2], [1, 1], [1, 2]]), P: np.array([[1]])}
    grid = Grid((K, K, P, K), (1, 1, 0, 0), ("",) * 4, KEEP, choices).without_single_trips()
    assert (grid.dims, grid.levels) == ((K, K), (1, 0))
    assert grid.nest(np.arange(2)).trips.tolist() == [[4, 2], [1, 2]]


# --- sums of products: as the arrays that they stand for

SIZES = (3, 4, 2)
values = st.integers(-3, 3)


@st.composite
def sums(draw, factors: Factors) -> tuple[Sum, np.ndarray]:
    """A sum of up to four products, and the array that it stands for."""
    total, array = factors.constant(0), np.zeros(SIZES, np.int64)
    for _ in range(draw(st.integers(0, 4))):
        term, product = factors.constant(1), np.ones(SIZES, np.int64)
        for axis in draw(st.sets(st.integers(0, 2))):
            factor = np.array(draw(st.lists(values, min_size=SIZES[axis], max_size=SIZES[axis])))
            term = term * factors.along(axis, factor)
            product = product * np.moveaxis(factor.reshape(-1, 1, 1), 0, axis)
        total, array = total + term, array + product
    return total, array


def array_of(total: Sum) -> np.ndarray:
    return np.broadcast_to(total.at(np.ogrid[:3, :4, :2]), SIZES)


@settings(max_examples=200, deadline=None, derandomize=True, database=None)
@given(st.data())
def test_sums_of_products_add_and_multiply_as_arrays_do(data) -> None:
    factors = Factors(SIZES)
    (a, x), (b, y) = data.draw(sums(factors)), data.draw(sums(factors))
    n = data.draw(values)
    for total, array in (
        (a + b, x + y),
        (a - b, x - y),
        (a * b, x * y),
        (n - a, n - x),
        (a * n, x * n),
        (-a, -x),
    ):
        assert (array_of(total) == array).all()
        assert (array_of(total.joined) == array).all()
        assert len(total.joined.terms) <= len(total.terms)
        assert total.bound >= np.abs(array).max()


def test_what_cancels_for_the_whole_grid_is_gone() -> None:
    factors = Factors(SIZES)
    a = factors.along(0, np.array([1, 2, 3])) * factors.along(1, np.array([1, 1, 5, 7]))
    assert (a * 6 - a * 2 - a * 4).terms == {}


def test_terms_that_differ_in_one_axis_become_one() -> None:
    factors = Factors(SIZES)
    k, p, more = (
        factors.along(0, np.array([1, 2, 3])),
        factors.along(1, np.array([1, 1, 5, 7])),
        factors.along(1, np.array([2, 0, 1, 0])),
    )
    total = k * p + k * more - k
    assert len(total.terms) == 3
    assert len(total.joined.terms) == 1


def test_numpy_leaves_arithmetic_to_the_sums() -> None:
    factors = Factors(SIZES)
    k = factors.along(0, np.array([1, 2, 3]))
    assert (array_of(np.array([2]) * k) == array_of(k * 2)).all()
    with pytest.raises(ValueError, match="size 1"):
        np.array([1, 2]) * k
