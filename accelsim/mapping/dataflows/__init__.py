"""The dataflows that architectures may name."""

from __future__ import annotations

import numpy as np

from accelsim.mapping.dataflows.array import IS, NLR, OS, WS
from accelsim.mapping.dataflows.base import Dataflow
from accelsim.mapping.dataflows.direct import DC
from accelsim.mapping.dataflows.row_stationary import RS
from accelsim.mapping.dataflows.unconstrained import ANY
from accelsim.tables.machine import Machine
from accelsim.tables.nest import Nest

DATAFLOWS: dict[str, Dataflow] = {flow.name: flow for flow in (WS, OS, IS, RS, NLR, DC, ANY)}

__all__ = ["ANY", "DATAFLOWS", "DC", "IS", "NLR", "OS", "RS", "WS", "Dataflow", "followed"]


def followed(nest: Nest, machine: Machine, dataflow: Dataflow) -> Dataflow:
    """The named dataflow that an unconstrained nest follows, told by what stays inside the array.

    It decides the fold rule of a systolic array and how spatial loops fit it.
    """
    if dataflow is not ANY:
        return dataflow
    if "array" in nest.axis:
        return RS
    inside = tuple(int(t) for t in np.flatnonzero(nest.keep[: machine.fanout_level].any(axis=0)))
    return next((flow for flow in (WS, OS, IS) if flow.in_array == inside), NLR)
