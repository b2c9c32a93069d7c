"""The closed form of run-length coded maps against sequences that are coded literally."""

from __future__ import annotations

import numpy as np
import pytest
from support.small_machine import small_machine

from accelsim.cost.compression import Zeros, coded_bits, with_zeros
from accelsim.tables.machine import RunLength
from accelsim.testing.run_length import decode, encode, n_words

EYERISS = RunLength(run_bits=5, value_bits=16, pairs=3, word_bits=64)
LENGTH = 120_000


def sequence(zero_frac: float, seed: int = 0) -> list[int]:
    random = np.random.default_rng(seed)
    values = random.integers(1, 1000, LENGTH)
    return np.where(random.random(LENGTH) < zero_frac, 0, values).tolist()


@pytest.mark.parametrize("run_bits", [1, 2, 5])
@pytest.mark.parametrize("zero_frac", [0.0, 0.0001, 0.387, 0.725, 0.793, 0.95, 0.99, 1.0])
def test_code_of_independent_zeros_is_as_long_as_the_closed_form_says(
    zero_frac: float, run_bits: int
) -> None:
    """Of 120,000 values; 1.5 % is more than three standard deviations of the sparsest."""
    values = sequence(zero_frac)
    pairs = encode(values, run_bits)
    assert decode(pairs) == values
    assert max(run for run, _ in pairs) <= 2**run_bits - 1
    code = RunLength(run_bits, 16, 3, 64)
    bits = 64 * n_words(pairs, 3) / LENGTH
    assert bits == pytest.approx(coded_bits(code, zero_frac), rel=0.015)


def test_values_without_zeros_grow_by_a_third_and_zeros_alone_shrink_to_a_24th() -> None:
    """64 bits for three values of 16; 64 bits for 3 x 32 zeros."""
    assert coded_bits(EYERISS, 0.0) == 64 / 3
    assert coded_bits(EYERISS, 1.0) == 64 / 96


@pytest.mark.parametrize("block", [1, 16, 200])
@pytest.mark.parametrize("zero_frac", [0.3, 0.8])
def test_however_zeros_stand_pairs_are_between_the_values_and_one_more_for_each_32_zeros(
    block: int, zero_frac: float
) -> None:
    """A pair for each value that is not zero; one more where 32 zeros and more stand together."""
    random = np.random.default_rng(1)
    values = np.where(np.repeat(random.random(LENGTH // block) < zero_frac, block), 0, 7).tolist()
    n_zeros, n_pairs = values.count(0), len(encode(values, 5))
    assert len(values) - n_zeros <= n_pairs <= len(values) - n_zeros + n_zeros / 32 + 1
    independent = coded_bits(EYERISS, n_zeros / len(values)) * 3 / 64 * len(values)
    assert len(values) - n_zeros <= independent <= len(values) - n_zeros + n_zeros / 32


def test_a_layer_sees_shorter_maps_and_no_energy_where_it_rests() -> None:
    machine = small_machine(coding=EYERISS, gates_mac=True, gated=np.array([True, False, False]))
    seen = with_zeros(machine, Zeros(0.75, 0.5))
    assert seen.mac_pj == machine.mac_pj / 4
    assert seen.read_pj_per_byte.tolist() == [1.0 / 4, 10.0, 100.0]
    assert seen.moved_bits is not None
    assert seen.moved_bits[-1].tolist() == pytest.approx([64 / 12, 0, 64 / 6], abs=1 / 128)
    raw = with_zeros(machine, Zeros(0.75, None, inputs_coded=False))
    assert raw.moved_bits is None
    assert raw.mac_pj == machine.mac_pj / 4
