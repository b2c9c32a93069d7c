"""A small sweep whose answers can be worked out by hand, as the parts of a sweep hand it on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from accelsim.explore.sweep.answers import Answers, answers_of
from accelsim.explore.sweep.envelope import envelope
from accelsim.explore.sweep.pareto import Objective
from accelsim.explore.sweep.source import Sifted


@dataclass(frozen=True)
class Axis:
    """A variable as a space has it."""

    name: str
    values: tuple[Any, ...]
    unit: str = ""


class Held:
    """A table in parts of so many rows, as a directory has them."""

    def __init__(self, columns: dict[str, np.ndarray], size: int = 5, in_order: bool = True) -> None:
        n = len(columns["index"])
        self.parts = [{name: c[at : at + size] for name, c in columns.items()} for at in range(0, n, size)]
        self.spans = [(int(part["index"].min()), int(part["index"].max())) for part in self.parts]
        self.in_order = in_order

    def table(self, at: int, columns: Sequence[str]) -> dict[str, NDArray[Any]]:
        return {name: self.parts[at][name] for name in columns}


def seen(
    columns: dict[str, np.ndarray],
    axes: Sequence[Axis],
    goals: Sequence[Objective],
    size: int = 5,
    in_order: bool = True,
    around: int | None = None,
) -> Answers:
    """The answers of a table, all its columns among them."""
    return answers_of(Sifted(Held(columns, size, in_order)), axes, goals, list(columns), around=around)


GOALS = (Objective("latency_s"), Objective("energy_j"))
AXES = (
    Axis("array.rows", (8, 16, 32)),
    Axis("glb.size", (32768, 65536), "B"),
    Axis("dataflow", ("ws", "os")),
    Axis("network", ("a", "b<i>")),
)


def table() -> dict[str, np.ndarray]:
    """More rows: faster, at more energy; larger buffers and os cost energy; b takes ten times as long."""
    codes = np.indices((3, 2, 2, 2)).reshape(4, -1)
    rows, size, flow, net = (np.asarray(axis.values)[code] for axis, code in zip(AXES, codes, strict=True))
    n = len(rows)
    latency = np.where(net == "a", 1.0, 10.0) / rows
    energy = rows * np.where(flow == "os", 2.0, 1.0) * np.where(net == "a", 1.0, 4.0) * (size / 32768) ** 0.5
    return {
        "index": np.arange(n),
        "array.rows": rows,
        "glb.size": size,
        "dataflow": flow,
        "network": net,
        "latency_s": latency,
        "energy_j": energy,
        "area_mm2": rows / 4.0,
        "status": np.full(n, "ok"),
        "reason": np.full(n, ""),
    }


def answer(
    columns: dict[str, np.ndarray] | None = None, axes: Sequence[Axis] = AXES, around: int | None = None
) -> dict[str, Any]:
    """Its envelope."""
    columns = table() if columns is None else columns
    found = seen(columns, axes, GOALS, around=around)
    return envelope(
        {
            "name": "demo",
            "description": "Rows <b>against</b> energy",
            "file": "demo.yaml",
            "sha256": "0" * 64,
            "arch": "tiny",
            "networks": ["a", "b<i>"],
            "method": "closed_form",
            "constraints": ["area_mm2 <= 50 mm2"],
            "derived": [{"name": "array.cols", "text": "4096 / array.rows"}],
            "variables": [{"name": x.name, "unit": x.unit, "values": list(x.values)} for x in axes],
        },
        found,
        GOALS,
        n_raw=len(columns["index"]),
        options={},
        notes=("networks weigh the same",),
        run={"seconds": 1.0},
    )
