"""Layers by their names, as a user spells them."""

from __future__ import annotations

from collections.abc import Sequence

from accelsim.base.errors import InputError, Problem, did_you_mean
from accelsim.workload.graph import LayerGraph


def array_layers(graph: LayerGraph, wanted: Sequence[str] | None = None) -> tuple[str, ...]:
    """Names of the layers of multiply-accumulates, in network order: all of them, or those wanted.

    InputError, for all wrong names at once, where the graph has no such layer or it has no loops to map.
    """
    known = [layer.name for layer in graph.layers if layer.kind == "array"]
    if not known:
        raise InputError(Problem(f"{graph.name} has no convolution or matrix product to map"))
    if not wanted:
        return tuple(known)
    problems = [_unknown(graph, name, known) for name in dict.fromkeys(wanted) if name not in known]
    if problems:
        raise InputError(problems)
    return tuple(name for name in known if name in wanted)


def _unknown(graph: LayerGraph, name: str, known: Sequence[str]) -> Problem:
    for layer in graph.layers:
        if layer.name == name:
            return Problem(
                f"layer {name!r} is {layer.op}: it has no loops of multiply-accumulates to map",
                expected="a convolution or matrix product",
                hint="`accelsim run` costs it",
            )
        if name in layer.fused:
            hint = f"map {layer.name!r}" if layer.name in known else None
            return Problem(f"layer {name!r} is fused into {layer.name!r}", hint=hint)
    longer = [known_name for known_name in known if known_name.startswith(name)]  # a part of an operator
    near = f"did you mean {longer[0]!r}?" if longer else did_you_mean(name, known)
    return Problem(
        f"no layer {name!r} in {graph.name}",
        expected=f"one of its {len(known)} convolutions and matrix products",
        hint=near or "`accelsim inspect` lists the layers",
    )
