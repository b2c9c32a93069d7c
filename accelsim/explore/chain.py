"""A network on one place as a chain of nodes: every layer's ways to run, and what follows what at which cost.

A layer looks at the one before it in the graph's order. What it reads from further back (shortcuts, branches)
is left out while a path is sought, which makes the path's cost a bound from below, and is counted when the
path is costed (`cost_of`): on a chain nothing is left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np

from accelsim.explore.links import Link, Wires, images_alone, layouts, link, start
from accelsim.explore.path import Path
from accelsim.explore.states import Figures, Node, Option, Place, States, first_kept
from accelsim.explore.work import Works
from accelsim.mapping.exchange import Layout, crossing
from accelsim.mapping.partition import Partition
from accelsim.tables.chip import Floats
from accelsim.tables.dims import I
from accelsim.workload.layer import Layer


@dataclass(frozen=True)
class Step:
    """A layer of a costed path."""

    layer: Layer
    partition: Partition
    option: Option
    figures: Figures
    exchange_s: float
    meets: bool
    link_s: float  # exchange, meeting and dispatch
    link_j: float

    @property
    def seconds(self) -> float:
        return self.figures.seconds + self.link_s

    @property
    def energy_j(self) -> float:
        return self.figures.energy_j + self.link_j


class Chain:
    """`first` to `last` layer of it run on the place; `arrives`: from another place, over the links."""

    def __init__(self, works: Works, place: Place) -> None:
        self.works, self.place, self.chip = works, place, works.chip
        self.wires = Wires(works.chip, works.core.word_bytes[I])
        self.nodes: list[Node] = []
        self.links: list[Link] = []
        self.homes: list[tuple[Layout, ...]] = []
        """Where outputs live, for each partition of each node."""
        self.reads: list[bool] = []
        """Whether the first input is where the layer before has put it."""
        self._build()

    def _build(self) -> None:
        states, layers = States(self.works, self.place), self.works.layers
        here: set[str] = set()
        fits = [False, *(self._fits(a, b) for a, b in pairwise(layers)), False]
        homes: tuple[Layout, ...] = ()
        for at, layer in enumerate(layers):
            keeps = [(i, o) for i in (False, True)[: 1 + fits[at]] for o in (False, True)[: 1 + fits[at + 1]]]
            before = self.nodes[-1] if self.nodes else None
            if layer.kind == "array":
                node = states.array(layer, keeps)
            else:
                cut = before.partitions if before is not None else states.first_partitions()
                node = states.carried(layer, cut, keeps)
            reads = bool(layer.inputs) and layer.inputs[0] in here
            self.links.append(
                start(self.wires, self.place, node)
                if before is None
                else link(self.wires, self.place, before, homes, node, reads, fits[at])
            )
            if node.problem is not None:
                homes, here = layouts(node), set(layer.outputs)
            else:
                if layer.kind == "movement" or before is None:
                    homes = tuple(images_alone(cut, self.place.images) for cut in node.partitions)
                    here = set()
                here |= set(layer.outputs)
            self.nodes.append(node)
            self.homes.append(homes)
            self.reads.append(reads or before is None)

    def _fits(self, before: Layer, layer: Layer) -> bool:
        """Whether what one layer makes could stay in the cores for the next: nobody else reads it."""
        graph, store = self.works.graph, self.works.core.store
        return (
            store is not None
            and len(before.outputs) == 1
            and before.outputs[0] not in graph.outputs
            and len(graph.consumers[before.outputs[0]]) == 1
            and layer.inputs[:1] == before.outputs
            and first_kept(layer)
            and "movement" not in (before.kind, layer.kind)
        )

    # --- costs

    @property
    def leakage_w(self) -> float:
        return self.chip.core_leakage_w * self.place.n_cores

    def node_costs(self, energy: bool) -> list[Floats]:
        """Seconds, or joules with the leakage of all cores for so long."""
        if not energy:
            return [node.seconds for node in self.nodes]
        return [node.energy + self.leakage_w * node.seconds for node in self.nodes]

    def link_costs(self, energy: bool) -> list[Floats]:
        """Energy, too, is infinite where one way can't follow the other."""
        if not energy:
            return [link.seconds for link in self.links]
        leaks = self.leakage_w
        return [
            np.where(can, link.energy + leaks * np.where(can, link.seconds, 0.0), np.inf)
            for link in self.links
            for can in (np.isfinite(link.seconds),)
        ]

    def same_replicas(self) -> list[list[Floats]]:
        """Costs to add to the nodes so that one number of replicas runs all layers, for each number."""
        numbers = sorted({f.dp for node in self.nodes for f in node.figures})
        each = [np.array([f.dp for f in node.figures]) for node in self.nodes]
        found = [[np.where(dp == number, 0.0, np.inf) for dp in each] for number in numbers]
        return [some for some in found if all(np.isfinite(costs).any() for costs in some)]

    def arrival(self, at: int) -> Link:
        """Before a layer that is the first of its stage."""
        if at == 0:
            return self.links[0]
        node = self.nodes[at]
        words = self.works.words(node.layer.inputs[0]) if node.layer.inputs else 0
        return start(self.wires, self.place, node, words)

    def cost_of(self, path: Path, first: int = 0) -> list[Step]:
        """The steps of a path from layer `first` on, everything counted."""
        steps: list[Step] = []
        made: dict[str, Layout] = {}
        for at, choice in enumerate(path, first):
            node, link_ = self.nodes[at], self.links[at] if at > first else self.arrival(first)
            option, figures = node.options[choice], node.figures[choice]
            partition, row = node.partitions[option.part], path[at - first - 1] if at > first else 0
            exchange = float(link_.exchange_s[row, choice])
            more_s, more_j = self._further(node, partition, made, self.reads[at] or at == first)
            steps.append(
                Step(
                    node.layer,
                    partition,
                    option,
                    figures,
                    exchange + more_s,
                    bool(link_.meets[row, choice]),
                    float(link_.seconds[row, choice]) + more_s,
                    float(link_.energy[row, choice]) + more_j,
                )
            )
            made.update(dict.fromkeys(node.layer.outputs, self.homes[at][option.part]))
        return steps

    def _further(
        self, node: Node, partition: Partition, made: dict[str, Layout], reads: bool
    ) -> tuple[float, float]:
        """Seconds and joules of inputs that the layer before has not made or left."""
        layer, total = node.layer, np.zeros((2, max(1, partition.clusters.n_parts)))
        own = images_alone(partition, self.place.images)
        for at, name in enumerate((*layer.inputs, *layer.fused_inputs)):
            if name in self.works.graph.inputs or (at == 0 and reads):
                continue
            if name not in made:  # by another stage
                share = self.works.words(name) * self.place.images * self.wires.word_bytes / total.shape[1]
                total += np.array([[share], [share * (self.chip.n_cards > 1)]])
                continue
            if at == 0 and node.problem is not None:
                words = crossing(node.problem, partition, [made[name]], self.wires.per_card)[:, 0]
                total += words * self.wires.word_bytes
                continue
            total += self._spread(self.works.words(name), made[name], own)
        if not total.any():
            return 0.0, 0.0
        seconds = self.place.sharing * float(self.wires.seconds(total[0], total[1]))
        return seconds, float(self.wires.energy(total[0], total[1]))

    def _spread(self, words: int, home: Layout, own: Layout) -> Floats:
        """Of a tensor that each cluster needs its share of, [2, s]; none where it has it."""
        n_clusters = own.n_parts[0] * own.n_parts[1]
        n_bytes = words * self.place.images * self.wires.word_bytes / n_clusters
        if home.images == own.images and home.n_parts[1] * home.n_parts[2] == own.n_parts[1]:
            return np.zeros((2, n_clusters))
        groups = home.n_parts[0] if home.images == own.images else 1
        there = max(1, n_clusters // groups)  # clusters that the words of an image are spread over
        far = 1 - min(1.0, self.wires.per_card / there)
        return np.full((n_clusters, 2), (n_bytes * (1 - 1 / there), n_bytes * far)).T

    @cached_property
    def is_chain(self) -> bool:
        """Whether nothing is read from further back than the layer before."""
        return all(
            (at == 0 and self.reads[i]) or name in self.works.graph.inputs
            for i, node in enumerate(self.nodes)
            for at, name in enumerate((*node.layer.inputs, *node.layer.fused_inputs))
        )


def seconds(steps: Sequence[Step]) -> float:
    return sum(step.seconds for step in steps)


def energy(steps: Sequence[Step], leakage_w: float) -> float:
    """Of all images of a pass, the cores' leakage with it."""
    return sum(step.energy_j for step in steps) + leakage_w * seconds(steps)
