"""Dimensions as powers of a few bases, so that bytes over bytes a second are seconds."""

from __future__ import annotations

from typing import Final

from accelsim.base.units import base_unit
from accelsim.explore.sweep.expressions import Dimension

_NAMES: Final[dict[str, Dimension]] = {
    "": (),
    "op": (),
    "fraction": (),
    "1": (),
    "frequency": (("cycle", 1), ("time", -1)),
}


def dimension_of(name: str) -> Dimension:
    """The powers of a dimension's name in accelsim.base.units, as "data/time"; factors stand with a *."""
    powers: dict[str, int] = {}
    for sign, part in zip((1, -1), name.split("/"), strict=False):
        for factor in part.split("*"):
            for base, power in _NAMES.get(factor, ((factor, 1),)):
                powers[base] = powers.get(base, 0) + sign * power
    return _sorted(powers)


def times(a: Dimension, b: Dimension, power: int = 1) -> Dimension:
    """The dimension of a product, or (power -1) of a quotient."""
    powers = dict(a)
    for base, other in b:
        powers[base] = powers.get(base, 0) + power * other
    return _sorted(powers)


def _sorted(powers: dict[str, int]) -> Dimension:
    return tuple(sorted((base, power) for base, power in powers.items() if power))


def name_of(dimension: Dimension) -> str:
    """Its name as accelsim.base.units has it ("data/time", "frequency"), or its powers in words."""
    if dimension == _NAMES["frequency"]:
        return "frequency"
    above = [_power(base, power) for base, power in dimension if power > 0]
    below = [_power(base, -power) for base, power in dimension if power < 0]
    return "*".join(above or ["1"] * bool(below)) + "".join(f"/{part}" for part in below)


def _power(base: str, power: int) -> str:
    return base if power == 1 else f"{base}{power}"


def unit_of(dimension: Dimension) -> str | None:
    """The base unit of columns of this dimension; None where no key of an architecture takes it."""
    return base_unit(name_of(dimension))


def said(dimension: Dimension) -> str:
    """A number of this dimension for a message: "a number in B", "a plain number"."""
    if not dimension:
        return "a plain number"
    unit = unit_of(dimension)
    return f"a number in {unit}" if unit else f"a number of dimension {name_of(dimension)}"
