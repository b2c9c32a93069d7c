"""A plan of a pass by events: each stretch by the replicas at the busiest channel, stages as a pipeline.

All cores of a stage meet between stretches, so that each stretch starts from rest and is simulated by itself;
of instances that share a channel all are in the same stretch at a time.
"""

from __future__ import annotations

from dataclasses import dataclass

from accelsim.sim.chip_device import Device
from accelsim.sim.chip_ports import TICKS_PER_S, Pipeline, ticks
from accelsim.sim.chip_program import BARRIER, CAUSES, EXCHANGE, TILES, DeviceProgram, LayerTicks
from accelsim.sim.chip_service import DEVICE, service
from accelsim.sim.chip_stations import Stations
from accelsim.tables.chip import STATIONS, Chip
from accelsim.tables.plan import PassPlan, StagePlan, Stretch


@dataclass(frozen=True)
class PlanResult:
    """One cell with its plan, in steady state."""

    throughput_fps: float
    latency_s: float
    pass_s: float  # through all stages
    interval_s: float  # of the slowest stage
    limit: str


@dataclass(frozen=True)
class _Stage:
    ticks: int
    by_cause: tuple[float, ...]


def stretch_program(chip: Chip, stretch: Stretch, sharing: int, tiles: int = TILES) -> DeviceProgram:
    """What the replicas at one channel do in a stretch."""
    n_tiles = tiles if stretch.mp == 1 else 1
    replica, n, dp = ticks(chip.runtime.replica_s), stretch.at_channel, stretch.dp
    group = tuple((dp - 1 - stretch.n_groups * (n - 1 - i)) * replica for i in range(n))
    group = tuple(max(0, offset) for offset in group)
    columns = (stretch.load_s, stretch.exchange_s / n, stretch.compute_s, stretch.store_s)
    rows = zip(*(column.tolist() for column in columns), strict=True)
    return DeviceProgram(
        layers=tuple(
            LayerTicks(name, n_tiles, *(ticks(seconds / n_tiles) for seconds in row))
            for name, row in zip(stretch.layers, rows, strict=True)
        ),
        streams=stretch.mp == 1,
        issue=ticks(chip.runtime.layer_s),
        barrier=ticks(chip.runtime.barrier_s * (stretch.mp - 1).bit_length()),
        offsets=(group,) * sharing,
    )


class PlanSimulation:
    """A chip; `cell` simulates a plan on it as one thread's passes, or as those of many."""

    def __init__(self, chip: Chip) -> None:
        self.chip = chip
        self._stages: dict[int, tuple[StagePlan, _Stage]] = {}

    def stage(self, stage: StagePlan) -> _Stage:
        """Ticks of a pass, and what they go to; each stage once."""
        if id(stage) not in self._stages:
            self._stages[id(stage)] = stage, self._simulated(stage)
        return self._stages[id(stage)][1]

    def _simulated(self, stage: StagePlan) -> _Stage:
        total, causes = 0, [0.0] * len(CAUSES)
        for stretch in stage.stretches:
            done = Device(stretch_program(self.chip, stretch, stage.sharing)).steady()
            meet, hand_over = ticks(stretch.meet_s), ticks(stretch.hand_over_s)
            total += done.ticks + meet + hand_over
            for cause, spent in enumerate(done.by_cause):
                causes[cause] += spent
            causes[BARRIER] += meet
            causes[EXCHANGE] += hand_over
        return _Stage(total, tuple(causes))

    def stations(self, plan: PassPlan, threads: int, input_words: float) -> Stations:
        """Threads whose passes take the plan; stages take passes one behind the other."""
        times = tuple(self.stage(stage).ticks for stage in plan.stages)
        asked = service(self.chip, plan.images * input_words, threads, plan.slots, max(times))
        stations = Stations(asked)
        if len(times) > 1:
            stations.servers = (*stations.servers[:DEVICE], Pipeline(plan.slots, times))
        return stations

    def run_s(self, plan: PassPlan, threads: int, input_words: float, images: int) -> float:
        """Time of a data set: start, then its passes; threads beyond their number have nothing to do."""
        n_passes = -(-images // plan.images)
        _, gone, *_ = self.stations(plan, min(threads, n_passes), input_words).run(n_passes)
        chip = self.chip
        weights_s = plan.weights(chip, threads) * chip.runtime.weight_bytes / chip.host.link_bytes_per_s
        return chip.runtime.start_s + weights_s + gone / TICKS_PER_S

    def cell(self, plan: PassPlan, threads: int, input_words: float) -> PlanResult:
        """Steady state of a cell."""
        stages = [self.stage(stage) for stage in plan.stages]
        times = [stage.ticks for stage in stages]
        stations = self.stations(plan, threads, input_words)
        done = stations.steady()
        servers = stations.service.servers
        used = [busy / (min(n, threads) * done.ticks) for busy, n in zip(done.busy, servers, strict=True)]
        station = max(range(len(STATIONS)), key=lambda s: (used[s], s == DEVICE))
        slowest = max(stages, key=lambda stage: stage.ticks)
        cause = max(range(len(CAUSES)), key=lambda c: slowest.by_cause[c])
        return PlanResult(
            throughput_fps=plan.images * done.n_passes * TICKS_PER_S / done.ticks,
            latency_s=done.latency_ticks / done.n_passes / TICKS_PER_S,
            pass_s=sum(times) / TICKS_PER_S,
            interval_s=max(times) / TICKS_PER_S,
            limit=CAUSES[cause] if station == DEVICE else STATIONS[station],
        )
