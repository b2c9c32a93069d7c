"""The dataflows that architectures may name."""

from __future__ import annotations

from accelsim.mapping.dataflows.array import IS, NLR, OS, WS
from accelsim.mapping.dataflows.base import Dataflow
from accelsim.mapping.dataflows.row_stationary import RS
from accelsim.mapping.dataflows.unconstrained import ANY

DATAFLOWS: dict[str, Dataflow] = {flow.name: flow for flow in (WS, OS, IS, RS, NLR, ANY)}

__all__ = ["ANY", "DATAFLOWS", "IS", "NLR", "OS", "RS", "WS", "Dataflow"]
