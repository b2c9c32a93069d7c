"""The cells of a user's table: numbers where the table that ships has numbers, of the same sign."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Final

from accelsim.base.errors import Problem
from accelsim.evidence.case import Row

NOTHING: Final = ("", "-", "nan", "n/a")
"""How tables write that there is no published value."""


@dataclass(frozen=True, slots=True)
class Numbers:
    """What the cells of a column may be: a number, and how it is bounded."""

    above_zero: bool
    """Counts and sizes: all that ship are whole numbers above zero."""
    from_zero: bool

    @property
    def said(self) -> str:
        """As in `expected a number above zero`."""
        bound = " above zero" if self.above_zero else " of at least 0" if self.from_zero else ""
        return f"a number{bound}"

    def takes(self, cell: str) -> bool:
        """Whether the cell is such a number, or empty: what can be missing, the model knows."""
        if not cell.strip():
            return True
        value = _number(cell)
        if value is None or not isfinite(value):
            return False
        return value > 0 if self.above_zero else value >= 0 or not self.from_zero


@dataclass(frozen=True, slots=True)
class Columns:
    """What a case asks of a user's table: published values (`asked`) may be missing, other columns not."""

    needed: tuple[str, ...]
    asked: tuple[str, ...]
    numbers: Mapping[str, Numbers]

    @classmethod
    def of(cls, shipped: Sequence[Row], asked: Sequence[str]) -> Columns:
        """As the table that ships has them."""
        numbers = {name: _numbers([row[name] for row in shipped], name in asked) for name in shipped[0]}
        return cls(
            tuple(name for name in shipped[0] if name not in asked),
            tuple(asked),
            {name: found for name, found in numbers.items() if found is not None},
        )

    def cleaned(self, row: Row) -> dict[str, str]:
        """The row, with nothing where it says in a word that nothing is published."""
        return {
            name: "" if name in self.asked and cell.strip().lower() in NOTHING else cell
            for name, cell in row.items()
        }

    def problems(self, row: Row, file: str, line: int) -> list[Problem]:
        """Cells that are no number, in columns where all that ship are one."""
        return [
            Problem(f"found {row[name]!r}", file=file, line=line, key=name, expected=numbers.said)
            for name, numbers in self.numbers.items()
            if name in row and not numbers.takes(row[name])
        ]


def _numbers(cells: Sequence[str], asked: bool) -> Numbers | None:
    """None for a column of text, and for one without any cell."""
    given = [cell for cell in cells if cell.strip()]
    values = [value for value in map(_number, given) if value is not None]
    if not values or len(values) < len(given):
        return None
    counts = not asked and all(value > 0 and value.is_integer() for value in values)
    return Numbers(counts, min(values) >= 0)


def _number(cell: str) -> float | None:
    try:
        return float(cell)
    except ValueError:
        return None
