"""Fits the five constants of the device to the given heat map, and to parts of it that predict the rest.

    python scripts/mlu100_calibrate.py        some minutes; writes the table of docs/mlu100.md

Least squares on logarithms of ratios (Gauss-Newton; errors beyond 10 % count linearly), with a prior that
holds a constant within a factor of e of its start at the weight of one cell that is 10 % off.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

import mlu100_evidence as mlu100
import numpy as np
from mlu100_page import percent, table, write_region
from numpy.typing import NDArray

from accelsim.sim.chip import ChipSimulation
from accelsim.tables.chip import Cells, Chip

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

CHANNEL_BYTES_PER_S: Final = 25.6e9
START: Final = {"efficiency": 0.5, "kernel": 0.395, "layer_us": 5.9, "barrier_us": 1.7, "replica_us": 64.0}
"""Found with closed forms alone, before there was an event simulation."""
PRIOR: Final = 0.1
LINEAR_FROM: Final = 0.1
ROUNDS: Final = 6


def chip_with(log_constants: Floats) -> Chip:
    efficiency, kernel, layer, barrier, replica = np.exp(log_constants).tolist()
    chip = mlu100.chip_of("mlu100", ())
    runtime = replace(
        chip.runtime,
        kernel_efficiency=kernel,
        layer_s=layer * 1e-6,
        barrier_s=barrier * 1e-6,
        replica_s=replica * 1e-6,
    )
    return replace(chip, channel_bytes_per_s=CHANNEL_BYTES_PER_S * efficiency, runtime=runtime)


CELLS: Final = [*(c for c, v in zip(mlu100.CELLS, mlu100.MEASURED, strict=True) if v == v), mlu100.ONE]
VALUES: Final = np.array([*mlu100.MEASURED[~np.isnan(mlu100.MEASURED)], 1.0])
FPS_OF_ONE: Final = 10_000 / 0.384 / 36.6
"""384 ms for the data set at the brightest cell."""
WEIGHT: Final = np.where(np.arange(len(CELLS)) == len(CELLS) - 1, 1.7, 1.0)
"""The cell that all others are normalised by counts three times (1.7^2)."""


def residuals(log_constants: Floats, chosen: Bools) -> Floats:
    """Logarithms of predicted over measured throughput."""
    works = mlu100.works_of("resnet50_cifar10", "mlu100", (), (1, 2, 4, 8, 16, 32))
    asked = Cells.of(cell for cell, use in zip(CELLS, chosen, strict=True) if use)
    found = ChipSimulation(chip_with(log_constants), works).cells(asked)
    logs: Floats = np.log(found.throughput_fps / FPS_OF_ONE / VALUES[chosen])
    return logs


def fit(chosen: Bools, free: tuple[int, ...] = (0, 1, 2, 3, 4)) -> Floats:
    """Logarithms of the constants; those that are not free stay at their start."""
    start = np.log(np.array(list(START.values())))
    weight = WEIGHT[chosen]
    found = list(free)
    at: Floats = start.copy()
    for _ in range(ROUNDS):
        r = residuals(at, chosen)
        steps = 0.06 * np.eye(len(start))[found]
        slopes = np.array([(residuals(at + s, chosen) - residuals(at - s, chosen)) / 0.12 for s in steps]).T
        w = weight**2 * np.minimum(1, LINEAR_FROM / np.maximum(np.abs(r * weight), 1e-9))
        curvature = slopes.T @ (w[:, None] * slopes) + PRIOR**2 * np.eye(len(found))
        slope = slopes.T @ (w * r) + PRIOR**2 * (at - start)[found]
        move = np.clip(-np.linalg.solve(curvature, slope), -0.4, 0.4)
        at[found] += move
        if np.abs(move).max() < 0.005:
            break
    return at


@dataclass(frozen=True)
class Part:
    """Cells that constants are fitted to, and those that are then predicted."""

    name: str
    fitted: Bools
    judged: Bools
    free: tuple[int, ...] = (0, 1, 2, 3, 4)


def parts() -> Iterator[Part]:
    mp, dp, threads, batch = (np.array(axis) for axis in zip(*CELLS, strict=True))
    one = np.arange(len(CELLS)) == len(CELLS) - 1
    first = (mp == 1) & (dp == 4)
    second = (threads == 8) & (batch == 16)
    cross = first & ((batch == 16) | (threads == 1))
    yield Part("all cells, the same judged", first | second | one, first | second)
    yield Part("batch x threads fitted, MP and DP judged", first | one, second & ~first)
    yield Part(
        "MP, DP, batch 16, one thread fitted, rest judged", second | cross | one, first & ~cross & ~second
    )
    yield Part("all MP > 1 left out and judged, barrier at its start", mp == 1, mp > 1, (0, 1, 2, 4))
    yield Part("threads > 8 left out and judged", threads <= 8, threads > 8)
    yield Part("batch 1 and 2 left out and judged", (batch > 2) | one, (batch <= 2) & ~one)


def line(part: Part) -> tuple[str, ...]:
    at = fit(part.fitted, part.free)
    everything = np.ones(len(CELLS), bool)
    fps = np.exp(residuals(at, everything)) * VALUES
    fps /= fps[-1]
    error = np.abs(fps / VALUES - 1)[part.judged]
    figures = (percent(float(q), 1) for q in (np.median(error), np.quantile(error, 0.9), error.max()))
    rank = mlu100.spearman(fps[part.judged], VALUES[part.judged])
    return (
        part.name,
        str(int(part.judged.sum())),
        f"{rank:.3f}",
        *figures,
        ", ".join(f"{value:.3g}" for value in np.exp(at)),
    )


def main() -> None:
    heads = ("fit", "n judged", "Spearman", "median error", "90th percentile", "largest", ", ".join(START))
    write_region("left out", table(heads, [line(part) for part in parts()]))


if __name__ == "__main__":
    main()
