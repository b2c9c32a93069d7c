"""A layer as the kernels see it: extents and windows, checked for sizes that a 64-bit count can't hold."""

from __future__ import annotations

from accelsim.base.errors import InputError
from accelsim.base.errors import Problem as Message
from accelsim.tables.nest import MAX_PRODUCT, Problem
from accelsim.workload.layer import Layer


def lower(layer: Layer) -> Problem:
    """The loop extents of an array layer; InputError where its counts would overflow."""
    problem = Problem(
        layer.dims,
        tuple((w.stride, w.dilation, w.pad, w.size) for w in layer.windows),
        layer.weight_is_activation,
    )
    if problem.n_macs * layer.repeat > MAX_PRODUCT // 2**10:
        raise InputError(
            Message(
                f"{problem.n_macs * layer.repeat:,} multiply-accumulates overflow a 64-bit count",
                key=layer.name,
                expected=f"at most {MAX_PRODUCT // 2**10:,}",
                hint="check the layer's shapes, or lower --batch",
            )
        )
    return problem
