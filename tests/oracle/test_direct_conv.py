"""NVDLA's pipeline: the closed form takes as many cycles as a walk through every one of them."""

from __future__ import annotations

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from accelsim.base.errors import InfeasibleError
from accelsim.cost.direct_conv import NV_SMALL, Convolution, Pipeline, direct_convolution, stripes
from accelsim.testing.direct_conv import Walk

SMALL_CBUF = Pipeline(banks=8, bank_entries=32)


@settings(max_examples=60, deadline=None)
@given(
    st.tuples(*(st.integers(1, most) for most in (9, 6, 20, 3, 3, 26))),
    st.integers(1, 60),
    st.integers(1, 6),
)
def test_closed_form_equals_the_walk_of_every_cycle(
    sizes: tuple[int, ...], out_pixels: int, weight_banks: int
) -> None:
    conv = Convolution(*sizes, out_pixels=out_pixels, weight_banks=weight_banks)
    try:
        cost = direct_convolution(conv, SMALL_CBUF)
    except InfeasibleError:
        assume(False)
    walk = Walk(*sizes, out_pixels=out_pixels, weight_banks=weight_banks, bank_entries=32)
    assert cost.cycles - SMALL_CBUF.fixed_cycles == walk.cycles()


@given(st.integers(1, 2000))
def test_stripes_cover_the_output_and_only_a_tiny_one_has_a_short_stripe(pixels: int) -> None:
    runs = stripes(pixels)
    assert sum(length * n for length, n in runs) == pixels
    assert all(8 <= length <= 16 for length, _ in runs) or (pixels < 8 and len(runs) == 1)


def test_sums_of_a_1x1_filter_leave_slower_than_they_are_made() -> None:
    """8 channels: a stripe of 16 pixels takes 16 cycles to make and 36 + 9 x 16 to leave."""
    short = direct_convolution(Convolution(16, 16, 8, 1, 1, 8, out_pixels=256))
    long = direct_convolution(Convolution(16, 32, 8, 1, 1, 8, out_pixels=512))
    assert long.cycles - short.cycles == 16 * (36 + 9 * 16) + 256 * NV_SMALL.beat_cycles


def test_weights_that_never_fit_are_refused_with_what_they_need() -> None:
    with pytest.raises(InfeasibleError, match="the weights of 8 kernels need"):
        direct_convolution(Convolution(4, 4, 512, 3, 3, 8, out_pixels=4, weight_banks=2))
    with pytest.raises(InfeasibleError, match="the input takes 32 banks"):
        direct_convolution(Convolution(64, 32, 64, 3, 3, 8, out_pixels=4))
