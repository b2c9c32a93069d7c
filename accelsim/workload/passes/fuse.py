"""Fusing: batch normalisation into weights, activations and shortcuts into the layer before."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import Final

from accelsim.base.errors import InputError, Problem, did_you_mean
from accelsim.workload.graph import LayerGraph
from accelsim.workload.layer import Layer

FUSABLE: Final = ("batch_norm", "activation", "add")

ACTIVATIONS: Final = frozenset((
    "relu", "relu6", "leaky_relu", "prelu", "threshold", "clip", "elu",
    "celu", "selu", "sigmoid", "hard_sigmoid", "hard_swish", "swish", "mish",
    "tanh", "softplus", "softsign", "gelu", "erf", "abs", "exp",
    "power", "bnll",
))  # fmt: skip
"""Functions of one element, which a datapath applies as the sum leaves it."""

_NORMALISATIONS: Final = frozenset(("batch_normalization", "scale", "bias", "mul", "add", "sub", "div"))
"""y = x scale + shift with one value a channel; mul to div only where the reader found such an operand."""


def fuse(graph: LayerGraph, kinds: Collection[str] = FUSABLE) -> LayerGraph:
    """The graph with operators folded into the layer before them, where that layer feeds nothing else.

    "batch_norm" folds a scale and shift a channel into the weights of an array layer, or into a normalisation
    before it; "activation" joins any array or vector layer; "add" joins an array layer, which then reads the
    other tensor beside (`fused_inputs`). Parameters add up to the producer. InputError: a kind that is none.
    """
    unknown = [kind for kind in kinds if kind not in FUSABLE]
    if unknown:
        raise InputError(
            Problem(
                f"no fusion {kind!r}",
                key="fuse",
                expected=", ".join(FUSABLE),
                hint=did_you_mean(kind, FUSABLE),
            )
            for kind in unknown
        )
    state = _State(graph, frozenset(kinds))
    for layer in graph.layers:
        state.visit(layer)
    return graph.with_layers(state.layers, state.notes)


class _State:
    """The layers so far and who makes each tensor among them."""

    def __init__(self, graph: LayerGraph, kinds: frozenset[str]) -> None:
        self.graph, self.kinds = graph, kinds
        self.layers: list[Layer] = []
        self.notes: list[str] = []
        self.maker: dict[str, int] = {}  # tensor -> index in layers
        self.closed: set[int] = set()  # layers that end in an activation or addition: no weight folds past it

    def visit(self, layer: Layer) -> None:
        for kind, find in (
            ("batch_norm", self._normalised),
            ("activation", self._activated),
            ("add", self._added),
        ):
            target = find(layer) if kind in self.kinds else None
            if target is not None:
                self._merge(target, layer, kind)
                return
        index = len(self.layers)
        self.layers.append(layer)
        self.maker.update((tensor, index) for tensor in layer.outputs)

    def _sole_producer(self, tensor: str) -> int | None:
        """The layer that makes a tensor for one consumer alone and makes nothing else."""
        index = self.maker.get(tensor)
        if index is None or tensor in self.graph.outputs or len(self.graph.consumers.get(tensor, ())) != 1:
            return None
        return index if len(self.layers[index].outputs) == 1 else None

    def _normalised(self, layer: Layer) -> int | None:
        if (
            layer.op not in _NORMALISATIONS
            or not layer.channels
            or len(layer.inputs) != 1
            or layer.fused_inputs
        ):
            return None
        index = self._sole_producer(layer.inputs[0])
        if index is None or index in self.closed:
            return None
        target = self.layers[index]
        if target.kind == "array":
            fits = not target.weight_is_activation and target.repeat == 1
            return index if fits and self._channels(target) == layer.channels else None
        same = target.op in _NORMALISATIONS and target.channels == layer.channels and len(target.inputs) == 1
        return index if same else None

    def _channels(self, target: Layer) -> int:
        """Output channels of an array layer: axis 1 behind a convolution, the last behind a product."""
        shape = self.graph.tensors[target.outputs[0]].shape
        if "conv" in target.op:
            return shape[1] if len(shape) > 1 else 0
        return shape[-1] if shape else 0

    def _activated(self, layer: Layer) -> int | None:
        if layer.op not in ACTIVATIONS or layer.kind != "vector" or len(layer.inputs) != 1:
            return None
        index = self._sole_producer(layer.inputs[0])
        return index if index is not None and self.layers[index].kind in ("array", "vector") else None

    def _added(self, layer: Layer) -> int | None:
        """The later of the two makers, so that the other tensor exists when it runs."""
        if (
            layer.op != "add"
            or layer.kind != "vector"
            or layer.channels
            or layer.params
            or layer.fused_inputs
        ):
            return None
        if len(layer.inputs) != 2 or len(set(layer.inputs)) != 2:
            return None
        makers = {tensor: self.maker.get(tensor, -1) for tensor in layer.inputs}
        tensor = max(layer.inputs, key=lambda name: makers[name])
        index = self._sole_producer(tensor)
        if index is None or self.layers[index].kind != "array":
            return None
        same = self.graph.tensors[tensor].shape == self.graph.tensors[layer.outputs[0]].shape
        return index if same else None

    def _merge(self, index: int, layer: Layer, kind: str) -> None:
        target = self.layers[index]
        made = set(target.outputs)
        beside = tuple(name for name in (*layer.inputs, *layer.fused_inputs) if name not in made)
        work = layer.vector_ops if kind != "batch_norm" and target.kind == "vector" else 0
        self.layers[index] = replace(
            target,
            outputs=layer.outputs,
            params=target.params + layer.params,
            params_bn_folded=target.params_bn_folded + layer.params_bn_folded,
            vector_ops=target.vector_ops + work,
            fused=(*target.fused, layer.name, *layer.fused),
            fused_inputs=(*target.fused_inputs, *beside),
        )
        self.maker.update((tensor, index) for tensor in layer.outputs)
        if kind != "batch_norm":
            self.closed.add(index)
        self.notes.append(f"fused {layer.name!r} ({layer.op}) into {target.name!r} ({kind})")
