"""Plans of a pass: costed paths made into what the closed form and the simulation run, and into rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from accelsim.cost.chip_plan import plan_fits, plan_memory, timing
from accelsim.explore.chain import Chain, Step, energy, seconds
from accelsim.explore.path import Path
from accelsim.explore.states import Place, alone, shape
from accelsim.explore.work import Works, live_bytes
from accelsim.mapping.partition import Partition
from accelsim.tables.chip import Chip
from accelsim.tables.dims import O
from accelsim.tables.plan import PassPlan, StagePlan, Stretch


@dataclass(frozen=True)
class Stage:
    """A group of layers on cores of its own."""

    place: Place
    works: Works
    steps: tuple[Step, ...]

    @staticmethod
    def of(chain: Chain, path: Path, first: int = 0) -> Stage:
        """The path costed; the chain with all its other ways is not kept."""
        return Stage(chain.place, chain.works, tuple(chain.cost_of(path, first)))

    @property
    def seconds(self) -> float:
        return seconds(self.steps)

    @property
    def energy_j(self) -> float:
        """Of all images, without leakage."""
        return energy(self.steps, 0.0)


@dataclass(frozen=True, eq=False)
class Plan:
    """How an instance of `place` runs a pass."""

    place: Place
    stages: tuple[Stage, ...]
    run: PassPlan
    input_words: float
    live_bytes: float

    def cost(self, chip: Chip, threads: int) -> tuple[float, float, str]:
        """Throughput, latency and limit of a cell in closed form."""
        run = self.run
        return timing(chip, run.images, threads, run.slots, self.input_words, run.pass_s, run.interval_s)

    def memory(self, chip: Chip, threads: int) -> float:
        return plan_memory(chip, self.run, threads, self.live_bytes)

    def fits(self, chip: Chip, threads: int) -> bool:
        return plan_fits(chip, self.run, self.place.n_cores, threads, self.live_bytes)

    def rows(self) -> list[dict[str, Any]]:
        """Each layer as the answer has it."""
        steps = [(at, step) for at, stage in enumerate(self.stages) for step in stage.steps]
        names = [step.layer.name for _, step in steps]
        return [
            {
                "layer": step.layer.name,
                "op": step.layer.op,
                "mp": step.figures.mp,
                "dp": step.figures.dp,
                "partition": _cut(step.partition),
                "stage": stage,
                "stage_cores": self.stages[stage].place.n_cores,
                "fused_with": names[at - 1] if step.option.kept_in else None,
                "layer_s": step.figures.seconds,
                "exchange_s": step.link_s,
                "energy_j": step.energy_j / self.place.images,
            }
            for at, (stage, step) in enumerate(steps)
        ]


def _cut(partition: Partition) -> str:
    """As it prints; of clusters of one core what they are cut over."""
    return str(partition) if partition.cores.n_parts > 1 else str(partition.clusters) or "whole"


def slots(chip: Chip, n_cores: int) -> int:
    """Instances of so many cores that compute at a time, packed into as few clusters as hold each."""
    if n_cores > chip.n_cores:
        return 0
    if chip.runtime.whole_clusters or n_cores >= chip.cores_per_cluster:
        return chip.n_clusters // chip.clusters_of(n_cores)
    return chip.n_clusters * (chip.cores_per_cluster // n_cores)


def sharing(chip: Chip, n_cores: int, threads: int) -> int:
    """Instances at the busiest channel, dealt out to the clusters in turn."""
    active = min(threads, slots(chip, n_cores))
    return -(-active // max(1, chip.n_clusters // chip.clusters_of(n_cores)))


def make_plan(place: Place, stages: Sequence[Stage]) -> Plan:
    """The plan of these stages; a pass takes each in turn."""
    works = stages[0].works
    chip = works.chip
    runs = tuple(
        StagePlan(stage.place.n_cores, place.sharing, stretches(stage), stage.seconds) for stage in stages
    )
    interval = max(stage.seconds for stage in stages)
    joules = sum(stage.energy_j for stage in stages) + chip.core_leakage_w * place.n_cores * interval
    of_replicas = sum(step.layer.params * step.figures.dp for stage in stages for step in stage.steps)
    return Plan(
        place,
        tuple(stages),
        PassPlan(
            images=place.images,
            slots=slots(chip, place.n_cores),
            stages=runs,
            energy_j=joules / place.images,
            n_weights=float(sum(layer.params for layer in works.layers)),
            replicas_weights=float(of_replicas),
        ),
        float(sum(works.words(name) for name in works.graph.inputs)),
        live_bytes(works.graph, works.core.word_bytes[O]),
    )


def stretches(stage: Stage) -> tuple[Stretch, ...]:
    """Layers that the same replicas run without meeting the others."""
    found: list[list[Step]] = []
    for step in stage.steps:
        alike = bool(found) and shape(found[-1][0].partition) == shape(step.partition)
        if not alike or step.meets or (step.figures.mp == 1 and step.exchange_s > 0):
            found.append([])
        found[-1].append(step)
    return tuple(_stretch(stage, steps, first=at == 0) for at, steps in enumerate(found))


def _stretch(stage: Stage, steps: Sequence[Step], first: bool) -> Stretch:
    place, runtime = stage.place, stage.works.chip.runtime
    figures, head = steps[0].figures, steps[0]
    exchange = np.array([step.exchange_s for step in steps]) / place.sharing
    hand_over = 0.0
    if figures.mp == 1:
        hand_over, exchange[0] = place.sharing * float(exchange[0]), 0.0
    meets = not first and head.meets
    return Stretch(
        layers=tuple(step.layer.name for step in steps),
        mp=alone(head.partition).n_cores,
        dp=figures.dp,
        n_groups=figures.n_groups,
        at_channel=figures.at_channel,
        load_s=np.array([step.figures.load_s for step in steps]),
        compute_s=np.array([step.figures.compute_s for step in steps]),
        store_s=np.array([step.figures.store_s for step in steps]),
        exchange_s=exchange,
        meet_s=runtime.barrier_s * (place.n_cores - 1).bit_length() if meets else 0.0,
        hand_over_s=hand_over,
    )
