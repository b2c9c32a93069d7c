"""The loop walk itself: counts worked out by hand, and products that numpy confirms, on random cases."""

import itertools
import math
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from support.nests import nest

from accelsim.base.errors import InputError
from accelsim.testing import loop_walk
from accelsim.testing.loop_tensors import convolve, random_tensors
from accelsim.testing.loop_walk import Case, walk
from accelsim.testing.strategies import cases

I, W, O = range(3)
check = settings(
    max_examples=100,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)
POINT = (1, 1, 0, 1)


def fetched(case: Case, operand: int = I) -> int:
    """Words read from the home for the level below it."""
    counts = walk(case)
    return counts.reads[1][operand]


def test_tiles_of_one_row_by_four_columns_under_a_3x3_filter_fetch_108_words():
    """Design section 5. A row of tiles takes 3 x 6 words for its first tile and 3 x 4 more for its second:
    four rows 120, Timeloop's count. But each second tile shares two columns of two input rows with the first
    tile of the next row, which holds them already: 3 x 4 less.
    """
    assert fetched(nest("1 P 4", "1 Q 2", "0 Q 4", "0 R 3", "0 S 3")) == 120 - 3 * 4 == 108


def test_strided_1x1_convolution_touches_784_words_of_a_box_of_3025():
    """Design section 5: 28 x 28 outputs for 4 filters, stride 2; the box is 55 x 55."""
    window = (2, 1, 0, 56)
    case = nest("1 N 1", "0 K 4", "0 P 28", "0 Q 28", rows=window, columns=window)
    assert fetched(case) == 784
    assert fetched(replace(case, fetch_box=(True, False))) == 3025


def test_window_that_jumps_back_still_holds_what_overlaps():
    """Tiles of two rows; rows of I held: 01 23 | 12 34 | 23 45, of which 2 2 1 2 1 2 are new."""
    assert fetched(nest("1 R 3", "1 P 2", "0 P 2")) == 10


def test_dilated_taps_leave_gaps():
    """One tile, taps 0 2 4 on outputs 0 3: words 0 2 4 3 5 7."""
    case = nest("1 N 1", "0 P 2", "0 R 3", rows=(3, 2, 0, 99))
    assert fetched(case) == 6
    assert fetched(replace(case, fetch_box=(True, False))) == 8


def test_padding_is_neither_stored_nor_read():
    """Three rows padded by one: the tiles are 01, 012, 12 of stored rows."""
    case = nest("1 P 3", "0 R 3", rows=(1, 1, 1, 3))
    counts = walk(case)
    assert (counts.reads[1][I], counts.writes[0][I]) == (3, 3)
    assert counts.reads[0][I] == 2 + 3 + 2
    assert (counts.reads[0][W], counts.writes[0][O]) == (9, 9)


def test_stored_padding_counts_where_it_is_stored():
    """Five rows with the padding; the parent reads two of them only where it stores them, too."""
    child = walk(nest("1 P 3", "0 R 3", rows=(1, 1, 1, 3), padding_stored=(True, False)))
    both = walk(nest("1 P 3", "0 R 3", rows=(1, 1, 1, 3), padding_stored=(True, True)))
    assert (child.reads[1][I], child.writes[0][I], child.reads[0][I]) == (3, 5, 9)
    assert (both.reads[1][I], both.writes[0][I], both.reads[0][I]) == (5, 5, 9)


def test_ragged_tiles_are_clipped():
    """Five rows in tiles of two, three taps: 4 words, then rows 4-5 and 6; the last tile is one row."""
    counts = walk(nest("1 P 3", "0 P 2", "0 R 3", extents={"P": 5}))
    assert counts.steps == counts.macs == 15
    assert counts.reads[1][I] == 4 + 2 + 1
    assert counts.writes[1][O] == 5


def test_sums_drain_and_return_once_a_pass():
    """Two channels outside three outputs: six visits, of which the last three find sums to return."""
    counts = walk(nest("1 C 2", "1 P 3", "0 R 2"))
    assert counts.writes[1][O] == 6
    assert counts.reads[1][O] == 3
    assert counts.writes[0][O] == 12 + 3
    assert counts.reads[0][O] == (12 - 3) + 6


def test_links_that_add_update_the_parent_once():
    """Two PEs over the channels, two passes, three outputs; only one PE of the two gets the sum back."""
    case = nest("1 C 2", "1 P 3", "1 C 2 x", "0 R 2")
    added, single = walk(case), walk(replace(case, reduce=False))
    assert (added.writes[1][O], single.writes[1][O]) == (6, 12)
    assert added.reads[1][O] == single.reads[1][O] == 3
    assert added.writes[0][O] == single.writes[0][O] == 24 + 3


def test_links_below_the_innermost_sums_add_what_they_can():
    """Four products of one sum at a time, twice: 2 updates and 1 read with an adder, 8 and 7 without."""
    case = nest("0 R 2", "0 C 4 x")
    added, single = walk(case), walk(replace(case, reduce=False))
    assert (added.writes[0][O], added.reads[0][O]) == (2, 1)
    assert (single.writes[0][O], single.reads[0][O]) == (8, 7)


def test_multicast_reads_once_for_all_children():
    """Four PEs with their own filters and the same five inputs, one after the other."""
    case = nest("1 P 5", "1 K 4 x", "0 N 1")
    one, each = walk(case), walk(replace(case, multicast=(False, True)))
    assert (one.reads[1][I], each.reads[1][I]) == (5, 20)
    assert one.writes[0][I] == each.writes[0][I] == 20


def test_diagonal_link_reads_the_union_of_the_windows():
    """3 x 4 PEs need rows 0-5 between them; without the link each row is read for each PE."""
    case = nest("1 R 3 x", "1 P 4 x", "0 N 1")
    assert fetched(replace(case, diagonal=True)) == 6
    assert fetched(case) == 12


def test_idle_instance_hears_the_broadcast_and_takes_no_part_in_sums():
    """Three filters on two PEs: the second PE is idle in the second round, and still fills the inputs."""
    counts = walk(nest("1 K 2", "1 P 5", "1 K 2 x", "0 N 1", extents={"K": 3}))
    assert counts.writes[0][I] == 2 * 5 * 2
    assert counts.writes[0][W] == 3
    assert counts.writes[0][O] == counts.writes[1][O] == 15


def test_bypassed_level_passes_the_operand_through():
    case = nest("2 P 4", "1 R 3", "0 K 2")
    keep = ((True, True, True), (False, True, True), (True, True, True))
    counts = walk(replace(case, keep=keep))
    assert counts.reads[1][I] == counts.writes[1][I] == 0
    assert counts.reads[2][I] == counts.writes[0][I] == 12


def test_operand_at_home_further_in_never_meets_the_levels_outside():
    case = nest("2 K 2", "1 P 4", "0 R 3")
    counts = walk(replace(case, keep=((True, True, True), (True, True, True), (False, True, False))))
    assert counts.reads[2] == [0, 6, 0]
    assert counts.writes[1][I] == 0
    assert counts.writes[1][O] == 8


def test_lost_sum_makes_a_wrong_product(monkeypatch):
    """What the walk's own check is worth: without the returns the product is not numpy's."""
    returning = nest("1 C 2", "1 P 3")
    walk(returning)
    monkeypatch.setattr(loop_walk.SumBuffers, "_drain", lambda *_: None)
    with pytest.raises(AssertionError, match="wrong product"):
        walk(returning)


def test_too_few_trips_are_refused():
    with pytest.raises(InputError, match="loops of P make 4 trips for an extent of 5"):
        nest("0 P 4", extents={"P": 5})


def test_reference_convolution_is_the_sum_by_its_definition():
    """Plain Python loops over a grouped, strided, dilated, padded layer with depth."""
    case = replace(
        nest("0 N 2", "0 G 2", "0 K 2", "0 C 2", "0 P 3", "0 Q 2", "0 R 3", "0 S 2", "0 Z 2", "0 V 2"),
        windows=((2, 2, 3, 5), (1, 3, 1, 4), (1, 1, 1, 2)),
        weight_has_batch=True,
    )
    tensors = random_tensors(case)
    outputs = np.zeros_like(tensors.outputs)
    x = case.extents
    for n, g, k, c, p, q, r, s, z, v in itertools.product(*(range(x[d]) for d in "NGKCPQRSZV")):
        h, w, d = 2 * p + 2 * r - 3, q + 3 * s - 1, z + v - 1
        if 0 <= h < 5 and 0 <= w < 4 and 0 <= d < 2:
            outputs[n, g, k, p, q, z] += (
                tensors.inputs[n, g, c, h, w, d] * tensors.weights[n, g, k, c, r, s, v]
            )
    assert np.array_equal(convolve(case, tensors.inputs, tensors.weights), outputs)


def test_random_cases_reach_what_the_closed_forms_find_hard():
    """A strategy that never draws a feature proves nothing about it."""
    seen: Counter[str] = Counter()

    @settings(check, max_examples=200)
    @given(cases())
    def look(case: Case) -> None:
        space = {(level, dim) for level, dim, trips, spatial in case.loops if spatial and trips > 1}
        dims, levels = {dim for _, dim in space}, {level for level, _ in space}
        trips = {d: math.prod(loop[2] for loop in case.loops if loop[1] == d) for d in case.extents}
        walked = [
            w for w, (p, r) in zip(case.windows, ("PR", "QS", "ZV"), strict=True) if case.extents[r] > 1
        ]
        seen["ragged"] += any(trips[d] > size for d, size in case.extents.items())
        seen["strided"] += any(stride > 1 for stride, *_ in walked)
        seen["dilated"] += any(dilation > 1 for _, dilation, *_ in walked)
        seen["padded"] += any(pad > 0 for _, _, pad, _ in walked)
        seen["grouped"] += case.extents["G"] > 1
        seen["depth"] += case.extents["Z"] > 1
        seen["bypassed"] += any(len(case.kept_levels(t)) < case.kept_levels(t)[-1] + 1 for t in range(3))
        seen["home inside"] += any(case.kept_levels(t)[-1] < case.n_levels - 1 for t in range(3))
        seen["two fan-outs"] += len(levels) > 1
        seen["diagonal"] += case.diagonal and {"P", "R"} <= dims
        seen["reduction"] += case.reduce and bool(dims & set("CRSV"))
        seen["box"] += any(case.fetch_box[level] for level in case.kept_levels(I)[:-1])
        seen["stored padding"] += any(case.padding_stored[level] for level in case.kept_levels(I)[:-1])

    look()
    assert len(seen) == 13
    assert min(seen.values()) >= 3, seen


@check
@given(cases())
def test_every_random_case_makes_the_right_product(case):
    """The product is checked inside; here that words are conserved between the levels."""
    counts = walk(case)
    assert counts.macs == math.prod(case.extents.values())
    for operand, name in enumerate("IWO"):
        kept = case.kept_levels(operand)
        assert all(
            counts.reads[level][operand] == counts.writes[level][operand] == 0
            for level in set(range(case.n_levels)) - set(kept)
        )
        for child, parent in itertools.pairwise(kept):
            if operand == O:
                assert counts.events[child, name, "returned"] == counts.events[parent, name, "return"]
                assert counts.events[parent, name, "update"] <= counts.events[child, name, "drain"]
            elif not any(case.padding_stored):
                assert counts.events[parent, name, "child"] <= counts.events[child, name, "fill"]


@check
@given(cases(max_macs=150))
def test_better_links_never_move_more(case):
    plain = walk(replace(case, multicast=(False, False), reduce=False, diagonal=False))
    better = walk(replace(case, multicast=(True, True), reduce=True, diagonal=True))
    for level, operand in itertools.product(range(case.n_levels), range(3)):
        assert better.reads[level][operand] <= plain.reads[level][operand]
        assert better.writes[level][operand] <= plain.writes[level][operand]
