"""The 32-core MLU100 card against what was measured on it: heat map, speed-ups, ResNet-101 (issue 4).

Values, units and sources: accelsim/evidence/mlu100_heatmap, mlu100_speedups, mlu100_resnet101.
Constants of the architecture files marked "calibrated" were fitted to the first two of them, so that these
tests hold the fit; what was left out of it is in docs/mlu100.md.
"""

from __future__ import annotations

import csv
from functools import cache
from importlib.resources import files
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import accelsim

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGE = (ROOT / "docs" / "mlu100.md").read_text(encoding="utf-8")

Cell = tuple[int, int, int, int]
AXES = ("mp", "dp", "threads", "batch")
POWERS = [1, 2, 4, 8, 16, 32]
IMAGES = 10_000
"""CIFAR-10's test set, whose time the sources measure."""

# targets of the issue, with what they leave room for
SPEARMAN = 0.90
MEDIAN_ERROR = 0.15  # cells are read off colours, +-0.3 of 0.3 to 36.6
ONE_CELL_FPS = 0.05  # "384 ms for 10,000 images" at the brightest cell, 36.6 (+-0.3): 711 images a second
SPEEDUP = 0.15  # labels of bars with two digits; other software than the heat map's, same hardware
BEHIND = 0.15  # 4/8 first, or so near it that unknown software could decide
WITHIN = 2.0  # of 1715 ms: batch and kernels of that stack are not known


def evidence(case: str) -> list[dict[str, str]]:
    lines = files("accelsim.evidence").joinpath(case, "values.csv").read_text(encoding="utf-8").splitlines()
    return list(csv.DictReader(line for line in lines if not line.startswith("#")))


MEASURED: dict[Cell, float | None] = {
    (int(row["mp"]), int(row["dp"]), int(row["threads"]), int(row["batch"])): float(row["normalised_fps"])
    if row["normalised_fps"]
    else None
    for row in evidence("mlu100_heatmap")
}
THREADS = sorted({cell[2] for cell in MEASURED})
BATCHES = sorted({cell[3] for cell in MEASURED})


@cache
def grid(model: str, arch: str, sets: tuple[str, ...], **lists: Any) -> dict[Cell, dict[str, Any]]:
    asked = {name: list(value) if isinstance(value, tuple) else value for name, value in lists.items()}
    result = accelsim.split(accelsim.load(model), accelsim.arch(arch, sets=sets), **asked)
    return {tuple(cell[axis] for axis in AXES): cell for cell in result.more["grid"]}


@cache
def predicted() -> dict[Cell, dict[str, Any]]:
    """Every given cell, and the one that the others are normalised by."""
    ours = ("resnet50_cifar10", "mlu100", ())
    return {
        **grid(*ours, mp=1, dp=4, threads=tuple(THREADS), batch=tuple(BATCHES)),
        **grid(*ours, mp=tuple(POWERS), dp=tuple(POWERS), threads=8, batch=16),
        **grid(*ours, mp=1, dp=1, threads=1, batch=1),
    }


def relative(cell: Cell) -> float | None:
    found, one = predicted()[cell], predicted()[1, 1, 1, 1]
    return found["throughput_fps"] / one["throughput_fps"] if found["status"] == "ok" else None


def ranks(values: list[float]) -> np.ndarray[Any, Any]:
    """Equal values share the mean of their ranks."""
    table = np.array(values)
    return np.array([(table < v).sum() + ((table == v).sum() - 1) / 2 for v in values])


# --- the heat map


def test_all_that_is_given_is_typed_in_and_the_simulation_decides_it() -> None:
    assert len(MEASURED) == 88 + 11 - 1  # one cell is in both panels
    assert sum(value is None for value in MEASURED.values()) == 15
    ran = [predicted()[cell] for cell in MEASURED if predicted()[cell]["status"] == "ok"]
    assert {cell["decided_by"] for cell in ran} == {"simulation"}


def test_the_order_of_the_cells_and_their_size_are_those_that_were_measured() -> None:
    theirs = [value for value in MEASURED.values() if value is not None]
    ours = [float(relative(cell) or 0) for cell, value in MEASURED.items() if value is not None]
    assert np.corrcoef(ranks(ours), ranks(theirs))[0, 1] >= SPEARMAN
    assert np.median(errors()) <= MEDIAN_ERROR


def test_one_image_at_a_time_on_one_core_takes_as_long_as_measured() -> None:
    assert predicted()[1, 1, 1, 1]["throughput_fps"] == pytest.approx(IMAGES / 0.384 / 36.6, rel=ONE_CELL_FPS)


def test_every_blank_cell_is_out_of_memory_and_no_other_is() -> None:
    blank = {cell for cell, value in MEASURED.items() if value is None}
    assert {cell for cell in MEASURED if predicted()[cell]["status"] == "oom"} == blank
    assert all(predicted()[cell]["memory_bytes"] > 8e9 for cell in blank)


def lines() -> list[tuple[str, list[Cell]]]:
    """Each row of the heat map that shows how throughput rises and falls along one axis."""
    along = [(f"threads, batch {b}", [(1, 4, t, b) for t in THREADS]) for b in BATCHES]
    along.append(("model parallelism", [(mp, 1, 8, 16) for mp in POWERS]))
    along.append(("data parallelism", [(1, dp, 8, 16) for dp in POWERS]))
    return [(said, [cell for cell in line if MEASURED[cell] is not None]) for said, line in along]


@pytest.mark.parametrize("line", [line for _, line in lines()], ids=[said for said, _ in lines()])
def test_the_maximum_lies_within_one_step_of_the_measured_one(line: list[Cell]) -> None:
    ours = [float(relative(cell) or 0) for cell in line]
    theirs = [float(MEASURED[cell] or 0) for cell in line]
    best = theirs.index(max(theirs))
    near = max(ours[max(0, best - 1) : best + 2])
    assert near >= max(ours) * (1 - 1e-9)  # a plateau of equals has its maximum anywhere on it


def test_model_parallelism_two_is_worse_than_one_and_eight_stands_out() -> None:
    """Tasks of more than one core get whole clusters: seen in the data, and not by a rule for these cells."""
    ours = {mp: float(relative((mp, 1, 8, 16)) or 0) for mp in POWERS}
    assert ours[2] < ours[1] < ours[4] < ours[8]
    assert ours[8] > ours[16] > ours[32]


def errors() -> list[float]:
    pairs = [(float(relative(cell) or 0), value) for cell, value in MEASURED.items() if value is not None]
    return [abs(ours / theirs - 1) for ours, theirs in pairs]


def test_the_numbers_behind_the_picture_are_those_of_a_run_today() -> None:
    with (ROOT / "reports" / "gallery" / "mlu100_heatmap.csv").open(encoding="utf-8") as stream:
        rows = {tuple(int(row[axis]) for axis in AXES): row for row in csv.DictReader(stream)}
    assert set(rows) == {cell for cell, value in MEASURED.items() if value is not None}
    for cell, row in rows.items():
        assert float(row["normalised_fps"]) == MEASURED[cell]  # type: ignore[index]
        assert row["predicted"] == f"{relative(cell):.3g}"  # type: ignore[arg-type]
        assert row["limit"] == predicted()[cell]["limit"]  # type: ignore[index]


def test_the_readme_and_the_page_say_how_large_the_errors_are() -> None:
    """`python scripts/mlu100_page.py` writes the page; the README's line is written by hand."""
    median, largest = np.median(errors()), max(errors())
    assert f"median error {100 * median:.1f} %, largest {100 * largest:.0f} %" in README
    (line,) = (line for line in PAGE.splitlines() if line.startswith("| all |"))
    assert f"| {len(errors())} |" in line
    assert f"| {100 * median:.1f} % |" in line
    assert line.endswith(f"| {100 * largest:.1f} % |")


# --- speed-ups of offline mode, multithreading, batching and layout


def data_set_s(row: dict[str, str], base: str) -> float:
    mode, layout = row[f"{base}mode"], row[f"{base}layout"]
    sets = (f"runtime.mode={mode}", f"runtime.layout={layout}")
    cells = grid(
        "resnet50_cifar10",
        "mlu100_offline",
        sets,
        mp=1,
        dp=1,
        threads=(1, 32),
        batch=(1, 16, 64),
        images=IMAGES,
    )
    return float(cells[1, 1, int(row[f"{base}threads"]), int(row[f"{base}batch"])]["data_set_s"])


SPEEDUPS = evidence("mlu100_speedups")


@pytest.mark.parametrize("row", SPEEDUPS, ids=lambda row: f"{row['experiment']}-{row['batch']}")
def test_speed_ups_are_those_that_were_measured(row: dict[str, str]) -> None:
    found = data_set_s(row, "base_") / data_set_s(row, "")
    assert found == pytest.approx(float(row["speedup"]), rel=SPEEDUP)


# --- ResNet-101: which split of all cores

SPLITS = [(2, 16), (4, 8), (8, 4), (16, 2), (32, 1)]
RN101_THREADS = (2, 4, 8, 16)
RN101_BATCH = 16
"""Not stated by the source; docs/mlu100.md has other ones."""


@cache
def resnet101() -> dict[tuple[int, int, int], dict[str, Any]]:
    cells = grid(
        "resnet101_cifar10",
        "mlu100_resnet101",
        (),
        mp=tuple(mp for mp, _ in SPLITS),
        dp=tuple(dp for _, dp in SPLITS),
        full=True,
        threads=RN101_THREADS,
        batch=RN101_BATCH,
        images=IMAGES,
    )
    return {cell[:3]: found for cell, found in cells.items()}


def stated(quantity: str, value: str) -> dict[str, str]:
    """The first row of which the source states this."""
    return next(row for row in evidence("mlu100_resnet101") if row[quantity] == value)


@pytest.mark.parametrize("threads", RN101_THREADS)
def test_four_by_eight_is_first_or_near_it_at_every_number_of_threads(threads: int) -> None:
    row = stated("time_over_first", "1")
    times = {
        split: resnet101()[(*split, threads)]["data_set_s"]
        for split in SPLITS
        if resnet101()[(*split, threads)]["status"] == "ok"
    }
    assert times[int(row["mp"]), int(row["dp"])] <= min(times.values()) * (1 + BEHIND)
    ranked = sorted(times, key=lambda split: float(times[split]))
    assert ranked.index((4, 8)) == (1 if threads == 2 else 0)  # what docs/mlu100.md says
    assert ranked[-3:] == [(8, 4), (16, 2), (32, 1)]


@pytest.mark.parametrize("split", SPLITS, ids=str)
def test_more_threads_take_longer_at_a_fixed_split(split: tuple[int, int]) -> None:
    """All cores are in one instance, so that threads wait for each other, and each brings its own weights."""
    cells = [resnet101()[(*split, threads)] for threads in RN101_THREADS]
    times = [cell["data_set_s"] for cell in cells if cell["status"] == "ok"]
    assert len(times) >= 3
    assert all(later > earlier for earlier, later in pairwise(times))


def test_in_steady_state_more_threads_are_no_faster() -> None:
    for split in SPLITS:
        cells = [resnet101()[(*split, threads)] for threads in RN101_THREADS]
        rates = [cell["throughput_fps"] for cell in cells if cell["status"] == "ok"]
        assert all(later <= earlier * (1 + 1e-9) for earlier, later in pairwise(rates))


def test_sixteen_threads_are_out_of_memory_at_two_by_sixteen_and_at_no_other_split() -> None:
    row = stated("status", "oom")
    split = int(row["mp"]), int(row["dp"]), int(row["threads"])
    assert {at for at, cell in resnet101().items() if cell["status"] != "ok"} == {split}
    assert resnet101()[split]["status"] == "oom"


def test_the_best_time_for_the_data_set_is_within_a_factor_of_two_of_the_measured_one() -> None:
    times = [cell["data_set_s"] for cell in resnet101().values() if cell["status"] == "ok"]
    ratio = min(times) / (1715 / 1000)
    assert 1 / WITHIN <= ratio <= WITHIN
