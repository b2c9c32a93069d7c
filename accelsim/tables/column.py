"""One column of an answer: its name, type, unit, meaning and formula."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Dtype = Literal["str", "int", "float", "list", "dict"]
Total = Literal["sum", "ratio", "none"]
"""How `totals` treats the column: added over the layers, recomputed from the sums, or left out."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column; `commands` are those whose rows may have it, `unit` is empty where it has none."""

    name: str
    dtype: Dtype
    unit: str
    description: str
    formula: str = ""
    total: Total = "none"
    commands: tuple[str, ...] = ("run", "simulate", "map")
