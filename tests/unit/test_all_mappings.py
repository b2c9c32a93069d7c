"""The enumerator of all mappings: counts worked out by formula; what it merges does not differ in cost."""

from __future__ import annotations

import itertools
import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from support.small_machine import small_machine

from accelsim.cost.evaluate import evaluate
from accelsim.mapping.mapping import from_nest
from accelsim.tables.dims import DIMS
from accelsim.tables.machine import Machine
from accelsim.tables.nest import Nest, Problem
from accelsim.testing.all_mappings import all_keeps, all_loops, all_mappings, all_orders, splits_of
from accelsim.testing.search_cases import SearchCase, search_cases, without_limits

TOP = (2, 2, 2)


def problem(**extents: int) -> Problem:
    x = dict.fromkeys(DIMS, 1) | extents
    windows = [(1, 1, 0, x[p] + x[r] - 1) for p, r in ("PR", "QS")]
    return Problem(tuple(x.values()), (*windows, (1, 1, 0, 1)))


def machine(rows: int = 1, cols: int = 1, holds: str = "IWO", **changes: object) -> Machine:
    """Three levels; `holds` is what the buffer between the array and DRAM may keep, the register nothing."""
    held = np.array([[False] * 3, [t in holds for t in "IWO"], [True] * 3])
    return without_limits(small_machine(rows=rows, cols=cols, holds=held, **changes))


def n_mappings(layer: Problem, at: Machine, ragged: bool = False) -> int:
    return sum(nest.n_points for nest in all_mappings(layer, at, TOP, ragged))


# --- splits


@pytest.mark.parametrize(("extent", "n"), [(1, 3), (2, 1), (8, 4), (12, 3), (30, 5)])
def test_splits_into_factors_are_as_many_as_ways_to_hand_out_prime_factors(extent: int, n: int) -> None:
    """Each prime's exponent a is spread over n loops in C(a + n - 1, n - 1) ways, independently."""
    exponents = Counter(p for p in (2, 3, 5) for a in range(1, 5) if extent % p**a == 0)
    expected = math.prod(math.comb(a + n - 1, n - 1) for a in exponents.values())
    found = splits_of(extent, n, ragged=False)
    assert len(set(found)) == len(found) == expected
    assert all(math.prod(split) == extent for split in found)


@pytest.mark.parametrize("extent", range(1, 40))
def test_ragged_pairs_are_one_for_each_number_of_tiles(extent: int) -> None:
    """(a, b) that neither can lower: b = ceil(X / a) is the smallest tile of its number of tiles."""
    found = splits_of(extent, 2, ragged=True)
    assert sorted(b for _, b in found) == sorted({-(-extent // i) for i in range(1, extent + 1)})


@pytest.mark.parametrize(("extent", "n"), [(5, 2), (7, 3), (9, 3), (6, 4)])
def test_ragged_splits_are_all_that_cover_with_no_trip_to_spare(extent: int, n: int) -> None:
    """By trial of every tuple of trips."""
    wanted = set()
    for trips in itertools.product(range(1, extent + 1), repeat=n):
        lower = [math.prod(trips) // x * (x - 1) for x in trips if x > 1]
        if math.prod(trips) >= extent and all(fewer < extent for fewer in lower):
            wanted.add(trips)
    found = splits_of(extent, n, ragged=True)
    assert len(found) == len(wanted)
    assert set(found) == wanted


# --- orders


@pytest.mark.parametrize("n", range(5))
def test_every_order_of_the_loops_of_a_level_appears_once(n: int) -> None:
    trips = tuple(range(2, 2 + n))
    seen = [tuple(x for x in level if x > 1) for level in all_orders(trips)]
    assert sorted(seen) == sorted(itertools.permutations(trips))
    for level in all_orders(trips):  # in the list of dimensions over and over, each at a place of its own
        assert all(x in (1, trips[place % n]) for place, x in enumerate(level))


def test_loops_of_one_trip_make_no_orders() -> None:
    assert len(all_orders((1, 4, 1, 1, 2))) == 2


# --- whole mappings


def test_a_layer_of_one_multiplication_has_one_mapping_for_each_keep() -> None:
    assert n_mappings(problem(), machine(holds="IW")) == 4


@pytest.mark.parametrize("dims", ["K", "KC", "KCN", "PRKC"])
def test_prime_dimensions_in_time_make_n_factorial_times_a_binomial(dims: str) -> None:
    """Each is one loop: n! orders of all, cut into three levels in C(n + 2, 2) ways; two keeps of W."""
    extents = dict(zip(dims, (5, 3, 2, 7), strict=False))
    expected = math.factorial(len(dims)) * math.comb(len(dims) + 2, 2)
    assert n_mappings(problem(**extents), machine(holds="W")) == 2 * expected


def test_prime_dimensions_on_an_array_of_their_size_stand_in_time_or_space() -> None:
    """K 3 and C 2 on 2 x 3: both in time 2! C(4, 2) = 12; one in space: 3 levels for the other, twice; both
    side by side: C on rows, K on cols, once."""
    assert n_mappings(problem(K=3, C=2), machine(2, 3, holds="")) == 12 + 3 + 3 + 1


def test_dimensions_that_only_fit_the_same_axis_do_not_stand_side_by_side_at_once() -> None:
    """K 3 and C 3 on 1 x 3: 12 in time, 3 + 3 with one of them on cols."""
    assert n_mappings(problem(K=3, C=3), machine(1, 3, holds="")) == 12 + 3 + 3


def test_a_dimension_lies_on_both_axes_where_one_is_too_short() -> None:
    """K 4 on 2 x 2: trips (1, 2, 4) on the array, 4 / trips over three levels: C(4, 2), C(3, 2), 1."""
    assert n_mappings(problem(K=4), machine(2, 2, holds="")) == 6 + 3 + 1


def test_two_dimensions_of_two_factors_by_hand() -> None:
    """K 4, C 2 on two levels of time: of K (4,1) (2,2) (1,4), of C (2,1) (1,2); a level with both has two
    orders: K is alone at the other one in (4,1)(1,2) and (1,4)(2,1), all four others share one level."""
    at = machine(holds="")
    two = without_limits(
        small_machine(
            **{name: getattr(at, name)[1:] for name in ARRAYS},
            level_names=("sram", "dram"),
            fanout_level=0,
            rows=1,
            cols=1,
        )
    )
    found = list(all_mappings(problem(K=4, C=2), two, (1, 1, 1)))
    assert sum(nest.n_points for nest in found) == 4 * 2 + 2


ARRAYS = (
    "capacity_bytes",
    "holds",
    "word_bits",
    "read_pj_per_byte",
    "write_pj_per_byte",
    "read_bytes_per_cycle",
    "write_bytes_per_cycle",
    "shared_port",
    "double_buffered",
    "overlap",
    "padding_stored",
    "fetch_box",
)


def test_operands_are_kept_at_home_and_anywhere_below_it_that_holds_them() -> None:
    """I at home in the buffer: register or not; W: register, buffer, both, neither; O: buffer or not."""
    at = small_machine(holds=np.array([[True, True, False], [True, True, True], [True, True, True]]))
    keeps = {tuple(map(tuple, keep.tolist())) for keep in all_keeps(at, (1, 2, 2))}
    assert len(keeps) == 2 * 4 * 2
    assert all(keep[1][0] and not keep[2][0] and keep[2][1] and keep[2][2] for keep in keeps)


def test_mappings_that_do_not_fit_are_left_out() -> None:
    """Six weights of a matrix-vector product, a byte each, four in the buffer at most: of the tiles 1, 2, 3
    and 6 three fit. K 6 and 3: (6, 1), (3, 2), (2, 3) trips outside and inside, the register has no loop."""
    at = machine(holds="W", capacity_bytes=np.array([np.inf, 4.0, np.inf]))
    tight = small_machine(rows=1, cols=1, holds=at.holds, capacity_bytes=np.array([np.inf, 4.0, np.inf]))
    (kept, bypassed) = all_mappings(problem(K=6), tight, TOP)
    inside = kept.tile(DIMS.index("K"), 1)
    assert Counter(inside.tolist()) == {1: 1, 2: 2, 3: 2}  # a tile of 2 is split 2 x 1 or 1 x 2 in and below
    assert bypassed.n_points == 1 + 2 + 2 + 4


def test_no_mapping_appears_twice() -> None:
    at = machine(2, 3, holds="W")
    for nest in all_mappings(problem(K=4, C=6, N=2), at, TOP):
        texts = {str(from_nest(nest, i, at.level_names)) for i in range(nest.n_points)}
        assert len(texts) == nest.n_points > 500


# --- what is merged


def spread_out(layer: Problem, at: Machine, ragged: bool) -> dict[tuple[object, ...], set[tuple[float, int]]]:
    """Costs of every placement on rows and cols, by what the enumerator takes for one mapping."""
    (d,) = (d for d, extent in enumerate(layer.extents) if extent > 1)
    splits = splits_of(layer.extents[d], at.n_levels + 2, ragged)
    costs: dict[tuple[object, ...], set[tuple[float, int]]] = {}
    for keep in all_keeps(at, TOP):
        for order in (("rows", "cols"), ("cols", "rows")):
            levels = (2, 1, 1, 1, 0)
            nest = Nest((d,) * 5, levels, ("", "", *order, ""), columns(splits), keep)
            cost = evaluate(layer, nest, at, "nlr")
            for i, (outer, inner, rows, cols, register) in enumerate(nest.trips.T.tolist()):
                key = (keep.tobytes(), outer, inner, rows * cols, register)
                pair = (round(float(cost.energy_pj[i]), 6), int(cost.latency_cycles[i]))
                costs.setdefault(key, set()).add(pair)
    return costs


def columns(splits: tuple[tuple[int, ...], ...]) -> np.ndarray:
    return np.array([(a, b, rows, cols, c) for a, b, c, rows, cols in splits], np.int64).T


@pytest.mark.parametrize("dim", "KCPR")
@pytest.mark.parametrize("ragged", [False, True])
def test_which_axis_a_dimension_takes_changes_no_cost(dim: str, ragged: bool) -> None:
    at = machine(99, 99, multicast=np.array([True, False, False]), diagonal=True)
    found = spread_out(problem(**{dim: 12}), at, ragged)
    assert len(found) > 100
    assert all(len(pairs) == 1 for pairs in found.values())


@settings(max_examples=30, deadline=None, derandomize=True, database=None)
@given(search_cases(1, max_splits=60))
def test_every_mapping_of_a_small_case_covers_its_layer_and_fits_its_array(case: SearchCase) -> None:
    (at,) = case.machines
    loops = all_loops(case.problem, at, case.ragged)
    assert loops.n_points
    for d, extent in enumerate(case.problem.extents):
        covered = loops.tile(d, at.n_levels)
        assert (covered >= extent).all() if case.ragged else (covered == extent).all()
    for axis, size in (("rows", at.rows), ("cols", at.cols)):
        side = [j for j, name in enumerate(loops.axis) if name == axis]
        assert (np.prod(loops.trips[side], axis=0) <= size).all()
    for nest in all_mappings(case.problem, at, case.homes, case.ragged):
        assert (nest.trips <= loops.trips.max()).all()
        assert nest.keep.any(axis=0).all()
