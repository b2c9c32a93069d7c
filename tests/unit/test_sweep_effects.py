"""Analysis of variance and steps, on tables whose answer is known by construction."""

from __future__ import annotations

import math

import numpy as np
import pytest

from accelsim.explore.sweep.effects import Factor, around, factor, variance


def grid(*sizes: int) -> list[Factor]:
    """Every combination, last variable fastest."""
    codes = np.indices(sizes).reshape(len(sizes), -1)
    names = ("a", "b", "c")
    return [Factor(names[i], tuple(range(n)), codes[i]) for i, n in enumerate(sizes)]


def shares(found: object) -> dict[tuple[str, ...], float]:
    return {effect.variables: effect.share_frac for effect in found.effects}  # type: ignore[attr-defined]


def test_a_sum_has_main_effects_in_the_ratio_of_their_variances_and_no_interaction() -> None:
    a, b = grid(4, 3)
    y = 10.0 * a.codes + 3.0 * b.codes - 50.0  # not positive: analysed as it is
    found = variance("y", y, [a, b])
    of_a, of_b = 100 * np.var(np.arange(4)), 9 * np.var(np.arange(3))
    assert not found.log
    assert found.complete
    assert shares(found)["a",] == pytest.approx(of_a / (of_a + of_b))
    assert shares(found)["b",] == pytest.approx(of_b / (of_a + of_b))
    assert shares(found)["a", "b"] == pytest.approx(0.0, abs=1e-12)


def test_a_product_of_powers_has_no_interaction_since_costs_are_analysed_as_factors() -> None:
    a, b = grid(4, 3)
    y = 2.0**a.codes * 5.0**b.codes
    found = variance("y", y, [a, b])
    assert found.log
    assert shares(found)["a", "b"] == pytest.approx(0.0, abs=1e-12)
    means = {effect.variables[0]: effect.means for effect in found.effects if effect.means}
    assert [mean for _, mean, _ in means["a"]] == pytest.approx([5 * 1, 5 * 2, 5 * 4, 5 * 8])


def test_what_only_the_pair_decides_is_all_interaction() -> None:
    a, b, c = grid(2, 2, 3)
    y = np.where(a.codes == b.codes, 1.0, -1.0)
    found = variance("y", y, [a, b, c])
    assert shares(found)["a", "b"] == pytest.approx(1.0)
    assert shares(found)["a",] == shares(found)["c",] == pytest.approx(0.0, abs=1e-12)
    assert found.effects[0].variables == ("a", "b")


def test_the_shares_of_a_full_grid_of_two_variables_add_up_to_one() -> None:
    a, b = grid(5, 7)
    y = np.random.default_rng(1).random(35)
    assert sum(shares(variance("y", y, [a, b])).values()) == pytest.approx(1.0)


def test_a_random_variable_explains_nothing_of_a_sample() -> None:
    random = np.random.default_rng(2)
    a = Factor("a", tuple(range(8)), random.integers(0, 8, 600))
    b = Factor("b", tuple(range(50)), random.integers(0, 50, 600))
    y = 2.0**a.codes
    found = variance("y", y, [a, b])
    assert not found.complete
    assert shares(found)["a",] > 0.99
    assert shares(found)["b",] < 0.03  # uncorrected, 50 random levels of 12 points each explain 8 %
    assert shares(found)["a", "b"] < 0.03


def test_points_that_failed_and_variables_of_one_level_are_left_out() -> None:
    a, b = grid(3, 2)
    y = np.array([1.0, np.nan, 2.0, 2.0, 4.0, np.inf])
    one = Factor("one", (7,), np.zeros(6, dtype=np.int64))
    found = variance("y", y, [a, b, one])
    assert {name for effect in found.effects for name in effect.variables} == {"a", "b"}
    assert sum(n for _, _, n in found.effects[-1].means or found.effects[0].means) == 4


def test_an_objective_that_never_changes_has_no_effects() -> None:
    a, b = grid(3, 2)
    assert variance("y", np.full(6, 3.0), [a, b]).effects == ()
    assert variance("y", np.full(6, np.nan), [a, b]).effects == ()


def test_a_step_changes_one_variable_to_its_next_level() -> None:
    a, b = grid(3, 3)
    y = 10.0 ** (a.codes + 1) + b.codes
    steps = {(s.variable, s.direction): s for s in around(4, [a, b], {"y": y})}
    assert steps["a", 1].ratios["y"] == pytest.approx(1001 / 101)
    assert steps["a", -1].ratios["y"] == pytest.approx(11 / 101)
    assert steps["b", 1].level == 2
    assert len(steps) == 4
    assert len(around(0, [a, b], {"y": y})) == 2  # a corner has no way down


def test_a_step_to_a_point_that_is_not_in_the_table_says_so() -> None:
    a, b = grid(2, 2)
    kept = np.array([0, 1, 3])
    a, b = (Factor(f.name, f.levels, f.codes[kept]) for f in (a, b))
    steps = {(s.variable, s.direction): s for s in around(0, [a, b], {"y": np.ones(3)})}
    assert steps["a", 1].point is None
    assert steps["a", 1].ratios == {"y": None}
    assert steps["b", 1].point == 1


def test_levels_keep_the_order_of_the_space() -> None:
    one = factor("dataflow", np.array(["ws", "is", "ws"]), ("ws", "os", "is"))
    assert one.codes.tolist() == [0, 2, 0]
    assert factor("size", np.array([64, 32])).levels == (32, 64)
    assert math.isclose(around(0, [one], {"y": np.array([1.0, 2.0, 3.0])})[0].direction, 1)
