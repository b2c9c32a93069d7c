"""Values of a variable: lists, ranges, units."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accelsim.base.units import exact_text, quantity_of
from accelsim.explore.sweep.variables import ValuesError, read_values, setting_text

KIB = 1024


@pytest.mark.parametrize(
    ("text", "values", "unit"),
    [
        ("8..256 step x2", (8, 16, 32, 64, 128, 256), ""),
        ("8..200 step x2", (8, 16, 32, 64, 128), ""),
        ("8..40 step 8", (8, 16, 24, 32, 40), ""),
        ("40..8 step -16", (8, 24, 40), ""),
        (["64 KiB..256 KiB step x2", "96 KiB"], (65536, 98304, 131072, 262144), "B"),
        ("0.1..0.3 step 0.1", (0.1, 0.2, 0.3), ""),
        ("32 KiB..128 KiB step x2", (32 * KIB, 64 * KIB, 128 * KIB), "B"),
        ("32..128 KiB step x2", (32 * KIB, 64 * KIB, 128 * KIB), "B"),
        ("32 KiB..96 KiB step 32 KiB", (32 * KIB, 64 * KIB, 96 * KIB), "B"),
        ("500 MHz..1 GHz step x2", (5e8, 1e9), "Hz"),
        (["8..32 step x2", 48], (8, 16, 32, 48), ""),
        (["12.8 GB/s"], (12.8e9,), "B/s"),
        (["50%", "75%"], (0.5, 0.75), ""),
        (["128 words"], (128,), "words"),
        ([True, None, {"from": "technology"}], ("true", "null", '{"from": "technology"}'), ""),
        (7, (7,), ""),
    ],
)
def test_values_are_read_in_base_units(text: Any, values: tuple[Any, ...], unit: str) -> None:
    found, found_unit = read_values(text)
    assert found == pytest.approx(values) if isinstance(values[0], float) else found == values
    assert [type(value) for value in found] == [type(value) for value in values]
    assert found_unit == unit


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("8..256 step x1", "never ends"),
        ("8..256 step 0", "never ends"),
        ("0..256 step x2", "never ends"),
        ("8..256 step x-2", "never ends"),
        ("-8..8 step x2", "never ends"),
        ("256..8 step x2", "is empty"),
        ("8..256 step -8", "is empty"),
        ("8..256", "has no step"),
        ("8..x step 2", "is no number below"),
        ("8..0 step x0.5", "never ends"),
        ("1..1e400 step x10", "is no number"),
        (["1e400 GB/s"], "too large"),
        (["1e300 B"], "too large"),
        ("1 KiB..1 s step x2", "different units"),
        ("1 KiB..2 KiB step 8", "another unit"),
        ("1..1e9 step 1", "more than"),
        ("1 KIB..2 KIB step x2", "unknown unit"),
        ([], "empty list"),
        ([1, 2, 1], "twice"),
        (["64 KiB", "65536 B"], "lists 64 KiB twice"),
        ([8, "8..16 step 8"], "lists 8 twice"),
        ([8, "64 KiB"], "mixes"),
        ([8, "ws"], "mixes"),
        ([float("nan")], "no usable number"),
        ([""], "empty text"),
    ],
)
def test_values_that_can_not_be_are_told(text: Any, message: str) -> None:
    with pytest.raises(ValuesError, match=message):
        read_values(text)


def test_a_wrong_item_of_a_list_is_told_by_its_place() -> None:
    with pytest.raises(ValuesError) as caught:
        read_values(["64 KiB", "64 KIB"])
    assert caught.value.item == 1
    assert caught.value.hint == "did you mean 'KiB'?"


@settings(deadline=None)
@given(start=st.integers(1, 500), step=st.integers(1, 50), n=st.integers(1, 60), slack=st.floats(0, 0.99))
def test_a_range_by_addition_is_pythons(start: int, step: int, n: int, slack: float) -> None:
    stop = start + (n - 1) * step + int(slack * step)
    assert read_values(f"{start}..{stop} step {step}")[0] == tuple(range(start, stop + 1, step))


@settings(deadline=None)
@given(start=st.integers(1, 500), factor=st.integers(2, 9), n=st.integers(1, 12))
def test_a_range_by_multiplication_meets_its_end(start: int, factor: int, n: int) -> None:
    stop = start * factor ** (n - 1)
    assert read_values(f"{start}..{stop} step x{factor}")[0] == tuple(start * factor**i for i in range(n))


@settings(deadline=None)
@given(value=st.floats(1e-6, 1e15))
@pytest.mark.parametrize(
    "dimension", ["frequency", "data/time", "energy", "energy/data", "data", "area", "time"]
)
def test_the_text_of_a_quantity_reads_as_the_same_double(dimension: str, value: float) -> None:
    found = quantity_of(exact_text(value, dimension))
    assert found is not None
    assert found.value == value
    assert found.dimension == dimension


def test_settings_are_written_as_people_write_them() -> None:
    assert setting_text(64 * KIB, "B") == "64 KiB"
    assert setting_text(1000, "B") == "1000 B"
    assert setting_text(25.6e9, "B/s") == "25.6 GB/s"
    assert setting_text(1e9, "Hz") == "1 GHz"
    assert setting_text(8, "") == "8"
