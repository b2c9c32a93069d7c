"""How each layer of a network may be cut over the cores of an instance, and what each way comes to.

An instance has A cores on s clusters and `images` in flight. A way to cut a layer is a partition with its
images cut, too: `dp` replicas, the parts of images, of `mp` cores each. Activations may stay in the cores
between layers that are cut alike. For b images of a replica, n replicas at a channel

    layer = issue + barrier(mp) + max(alone, n channel),  alone = max(compute, channel)   of one core
                                                                  compute + channel       of several

What a layer takes from clusters that the layer before left it in is the business of `explore.links`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property
from math import ceil
from typing import Final

import numpy as np

from accelsim.base.errors import InfeasibleError
from accelsim.explore.on_core import Inside
from accelsim.explore.work import Cut, LayerWork, Works
from accelsim.mapping.exchange import moved
from accelsim.mapping.lower import lower
from accelsim.mapping.partition import Grid, Partition, largest_part, partitions
from accelsim.tables import dims as d
from accelsim.tables.chip import Chip, Floats
from accelsim.tables.nest import Problem
from accelsim.workload.layer import Layer


@dataclass(frozen=True)
class Place:
    """The cores that run all layers: those of an instance, or of one stage of a pipeline."""

    n_cores: int
    images: int
    sharing: int = 1
    """Instances that compute at the same channels."""

    def clusters(self, chip: Chip) -> int:
        return chip.clusters_of(self.n_cores)

    def inside(self, chip: Chip) -> int:
        """Cores of each of its clusters."""
        return max(1, self.n_cores // self.clusters(chip))


@dataclass(frozen=True)
class Option:
    """One way to run a layer."""

    part: int  # index of its partition
    kept_in: bool = False  # inputs are still in the cores
    kept_out: bool = False  # outputs stay there


@dataclass(frozen=True)
class Figures:
    """A layer run in one way on all images; seconds and bytes of one replica where not said otherwise."""

    mp: int
    dp: int
    n_groups: int
    at_channel: int
    load_s: float
    compute_s: float
    store_s: float
    sums_bytes: float  # partial sums that a cluster takes from others
    alone_s: float
    seconds: float  # with all replicas, issue and barrier
    energy_j: float  # of all images

    @property
    def channel_s(self) -> float:
        return self.load_s + self.store_s


@dataclass(frozen=True, eq=False)
class Node:
    """A layer and all the ways to run it."""

    layer: Layer
    problem: Problem | None  # with all images; None: no array layer, it keeps the partition of the one before
    partitions: tuple[Partition, ...]
    options: tuple[Option, ...]
    figures: tuple[Figures, ...]

    @cached_property
    def seconds(self) -> Floats:
        return np.array([f.seconds for f in self.figures])

    @cached_property
    def energy(self) -> Floats:
        return np.array([f.energy_j for f in self.figures])


@cache  # there are few, asked for every layer
def alone(partition: Partition) -> Partition:
    """Of one replica: the images not cut."""
    return Partition(replace(partition.clusters, n=1), replace(partition.cores, n=1))


def replicas(partition: Partition) -> int:
    return partition.clusters.n * partition.cores.n


def shape(partition: Partition) -> tuple[int, int, int]:
    """What must be equal for the same replicas to go on: parts of images, and cores of each."""
    return partition.clusters.n, partition.cores.n, partition.n_cores // replicas(partition)


Keeps = Sequence[tuple[bool, bool]]
NOT_KEPT: Final = ((False, False),)
_Ways = tuple[tuple[Partition, ...], tuple[Option, ...], tuple[Figures, ...]]


class States:
    """The ways to run each layer on one place; what cores need is searched once for equal parts."""

    def __init__(self, works: Works, place: Place) -> None:
        self.works, self.place, self.chip = works, place, works.chip
        self._nodes: dict[tuple[Problem, int, int, tuple[tuple[bool, bool], ...]], _Ways] = {}
        self.n_clusters, self.inside = place.clusters(self.chip), place.inside(self.chip)

    def array(self, layer: Layer, keeps: Keeps = NOT_KEPT) -> Node:
        """Raises InfeasibleError where no partition has a legal mapping."""
        one = lower(layer)
        extents = list(one.extents)
        extents[d.N] *= self.place.images
        problem = replace(one, extents=tuple(extents))
        beside = sum(map(self.works.words, layer.fused_inputs))
        key = one, layer.repeat, beside, tuple(keeps)
        if key not in self._nodes:
            self._nodes[key] = self._ways(layer, one, problem, keeps)
        return Node(layer, problem, *self._nodes[key])

    def _ways(self, layer: Layer, one: Problem, problem: Problem, keeps: Keeps) -> _Ways:
        found: list[tuple[Option, Figures]] = []
        parts: list[Partition] = []
        refused: InfeasibleError | None = None
        for partition in partitions(problem, self.n_clusters, self.inside):
            if replicas(partition) > self.place.images:  # cuts inside an image
                continue
            for kept in keeps:
                try:
                    figures = self._array(layer, one, partition, kept)
                except InfeasibleError as error:
                    refused = refused or error
                    continue
                if figures is not None:
                    if not parts or parts[-1] != partition:
                        parts.append(partition)
                    found.append((Option(len(parts) - 1, *kept), figures))
        if not found:
            assert refused is not None
            raise refused
        options, all_figures = zip(*found, strict=True)
        return tuple(parts), options, all_figures

    def carried(
        self,
        layer: Layer,
        cuts: tuple[Partition, ...],
        keeps: Keeps = NOT_KEPT,
    ) -> Node:
        """Vector work and movement: cut as the layer before."""
        found = [
            (Option(at, *kept), figures)
            for at, partition in enumerate(cuts)
            for kept in keeps
            if (figures := self._even(layer, partition, kept)) is not None
        ]
        options, all_figures = zip(*found, strict=True)
        return Node(layer, None, cuts, options, all_figures)

    def first_partitions(self) -> tuple[Partition, ...]:
        """Of what comes before the first array layer: images alone are cut, as far as there are enough."""
        n = min(self.n_clusters, self.place.images)
        cores = min(self.inside, -(-self.place.images // n))
        return (Partition(Grid(n=n), Grid(n=cores)),)

    # --- what they come to

    def _array(
        self, layer: Layer, one: Problem, partition: Partition, kept: tuple[bool, bool]
    ) -> Figures | None:
        """None where the cores have no room for what is kept."""
        core, own = self.works.core, alone(partition)
        part = largest_part(one, own)
        homes = tuple(core.store if keep else None for keep in kept)
        held = 0.0
        if any(kept):
            cut = own.clusters.k * own.cores.k * own.clusters.c * own.cores.c
            if core.store is None or cut > 1:  # each core would need what others have
                return None
            i_bytes, _, o_bytes = core.word_bytes
            words = moved(part, Partition())
            held = kept[0] * words.inputs * i_bytes + kept[1] * words.outputs * o_bytes
            held *= self._images(partition)
            if held >= core.machine.capacity_bytes[core.store]:
                return None
        inside = Inside((homes[0], homes[1]), held)
        work = self._piece(layer, one, own, part, inside).repeated(layer.repeat)
        if layer.fused_inputs:
            work = self.works.with_inputs(work, sum(map(self.works.words, layer.fused_inputs)), 0.0, 1)
        return self._figures(work, partition)

    def _piece(self, layer: Layer, one: Problem, own: Partition, part: Problem, inside: Inside) -> LayerWork:
        """One image on one replica, without what crosses between clusters; equal ones once."""
        key = one, own, inside
        known = self.works.pieces
        if key not in known:
            core = self.works.core.array(part, layer.name, inside)
            words = replace(moved(one, own), inputs_crossing=np.zeros(own.clusters.n_parts, np.int64))
            known[key] = self.works.cost(Cut(one, own, part, words), core, inside)
        return known[key]

    def _even(self, layer: Layer, partition: Partition, kept: tuple[bool, bool]) -> Figures | None:
        core, machine = self.works.core, self.works.machine
        if any(kept) and (core.store is None or layer.kind != "vector" or machine.vector_level > core.store):
            return None
        mp = max(1, self.place.n_cores // replicas(partition))
        if any(kept):
            i_bytes, _, o_bytes = core.word_bytes
            held = kept[0] * sum(map(self.works.words, layer.inputs)) * i_bytes
            held += kept[1] * sum(map(self.works.words, layer.outputs)) * o_bytes
            if self._images(partition) * held / mp >= machine.capacity_bytes[core.store]:
                return None
        inside = tuple(core.store if keep else None for keep in kept)
        return self._figures(self.works.even(layer, mp, (inside[0], inside[1])), partition)

    def _images(self, partition: Partition) -> int:
        """Of the busiest replica."""
        of_group = ceil(self.place.images / partition.clusters.n)
        return ceil(of_group / partition.cores.n)

    def _figures(self, work: LayerWork, partition: Partition) -> Figures:
        """`work` of one image on one replica, its weights once, as all replicas on all images."""
        chip, images = self.chip, self.place.images
        dp, own = replicas(partition), alone(partition)
        mp, spans = own.n_cores, own.clusters.n_parts
        share = chip.weight_share(dp)
        rate = spans * chip.channel_bytes_per_s
        here = self._images(partition)
        load = (here * work.in_bytes + share * work.weight_bytes) / rate
        store, compute = here * work.out_bytes / rate, here * work.compute_s / chip.runtime.kernel_efficiency
        at_channel = partition.cores.n
        alone_s = max(compute, load + store) if mp == 1 else compute + load + store
        busiest = max(alone_s, self.place.sharing * at_channel * (load + store))
        barrier = chip.runtime.barrier_s * (mp - 1).bit_length()
        handed_on = (1 - share) * work.weight_bytes * chip.link_pj_per_byte * 1e-12
        return Figures(
            mp=mp,
            dp=dp,
            n_groups=partition.clusters.n,
            at_channel=at_channel,
            load_s=load,
            compute_s=compute,
            store_s=store,
            sums_bytes=work.exchange_bytes * ceil(images / partition.clusters.n),
            alone_s=alone_s,
            seconds=busiest + chip.runtime.layer_s + barrier,
            energy_j=images * work.energy_j + dp * (share * work.weight_energy_j + handed_on),
        )


def first_kept(layer: Layer) -> bool:
    """Whether a layer can take its first input from the cores: it has no other activations beside."""
    return len(layer.inputs) == 1 and not layer.fused_inputs and layer.repeat == 1
