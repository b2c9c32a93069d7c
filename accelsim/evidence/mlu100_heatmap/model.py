"""Cells of the heat map by the event simulation, in multiples of one image at a time on one core."""

from __future__ import annotations

from typing import Final

from accelsim.evidence.card import Cell, cells
from accelsim.evidence.case import Value

NEUTRAL: Final = {
    "runtime.kernel_efficiency": "100%",
    "clusters.channel.efficiency": "100%",
    "runtime.layer": "0 us",
    "runtime.barrier": "0 us",
    "runtime.replica": "0 us",
    "runtime.convert": "0 ns/word",
    "runtime.convert_miss": "0 ns/word",
    "runtime.lock": "0 ms",
}
"""Of each fitted constant, the value at which its mechanism is not there."""
ONE: Final[Cell] = (1, 1, 1, 1)


def predict(rows: list[dict[str, str]], without: str | None = None) -> list[dict[str, Value]]:
    """`normalised_fps` and `runs` (`yes`, or `blank` where it is out of memory) of each cell."""
    asked: list[Cell] = [
        (int(row["mp"]), int(row["dp"]), int(row["threads"]), int(row["batch"])) for row in rows
    ]
    sets = (f"{without}={NEUTRAL[without]}",) if without else ()
    found = cells("resnet50_cifar10", "mlu100", [*asked, ONE], sets)
    one_fps = found[ONE].throughput_fps or 0.0
    answers: list[dict[str, Value]] = []
    for cell in asked:
        rate = found[cell].throughput_fps
        answers.append(
            {"normalised_fps": None, "runs": "blank"}
            if rate is None
            else {"normalised_fps": rate / one_fps, "runs": "yes", "fps": rate}
        )
    return answers
