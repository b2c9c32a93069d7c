"""Quantities with units: values are worked out by hand from the SI and IEC prefixes."""

import pytest

from accelsim.base.units import UnitError, parse


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("256 KiB", "size", 262144.0),
        ("1 KB", "size", 1000.0),
        ("8 GiB", "size", 8589934592.0),
        ("342287 B", "size", 342287.0),
        ("16 b", "size", 2.0),
        ("1 Kib", "size", 128.0),
        ("1 GHz", "frequency", 1e9),
        ("200MHz", "frequency", 2e8),
        ("64 B/cycle", "bandwidth", 64.0),
        ("25.6 GB/s", "bandwidth", 25.6e9),
        ("8 Gb/s", "bandwidth", 1e9),
        ("0.5 pJ", "energy", 0.5),
        ("2 nJ", "energy", 2000.0),
        ("150 fJ/MAC", "energy", 0.15),
        ("1.2 pJ/B", "energy_per_data", 1.2),
        ("20 pJ/bit", "energy_per_data", 160.0),
        ("0.5 mm2", "area", 0.5),
        ("20000 um2", "area", 0.02),
        ("30 mW", "power", 30.0),
        ("28 W", "power", 28000.0),
        ("65nm", "length", 65.0),
        ("15 ns", "time", 15e-9),
        ("25%", "fraction", 0.25),
        (0.25, "fraction", 0.25),
        ("1e-3 pJ", "energy", 1e-3),
        ("2 µs", "time", 2e-6),
    ],
)
def test_a_quantity_is_read_in_base_units(text: object, kind: str, value: float) -> None:
    assert parse(text, kind).value == pytest.approx(value, rel=1e-15)


def test_a_rate_per_cycle_and_a_rate_per_second_stay_apart() -> None:
    assert parse("64 B/cycle", "bandwidth").is_per_cycle
    assert not parse("64 B/s", "bandwidth").is_per_cycle


def test_words_become_bytes_above_and_below_the_bar() -> None:
    assert parse("224 words", "size").per_byte(16) == 448.0
    assert parse("15 pJ/word", "energy_per_data").per_byte(16) == 7.5
    assert parse("4 words/cycle", "bandwidth").per_byte(32) == 16.0
    assert parse("3 pJ/B", "energy_per_data").per_byte(16) == 3.0


@pytest.mark.parametrize(
    ("text", "kind", "message", "expected"),
    [
        ("3 GHz", "size", "is a frequency", "a size"),
        ("64 KiB", "frequency", "is a size", "a frequency"),
        ("3 pJ", "energy_per_data", "is an energy", "pJ/B"),
        ("-2 pJ", "energy", "is negative", "an energy"),
        ("64", "size", "has no unit", "a size"),
        (64, "size", "has no unit", "a size"),
        (1.5, "energy", "has no unit", "an energy"),
        (True, "size", "no quantity", "a size"),
        (None, "size", "no quantity", "a size"),
        ("nan pJ", "energy", "no number", "an energy"),
        (".nan", "energy", "no number", "an energy"),
        ("inf B", "size", "no number", "a size"),
        ("1e400 B", "size", "too large", "a size"),
        ("1 B/s/s", "bandwidth", "unknown unit", "a bandwidth"),
        ("120%", "fraction", "more than the whole", "a share"),
        (float("nan"), "fraction", "has no unit", "a share"),
        ("", "size", "no number", "a size"),
        ("pJ", "energy", "no number", "an energy"),
    ],
)
def test_what_is_no_such_quantity_is_refused_and_says_why(
    text: object, kind: str, message: str, expected: str
) -> None:
    with pytest.raises(UnitError) as caught:
        parse(text, kind)
    assert message in caught.value.message
    assert caught.value.expected is not None
    assert expected in caught.value.expected


@pytest.mark.parametrize(
    ("text", "kind", "meant"),
    [
        ("256 kib", "size", "KiB"),
        ("25.6 gb/s", "bandwidth", "GB/s"),
        ("1 ghz", "frequency", "GHz"),
        ("2 pj/word", "energy_per_data", "pJ/word"),
        ("2 pJ/wrd", "energy_per_data", "word"),
    ],
)
def test_a_misspelt_unit_gets_the_unit_that_was_meant(text: str, kind: str, meant: str) -> None:
    with pytest.raises(UnitError) as caught:
        parse(text, kind)
    assert caught.value.hint is not None
    assert repr(meant) in caught.value.hint


def test_zero_is_an_energy_but_no_clock() -> None:
    assert parse("0 pJ", "energy").value == 0.0
    with pytest.raises(UnitError, match="is zero"):
        parse("0 Hz", "frequency", positive=True)


@pytest.mark.parametrize("text", [0, 0.0, "0%"])
def test_zero_is_no_efficiency_with_a_unit_or_without(text: object) -> None:
    assert parse(text, "fraction").value == 0.0
    with pytest.raises(UnitError, match="is zero"):
        parse(text, "fraction", positive=True)


def test_a_long_value_does_not_flood_the_message() -> None:
    with pytest.raises(UnitError) as caught:
        parse("9" * 100_000, "size")
    assert len(caught.value.message) < 120
