"""Cells of a chip by events: what each combination of cores, replicas, threads and batch comes to.

Two levels. The device (`chip_device`): replicas at the busiest memory channel, layer by layer, give the time
of a pass. The stations (`chip_stations`): threads, host and device slots give throughput and latency.
Distinct situations of the device are simulated once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from accelsim.sim.chip_device import Device, DevicePass
from accelsim.sim.chip_ports import TICKS_PER_S
from accelsim.sim.chip_program import CAUSES, TILES, device_program
from accelsim.sim.chip_record import ChipRecord
from accelsim.sim.chip_service import DEVICE, service_of
from accelsim.sim.chip_stations import Stations, StationsSteady
from accelsim.tables.chip import STATIONS, Cells, Chip, Floats, ReplicaWork

Texts = NDArray[np.str_]


@dataclass(frozen=True, eq=False)
class ChipResults:
    """Steady state of each cell; S = len(STATIONS), U = len(CAUSES)."""

    throughput_fps: Floats  # [B] images a second
    latency_s: Floats  # [B] from a thread's taking a pass until its results are out
    pass_s: Floats  # [B] of an instance on the device
    utilisation: Floats  # [B, S] share of the time that servers work, of as many as threads can use
    cause_s: Floats  # [B, U] what the time of a replica's pass goes to
    limit: Texts  # [B] a station, or what decides on the device
    exact: NDArray[np.bool_]  # [B] both levels are periodic; else means over some passes
    n_steps: int  # tile steps executed
    n_events: int  # scheduled


class ChipSimulation:
    """A chip and the work of a network on it; remembers the device's passes."""

    def __init__(self, chip: Chip, works: Mapping[int, ReplicaWork], tiles: int = TILES) -> None:
        self.chip, self.works, self.tiles = chip, works, tiles
        self.passes: dict[tuple[int, int, int, int], DevicePass] = {}

    def device_pass(self, mp: int, dp: int, threads: int, batch: int) -> DevicePass:
        """A pass of an instance while as many compute as threads and slots allow.

        Raises ValueError where one instance needs more cores than there are.
        """
        slots = self.chip.slots(mp, dp)
        if not slots:
            raise ValueError(f"{mp} x {dp} cores of {self.chip.n_cores}")
        key = mp, dp, min(threads, slots), batch
        if key not in self.passes:
            program = device_program(self.chip, self.works[mp], dp, key[2], batch, self.tiles)
            self.passes[key] = Device(program).steady()
        return self.passes[key]

    def stations(
        self, cell: tuple[int, int, int, int], record: ChipRecord | None = None, skip: bool = True
    ) -> Stations:
        mp, dp, threads, batch = cell
        done = self.device_pass(mp, dp, threads, batch)
        service = service_of(self.chip, self.works[mp], dp, threads, batch, done.ticks)
        return Stations(service, record, skip)

    def cells(self, cells: Cells) -> ChipResults:
        rows = cells.rows()
        passes = [self.device_pass(*row) for row in rows]
        stations = [self.stations(row) for row in rows]
        steady = [s.steady() for s in stations]
        used = [_utilisation(s, done) for s, done in zip(stations, steady, strict=True)]
        images = cells.dp * cells.batch
        distinct = {id(p): p for p in passes}.values()
        return ChipResults(
            throughput_fps=images * _floats(s.n_passes * TICKS_PER_S / s.ticks for s in steady),
            latency_s=_floats(s.latency_ticks / s.n_passes / TICKS_PER_S for s in steady),
            pass_s=_floats(p.seconds for p in passes),
            utilisation=np.array(used, np.float64).reshape(-1, len(STATIONS)),
            cause_s=np.array([p.by_cause for p in passes], np.float64).reshape(-1, len(CAUSES)) / TICKS_PER_S,
            limit=np.array([_limit(u, p) for u, p in zip(used, passes, strict=True)], np.str_),
            exact=np.array([s.exact and p.exact for s, p in zip(steady, passes, strict=True)], np.bool_),
            n_steps=sum(p.n_steps for p in distinct),
            n_events=sum(p.n_events for p in distinct) + sum(s.n_events for s in steady),
        )

    def run_s(self, mp: int, dp: int, threads: int, batch: int, images: int) -> float:
        """Time of a data set: start, then its passes; threads beyond their number have nothing to do."""
        n_passes = -(-images // (dp * batch))
        _, gone, *_ = self.stations((mp, dp, min(threads, n_passes), batch)).run(n_passes)
        return self.chip.runtime.start_s + gone / TICKS_PER_S


def simulate_cells(chip: Chip, works: Mapping[int, ReplicaWork], cells: Cells) -> ChipResults:
    """Simulates cells that the chip has cores and memory for; `works` by the cores of a replica."""
    return ChipSimulation(chip, works).cells(cells)


def trace_cell(
    chip: Chip, works: Mapping[int, ReplicaWork], cell: tuple[int, int, int, int], n_passes: int
) -> tuple[ChipRecord, ChipRecord]:
    """Intervals of the first passes of one cell: of its stations, and of the replicas at one channel."""
    simulation = ChipSimulation(chip, works)
    stations, device = ChipRecord(), ChipRecord()
    simulation.stations(cell, stations, skip=False).run(n_passes)
    mp, dp, threads, batch = cell
    active = min(threads, chip.slots(mp, dp))
    program = device_program(chip, works[mp], dp, active, batch)
    Device(program, device).run(-(-n_passes // threads))
    return stations, device


def _floats(values: Iterable[float]) -> Floats:
    return np.array(list(values), np.float64)


def _utilisation(stations: Stations, steady: StationsSteady) -> list[float]:
    """Of each of STATIONS, of the servers that the threads can use at all: a thread is in one at a time."""
    service = stations.service
    usable = [min(n, service.threads) for n in service.servers]
    return [busy / (n * steady.ticks) for busy, n in zip(steady.busy, usable, strict=True)]


def _limit(utilisation: list[float], device: DevicePass) -> str:
    """The busiest station; where it is the device, what most of a pass there goes to."""
    station = max(range(len(STATIONS)), key=lambda s: (utilisation[s], s == DEVICE))
    if station != DEVICE:
        return STATIONS[station]
    return CAUSES[max(range(len(CAUSES)), key=lambda c: device.by_cause[c])]
