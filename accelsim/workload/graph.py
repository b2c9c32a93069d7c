"""The layer graph: every operator of a model file, in an order in which it can run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

from accelsim.workload.layer import Layer, Tensor

if TYPE_CHECKING:
    import networkx as nx


@dataclass(frozen=True)
class LayerGraph:
    """Layers in topological order and the activation tensors between them.

    Two runs of a reader on one file give equal graphs. `sha256` is that of the file's bytes.
    """

    name: str
    layers: tuple[Layer, ...]
    tensors: Mapping[str, Tensor]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    batch: int = 1
    format: str = ""
    sha256: str = ""
    notes: tuple[str, ...] = field(default=())
    """What the reader and the passes did, a line each (`inspect --fusion`)."""

    def __repr__(self) -> str:
        macs = sum(layer.macs for layer in self.layers)
        params = sum(layer.params for layer in self.layers)
        return (
            f"<accelsim network {self.name}: {len(self.layers)} layers, {macs:,} MACs, "
            f"{params:,} parameters, batch {self.batch}>"
        )

    def _repr_html_(self) -> str:
        """The layers, as a notebook shows them."""
        from accelsim.base.html import html_table

        rows = [
            (
                layer.name,
                layer.op,
                "x".join(map(str, self.tensors[layer.outputs[0]].shape)) if layer.outputs else "-",
                f"{layer.macs:,}",
                f"{layer.params:,}",
            )
            for layer in self.layers
        ]
        return html_table(repr(self)[1:-1], ("layer", "op", "output", "MACs", "parameters"), rows)

    @cached_property
    def producer(self) -> dict[str, Layer]:
        return {tensor: layer for layer in self.layers for tensor in layer.outputs}

    @cached_property
    def consumers(self) -> dict[str, tuple[Layer, ...]]:
        users: dict[str, list[Layer]] = {name: [] for name in self.tensors}
        for layer in self.layers:
            for tensor in dict.fromkeys((*layer.inputs, *layer.fused_inputs)):
                users.setdefault(tensor, []).append(layer)
        return {name: tuple(found) for name, found in users.items()}

    @cached_property
    def graph(self) -> nx.DiGraph[str]:
        """The networkx view: nodes are layer names (attribute `layer`), edges carry `tensor`.

        Made on first use: importing networkx costs more CPU time than costing a network.
        """
        import networkx as nx

        graph: nx.DiGraph[str] = nx.DiGraph(name=self.name)
        for layer in self.layers:
            graph.add_node(layer.name, layer=layer)
        for tensor, users in self.consumers.items():
            if tensor in self.producer:
                for user in users:
                    graph.add_edge(self.producer[tensor].name, user.name, tensor=tensor)
        return graph

    def with_layers(self, layers: Iterable[Layer], notes: Iterable[str] = ()) -> LayerGraph:
        """The same network with other layers; tensors that nothing touches any more are dropped."""
        layers = tuple(layers)
        used = {t for layer in layers for t in (*layer.inputs, *layer.outputs, *layer.fused_inputs)}
        used.update(self.inputs, self.outputs)
        tensors = {name: tensor for name, tensor in self.tensors.items() if name in used}
        return replace(self, layers=layers, tensors=tensors, notes=(*self.notes, *notes))
