"""The fast form of SCALE-Sim against a literal walk of its lines, requests and buffers (tests/support)."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.scalesim_walk import walk

from accelsim.compat.scalesim import Setup, Work, simulate_layer
from accelsim.compat.scalesim import layer as layer_module

Array = tuple[int, int]
SIZES = st.sampled_from([100, 130, 200, 256, 1024])
"""Words of an SRAM: SCALE-Sim's own start at 1024, which small layers never fill."""
BANDWIDTHS = st.sampled_from([1, 2, 3, 7, 10, 64])


@st.composite
def layers(draw: st.DrawFn) -> tuple[int, int, int, int, int, int, int]:
    h, w = draw(st.integers(1, 12)), draw(st.integers(1, 12))
    r, s = draw(st.integers(1, min(h, 4))), draw(st.integers(1, min(w, 4)))
    return h, w, r, s, draw(st.integers(1, 6)), draw(st.integers(1, 20)), draw(st.integers(1, 4))


@pytest.fixture(autouse=True)
def small_sram(monkeypatch: pytest.MonkeyPatch) -> None:
    """SRAM sizes count words here, so that small layers fill them."""
    monkeypatch.setattr(layer_module, "WORDS_PER_KB", 1)


@settings(max_examples=120, deadline=None, derandomize=True)
@given(
    layer=layers(),
    array=st.tuples(st.integers(1, 9), st.integers(1, 9)),
    dataflow=st.sampled_from(["os", "ws", "is"]),
    words=st.tuples(SIZES, SIZES, SIZES),
    bandwidths=st.one_of(st.none(), st.tuples(BANDWIDTHS, BANDWIDTHS, BANDWIDTHS)),
)
def test_counts_stalls_and_cycles_are_those_of_the_walk(
    layer: tuple[int, int, int, int, int, int, int],
    array: Array,
    dataflow: str,
    words: tuple[int, int, int],
    bandwidths: tuple[int, int, int] | None,
) -> None:
    setup = Setup(*array, dataflow, *words, *(("USER", *bandwidths) if bandwidths else ()))
    found = simulate_layer(Work("l", *layer, layer[-1]), setup)
    expected = walk(layer, array, dataflow, words, bandwidths)
    assert {name: found[name] for name in expected} == expected
    prefetch = min(expected["dram_ifmap_start"], expected["dram_filter_start"])
    assert found["total_cycles_incl_prefetch"] == expected["dram_ofmap_stop"] - prefetch
