"""The five splits of all cores at each number of threads: times of 10,000 images, by the event simulation."""

from __future__ import annotations

from typing import Final

from accelsim.evidence.card import Cell, CellFound, cells
from accelsim.evidence.case import Value

IMAGES: Final = 10_000
SPLITS: Final = ((2, 16), (4, 8), (8, 4), (16, 2), (32, 1))


def predict(rows: list[dict[str, str]], without: str | None = None) -> list[dict[str, Value]]:
    """Of the split of a row: its time over the first's, over that with half the threads, and its status."""
    counts = {int(row["threads"]) for row in rows}
    asked = [
        (*split, threads, int(row["batch"]))
        for row in rows
        for threads in sorted(counts | {max(1, int(row["threads"]) // 2)})
        for split in dict.fromkeys((*SPLITS, (int(row["mp"]), int(row["dp"]))))
    ]
    found = cells("resnet101_cifar10", "mlu100_resnet101", asked, (), IMAGES)
    return [_answer(row, found) for row in rows]


def _answer(row: dict[str, str], found: dict[Cell, CellFound]) -> dict[str, Value]:
    mp, dp, threads, batch = (int(row[name]) for name in ("mp", "dp", "threads", "batch"))
    own = found[mp, dp, threads, batch]
    rivals = [found[*split, threads, batch].data_set_s for split in SPLITS]
    fewer = found.get((mp, dp, threads // 2, batch))
    first_s = min((time for time in rivals if time), default=None)
    answer: dict[str, Value] = {"status": own.status}
    if own.data_set_s and first_s:
        answer["time_over_first"] = own.data_set_s / first_s
        answer["data_set_ms"] = 1000 * own.data_set_s
        if fewer is not None and fewer.data_set_s:
            answer["time_over_half_the_threads"] = own.data_set_s / fewer.data_set_s
    return answer
