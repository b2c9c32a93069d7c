"""Speed-ups by the event simulation: times of CIFAR-10's 10,000 images, start and fill included."""

from __future__ import annotations

from typing import Final

from accelsim.evidence.card import Cell, cells
from accelsim.evidence.case import Value

IMAGES: Final = 10_000
NEUTRAL: Final = {
    "runtime.launch": "0 us",
    "runtime.pass": "0 us",
    "runtime.framework": "0 us",
    "runtime.convert": "0 ns/word",
    "runtime.start": "0 ms",
}


def predict(rows: list[dict[str, str]], without: str | None = None) -> list[dict[str, Value]]:
    """`speedup` of each row: seconds of its base over its own."""
    sets = (f"{without}={NEUTRAL[without]}",) if without else ()
    sides = [_side(row, base) for row in rows for base in ("", "base_")]
    seconds = {}
    for software in dict.fromkeys(software for software, _ in sides):
        asked = [cell for other, cell in sides if other == software]
        mode, layout = software
        stack = (*sets, f"runtime.mode={mode}", f"runtime.layout={layout}")
        for cell, found in cells("resnet50_cifar10", "mlu100_offline", asked, stack, IMAGES).items():
            seconds[software, cell] = found.data_set_s
    return [{"speedup": _ratio(seconds[_side(row, "base_")], seconds[_side(row, "")])} for row in rows]


def _side(row: dict[str, str], base: str) -> tuple[tuple[str, str], Cell]:
    software = row[f"{base}mode"], row[f"{base}layout"]
    return software, (1, 1, int(row[f"{base}threads"]), int(row[f"{base}batch"]))


def _ratio(slow_s: float | None, fast_s: float | None) -> float | None:
    return slow_s / fast_s if slow_s and fast_s else None
