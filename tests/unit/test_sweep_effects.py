"""Analysis of variance and steps, on tables whose answer is known by construction."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from accelsim.explore.sweep import effects
from accelsim.explore.sweep.cells import Cells
from accelsim.explore.sweep.effects import Variance
from tests.support import sweep_brute as brute


@dataclass
class Factor:
    name: str
    values: tuple[int, ...]
    codes: np.ndarray


def grid(*sizes: int) -> list[Factor]:
    """Every combination, last variable fastest."""
    codes = np.indices(sizes).reshape(len(sizes), -1)
    names = ("a", "b", "c")
    return [Factor(names[i], tuple(range(n)), codes[i]) for i, n in enumerate(sizes)]


def variance(name: str, y: np.ndarray, factors: list[Factor], size: int = 5) -> Variance:
    """Of points that pass, so many at a time; those that failed do not."""
    cells = Cells([len(one.values) for one in factors], [1.0])
    for start in range(0, len(y), size):
        some = np.arange(start, min(start + size, len(y)))
        some = some[np.isfinite(y[some])]
        cells.add([one.codes[some] for one in factors], y[None, some], np.ones(len(some), bool))
    return effects.variance([name], 0, cells, factors)


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
    a = Factor("a", tuple(range(16)), random.integers(0, 16, 600))
    b = Factor("b", tuple(range(50)), random.integers(0, 50, 600))
    y = 2.0**a.codes
    found = variance("y", y, [a, b])
    assert not found.complete
    assert shares(found)["a",] > 0.99
    assert shares(found)["b",] < 0.03  # uncorrected, 50 random levels of 12 points each explain 8 %
    assert found.untold == (("a", "b"),)


def test_of_few_points_no_share_is_told() -> None:
    a = Factor("a", (0, 1), np.array([0, 1, 0, 1]))
    b = Factor("b", (0, 1), np.array([0, 1, 1, 1]))  # goes with a by chance
    c = Factor("c", (0, 1, 2), np.array([0, 2, 1, 2]))
    found = variance("y", 4.0**a.codes, [a, b, c])
    assert not found.effects
    assert found.untold == (("a",), ("b",), ("c",), ("a", "b"), ("a", "c"), ("b", "c"))


@pytest.mark.parametrize("seed", range(20))
def test_what_is_told_of_a_small_hypercube_is_not_chance(seed: int) -> None:
    random = np.random.default_rng(seed)
    for n in (8, 12, 16, 24, 48):
        every = [
            Factor(name, tuple(range(size)), random.permutation(np.arange(n) % size))
            for name, size in (("a", 2), ("b", 4), ("c", 3), ("d", 12))
        ]
        found = variance("y", 2.0 ** random.normal(size=n), every)
        assert all(share < 0.45 for share in shares(found).values())
        assert (n > 12) == (("a",) in shares(found))
        assert {effect.variables for effect in found.effects}.isdisjoint(found.untold)


def test_the_shares_of_a_large_sample_are_those_of_the_definition() -> None:
    every = grid(4, 3, 30)
    random = np.random.default_rng(3)
    y = np.exp(every[0].codes * every[1].codes + random.random(360))
    y[random.random(360) < 0.4] = np.nan
    found = variance("y", y, every)
    points = [
        {**{one.name: int(one.codes[i]) for one in every}, "y": y[i], "status": "ok"}
        for i in np.flatnonzero(np.isfinite(y))
    ]
    wanted = brute.shares_of(points, "y", ["a", "b", "c"])
    assert shares(found) == pytest.approx(wanted)
    assert set(wanted) == {("a",), ("b",), ("c",), ("a", "b")}
    assert found.untold == (("a", "c"), ("b", "c"))


def test_points_that_failed_and_variables_of_one_level_are_left_out() -> None:
    a, b, _ = grid(3, 2, 10)
    y = np.repeat([1.0, np.nan, 2.0, 2.0, 4.0, np.inf], 10)
    one = Factor("one", (7,), np.zeros(60, dtype=np.int64))
    found = variance("y", y, [a, b, one])
    assert {name for effect in found.effects for name in effect.variables} == {"a", "b"}
    assert sum(n for _, _, n in found.effects[-1].means or found.effects[0].means) == 40


def test_an_objective_that_never_changes_has_no_effects() -> None:
    a, b = grid(3, 2)
    assert variance("y", np.full(6, 3.0), [a, b]).effects == ()
    assert variance("y", np.full(6, np.nan), [a, b]).effects == ()


def test_a_spread_that_is_small_beside_the_mean_is_not_lost_in_sums() -> None:
    a, b = grid(4, 500)
    y = -1e9 + a.codes + b.codes % 2  # not positive; squares of a billion have no digit left for it
    found = shares(variance("y", y, [a, b], size=100))
    assert found["a",] == pytest.approx(1.25 / 1.5)
    assert found["b",] == pytest.approx(0.25 / 1.5)


def test_a_ratio_is_told_where_both_are_known() -> None:
    here = {"y": 2.0, "z": 0.0}
    assert effects.ratios({"y": 3.0, "z": 1.0}, here) == {"y": 1.5, "z": None}
    assert effects.ratios({"y": np.nan, "z": 1.0}, here) == {"y": None, "z": None}
    assert effects.ratios(None, here) == {"y": None, "z": None}


def test_a_grid_that_lacks_one_of_many_combinations_is_told_but_for_what_has_no_points_to_spare() -> None:
    a, b = grid(7, 3)
    y = 2.0**a.codes * 1.1**b.codes
    y[4] = np.nan
    found = variance("y", y, [a, b])
    assert not found.complete
    assert shares(found)["a",] > 0.95
    assert found.untold == (("a", "b"),)  # 20 cells for 20 points
    y[[0, 5, 7, 12, 17]] = np.nan
    assert ("a",) in variance("y", y, [a, b]).untold
