"""The grid of cells: which are asked for, what each comes to, and which of them are simulated.

The closed form costs every cell, the simulation decides. Of a grid that is too large to be simulated whole, a
cell is left out only where its closed form is no better than the tenth best simulated cell, even after the
largest factor by which the closed form was ever too pessimistic:

    left out:  c min(1, min_i(s_i / c_i)) >= the 10th of s_i     c closed form, s simulated; less is better

The closed form being a bound from below, the ten best cells are then the ten best of all.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from accelsim.base.errors import InputError, Problem
from accelsim.cost.chip import CellCosts
from accelsim.sim.chip import ChipResults
from accelsim.tables.chip import Cells, Floats

Ints = NDArray[np.int64]
Progress = Callable[[str, int, int], None]

OBJECTIVES: Final = ("throughput", "latency", "energy", "edp")
MAX_CELLS: Final = 1_000_000
ALL: Final = 2_000
"""So few cells are all simulated: the full grid of 32 cores takes seconds."""
BEST: Final = 50
"""Of more, at least so many."""
CERTAIN: Final = 10
"""Of the best, so many are the best of all."""
AT_ONCE: Final = 25


class Simulation(Protocol):
    """What decides: `sim.chip.ChipSimulation`."""

    def cells(self, cells: Cells) -> ChipResults:
        """Throughput, latency and limit of each cell."""


@dataclass(frozen=True)
class Choices:
    """The values of each axis of the grid."""

    mp: tuple[int, ...]
    dp: tuple[int, ...]
    threads: tuple[int, ...]
    batch: tuple[int, ...]

    def cells(self, n_cores: int, full: bool) -> Cells:
        """All combinations; with `full` those that use all cores. InputError for none or too many."""
        splits = [(mp, dp) for mp, dp in product(self.mp, self.dp) if not full or mp * dp == n_cores]
        n = len(splits) * len(self.threads) * len(self.batch)
        if not splits:
            said = f"no --mp and --dp multiply to {n_cores} cores"
            raise InputError(Problem(said, key="full", hint="leave --full out, or give other lists"))
        if n > MAX_CELLS:
            raise InputError(
                Problem(f"{n:,} cells", expected=f"at most {MAX_CELLS:,}", hint="shorten a list")
            )
        return Cells.of((*split, t, b) for split in splits for t in self.threads for b in self.batch)


def choices(n_cores: int, **given: Sequence[int] | int | None) -> Choices:
    """The lists that are given; else powers of two: up to the cores, 1 to 128 threads, 1 to 1,024 images."""
    powers = sorted({2**i for i in range(n_cores.bit_length()) if 2**i <= n_cores} | {n_cores})
    default = {
        "mp": powers,
        "dp": powers,
        "threads": [2**i for i in range(8)],
        "batch": [2**i for i in range(11)],
    }
    found, wrong = {}, []
    for name, values in default.items():
        asked = given.get(name)
        numbers = values if asked is None else [asked] if isinstance(asked, int) else list(asked)
        wrong += [
            Problem(
                "has no values" if number is None else f"{number!r} is out of range",
                key=name,
                expected="whole numbers from 1 to 1,000,000",
            )
            for number in numbers or [None]
            if not isinstance(number, int) or not 1 <= number <= 1_000_000
        ]
        found[name] = tuple(sorted(set(numbers))) if not wrong else ()
    if wrong:
        raise InputError(wrong)
    return Choices(**found)


def value(objective: str, fps: Floats, latency_s: Floats, energy_j: Floats) -> Floats:
    """`results.grid.loss` of many cells."""
    if objective == "throughput":
        return 1 / fps
    return {"latency": latency_s, "energy": energy_j, "edp": energy_j * latency_s}[objective]


@dataclass(frozen=True, eq=False)
class Decided:
    """Closed form and simulation of B cells; nan where a cell was not simulated or does not run."""

    cells: Cells
    costs: CellCosts
    fps: Floats  # [B]
    latency_s: Floats  # [B]
    limit: NDArray[np.str_]  # [B] "" where not simulated
    closed: Floats  # [B] of the objective, closed form
    simulated: Floats  # [B] of the objective

    @property
    def is_simulated(self) -> NDArray[np.bool_]:
        return ~np.isnan(self.simulated)

    @property
    def decided(self) -> Floats:
        """[B] of the objective, by whichever decided."""
        return np.where(self.is_simulated, self.simulated, self.closed)

    def order(self) -> list[int]:
        """The cells that run, best first: of equals the faster pass, less memory, the smaller split."""
        latency = np.where(self.is_simulated, self.latency_s, self.costs.latency_s)
        mp, dp, threads, batch = axes(self.cells)
        order = np.lexsort(
            (batch, threads, dp, mp, self.costs.memory_bytes, _digits(latency), _digits(self.decided))
        )
        return [int(b) for b in order if self.costs.ok[b]]

    def row(self, b: int) -> dict[str, Any]:
        """One cell as the answer has it."""
        costs, simulated, ok = self.costs, bool(self.is_simulated[b]), bool(self.costs.ok[b])
        fps, latency = (self.fps, self.latency_s) if simulated else (costs.throughput_fps, costs.latency_s)
        return {
            "mp": int(self.cells.mp[b]),
            "dp": int(self.cells.dp[b]),
            "threads": int(self.cells.threads[b]),
            "batch": int(self.cells.batch[b]),
            "status": str(costs.status[b]),
            "latency_s": float(latency[b]),
            "throughput_fps": float(fps[b]),
            "analytic_latency_s": float(costs.latency_s[b]),
            "simulated_latency_s": float(self.latency_s[b]),
            "decided_by": ("simulation" if simulated else "analytic") if ok else None,
            "energy_j": float(costs.energy_j[b]) if ok else None,
            "memory_bytes": float(costs.memory_bytes[b]),
            "limit": str(self.limit[b] if simulated else costs.limit[b]),
        }


def decide(
    cells: Cells,
    costs: CellCosts,
    simulation: Simulation,
    objective: str,
    at_least: int | None = None,
    progress: Progress | None = None,
) -> Decided:
    """Simulates the cells that could be the best; `at_least` None: all of 2,000 or fewer, else 50."""
    n = len(cells)
    fps, latency, limit = np.full(n, np.nan), np.full(n, np.nan), np.full(n, "", "<U16")
    closed = value(objective, costs.throughput_fps, costs.latency_s, costs.energy_j)
    simulated = np.full(n, np.nan)
    order = [int(b) for b in np.argsort(_digits(closed), kind="stable") if costs.ok[b]]
    wanted = (len(order) if len(order) <= ALL else BEST) if at_least is None else at_least
    at = 0
    while at < len(order) and wanted:
        if at >= wanted:
            kindest = min(1.0, float(np.nanmin(simulated[order[:at]] / closed[order[:at]])))
            if closed[order[at]] * kindest >= np.sort(simulated[order[:at]])[:CERTAIN][-1]:
                break
        index = np.array(order[at : at + AT_ONCE])
        if progress is not None:
            progress("cells simulated", at, max(wanted, at + len(index)))
        found = simulation.cells(Cells(*(axis[index] for axis in axes(cells))))
        fps[index], latency[index], limit[index] = found.throughput_fps, found.latency_s, found.limit
        simulated[index] = value(objective, found.throughput_fps, found.latency_s, costs.energy_j[index])
        at += len(index)
    return Decided(cells, costs, fps, latency, limit, closed, simulated)


def axes(cells: Cells) -> tuple[Ints, Ints, Ints, Ints]:
    return cells.mp, cells.dp, cells.threads, cells.batch


def _digits(values: Floats) -> Floats:
    """Values that differ by less than float64's rounding made equal, so that ties are broken by meaning."""
    with np.errstate(divide="ignore", invalid="ignore"):
        scale = 10.0 ** (9 - np.ceil(np.log10(np.abs(values))))
    return np.where(np.isfinite(scale), np.round(values * scale) / scale, values)
