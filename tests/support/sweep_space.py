"""A small space with an evaluator of plain arithmetic, for tests of how sweeps run and are kept."""

from __future__ import annotations

import os
import signal
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from support.sweeps import Axis

KINDS = ("ws", "os", "is")


@dataclass(frozen=True)
class Points:
    index: NDArray[np.int64]
    columns: dict[str, NDArray[Any]]
    labels: dict[str, tuple[str, ...]]


@dataclass(frozen=True)
class Answers:
    minimise: tuple[str, ...] = ("latency_s", "energy_j")
    maximise: tuple[str, ...] = ("throughput_fps",)


@dataclass(frozen=True)
class Sample:
    method: str
    points: int
    seed: int = 1


@dataclass(frozen=True)
class Space:
    """rows x cols x dataflow; below `least` rows x cols is no point, above `most_j` none that counts."""

    n_rows: int = 40
    n_cols: int = 30
    least: int = 0
    most_j: float = float("inf")
    sample: Sample | None = None
    name: str = "small"
    sha256: str = "0" * 64
    file: str = "small.yaml"
    method: str = "closed_form"
    compat: str | None = None
    answers: Answers = field(default_factory=Answers)

    @property
    def variables(self) -> tuple[Axis, ...]:
        rows, cols = range(1, self.n_rows + 1), range(1, self.n_cols + 1)
        return Axis("rows", tuple(rows)), Axis("cols", tuple(cols)), Axis("dataflow", KINDS)

    @property
    def n_raw(self) -> int:
        return self.n_rows * self.n_cols * len(KINDS)

    def points(self, start: int, stop: int) -> Points:
        return self.points_at(np.arange(start, min(stop, self.n_raw)))

    def points_at(self, index: NDArray[np.int64]) -> Points:
        rows, cols = index // (self.n_cols * len(KINDS)) + 1, index // len(KINDS) % self.n_cols + 1
        kept = rows * cols >= self.least
        columns = {"rows": rows[kept], "cols": cols[kept], "dataflow": index[kept] % len(KINDS)}
        return Points(index[kept], columns, {"dataflow": KINDS})

    def broken(self, columns: Any) -> NDArray[np.str_]:
        return np.where(columns["energy_j"] <= self.most_j, "", "energy_j <= most_j")


@dataclass(frozen=True)
class Evaluate:
    """`die`: a folder of files, each of which ends the worker that takes it in the chunk with point `at`."""

    sleep_s: float = 0.0
    die: Path | None = None
    at: int = 0
    fail_at: int = -1
    stop_at: int = -1

    def __call__(self, points: Points) -> dict[str, NDArray[Any]]:
        if self.sleep_s:
            time.sleep(self.sleep_s)
        if self.die is not None and self.at in points.index and (orders := sorted(self.die.iterdir())):
            orders[0].unlink()
            os.kill(os.getpid(), signal.SIGKILL)
        if self.fail_at in points.index:
            raise ArithmeticError(f"no answer for point {self.fail_at}")
        if self.stop_at in points.index:
            raise KeyboardInterrupt
        rows, cols = points.columns["rows"].astype(float), points.columns["cols"].astype(float)
        kind = points.columns["dataflow"]
        latency = 1e-3 / (rows * cols) * (1 + kind / 7) + 1e-6 * rows
        energy = 1e-4 * np.sqrt(rows**2 + cols) * (1.1 - kind / 10)
        ok = (rows + cols) % 11 > 0
        return {
            "latency_s": latency,
            "energy_j": energy,
            "throughput_fps": 1 / latency,
            "macs": np.full(len(rows), 1000),
            "status": np.where(ok, "ok", "infeasible"),
            "reason": np.where(ok, "", "rows and cols, of 11"),
        }
