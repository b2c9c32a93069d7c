"""Pareto front, knee and bests, against the definition written out as loops."""

from __future__ import annotations

import numpy as np
import pytest

from accelsim.explore.sweep.pareto import Objective, best_of, front, knee


def by_definition(costs: np.ndarray) -> list[int]:
    """All that no other dominates, one pair at a time."""
    rows = [tuple(row) for row in costs.tolist()]

    def dominates(p: tuple[float, ...], q: tuple[float, ...]) -> bool:
        return all(a <= b for a, b in zip(p, q, strict=True)) and p != q

    kept = [i for i, q in enumerate(rows) if not any(dominates(p, q) for p in rows)]
    return sorted(kept, key=lambda i: (rows[i], i))


@pytest.mark.parametrize("k", [1, 2, 3, 4])
@pytest.mark.parametrize("n", [1, 2, 7, 300, 900])
def test_the_front_is_what_no_other_point_dominates(n: int, k: int) -> None:
    random = np.random.default_rng(100 * n + k)
    for costs in (
        random.random((n, k)),
        random.integers(0, 6, (n, k)).astype(float),
    ):  # without and with ties
        assert front(costs).tolist() == by_definition(costs)


@pytest.mark.parametrize("k", [2, 3, 4])
def test_points_of_which_all_are_on_the_front_are_all_kept(k: int) -> None:
    random = np.random.default_rng(k)
    costs = random.random((1500, k))
    costs /= costs.sum(axis=1, keepdims=True)  # on a plane none dominates another
    assert len(front(costs)) == 1500


def test_equal_points_are_all_kept_in_the_order_of_their_index() -> None:
    costs = np.array([[2.0, 1.0], [1.0, 2.0], [2.0, 1.0], [1.0, 2.0], [2.0, 2.0]])
    assert front(costs).tolist() == [1, 3, 0, 2]


def test_the_order_of_the_points_does_not_change_the_front() -> None:
    random = np.random.default_rng(5)
    costs = random.integers(0, 40, (2000, 3)).astype(float)
    order = random.permutation(2000)
    assert costs[front(costs)].tolist() == costs[order][front(costs[order])].tolist()


def test_points_that_failed_are_on_no_front_and_are_no_best() -> None:
    costs = np.array([[np.nan, np.nan], [2.0, -5.0], [3.0, np.nan]])
    assert front(costs).tolist() == [1]
    assert best_of(costs, front(costs)) == [1, 1]
    assert best_of(costs[:1], front(costs[:1])) == []
    assert front(np.full((3, 2), np.nan)).tolist() == []


def test_most_of_what_is_maximised_is_best() -> None:
    costs = Objective("throughput_fps", maximise=True).cost(np.array([1.0, 3.0, 2.0]))[:, None]
    assert front(costs).tolist() == [1]
    assert best_of(costs, front(costs)) == [1]


def test_of_points_that_tie_in_one_objective_the_best_has_the_least_of_the_others() -> None:
    costs = np.array([[1.0, 9.0, 2.0], [1.0, 3.0, 4.0], [5.0, 0.0, 1.0], [1.0, 3.0, 3.0]])
    assert best_of(costs, front(costs)) == [3, 2, 2]


def test_the_knee_is_farthest_from_the_chord_whatever_the_scales() -> None:
    x = np.array([0.0, 1.0, 2.0, 6.0, 10.0])
    y = np.array([10.0, 5.0, 1.5, 1.0, 0.0])
    distance = np.abs((y[-1] - y[0]) * x - (x[-1] - x[0]) * y + x[-1] * y[0] - y[-1] * x[0])  # of a line
    assert knee(np.stack([x, y], axis=1)) == int(np.argmax(distance)) == 2
    assert knee(np.stack([x * 1e-9 + 3, y * 1e12], axis=1)) == 2
    assert knee(np.array([[1.0, 5.0]])) == 0
    assert knee(np.array([[1.0, 5.0, 2.0], [1.0, 5.0, 2.0]])) == 0  # no range at all
