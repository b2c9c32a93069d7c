"""A plot of points in letters, for a terminal: a Pareto front at a glance."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

COLUMNS: Final = 56
ROWS: Final = 14
"""Small enough for a terminal of 80 columns with the numbers beside it."""


@dataclass(frozen=True, slots=True)
class Dot:
    """One point and the letter that marks it; where several fall on one place, the last one is seen."""

    x: float
    y: float
    letter: str = "o"


def scatter(
    dots: Sequence[Dot],
    x_said: Callable[[float], str],
    y_said: Callable[[float], str],
    x_label: str,
    y_label: str,
) -> tuple[str, ...]:
    """The dots between their extremes on linear axes, the ends of each axis in numbers."""
    left, right = min(dot.x for dot in dots), max(dot.x for dot in dots)
    low, high = min(dot.y for dot in dots), max(dot.y for dot in dots)
    canvas = [[" "] * COLUMNS for _ in range(ROWS)]
    for dot in dots:
        column = _place(dot.x, left, right, COLUMNS)
        row = ROWS - 1 - _place(dot.y, low, high, ROWS)
        canvas[row][column] = dot.letter
    ends = {0: y_said(high), ROWS - 1: y_said(low)}
    margin = max(map(len, (*ends.values(), "")))
    lines = [y_label]
    lines += [f"{ends.get(at, '').rjust(margin)} |{''.join(row)}".rstrip() for at, row in enumerate(canvas)]
    lines.append(f"{' ' * margin} +{'-' * COLUMNS}")
    first, last = x_said(left), x_said(right)
    between = x_label.center(COLUMNS - len(first) - len(last))
    lines.append(f"{' ' * margin}  {first}{between}{last}")
    return tuple(lines)


def _place(value: float, least: float, most: float, n: int) -> int:
    return round((value - least) / (most - least) * (n - 1)) if most > least else 0
