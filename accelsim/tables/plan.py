"""A plan as plain numbers: the stretches of a pass in which an instance's cores are cut in one way.

`explore` makes them of each layer's partition, `cost.chip_plan` has the closed forms, `sim.chip_plan` the
events. Ly layers of a stretch.
"""

from __future__ import annotations

from dataclasses import dataclass

from accelsim.tables.chip import Chip, Floats


@dataclass(frozen=True, eq=False)
class Stretch:
    """Layers that the same replicas run one after the other; before them all cores of the stage meet."""

    layers: tuple[str, ...]
    mp: int  # cores of a replica
    dp: int  # replicas
    n_groups: int  # groups of clusters over which the replicas are dealt out
    at_channel: int  # replicas of the instance at the busiest channel
    load_s: Floats  # [Ly] of one replica, all its images and the weights, on each of its channels
    compute_s: Floats  # [Ly] of its busiest core
    store_s: Floats  # [Ly]
    exchange_s: Floats  # [Ly] what its clusters take from others
    meet_s: float  # barrier of all cores before the first layer
    hand_over_s: float  # what crosses before it, where replicas of one core can't fetch it layer by layer

    @property
    def n_layers(self) -> int:
        return len(self.layers)


@dataclass(frozen=True, eq=False)
class StagePlan:
    """A stage of a pipeline: its cores run a group of layers on every pass."""

    n_cores: int
    sharing: int  # instances that compute at the same channels
    stretches: tuple[Stretch, ...]
    seconds: float
    """Of a pass, in closed form."""


@dataclass(frozen=True, eq=False)
class PassPlan:
    """How an instance runs a pass of `images`: stages one after the other, each on its own cores."""

    images: int
    slots: int  # instances that compute at a time
    stages: tuple[StagePlan, ...]
    energy_j: float  # of an image
    n_weights: float
    replicas_weights: float
    """Of an instance whose replicas each store those of their layers."""

    def weights(self, chip: Chip, threads: int) -> float:
        """On all cards while so many instances are there."""
        return {
            "card": chip.n_cards * self.n_weights,
            "instance": threads * self.n_weights,
            "replica": threads * self.replicas_weights,
        }[chip.runtime.weights_stored]

    @property
    def pass_s(self) -> float:
        """From a pass's first layer to its last, in closed form."""
        return sum(stage.seconds for stage in self.stages)

    @property
    def interval_s(self) -> float:
        """Between passes: the slowest stage."""
        return max(stage.seconds for stage in self.stages)
