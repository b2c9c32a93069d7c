"""Numbers as people read them: three or four digits with an SI prefix, powers of 1000 throughout."""

from __future__ import annotations

from math import isfinite
from typing import Final

PREFIXES: Final = ((1e15, "P"), (1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"), (1.0, ""))
SMALL: Final = ((1e-3, "m"), (1e-6, "µ"), (1e-9, "n"), (1e-12, "p"))
BINARY: Final = ((1024**3, "GiB"), (1024**2, "MiB"), (1024, "KiB"))
UNKNOWN: Final = "-"
MOST_DIGITS: Final = 12
"""Beyond them values differ by how they were rounded."""


def si(value: float | None, unit: str = "", digits: int = 3) -> str:
    """`4089184256` as `4.09 G`, with the unit behind the prefix; `-` for what is unknown."""
    if value is None or not isfinite(value):
        return UNKNOWN
    if value == 0:
        return f"0 {unit}".rstrip()
    size = abs(value)
    steps = PREFIXES if size >= 1 or not unit else SMALL
    slack = min(5e-4, 0.5 * 10.0**-digits)  # what rounds up to the next prefix has it
    scale, prefix = next((step for step in steps if size >= step[0] * (1 - slack)), steps[-1])
    return f"{_digits(value / scale, digits)} {prefix}{unit}".rstrip()


def quantity(value: float | None, unit: str = "", digits: int = 3) -> str:
    """As `si`; whole KiB, MiB and GiB as such, and no prefix for plain numbers, ratios and areas."""
    if value is None or not isfinite(value):
        return UNKNOWN
    if unit == "B" and value >= 1024 and value % 1024 == 0:
        scale, name = next(step for step in BINARY if value % step[0] == 0)
        return f"{value / scale:,.0f} {name}"
    if unit == "mm2" and value >= 1e4:
        return f"{value:,.0f} {unit}"
    if unit in ("", "1", "mm2") and 1e-3 <= abs(value) < 1e4:
        text = str(int(value)) if value == int(value) else f"{value:.{digits}g}"
        return text if unit in ("", "1") else f"{text} {unit}"
    return si(value, "" if unit == "1" else unit, digits)


def digits_apart(one: float, other: float, unit: str = "") -> int:
    """With which two quantities read differently, and one more for what lies between; 3 where those do."""

    def differ(digits: int) -> bool:
        return quantity(one, unit, digits) != quantity(other, unit, digits)

    if one == other or differ(3):
        return 3
    return next((digits + 1 for digits in range(4, MOST_DIGITS) if differ(digits)), 3)


def energy(pj: float | None, digits: int = 3) -> str:
    """Picojoules as joules with a prefix."""
    return UNKNOWN if pj is None else si(pj * 1e-12, "J", digits)


def percent(fraction: float | None) -> str:
    """A ratio in 0..1 as a percentage."""
    return UNKNOWN if fraction is None or not isfinite(fraction) else f"{100 * fraction:.1f}"


def count(n: int, noun: str) -> str:
    """`1 cell`, `3,168 cells`."""
    return f"{n:,} {noun}{'' if n == 1 else 's'}"


def _digits(value: float, digits: int) -> str:
    """The value to so many significant digits, never in exponent form."""
    whole = len(str(int(abs(value))))
    if value == int(value) and whole <= digits:
        return str(int(value))
    return f"{value:.{max(0, digits - whole)}f}"
