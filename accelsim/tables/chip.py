"""A chip of cores as plain numbers, and what one replica of a network has to do on it.

Units are seconds and bytes. `hardware.lower_chip` makes a `Chip`, `explore.work` the `ReplicaWork` of a
network on so many cores; `cost.chip` has the closed forms of both, `sim.chip` the events.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]

Copies = Literal["card", "instance", "replica"]
"""Weights once for the card, for each instance (host thread), or for each replica."""
STATIONS: Final = ("host", "lock", "copy", "launch", "device")
"""What a pass goes through; the slowest one decides the throughput."""


@dataclass(frozen=True)
class Host:
    """The computer that feeds the chip."""

    n_cores: int
    boost: float
    """Clock of one busy core over that of all busy ones."""
    cache_bytes: float
    """Last-level cache that images in flight share; inf where conversion never leaves it."""
    link_bytes_per_s: float


@dataclass(frozen=True)
class Runtime:
    """What software does around the arithmetic. A pass is one batch of each replica of an instance."""

    kernel_efficiency: float
    """Share of the arrays' steps that kernels reach."""
    layer_s: float
    """Issue of a layer."""
    barrier_s: float
    """Barrier after a layer, for each doubling of a replica's cores."""
    replica_s: float
    """Dispatch of each further replica of an instance."""
    launch_s: float
    """A pass in the driver's one queue."""
    pass_s: float
    """Host work of a pass, whatever its size; a framework's (online mode) with it."""
    load_s_per_word: float
    """Reading an input word from where images are, and writing what comes of it."""
    convert_s_per_word: float
    """Layout and type conversion of an input word in the host's cache."""
    convert_miss_s_per_word: float
    """What a word beyond the cache costs more."""
    host_bytes_per_word: float
    """Of an input word, source and copy together, in the host's cache."""
    buffer_bytes_per_word: float
    """Of an input word in the buffer that an instance allocates for a pass."""
    lock_s: float
    """Allocation of a pass under the process's one lock when threads exceed the host's cores by far."""
    lock_from_bytes: float
    """Buffers smaller than this take no lock."""
    copy_bytes_per_word: float
    """Of an input word on the host's link."""
    whole_clusters: bool
    """An instance whose replicas have more than one core occupies whole clusters."""
    weights_stored: Copies
    weights_read: Copies
    weight_bytes: float
    """Of a weight in the card's memory."""
    asynchronous: bool
    """The host prepares the next pass while the device computes."""
    start_s: float
    """Of a run, once, whatever the copies of the weights: reading and preparing the network."""


@dataclass(frozen=True)
class Chip:
    """Equal cores in equal clusters, each cluster on its own memory channel, on one card or several."""

    name: str
    n_cores: int  # of all cards
    cores_per_cluster: int
    clock_hz: float
    memory_bytes: float  # of a card
    channel_bytes_per_s: float
    """What a cluster's channel sustains."""
    link_bytes_per_s: float
    """What a cluster takes from other clusters."""
    link_pj_per_byte: float
    n_cards: int
    cores_per_card: int
    card_link_bytes_per_s: float
    card_link_pj_per_byte: float
    host: Host
    runtime: Runtime
    core_leakage_w: float = 0.0
    """Of each core of an instance, for as long as its pass takes."""

    @property
    def n_clusters(self) -> int:
        return -(-self.n_cores // self.cores_per_cluster)

    def clusters_of(self, n_cores: int) -> int:
        """Clusters that so many cores of one replica span, packed into as few as hold them."""
        return -(-n_cores // self.cores_per_cluster)

    def wire(self, n_cores: int) -> tuple[float, float]:
        """Bytes a second and pJ a byte between a replica's clusters: the cards' link where it spans cards."""
        if n_cores > self.cores_per_card:
            return self.card_link_bytes_per_s, self.card_link_pj_per_byte
        return self.link_bytes_per_s, self.link_pj_per_byte

    def on_card(self, n_cores: int, many: Ints) -> Floats:
        """Of `many` groups of so many cores, in groups, those that the fullest card has: dealt out to the
        cards in turn, a group that spans several cards with an equal part on each."""
        spans = -(-n_cores // self.cores_per_card)
        there: Floats = -(-many // max(1, self.n_cards // spans)) / spans
        return there

    def in_clusters(self, mp: int) -> bool:
        """Whether an instance occupies whole clusters."""
        return self.runtime.whole_clusters and mp > 1

    def slots(self, mp: int, dp: int) -> int:
        """Instances that compute at a time; 0 where one alone needs more cores than there are."""
        if mp * dp > self.n_cores:
            return 0
        if self.in_clusters(mp):
            return self.n_clusters // self.clusters_of(mp * dp)
        return self.n_cores // (mp * dp)

    def at_channel(self, mp: int, dp: int, active: int) -> tuple[tuple[int, ...], ...]:
        """Replicas at the busiest channel: for each of the active instances there, which of its dp they are.

        Replicas are dealt out to the clusters in turn, over those of their instance alone where an instance
        occupies whole clusters, else over all.
        """
        whole = self.in_clusters(mp)
        n_clusters = self.clusters_of(mp * dp) if whole else self.n_clusters
        groups = max(1, n_clusters // self.clusters_of(mp))
        there = [range(-i * dp % groups, dp, groups) for i in range(1 if whole else active)]
        return tuple(tuple(replicas) for replicas in there if replicas)

    def weight_copies(self, dp: int, threads: int) -> int:
        """Copies of a network's weights on all cards while so many instances are there."""
        return {"card": self.n_cards, "instance": threads, "replica": threads * dp}[
            self.runtime.weights_stored
        ]

    def start_s(self, n_weights: float, dp: int, threads: int) -> float:
        """Before the first pass of a run: what it takes once, and every copy of the weights on its way."""
        n_bytes = n_weights * self.runtime.weight_bytes * self.weight_copies(dp, threads)
        return self.runtime.start_s + n_bytes / self.host.link_bytes_per_s

    def weight_share(self, dp: int) -> float:
        """Share of the weights that a replica reads in a pass from its own channels."""
        return {"card": 1 / self.n_cores, "instance": 1 / dp, "replica": 1.0}[self.runtime.weights_read]


@dataclass(frozen=True, eq=False)
class Cells:
    """Combinations to look at: cores of a replica, replicas of an instance, instances, images a replica."""

    mp: Ints  # [B]
    dp: Ints  # [B]
    threads: Ints  # [B]
    batch: Ints  # [B]

    @staticmethod
    def of(rows: Iterable[tuple[int, int, int, int]]) -> Cells:
        table = np.array(list(rows), np.int64).reshape(-1, 4)
        return Cells(*table.T)

    def __len__(self) -> int:
        return len(self.mp)

    def rows(self) -> list[tuple[int, int, int, int]]:
        return list(zip(*(v.tolist() for v in (self.mp, self.dp, self.threads, self.batch)), strict=True))


@dataclass(frozen=True, eq=False)
class ReplicaWork:
    """Layers of one network cut over `mp` cores; Ly layers, one after the other, for one image."""

    mp: int
    layers: tuple[str, ...]
    partition: tuple[str, ...]  # [Ly] as it prints: "K 4 x P 2"
    compute_s: Floats  # [Ly] the slowest core's array steps, at the array's full rate
    in_bytes: Floats  # [Ly] activations that the replica reads from its channels
    out_bytes: Floats  # [Ly] activations that it writes to them, partial sums and their return included
    exchange_bytes: Floats  # [Ly] of `in_bytes`, what one cluster's cores take from cores of other clusters
    weight_bytes: Floats  # [Ly] weights that the replica reads, once a pass
    energy_j: Floats  # [Ly] of an image
    weight_energy_j: Floats  # [Ly] of a pass: bringing the weights in
    live_bytes: float
    """Activations that an image keeps on the card."""
    n_weights: float
    input_words: float

    @property
    def n_layers(self) -> int:
        return len(self.layers)
