"""What `area` shows: each part of a chip with its area, leakage and peak power, and what they come to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from accelsim.report.blocks import Block, Head, Lines, Table
from accelsim.report.parts import more
from accelsim.results.format import UNKNOWN, percent, quantity, si

Row = Mapping[str, Any]


def area_blocks(items: Sequence[Row]) -> list[Block]:
    """Of one chip its parts, of several a line each."""
    if len(items) == 1:
        return [_parts(items[0]), *_notes(items[0])]
    heads = (
        Head("architecture", "left"),
        Head("node", "left"),
        Head("area"),
        Head("leakage"),
        Head("peak power"),
    )
    lines = tuple(
        (
            item["name"],
            item["node"],
            _mm2(item["area_mm2"]),
            si(item["leakage_w"], "W"),
            si(item["peak_w"], "W"),
        )
        for item in items
    )
    return [
        Table("Area, leakage and peak power of the chip, without DRAM", heads, lines),
        more("accelsim area ARCH for its parts, --json for every number"),
    ]


def _parts(item: Row) -> Table:
    heads = (
        Head("part", "left"),
        Head("count"),
        Head("area"),
        Head("%"),
        Head("leakage"),
        Head("peak power"),
        Head("area from", "left", 100),
    )
    whole = item["area_mm2"]
    lines = [
        (
            part["name"],
            f"{part['count']:,}",
            _mm2(part["area_mm2"]),
            percent(part["area_mm2"] / whole) if whole and part["area_mm2"] is not None else "",
            si(part["leakage_w"], "W"),
            si(part["peak_w"], "W"),
            str(part["source"] or "") if part["area_mm2"] is not None else "",
        )
        for part in item["parts"]
    ]
    total = ("chip", "", _mm2(whole), "", si(item["leakage_w"], "W"), si(item["peak_w"], "W"), "")
    title = f"{item['name']}, {item['node']}: area, leakage and peak power; the chip's without DRAM"
    return Table(title, heads, (*lines, total), n_foot=1, gives_way=6)


def _notes(item: Row) -> list[Block]:
    return [
        Lines(
            (
                "note: of what is listed: wires between parts, pads, test logic and interfaces are not",
                "note: peak power has every part at work in every cycle, which no mapping does",
            )
        ),
        more("--json for every number, --set KEY=VALUE for another size"),
    ]


def _mm2(value: float | None) -> str:
    return UNKNOWN if value is None else quantity(value, "mm2")
