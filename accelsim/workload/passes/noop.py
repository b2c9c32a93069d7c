"""Dropping operators that move no word: the consumers read the tensor under its first name."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from accelsim.workload.graph import LayerGraph
from accelsim.workload.layer import Layer

NO_OPS: Final = frozenset(("identity", "dropout", "cast", "reshape", "flatten", "squeeze", "unsqueeze"))
"""Inference without randomness, another type or another shape of the same words in the same order."""


def drop_noops(graph: LayerGraph) -> LayerGraph:
    """The graph without operators of NO_OPS; a graph output that one made is its input tensor then."""
    alias: dict[str, str] = {}

    def first(name: str) -> str:
        return alias.get(name, name)

    layers: list[Layer] = []
    notes: list[str] = []
    for layer in graph.layers:
        if _moves_nothing(layer, graph):
            alias[layer.outputs[0]] = first(layer.inputs[0])
            notes.append(f"no-op: dropped {layer.name!r} ({layer.op})")
            continue
        inputs = tuple(first(name) for name in layer.inputs)
        beside = tuple(first(name) for name in layer.fused_inputs)
        if inputs != layer.inputs or beside != layer.fused_inputs:
            layer = replace(layer, inputs=inputs, fused_inputs=beside)
        layers.append(layer)
    outputs = tuple(dict.fromkeys(first(name) for name in graph.outputs))
    return replace(graph, outputs=outputs).with_layers(layers, notes)


def _moves_nothing(layer: Layer, graph: LayerGraph) -> bool:
    """One tensor in, one out, as many words, nothing learned and nothing fused that would be lost."""
    if layer.op not in NO_OPS or layer.params or layer.fused or layer.fused_inputs:
        return False
    if len(layer.inputs) != 1 or len(layer.outputs) != 1:
        return False
    given, made = graph.tensors.get(layer.inputs[0]), graph.tensors.get(layer.outputs[0])
    return given is None or made is None or given.n_words == made.n_words
