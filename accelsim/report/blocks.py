"""Tables and lines of a report as data, and their rendering: fitted to a terminal, or plain and unwrapped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

Align = Literal["left", "right"]
Style = Literal["", "bold", "dim", "yellow"]

GAP: Final = "  "
MAX_RULE: Final = 100
"""Rules are no longer than this: text that is not wrapped can be of any length."""
LEAST_TEXT: Final = 8
"""A text is never cut to fewer letters than this."""
_CODES: Final[dict[Style, str]] = {"bold": "1", "dim": "2", "yellow": "33"}


@dataclass(frozen=True, slots=True)
class Head:
    """A column's heading; `least_width` is the terminal width from which the column is shown at all."""

    label: str
    align: Align = "right"
    least_width: int = 0


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of finished text; the last `n_foot` rows are totals.

    Column `gives_way` is cut where the terminal is narrow; no other is: a cut number would be a wrong one.
    """

    title: str
    heads: tuple[Head, ...]
    rows: tuple[tuple[str, ...], ...]
    n_foot: int = 0
    gives_way: int = 0


@dataclass(frozen=True, slots=True)
class Lines:
    """Text that is shown as it stands, a line each."""

    lines: tuple[str, ...]
    style: Style = ""


Block = Table | Lines


def render(blocks: Sequence[Block], width: int | None = None, colour: bool = False) -> str:
    """The blocks as text. Without a width nothing is cut or wrapped: what a file, a pipe or `grep` wants."""
    return "\n\n".join("\n".join(_lines(block, width, colour)) for block in blocks)


def _lines(block: Block, width: int | None, colour: bool) -> list[str]:
    if isinstance(block, Lines):
        return [_painted(printable(line), block.style, colour) for line in block.lines]
    table = _fitted(block, width) if width is not None else block
    labels = tuple(head.label for head in table.heads)
    cells = [tuple(map(printable, row)) for row in (labels, *table.rows)]
    widths = [max(len(row[at]) for row in cells) for at in range(len(table.heads))]
    if width is not None:
        at = table.gives_way
        widths[at] = max(LEAST_TEXT, min(widths[at], widths[at] + width - _width(widths)))
    styles: list[Style] = [""] * len(cells)
    styles[0] = "bold"
    for foot in range(1, table.n_foot + 1):
        styles[-foot] = "bold"
    rule = _painted("-" * (min(_width(widths), MAX_RULE) if width is None else _width(widths)), "dim", colour)
    lines = [
        _painted(_aligned(row, widths, table.heads), style, colour)
        for row, style in zip(cells, styles, strict=True)
    ]
    lines.insert(1, rule)
    if table.n_foot:
        lines.insert(len(lines) - table.n_foot, rule)
    return [_painted(table.title, "bold", colour), *lines] if table.title else lines


def _fitted(table: Table, width: int) -> Table:
    """The table without the columns that a terminal of this width has no room for."""
    shown = [at for at, head in enumerate(table.heads) if head.least_width <= width]
    return replace(
        table,
        heads=tuple(table.heads[at] for at in shown),
        rows=tuple(tuple(row[at] for at in shown) for row in table.rows),
    )


def _aligned(row: Sequence[str], widths: Sequence[int], heads: Sequence[Head]) -> str:
    parts = (
        _cut(text, width).ljust(width) if head.align == "left" else text.rjust(width)
        for text, width, head in zip(row, widths, heads, strict=True)
    )
    return GAP.join(parts).rstrip()


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else f"{text[: width - 1]}…"


def _width(widths: Sequence[int]) -> int:
    return sum(widths) + len(GAP) * (len(widths) - 1)


def _painted(text: str, style: Style, colour: bool) -> str:
    return f"\x1b[{_CODES[style]}m{text}\x1b[0m" if colour and style and text else text


def printable(text: str) -> str:
    """Names come from files of strangers: a control character must not reach the terminal."""
    return text if text.isprintable() else "".join(letter if letter.isprintable() else "?" for letter in text)
