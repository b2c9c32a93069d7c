"""What was measured on the 32-core MLU100 card beside what the simulation gives, for any constants.

Three stacks of software on one card, a file each: `mlu100` (heat map), `mlu100_offline` (speed-ups),
`mlu100_resnet101` (splits of ResNet-101). Used by mlu100_page.py and mlu100_calibrate.py.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

import accelsim
from accelsim.cost.chip import cell_costs
from accelsim.evidence import measure
from accelsim.explore.work import replica_works
from accelsim.sim.chip import ChipSimulation
from accelsim.tables.chip import Cells, Chip, ReplicaWork

ROOT: Final = Path(__file__).resolve().parents[1]
EVIDENCE: Final = ROOT / "accelsim" / "evidence"
IMAGES: Final = 10_000
SPLITS: Final = ((2, 16), (4, 8), (8, 4), (16, 2), (32, 1))
RN101_THREADS: Final = (2, 4, 8, 16)
RN101_BATCH: Final = 16

Floats = NDArray[np.float64]
Sets = tuple[str, ...]


def rows(case: str) -> list[dict[str, str]]:
    lines = (EVIDENCE / case / "values.csv").read_text(encoding="utf-8").splitlines()
    return list(csv.DictReader(line for line in lines if not line.startswith("#")))


AXES: Final = ("mp", "dp", "threads", "batch")
HEAT: Final = list({tuple(row[axis] for axis in AXES): row for row in rows("mlu100_heatmap")}.values())
"""Every given cell once: the panels share one."""
CELLS: Final = Cells.of((int(r["mp"]), int(r["dp"]), int(r["threads"]), int(r["batch"])) for r in HEAT).rows()
MEASURED: Final = np.array([float(row["normalised_fps"] or "nan") for row in HEAT])
ONE: Final = (1, 1, 1, 1)


@cache
def chip_of(arch: str, sets: Sets) -> Chip:
    return accelsim.arch(arch, sets=sets).chip()


@cache
def _works(model: str, arch: str, sets: Sets, mps: Sequence[int]) -> dict[int, ReplicaWork]:
    return replica_works(accelsim.load(model), accelsim.arch(arch, sets=sets), mps)


def works_of(model: str, arch: str, sets: Sets, mps: Sequence[int]) -> dict[int, ReplicaWork]:
    """Cut anew only for settings that the choice of partitions can see."""
    blind = ("host.", "runtime.")
    seen = ("runtime.kernel_efficiency", "runtime.weights")
    return _works(model, arch, tuple(s for s in sets if s.startswith(seen) or not s.startswith(blind)), mps)


@dataclass(frozen=True, eq=False)
class HeatMap:
    """Predictions in the measured unit: multiples of the cell 1, 1, 1, 1; nan where out of memory."""

    fps: Floats
    limit: list[str]
    one_fps: float

    def error(self, where: NDArray[np.bool_] | None = None) -> Floats:
        """Relative errors of the cells that were measured and run."""
        both = np.isfinite(MEASURED) & np.isfinite(self.fps)
        chosen = both if where is None else both & where
        off: Floats = self.fps[chosen] / MEASURED[chosen] - 1
        return off

    @property
    def spearman(self) -> float:
        both = np.isfinite(MEASURED) & np.isfinite(self.fps)
        return spearman(self.fps[both], MEASURED[both])

    @property
    def blanks_missed(self) -> int:
        return int((np.isnan(self.fps) != np.isnan(MEASURED)).sum())


def heat_map(sets: Sets = (), chip: Chip | None = None) -> HeatMap:
    """All given cells by the simulation; `chip` in place of the architecture's."""
    chip = chip or chip_of("mlu100", sets)
    works = works_of("resnet50_cifar10", "mlu100", sets, (1, 2, 4, 8, 16, 32))
    asked = [*CELLS, ONE]
    ok = cell_costs(chip, works, Cells.of(asked)).ok
    found = ChipSimulation(chip, works).cells(
        Cells.of(cell for cell, runs in zip(asked, ok, strict=True) if runs)
    )
    fps, limit = np.full(len(asked), np.nan), np.full(len(asked), "memory", "<U16")
    fps[ok], limit[ok] = found.throughput_fps, found.limit
    return HeatMap(fps[:-1] / fps[-1], limit[:-1].tolist(), float(fps[-1]))


def speedups(sets: Sets = ()) -> list[tuple[dict[str, str], float]]:
    """Each given speed-up with its prediction: times of the data set, start and fill included."""
    works = works_of("resnet50_cifar10", "mlu100_offline", sets, (1,))

    @cache
    def simulation(mode: str, layout: str) -> ChipSimulation:
        software = (f"runtime.mode={mode}", f"runtime.layout={layout}")
        return ChipSimulation(chip_of("mlu100_offline", (*sets, *software)), works)

    def seconds(row: dict[str, str], base: str) -> float:
        run = simulation(row[f"{base}mode"], row[f"{base}layout"])
        return run.run_s(1, 1, int(row[f"{base}threads"]), int(row[f"{base}batch"]), IMAGES)

    return [(row, seconds(row, "base_") / seconds(row, "")) for row in rows("mlu100_speedups")]


def resnet101(sets: Sets = (), batch: int = RN101_BATCH) -> Floats:  # [threads, splits] s, nan: out of memory
    """Times of the data set for each split of all cores."""
    chip = chip_of("mlu100_resnet101", sets)
    works = works_of("resnet101_cifar10", "mlu100_resnet101", sets, tuple(mp for mp, _ in SPLITS))
    run = ChipSimulation(chip, works)
    asked = [(*split, threads, batch) for threads in RN101_THREADS for split in SPLITS]
    ok = cell_costs(chip, works, Cells.of(asked)).ok
    times = [run.run_s(*cell, IMAGES) if runs else np.nan for cell, runs in zip(asked, ok, strict=True)]
    return np.array(times).reshape(len(RN101_THREADS), len(SPLITS))


def behind(times: Floats) -> Floats:  # [threads]
    """How far 4/8 is behind the first of the splits that run; inf where it does not run."""
    first = np.nanmin(times, axis=1)
    found: Floats = np.where(np.isnan(times[:, 1]), np.inf, times[:, 1] / first - 1)
    return found


def spearman(ours: Floats, theirs: Floats) -> float:
    found = measure.spearman(ours.tolist(), theirs.tolist())
    return float("nan") if found is None else found
