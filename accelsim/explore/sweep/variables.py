"""What a variable may be: single values, lists, ranges `8..256 step x2`, with units; texts become labels."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from accelsim.base.units import UnitError, exact_text, quantity_of
from accelsim.base.yaml_lines import scalar
from accelsim.explore.sweep.dimensions import dimension_of, name_of, unit_of
from accelsim.explore.sweep.expressions import COUNTED, EXACT, MAX_NUMBER, Dimension, Node, compute

Value = int | float | str

MAX_VALUES: Final = 1_000_000
"""Values of one variable."""

_RANGE: Final = re.compile(
    r"(?P<start>.*?[^.])\.\.(?P<stop>[^.].*?)(?:\s+step\s*(?P<by>x?)\s*(?P<step>.+))?", re.DOTALL
)
_HOW: Final = "start..stop step 8, or step x2"


class ValuesError(ValueError):
    """Values that can't be used; the caller adds file, line and key. `item` is a place in a list."""

    def __init__(
        self, message: str, expected: str | None = None, hint: str | None = None, item: int | None = None
    ) -> None:
        super().__init__(message)
        self.message, self.expected, self.hint, self.item = message, expected, hint, item


@dataclass(frozen=True)
class Variable:
    """One axis of the space: numbers in the base unit `unit`, or texts.

    `key` is the full name of the architecture's key that it sets, None where it sets none.
    """

    name: str
    values: tuple[Value, ...]
    unit: str
    key: str | None = None

    @property
    def labels(self) -> tuple[str, ...]:
        """The texts behind the codes of its column; () of numbers."""
        return tuple(str(value) for value in self.values) if isinstance(self.values[0], str) else ()

    @property
    def dimension(self) -> Dimension:
        return dimension_of_unit(self.unit)

    @cached_property
    def column(self) -> NDArray[Any]:
        """Its values as int64 or float64, texts as their codes 0, 1, ...  # [len(values)]"""
        if self.labels:
            return np.arange(len(self.values), dtype=np.int64)
        whole = all(isinstance(value, int) for value in self.values)
        return np.array(self.values, np.int64 if whole else np.float64)

    def __len__(self) -> int:
        return len(self.values)


@dataclass(frozen=True)
class Derived:
    """A column that follows from variables: `whole` numbers (int64), else doubles, or codes of `labels`."""

    name: str
    text: str
    tree: Node
    unit: str
    whole: bool
    labels: tuple[str, ...] = ()
    key: str | None = None

    def column(self, columns: Mapping[str, NDArray[Any]], n: int) -> NDArray[Any]:
        """Its values on n points, as the expression gives them."""
        return np.broadcast_to(np.asarray(compute(self.tree, columns)), (n,))


def dimension_of_unit(unit: str) -> Dimension:
    quantity = quantity_of(f"1 {unit}") if unit else None
    return dimension_of(quantity.dimension) if quantity else ()


def setting_text(value: Value, unit: str) -> str:
    """A value in base units as `--set` takes it, such that it reads as the same double."""
    if isinstance(value, str):
        return value
    return exact_text(value, name_of(dimension_of_unit(unit)))


def is_range(text: object) -> bool:
    return isinstance(text, str) and ".." in text and _RANGE.fullmatch(text.strip()) is not None


def read_texts(data: Any) -> tuple[Value, ...]:
    """The values of what is named, not counted: networks, dataflows. ValuesError where they are no texts."""
    items = data if isinstance(data, list) else [data]
    for place, item in enumerate(items):
        at = place if isinstance(data, list) else None
        if not isinstance(item, str) or not item.strip():
            raise ValuesError(f"{item!r} is no name", "a name, or a list of names", item=at)
        if item in items[:place]:
            raise ValuesError(f"lists {item} twice", "names that differ", item=at)
    if not items:
        raise ValuesError("is an empty list", "at least one name")
    return tuple(items)


def read_values(data: Any) -> tuple[tuple[Value, ...], str]:
    """The values of a list, range or single value, in base units, and that unit; ValuesError where none.

    Numbers are in rising order, so that the next level is the next larger one.
    """
    items = data if isinstance(data, list) else [data]
    if not items:
        raise ValuesError("is an empty list", "at least one value")
    values: list[Value] = []
    places: list[int | None] = []
    dimensions: dict[Dimension | None, Any] = {}
    for place, item in enumerate(items):
        at = place if isinstance(data, list) else None
        try:
            found, dimension = _range(str(item).strip()) if is_range(item) else _single(item)
        except ValuesError as problem:
            problem.item = at
            raise
        dimensions.setdefault(dimension, item)
        values += found
        places += [at] * len(found)
        if len(values) > MAX_VALUES:
            raise ValuesError(f"has more than {MAX_VALUES:,} values", "a larger step", item=at)
    if len(dimensions) > 1:
        first, second = list(dimensions.values())[:2]
        said = f"mixes {_shown(first)} with {_shown(second)}"
        raise ValuesError(said, "values in one unit, or texts")
    dimension = next(iter(dimensions))
    first_place: dict[Value, int] = {}
    for index, value in enumerate(values):
        if value in first_place:
            shown = setting_text(value, (unit_of(dimension) or "") if dimension else "")
            raise ValuesError(f"lists {shown} twice", "values that differ", item=places[index])
        first_place[value] = index
    if dimension is None:
        return tuple(values), ""
    unit = unit_of(dimension)
    if unit is None:
        raise ValuesError(f"{items[0]!r} is in a unit that no key takes", "a unit such as 'KiB' or 'GB/s'")
    whole = dimension in COUNTED and all(value == int(value) for value in values)
    return tuple(sorted(int(value) if whole else float(value) for value in values)), unit


def _shown(item: Any) -> str:
    return item if isinstance(item, str) else json.dumps(item, ensure_ascii=False)


def _single(item: Any) -> tuple[list[Value], Dimension | None]:
    """One value with its dimension, None for text; lists, mappings, true and null are text as in --set."""
    if isinstance(item, bool) or item is None or isinstance(item, list | dict):
        return [_shown(item)], None
    if isinstance(item, str):
        return _quantity_or_text(item)
    if not math.isfinite(item) or abs(item) > EXACT:
        raise ValuesError(f"{item!r} is no usable number", "a finite number below 2^53")
    return [item], ()


def _quantity_or_text(text: str) -> tuple[list[Value], Dimension | None]:
    if not text.strip():
        raise ValuesError("is an empty text", "a value")
    try:
        quantity = quantity_of(text)
    except UnitError as error:
        raise ValuesError(error.message, error.expected, error.hint) from None
    if quantity is None:
        return [text.strip()], None
    counted = dimension_of(quantity.dimension) in COUNTED
    if abs(quantity.value) > (EXACT if counted else MAX_NUMBER):
        raise ValuesError(f"{text!r} is too large", f"below {'2^53' if counted else '1e30'} in base units")
    return [quantity.value], dimension_of(quantity.dimension)


def _range(text: str) -> tuple[list[Value], Dimension]:
    """`32 KiB..1 MiB step x2`: from start, as long as stop is not passed; a bare start has stop's unit."""
    match = _RANGE.fullmatch(text)
    assert match is not None, "is_range"
    if match["step"] is None:
        raise ValuesError(f"{text!r} has no step", _HOW)
    stop, dimension = _end(match["stop"], text)
    unit = match["stop"].strip().lstrip("+-0123456789._eE ") if dimension else ""
    start = _same(match["start"], unit, dimension, text)
    if match["by"]:
        factor, plain = _end(match["step"], text)
        if plain:
            raise ValuesError(f"step x{match['step'].strip()} has a unit", "a factor, as in step x2")
        return _multiplied(text, start, stop, factor), dimension
    step, step_dimension = _end(match["step"], text)
    if step_dimension != dimension:
        raise ValuesError(f"{text!r} has a step in another unit than its ends", f"step 8 {unit}".strip())
    return _added(text, start, stop, step), dimension


def _end(text: str, whole: str) -> tuple[float, Dimension]:
    value = scalar(text.strip())
    if isinstance(value, int | float) and not isinstance(value, bool):
        number = float(value) if abs(value) <= MAX_NUMBER else math.inf
        if math.isfinite(number):
            return number, ()
    try:
        quantity = quantity_of(text)
    except UnitError as error:
        raise ValuesError(error.message, error.expected, error.hint) from None
    if quantity is None or not abs(quantity.value) <= MAX_NUMBER:
        raise ValuesError(f"{text.strip()!r} in {whole!r} is no number below 1e30", _HOW)
    return quantity.value, dimension_of(quantity.dimension)


def _same(text: str, unit: str, dimension: Dimension, whole: str) -> float:
    value, found = _end(text, whole)
    if unit and not found:
        value, found = _end(f"{text.strip()} {unit}", whole)
    if found != dimension:
        raise ValuesError(f"{whole!r} has ends in different units", "one unit, as in 32 KiB..1 MiB step x2")
    return value


def _multiplied(text: str, start: float, stop: float, factor: float) -> list[Value]:
    if factor <= 0 or factor == 1 or start * stop <= 0:
        raise ValuesError(f"{text!r} never ends", "a factor above 0 other than 1, between ends of one sign")
    grows = (factor > 1) == (start > 0)
    slack = 1e-9 * abs(stop)
    return _walk(text, stop, (start * factor**i for i in range(MAX_VALUES + 1)), grows, slack)


def _added(text: str, start: float, stop: float, step: float) -> list[Value]:
    if step == 0:
        raise ValuesError(f"{text!r} never ends", "a step other than 0")
    slack = 1e-6 * abs(step)
    return _walk(text, stop, (start + i * step for i in range(MAX_VALUES + 1)), step > 0, slack)


def _walk(text: str, stop: float, values: Iterator[float], grows: bool, slack: float) -> list[Value]:
    """Values up to stop, which is met also where rounding misses it by a hair."""
    found: list[Value] = []
    for value in values:
        if value > stop + slack if grows else value < stop - slack:
            break
        found.append(stop if abs(value - stop) <= slack else value)
        if len(found) > MAX_VALUES:
            raise ValuesError(f"{text!r} has more than {MAX_VALUES:,} values", "a larger step")
    if not found:
        way = "below" if grows else "above"
        raise ValuesError(f"{text!r} is empty: its end is {way} its start", "ends in the order of the step")
    return found
