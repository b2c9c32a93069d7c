"""The closed forms of `cost.traffic` against the walk that moves every word: equal in every count.

The walk (`testing.loop_walk`) is written from the design's words and checks its own product against numpy.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from support.nests import nest

from accelsim.cost.traffic import Links, Traffic, count_traffic
from accelsim.tables.dims import DIMS, I, O, W
from accelsim.tables.nest import Nest, Problem
from accelsim.testing.loop_walk import Case, walk
from accelsim.testing.strategies import cases

check = settings(
    max_examples=400,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


def problem_of(case: Case) -> Problem:
    return Problem(tuple(case.extents[d] for d in DIMS), case.windows, case.weight_has_batch)


def nest_of(case: Case, trips: list[list[int]] | None = None) -> Nest:
    """The case's loops as a nest; `trips` [J][B] for several mappings at once."""
    columns = trips or [[loop[2]] for loop in case.loops]
    n_points = len(columns[0]) if columns else 1
    return Nest(
        tuple(DIMS.index(dim) for _, dim, _, _ in case.loops),
        tuple(level for level, *_ in case.loops),
        tuple("cols" if spatial else "" for *_, spatial in case.loops),
        np.array(columns, np.int64).reshape(len(case.loops), n_points),
        np.array(case.keep, np.bool_),
    )


def links_of(case: Case) -> Links:
    multicast = np.array([*case.multicast, False])
    padding, box = np.array(case.padding_stored), np.array(case.fetch_box)
    return Links(multicast, case.reduce, case.diagonal, padding, box, fanout_level=case.n_levels)


def traffic_of(case: Case) -> Traffic:
    return count_traffic(problem_of(case), nest_of(case), links_of(case))


def assert_equal(case: Case, traffic: Traffic, point: int = 0) -> None:
    counts = walk(case)
    assert traffic.reads[:, :, point].tolist() == counts.reads
    assert traffic.writes[:, :, point].tolist() == counts.writes
    assert int(traffic.steps[point]) == counts.steps


@check
@given(cases(max_macs=250))
def test_every_count_is_that_of_the_walk(case: Case) -> None:
    assert_equal(case, traffic_of(case))


@settings(check, max_examples=100)
@given(cases(max_macs=120))
def test_mappings_counted_together_cost_what_each_costs_alone(case: Case) -> None:
    """The trips of a dimension's loops change places: three mappings of one template in one nest."""
    columns = [[loop[2] for loop in case.loops]]
    for turn in (1, 2):
        trips = list(columns[0])
        for dim in DIMS:
            own = [j for j, loop in enumerate(case.loops) if loop[1] == dim]
            for j, k in zip(own, own[turn:] + own[:turn], strict=True):
                trips[k] = columns[0][j]
        columns.append(trips)
    together = count_traffic(
        problem_of(case), nest_of(case, [list(row) for row in zip(*columns, strict=True)]), links_of(case)
    )
    for point, trips in enumerate(columns):
        loops = tuple((level, d, n, s) for (level, d, _, s), n in zip(case.loops, trips, strict=True))
        if math.prod(n for _, _, n, spatial in loops if spatial) <= 24:  # the walk has a buffer for each
            assert_equal(replace(case, loops=loops), together, point)


def test_tiles_of_one_row_by_four_columns_under_a_3x3_filter_fetch_108_words() -> None:
    """Design section 5: four rows by two columns of 1x4 tiles; Timeloop's rule gives 120."""
    case = nest("1 P 4", "1 Q 2", "0 Q 4", "0 R 3", "0 S 3")
    traffic = traffic_of(case)
    assert traffic.reads[1, I, 0] == traffic.writes[0, I, 0] == 108
    assert_equal(case, traffic)


def test_strided_1x1_convolution_touches_784_words_of_a_box_of_3025() -> None:
    """Design section 5: 28 x 28 outputs, stride 2, as many words as outputs; the box is 55 x 55."""
    window = (2, 1, 0, 56)
    case = nest("1 N 1", "0 K 4", "0 P 28", "0 Q 28", rows=window, columns=window)
    assert traffic_of(case).reads[1, I, 0] == 784
    assert traffic_of(replace(case, fetch_box=(True, False))).reads[1, I, 0] == 3025


def test_window_that_jumps_back_still_holds_what_overlaps() -> None:
    """Tiles of two rows, filter rows outside: 01 23 | 12 34 | 23 45, of which 2 2 1 2 1 2 are new."""
    assert traffic_of(nest("1 R 3", "1 P 2", "0 P 2")).reads[1, I, 0] == 10


def test_sums_drain_and_return_once_a_pass() -> None:
    """Two channels outside three outputs: six visits, the last three find sums to return."""
    traffic = traffic_of(nest("1 C 2", "1 P 3", "0 R 2"))
    assert traffic.writes[:, O, 0].tolist() == [12 + 3, 6]
    assert traffic.reads[:, O, 0].tolist() == [(12 - 3) + 6, 3]
    # of the six words written to the outer level three are finished; all that is read from it is not
    assert (int(traffic.partial_writes[1, 0]), int(traffic.partial_reads[1, 0])) == (3, 3)


def test_diagonal_link_reads_the_union_of_the_windows() -> None:
    """3 x 4 PEs need rows 0-5 between them; without the link each row is read for each PE."""
    case = nest("1 R 3 x", "1 P 4 x", "0 N 1", diagonal=True)
    assert traffic_of(case).reads[1, I, 0] == 6
    assert traffic_of(replace(case, diagonal=False)).reads[1, I, 0] == 12


def test_the_union_is_counted_whatever_the_number_of_places_for_a_loop() -> None:
    """One loop of two rows in any of 70 places: together they could make 2^70 groups of instances."""
    case = nest("1 P 2", "1 R 3 x", "1 P 4 x", "0 N 1", diagonal=True)
    expected = traffic_of(case).reads[1, I, 0]
    assert_equal(case, traffic_of(case))
    one = nest_of(case)
    places = 70
    many = Nest(
        one.dims[:1] * places + one.dims[1:],
        one.levels[:1] * places + one.levels[1:],
        one.axis[:1] * places + one.axis[1:],
        np.vstack([1 + np.eye(places, dtype=np.int64), np.repeat(one.trips[1:], places, axis=1)]),
        one.keep,
    )
    found = count_traffic(problem_of(case), many, links_of(case))
    assert found.reads[1, I].tolist() == [expected] * places


def test_multicast_reads_once_for_all_children() -> None:
    case = nest("1 P 5", "1 K 4 x", "0 N 1")
    assert traffic_of(case).reads[1, I, 0] == 5
    assert traffic_of(replace(case, multicast=(False, True))).reads[1, I, 0] == 20


@pytest.mark.parametrize(
    ("arrived", "link"),
    [(nest("1 P 5", "1 K 4 x", "0 N 1"), I), (nest("1 K 5", "1 P 4 x", "0 N 1"), W)],
    ids=["inputs", "weights"],
)
def test_words_delivered_are_the_fills_of_the_innermost_level_in_the_array(arrived: Case, link: int) -> None:
    """Hops are paid for what reaches a PE: each of four children takes each of five words."""
    links = replace(links_of(arrived), fanout_level=1)
    assert count_traffic(problem_of(arrived), nest_of(arrived), links).delivered[link, 0] == 20


def test_sums_that_are_added_on_the_way_hop_once_less_than_there_are_pes() -> None:
    """Four PEs on four channels, three outputs: twelve words drain, three arrive, nine meet a neighbour."""
    case = nest("1 P 3", "1 C 4 x", "0 R 2")
    links = replace(links_of(case), fanout_level=1)
    assert count_traffic(problem_of(case), nest_of(case), links).delivered[O, 0] == 12 - 3
