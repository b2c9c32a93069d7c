"""From layer to layer: what one way to cut a layer costs after another way to cut the one before.

Words that other clusters made cross their link, or between cards the cards' link; where other replicas go
on, all cores meet at a barrier first and the replicas are dispatched anew:

    link = exchange + [replicas change] (barrier(A) + (dp - 1) replica),  exchange = max(link, cards' link)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import prod
from typing import Any

import numpy as np

from accelsim.explore.states import Node, Place, shape
from accelsim.mapping.exchange import Layout, crossing, inputs_needed, made_by
from accelsim.mapping.partition import Grid, Partition, bounds
from accelsim.tables.chip import Bools, Chip, Floats
from accelsim.tables.nest import Problem


@dataclass(frozen=True, eq=False)
class Link:
    """Between the ways before (F) and the ways here (S)."""

    seconds: Floats  # [F, S] inf where one can't follow the other
    energy: Floats  # [F, S] J of all images
    exchange_s: Floats  # [F, S] of `seconds`
    meets: Bools  # [F, S] other replicas go on


@dataclass(frozen=True)
class Wires:
    """What a chip's clusters and cards exchange words over."""

    chip: Chip
    word_bytes: float
    known: dict[Any, Floats] = field(default_factory=dict, compare=False)

    @property
    def per_card(self) -> int:
        return self.chip.clusters_of(self.chip.cores_per_card)

    def between(
        self, homes: Sequence[Layout], problem: Problem, partitions: Sequence[Partition]
    ) -> tuple[Floats, Floats]:  # [F, S] each
        """Seconds and joules for each home and partition; only how clusters are cut makes a difference."""
        places, grids = list(dict.fromkeys(homes)), list(dict.fromkeys(p.clusters for p in partitions))
        key = problem, tuple(places), tuple(grids)
        if key not in self.known:
            found = np.zeros((2, len(places), len(grids)))
            for at, grid in enumerate(grids):
                words = crossing(problem, Partition(grid), places, self.per_card) * self.word_bytes
                found[:, :, at] = self.seconds(words[0], words[1]), self.energy(words[0], words[1])
            self.known[key] = found
        rows = [places.index(home) for home in homes]
        columns = [grids.index(p.clusters) for p in partitions]
        seconds, energy = (table[np.ix_(rows, columns)] for table in self.known[key])
        return seconds, energy

    def seconds(self, n_bytes: Floats, far_bytes: Floats) -> Floats:
        """Of what each cluster takes from others, and of that from other cards: [..., s] to [...]."""
        chip, n_clusters = self.chip, n_bytes.shape[-1]
        near = (n_bytes - far_bytes).max(-1) / chip.link_bytes_per_s
        starts = np.arange(0, n_clusters, self.per_card)
        far = np.add.reduceat(far_bytes, starts, axis=-1).max(-1) / chip.card_link_bytes_per_s
        slower: Floats = np.maximum(near, far)
        return slower

    def energy(self, n_bytes: Floats, far_bytes: Floats) -> Floats:
        chip = self.chip
        pj = (n_bytes - far_bytes).sum(-1) * chip.link_pj_per_byte + far_bytes.sum(
            -1
        ) * chip.card_link_pj_per_byte
        joules: Floats = pj * 1e-12
        return joules


def layouts(node: Node) -> tuple[Layout, ...]:
    """Where the outputs of an array layer live, for each of its partitions."""
    assert node.problem is not None
    return tuple(made_by(node.problem, partition) for partition in node.partitions)


def images_alone(partition: Partition, n_images: int) -> Layout:
    """Of maps of which only the images' places are known."""
    edges = tuple(bounds(n_images, partition.clusters.n).tolist())
    rest = prod((partition.clusters.k, partition.clusters.c, partition.clusters.p))
    return Layout(edges, tuple(range(rest + 1)))


def link(
    wires: Wires, place: Place, before: Node, homes: Sequence[Layout], node: Node, reads: bool, fits: bool
) -> Link:
    """`homes`: layouts of the partitions before; `reads`: the layer's first input has one of them.

    `fits`: activations could stay in the cores between the two.
    """
    n_before, n_here = len(before.partitions), len(node.partitions)
    exchange, energy = np.zeros((n_before, n_here)), np.zeros((n_before, n_here))
    if reads and node.problem is not None and place.clusters(wires.chip) > 1:
        exchange, energy = wires.between(homes, node.problem, node.partitions)
    place_of = {s: i for i, s in enumerate({shape(p) for p in (*before.partitions, *node.partitions)})}
    old, new = (np.array([place_of[shape(p)] for p in n.partitions]) for n in (before, node))
    meets = old[:, None] != new[None, :]
    can = np.ones((n_before, n_here), np.bool_)
    if node.problem is None:
        can = np.eye(n_before, dtype=np.bool_)
    return _by_option(
        wires.chip, place, before, node, (exchange, energy, meets, can), _stays(before, node, fits)
    )


def start(wires: Wires, place: Place, node: Node, words: int | None = None) -> Link:
    """Before the first layer: its images are copied to the clusters of their replicas, evenly.

    With `words` of an image it comes from the stage before, over the links.
    """
    shape_ = (1, len(node.partitions))
    exchange, energy = np.zeros(shape_), np.zeros(shape_)
    if words is not None:
        for at, partition in enumerate(node.partitions):
            n_bytes = np.full(partition.clusters.n_parts, words * place.images / partition.clusters.n_parts)
            if node.problem is not None:
                n_bytes = inputs_needed(node.problem, partition).astype(np.float64)
            n_bytes *= wires.word_bytes
            far = n_bytes * (wires.chip.n_cards > 1)  # stages are on other cards, or may be
            exchange[:, at], energy[:, at] = wires.seconds(n_bytes, far), wires.energy(n_bytes, far)
    elif node.problem is not None:
        for at, partition in enumerate(node.partitions):
            home = images_alone(partition, place.images)
            taken = crossing(node.problem, partition, [home], wires.per_card) * wires.word_bytes
            exchange[:, at], energy[:, at] = wires.seconds(*taken), wires.energy(*taken)
    index = np.array([o.part for o in node.options])
    sums = np.array([f.sums_bytes for f in node.figures]) / wires.chip.link_bytes_per_s
    dispatch = np.array([(f.dp - 1) * wires.chip.runtime.replica_s for f in node.figures])
    crossing_s = place.sharing * (exchange[:, index] + sums)
    return Link(crossing_s + dispatch, energy[:, index], crossing_s, np.zeros_like(crossing_s, np.bool_))


def _by_option(
    chip: Chip,
    place: Place,
    before: Node,
    node: Node,
    by_part: tuple[Floats, Floats, Bools, Bools],
    stays: Bools,
) -> Link:
    """From pairs of partitions to pairs of options."""
    rows = np.array([o.part for o in before.options])
    columns = np.array([o.part for o in node.options])
    exchange, energy, meets, can = (m[np.ix_(rows, columns)] for m in by_part)
    kept = np.array([o.kept_out for o in before.options])[:, None]
    wants = np.array([o.kept_in for o in node.options])[None, :]
    both = kept & wants
    can = can & (kept == wants) & (~both | stays[np.ix_(rows, columns)])
    exchange = np.where(both, 0.0, exchange)
    sums = np.array([f.sums_bytes for f in node.figures]) / chip.link_bytes_per_s
    exchange = place.sharing * (exchange + sums)
    runtime = chip.runtime
    meet = runtime.barrier_s * (place.n_cores - 1).bit_length()
    again = np.array([(f.dp - 1) * runtime.replica_s for f in node.figures])
    seconds = np.where(can, exchange + meets * (meet + again), np.inf)
    return Link(seconds, np.where(both, 0.0, energy), exchange, meets)


def _stays(before: Node, node: Node, fits: bool) -> Bools:  # [F parts, S parts]
    """Whether every core has made all that it needs: both are cut alike and no word crosses."""
    stays = np.zeros((len(before.partitions), len(node.partitions)), np.bool_)
    if not fits:
        return stays
    rows = {old: i for i, old in enumerate(before.partitions)}
    able = {option.part for option in node.options if option.kept_in}
    for j, new in enumerate(node.partitions):
        if new not in rows or j not in able:
            continue
        flat = Partition(Grid(*(a * b for a, b in zip(new.clusters.parts, new.cores.parts, strict=True))))
        if before.problem is None or node.problem is None:  # neighbours of a map may be beside a cut
            stays[rows[new], j] = flat.n_cores == flat.clusters.n
        else:
            home = made_by(before.problem, flat)
            stays[rows[new], j] = not crossing(node.problem, flat, [home], flat.n_cores)[0].any()
    return stays
