"""Quantities with their unit, as configuration files write them: "256 KiB", "25.6 GB/s", "1.2 pJ/B".

Base units: byte, second, hertz, pJ, mm2, mW, nm. 1 KB = 1000 B, 1 KiB = 1024 B, `b` is a bit, `word` is as
wide as the memory or multiplier that the quantity belongs to.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Final

from accelsim.base.errors import did_you_mean

_EXPONENT: Final = {"f": -15, "p": -12, "n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9}
_DATA: Final = {
    **{prefix: 1000.0**power for power, prefix in enumerate(("", "K", "M", "G", "T", "P"))},
    **{prefix: 1024.0**power for power, prefix in enumerate(("Ki", "Mi", "Gi", "Ti", "Pi"), 1)},
    "k": 1000.0,
}
_NUMBER: Final = re.compile(r"([-+]?(?:\d+(?:_\d+)*\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*(.*)", re.DOTALL)
_PLAIN: Final = str.maketrans({"\u00b5": "u", "\u03bc": "u", "\u00b2": "2"})  # micro, mu, squared


def _atoms() -> dict[str, tuple[str, float]]:
    """Every unit without a fraction bar: its dimension and its size in base units."""
    found: dict[str, tuple[str, float]] = {}
    for prefix, factor in _DATA.items():
        found[f"{prefix}B"] = ("data", factor)
        for bit in ("b", "bit", "bits"):
            found[f"{prefix}{bit}"] = ("data", factor / 8)
    for symbol, dimension, base, prefixes in (
        ("Hz", "frequency", 0, ("", "k", "M", "G")),
        ("J", "energy", -12, ("f", "p", "n", "u", "m", "")),
        ("W", "power", -3, ("n", "u", "m", "", "k")),
        ("s", "time", 0, ("p", "n", "u", "m", "")),
        ("m", "length", -9, ("n", "u", "m")),
    ):
        found.update(
            {prefix + symbol: (dimension, 10.0 ** (_EXPONENT[prefix] - base)) for prefix in prefixes}
        )
    found.update(
        {"nm2": ("area", 1e-12), "um2": ("area", 1e-6), "mm2": ("area", 1.0), "cm2": ("area", 100.0)}
    )
    found.update(dict.fromkeys(("word", "words"), ("word", 1.0)))
    found.update(dict.fromkeys(("cycle", "cycles"), ("cycle", 1.0)))
    found.update(dict.fromkeys(("op", "MAC"), ("op", 1.0)))
    found["%"] = ("fraction", 0.01)
    return found


_ATOMS: Final = _atoms()

KINDS: Final[dict[str, tuple[frozenset[str], str]]] = {
    "size": (frozenset({"data", "word"}), "a size such as '64 KiB' or '224 words'"),
    "frequency": (frozenset({"frequency"}), "a frequency such as '1 GHz'"),
    "bandwidth": (
        frozenset({"data/cycle", "word/cycle", "data/time", "word/time"}),
        "a bandwidth such as '64 B/cycle' or '25.6 GB/s'",
    ),
    "energy": (frozenset({"energy", "energy/op"}), "an energy such as '0.2 pJ'"),
    "energy_per_data": (
        frozenset({"energy/data", "energy/word"}),
        "an energy per byte, bit or word such as '1.2 pJ/B' or '15 pJ/word'",
    ),
    "area": (frozenset({"area"}), "an area such as '0.5 mm2'"),
    "power": (frozenset({"power"}), "a power such as '30 mW'"),
    "length": (frozenset({"length"}), "a length such as '65nm'"),
    "time": (frozenset({"time"}), "a time such as '15 ns'"),
    "time_per_word": (frozenset({"time/word"}), "a time per word such as '35 ns/word'"),
    "data_per_word": (frozenset({"data/word"}), "bytes per word such as '3 B/word'"),
    "fraction": (frozenset({"fraction"}), "a share such as '25%'"),
}
"""What a key can ask for: the dimensions that it takes, and how to say so."""

_NAMES: Final = {
    "data": "a size",
    "word": "a size",
    "data/cycle": "a bandwidth",
    "word/cycle": "a bandwidth",
    "data/time": "a bandwidth",
    "word/time": "a bandwidth",
    "energy/op": "an energy",
    "energy/data": "an energy per byte",
    "energy/word": "an energy per word",
    "time/word": "a time per word",
    "data/word": "a size per word",
    "fraction": "a share",
}


class UnitError(ValueError):
    """A text that is not the quantity asked for; the caller adds file, line and key."""

    def __init__(self, message: str, expected: str | None = None, hint: str | None = None) -> None:
        super().__init__(message)
        self.message, self.expected, self.hint = message, expected, hint


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number in base units and its dimension ("data", "word", "data/cycle", "energy/word", ...)."""

    value: float
    dimension: str
    text: str

    def per_byte(self, word_bits: int) -> float:
        """The value with words of `word_bits` turned into bytes, above or below the fraction bar."""
        above, _, below = self.dimension.partition("/")
        value = self.value * word_bits / 8 if above == "word" else self.value
        return value * 8 / word_bits if below == "word" else value

    @property
    def is_per_cycle(self) -> bool:
        return self.dimension.endswith("/cycle")

    def __str__(self) -> str:
        return self.text


def parse(text: object, kind: str, *, positive: bool = False) -> Quantity:
    """Read a quantity of one of KINDS; UnitError where it is none, is negative, or (`positive`) is zero."""
    dimensions, expected = KINDS[kind]
    if isinstance(text, bool) or not isinstance(text, str | int | float):
        raise UnitError(f"{_shown(text)} is no quantity", expected)
    if not isinstance(text, str):
        if kind == "fraction" and 0 <= text <= 1:
            _refuse_zero(text, text, positive, expected)
            return Quantity(float(text), "fraction", str(text))
        raise UnitError(f"{_shown(text)} has no unit", expected)
    match = _NUMBER.fullmatch(text.strip().translate(_PLAIN))
    if match is None:
        raise UnitError(f"{_shown(text)} is no number with a unit", expected)
    number, unit = match.groups()
    if not unit:
        raise UnitError(f"{_shown(text)} has no unit", expected)
    dimension, factor = _unit(unit, expected)
    if dimension not in dimensions:
        raise UnitError(f"{_shown(text)} is {_name(dimension)}", expected)
    value = float(number) * factor
    if value < 0:
        raise UnitError(f"{_shown(text)} is negative", expected)
    _refuse_zero(value, text, positive, expected)
    if not math.isfinite(value) or value > 1e30:
        raise UnitError(f"{_shown(text)} is too large", expected)
    if kind == "fraction" and value > 1:
        raise UnitError(f"{_shown(text)} is more than the whole", expected)
    return Quantity(value, dimension, text.strip())


def quantity_of(text: str) -> Quantity | None:
    """A number with any known unit; None where the text is no number with a unit at all.

    UnitError where a number has a unit that is not known. Negative numbers and zero are quantities here.
    """
    match = _NUMBER.fullmatch(text.strip().translate(_PLAIN))
    if match is None or not match[2]:
        return None
    dimension, factor = _unit(match[2], "a unit such as 'KiB', 'GB/s', 'pJ' or 'mm2'")
    return Quantity(float(match[1]) * factor, dimension, text.strip())


def is_unit(word: str) -> bool:
    """Whether a word is a unit without a fraction bar."""
    return word.translate(_PLAIN) in _ATOMS


def exact_text(value: float, dimension: str) -> str:
    """A quantity in base units as a text that `parse` reads as the same double: '64 KiB', '25.6 GB/s'."""
    *larger, base = _WRITTEN[dimension]
    for unit in larger:
        factor = _unit(unit, "")[1]
        number = f"{value / factor:.6g}"
        whole = float(number) == int(float(number))
        if float(number) >= 1 and float(number) * factor == value and (whole or dimension != "data"):
            return f"{number} {unit}"
    number = str(int(value)) if value == int(value) and abs(value) < 2**53 else repr(float(value))
    return f"{number} {base}" if base else number


_WRITTEN: Final[dict[str, tuple[str, ...]]] = {
    "": ("",),
    "data": ("GiB", "MiB", "KiB", "B"),
    "word": ("words",),
    "cycle": ("cycles",),
    "frequency": ("GHz", "MHz", "Hz"),
    "time": ("s",),
    "energy": ("pJ",),
    "area": ("mm2",),
    "power": ("mW",),
    "length": ("nm",),
    "data/time": ("GB/s", "MB/s", "B/s"),
    "word/time": ("words/s",),
    "data/cycle": ("B/cycle",),
    "word/cycle": ("words/cycle",),
    "energy/data": ("pJ/B",),
    "energy/word": ("pJ/word",),
    "time/word": ("s/word",),
    "data/word": ("B/word",),
}
"""How each dimension is written: the largest units first, that of its base last."""


def base_unit(dimension: str) -> str | None:
    """The unit of a dimension's base ("B", "Hz", "pJ/B"; "" of numbers); None where no key takes it."""
    units = _WRITTEN.get(dimension)
    return units[-1] if units else None


def _refuse_zero(value: float, text: object, positive: bool, expected: str) -> None:
    if positive and value == 0:
        raise UnitError(f"{_shown(text)} is zero", f"{expected}, above zero")


def _unit(unit: str, expected: str) -> tuple[str, float]:
    """Dimension and factor of "B", "pJ/word" and their like."""
    dimension, factor = "", 1.0
    for position, part in enumerate(unit.split("/")):
        atom = _ATOMS.get(part.strip())
        if atom is None or position > 1:
            raise UnitError(f"unknown unit {_shown(unit)}", expected, _closest(unit))
        dimension = f"{dimension}/{atom[0]}" if position else atom[0]
        factor = factor / atom[1] if position else atom[1]
    return dimension, factor


def _closest(unit: str) -> str | None:
    """A known unit for a misspelt one: first the same letters in another case, then the nearest."""
    mended = []
    for part in unit.split("/")[:2]:
        word = part.strip()[:20]
        same = [atom for atom in _ATOMS if atom.lower() == word.lower()]
        near = word if word in _ATOMS else same[0] if same else None
        if near is None:
            hint = did_you_mean(word, _ATOMS)
            return hint if hint is None or "/" not in unit else f"in {unit[:40]!r}: {hint}"
        mended.append(near)
    return f"did you mean {'/'.join(mended)!r}?"


def _name(dimension: str) -> str:
    name = _NAMES.get(dimension)
    if name is None and "/" not in dimension:
        name = f"{'an' if dimension[0] in 'aeiou' else 'a'} {dimension}"
    return name or f"of dimension {dimension}"


def _shown(value: object) -> str:
    """The value, a text in quotes, cut where it is long, so that a message stays one line."""
    text = "null" if value is None else repr(value)
    return text if len(text) <= 62 else text[:57] + "..."
