"""Counts of the readers, in the unit that a source gives them in."""

from __future__ import annotations

from functools import cache
from typing import Final

import accelsim
from accelsim.evidence.case import Value
from accelsim.workload.graph import LayerGraph

UNITS: Final = {"1": 1, "M": 10**6, "G": 10**9}


def predict(rows: list[dict[str, str]], without: str | None = None) -> list[dict[str, Value]]:
    """`value` of each row's quantity of its network, at batch 1."""
    return [
        {"value": _in_unit(count(_network(row["network"]), row["quantity"]), row["unit"])} for row in rows
    ]


def count(graph: LayerGraph, quantity: str) -> int:
    """A quantity as a source defines it, out of what the reader counts."""
    norms = [layer for layer in graph.layers if layer.op == "batch_normalization"]
    scaled = sum(layer.channels for layer in norms)
    normalised = sum(graph.tensors[layer.outputs[0]].n_words for layer in norms)
    macs = sum(layer.macs for layer in graph.layers)
    params = sum(layer.params for layer in graph.layers)
    return {
        "macs": macs,
        "macs_and_two_per_batch_norm_element": macs + 2 * normalised,
        "params": params,
        "params_and_statistics": params + 2 * scaled,
        "params_and_statistics_without_scale": params + scaled,
        "params_bn_folded": sum(layer.params_bn_folded for layer in graph.layers),
    }[quantity]


@cache
def _network(name: str) -> LayerGraph:
    return accelsim.load(name)


def _in_unit(value: int, unit: str) -> int | float:
    return value if unit == "1" else value / UNITS[unit]
