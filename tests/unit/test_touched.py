"""Words of one input axis and tiles of one dimension, in closed form and as plain sets."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accelsim.cost.digits import FIRST, SPREAD, WALKED, Digit, ever_used, tile_sum
from accelsim.mapping.touched import Axis, Tile, bounds, n_shared, n_touched

check = settings(max_examples=400, deadline=None, derandomize=True, database=None)

axes = st.builds(
    Axis,
    stride=st.integers(1, 6),
    dilation=st.integers(1, 6),
    pad=st.integers(0, 7),
    size=st.integers(1, 40),
    padded=st.booleans(),
    box=st.booleans(),
)
spans = st.tuples(st.integers(0, 12), st.integers(0, 5), st.integers(0, 6), st.integers(0, 4))


def tile(*spans: tuple[int, int, int, int]) -> Tile:
    return Tile(*(np.array(column, np.int64) for column in zip(*spans, strict=True)))


def words(span: tuple[int, int, int, int], axis: Axis) -> set[int]:
    """h = p stride + r dilation - pad for every p and r, by the definition."""
    p, pl, r, rl = span
    found = {
        i * axis.stride + k * axis.dilation - axis.pad for i in range(p, p + pl) for k in range(r, r + rl)
    }
    if not axis.padded:
        found = {h for h in found if 0 <= h < axis.size}
    if axis.box and found:
        found = set(range(min(found), max(found) + 1))
    return {h for h in found if 0 <= h < axis.size} if axis.real else found


@check
@given(axes, st.lists(spans, min_size=1, max_size=6))
def test_touched_words_are_those_of_the_definition(
    axis: Axis, found: list[tuple[int, int, int, int]]
) -> None:
    assert n_touched(tile(*found), axis).tolist() == [len(words(span, axis)) for span in found]


@check
@given(axes, st.lists(st.tuples(spans, spans), min_size=1, max_size=6))
def test_shared_words_are_the_intersection(axis: Axis, pairs: list[tuple[tuple[int, ...], ...]]) -> None:
    new, old = zip(*pairs, strict=True)
    expected = [len(words(a, axis) & words(b, axis)) for a, b in pairs]
    assert n_shared(tile(*new), tile(*old), axis).tolist() == expected


@check
@given(axes, spans)
def test_bounds_are_the_first_and_the_last_touched_word(axis: Axis, span: tuple[int, int, int, int]) -> None:
    found = words(span, axis)
    if found:
        first, last = bounds(tile(span), axis)
        assert (int(first[0]), int(last[0])) == (min(found), max(found))


@check
@given(st.integers(1, 6), st.integers(1, 6), st.integers(0, 7), st.integers(1, 40), spans)
def test_real_words_of_a_padded_box_exist(stride: int, dilation: int, pad: int, size: int, span) -> None:
    axis = Axis(stride, dilation, pad, size, padded=True, box=True, real=True)
    assert n_touched(tile(span), axis).tolist() == [len(words(span, axis))]


def test_strided_tile_touches_28_of_55_words() -> None:
    """A 1x1 filter of stride 2 over 28 outputs; squared: 784 of 3,025 (design, section 5)."""
    span = tile((0, 28, 0, 1))
    assert n_touched(span, Axis(2, 1, 0, 56)).tolist() == [28]
    assert n_touched(span, Axis(2, 1, 0, 56, box=True)).tolist() == [55]
    assert (28 * 28, 55 * 55) == (784, 3025)


# --- tiles of a dimension that loops walk


def digits_of(trips: list[int], roles: list[int], tile: int) -> list[Digit]:
    steps = [tile * math.prod(trips[k + 1 :]) for k in range(len(trips))]
    return [
        Digit(np.array([n]), np.array([step]), role)
        for n, step, role in zip(trips, steps, roles, strict=True)
    ]


@check
@given(
    st.lists(st.tuples(st.integers(1, 4), st.sampled_from([WALKED, FIRST, SPREAD])), max_size=4),
    st.integers(1, 5),
    st.data(),
)
def test_sum_of_ragged_tiles_is_that_of_every_tile(
    loops: list[tuple[int, int]], size: int, data: st.DataObject
) -> None:
    trips, roles = [n for n, _ in loops], [role for _, role in loops]
    extent = data.draw(st.integers(1, size * math.prod(trips)))
    digits = digits_of(trips, roles, size)
    walked = [range(1) if role == FIRST else range(n) for n, role in loops]
    expected = 0
    for index in itertools.product(*walked):
        start = sum(i * int(d.step[0]) for i, d in zip(index, digits, strict=True))
        expected += max(0, min(size, extent - start))
    found = tile_sum(np.int64(extent), digits, np.array([size]), perfect=False)
    assert found.tolist() == [expected]
    if extent == size * math.prod(trips):
        assert tile_sum(np.int64(extent), digits, np.array([size]), perfect=True).tolist() == [expected]


@pytest.mark.parametrize(
    ("extent", "trips", "step", "used"),
    [(12, 3, 4, 3), (9, 3, 4, 3), (8, 3, 4, 2), (100, 3, 4, 3), (1, 3, 4, 1)],
)
def test_instances_that_ever_work_reach_into_the_extent(
    extent: int, trips: int, step: int, used: int
) -> None:
    """ceil(min(D, n step) / step): 8 positions keep two of three instances of four busy."""
    assert ever_used(np.int64(extent), np.array([trips]), np.array([step])).tolist() == [used]
