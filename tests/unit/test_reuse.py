"""Reuse accounting against an enumeration of every multiply-accumulate, and AlexNet's published figure."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accelsim.base.errors import InputError
from accelsim.cost.reuse import REUSES, accesses, reuse_table, touched_input_words, touched_on_axis
from accelsim.tables.dims import DIMS

SUBSETS = [frozenset(kinds) for n in range(5) for kinds in combinations(REUSES, n)]
POINT = (1, 1, 0, 1)  # stride, dilation, pad, size of an axis of one word
UNIT_WINDOWS = (POINT, POINT, POINT)

Windows = tuple[tuple[int, int, int, int], ...]


def arrays(extents: dict[str, int], windows: Windows = UNIT_WINDOWS) -> tuple[np.ndarray, np.ndarray]:
    dims = np.array([[extents.get(dim, 1) for dim in DIMS]], np.int64)
    return dims, np.array([windows], np.int64)


def macs_of(extents: dict[str, int]) -> Iterator[dict[str, int]]:
    for index in product(*(range(extents.get(dim, 1)) for dim in DIMS)):
        yield dict(zip(DIMS, index, strict=True))


def walk(extents: dict[str, int], windows: Windows, kinds: frozenset[str], shared_weight: bool) -> list[int]:
    """I, W and O accesses, one of each set of MACs that may share it; written from the kinds' definitions."""
    inputs, weights, sums = set(), set(), set()
    for m in macs_of(extents):
        word = [
            m[out] * stride + m[tap] * dilation - pad
            for (out, tap), (stride, dilation, pad, _) in zip(("PR", "QS", "ZV"), windows, strict=True)
        ]
        stored = all(0 <= h < window[3] for h, window in zip(word, windows, strict=True))
        place = [m[dim] for dim in "PQZ"]
        taps = [m[dim] for dim in "RSV"]
        filter_of = [] if "image" in kinds else [m["K"]]
        if "convolutional" not in kinds:
            inputs.add((m["N"], m["G"], m["C"], *filter_of, *place, *taps))
        elif stored:
            inputs.add((m["N"], m["G"], m["C"], *filter_of, *word))
        image_of = [] if "filter" in kinds and shared_weight else [m["N"]]
        pixel_of = [] if "convolutional" in kinds else place
        weights.add((m["G"], m["K"], m["C"], *taps, *image_of, *pixel_of))
        reduction = [] if "partial_sum" in kinds else [m["C"], *taps]
        sums.add((m["N"], m["G"], m["K"], *place, *reduction))
    return [len(inputs), len(weights), len(sums) * (1 if "partial_sum" in kinds else 2)]


windows_of_axis = st.tuples(st.integers(1, 4), st.integers(1, 4), st.integers(0, 3), st.integers(1, 9))


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    extents=st.fixed_dictionaries(
        {dim: st.integers(1, 2) for dim in "NGKCZV"} | {dim: st.integers(1, 3) for dim in "PQRS"}
    ).filter(lambda e: np.prod(list(e.values())) <= 400),
    windows=st.tuples(windows_of_axis, windows_of_axis, windows_of_axis),
    shared_weight=st.booleans(),
)
def test_every_subset_of_the_four_kinds_counts_what_an_enumeration_finds(
    extents: dict[str, int], windows: Windows, shared_weight: bool
) -> None:
    dims, window = arrays(extents, windows)
    for kinds in SUBSETS:
        found = accesses(dims, window, kinds, np.array([not shared_weight]))
        assert found.by_operand[:, 0].tolist() == walk(extents, windows, kinds, shared_weight), kinds
        assert found.total[0] == found.by_operand[:, 0].sum()


@settings(max_examples=400, deadline=None, derandomize=True)
@given(
    outs=st.integers(1, 12),
    taps=st.integers(1, 8),
    stride=st.integers(1, 9),
    dilation=st.integers(1, 9),
    pad=st.integers(0, 20),
    size=st.integers(1, 90),
)
def test_touched_words_of_an_axis_are_the_distinct_stored_ones(
    outs: int, taps: int, stride: int, dilation: int, pad: int, size: int
) -> None:
    words = {p * stride + r * dilation - pad for p in range(outs) for r in range(taps)}
    columns = (np.array([value]) for value in (outs, taps, stride, dilation, pad, size))
    assert touched_on_axis(*columns).tolist() == [len(words & set(range(size)))]


def test_a_1x1_stride_2_convolution_touches_a_quarter_of_its_map() -> None:
    """Design section 5: 784 words for 28 x 28 x 4 outputs, where the box around them holds 3,025."""
    dims, windows = arrays({"P": 28, "Q": 28, "K": 4}, ((2, 1, 0, 56), (2, 1, 0, 56), POINT))
    assert touched_input_words(dims, windows).tolist() == [784]


def conv(k: int, c: int, taps: int, out: int, size: int, stride: int, pad: int, groups: int = 1):  # type: ignore[no-untyped-def]
    axis = (stride, 1, pad, size)
    extents = {"K": k // groups, "C": c // groups, "R": taps, "S": taps, "P": out, "Q": out, "G": groups}
    return arrays(extents, (axis, axis, POINT))


def alexnet() -> tuple[np.ndarray, np.ndarray]:
    """The grouped AlexNet of Krizhevsky et al. (2012) on 227 x 227."""
    layers = [
        conv(96, 3, 11, 55, 227, 4, 0),
        conv(256, 96, 5, 27, 27, 1, 2, groups=2),
        conv(384, 256, 3, 13, 13, 1, 1),
        conv(384, 384, 3, 13, 13, 1, 1, groups=2),
        conv(256, 384, 3, 13, 13, 1, 1, groups=2),
        conv(4096, 9216, 1, 1, 1, 1, 0),
        conv(4096, 4096, 1, 1, 1, 1, 0),
        conv(1000, 4096, 1, 1, 1, 1, 0),
    ]
    dims, windows = zip(*layers, strict=True)
    return np.concatenate(dims), np.concatenate(windows)


def test_alexnet_needs_four_accesses_a_mac_without_reuse() -> None:
    """724 M MACs and nearly 3,000 M accesses: Sze et al., Proc. IEEE 105(12), 2017, section V."""
    none = reuse_table(*alexnet())["none"]
    assert none.i_reads.sum() == none.o_writes.sum() == 724_406_816
    assert none.total.sum() == 2_897_627_264


def test_alexnet_with_all_reuse_touches_each_word_once() -> None:
    """Weights: 60,965,224 parameters of the grouped network less 10,568 biases; maps by their shapes."""
    every = reuse_table(*alexnet())["all"]
    assert every.w_reads.sum() == 60_965_224 - 10_568
    maps = [227 * 227 * 3, 27 * 27 * 96, 13 * 13 * 256, 13 * 13 * 384, 13 * 13 * 384, 9216, 4096, 4096]
    assert every.i_reads.tolist() == maps
    sums = [55 * 55 * 96, 27 * 27 * 256, 13 * 13 * 384, 13 * 13 * 384, 13 * 13 * 256, 4096, 4096, 1000]
    assert every.o_writes.tolist() == sums
    assert every.o_reads.sum() == 0


def test_convolutional_reuse_gives_a_fully_connected_layer_nothing() -> None:
    table = reuse_table(*conv(4096, 9216, 1, 1, 1, 1, 0))
    assert table["convolutional"].by_operand.tolist() == table["none"].by_operand.tolist()


def test_filter_reuse_needs_a_batch() -> None:
    dims, windows = alexnet()
    one = reuse_table(dims, windows)
    assert one["filter"].total.tolist() == one["none"].total.tolist()
    dims[:, DIMS.index("N")] = 16
    sixteen = reuse_table(dims, windows)
    assert (sixteen["filter"].w_reads * 16).tolist() == sixteen["none"].w_reads.tolist()


def test_repeated_runs_share_nothing() -> None:
    dims, windows = conv(8, 4, 3, 5, 7, 1, 0)
    once, thrice = (
        accesses(dims, windows, set(REUSES)),
        accesses(dims, windows, set(REUSES), None, np.array([3])),
    )
    assert thrice.by_operand.tolist() == (3 * once.by_operand).tolist()


def test_unknown_kind_and_overflowing_layer_are_told_together() -> None:
    with pytest.raises(InputError, match=r"'imag'.*did you mean 'image'(.|\n)*layer 0 has 8e\+18"):
        accesses(*arrays({"P": 2_000_000, "K": 2_000_000, "C": 2_000_000}), {"imag"})
