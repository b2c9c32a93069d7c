"""The machines of points: architectures made once for each combination of settings, areas for all at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from accelsim.base.errors import AccelsimError, InfeasibleError
from accelsim.explore.sweep.space import Space, beside
from accelsim.explore.sweep.variables import Derived, Value, Variable, setting_text

if TYPE_CHECKING:
    from accelsim.hardware import Arch
    from accelsim.workload.graph import LayerGraph

MAX_KEPT = 4096
"""Architectures that a process keeps."""


@dataclass
class Makers:
    """Reads architectures and networks for the points of a space, each once in a process."""

    space: Space
    _archs: dict[tuple[str | None, ...], Arch | str] = field(default_factory=dict)
    _graphs: dict[tuple[str, int | None, tuple[str, ...]], LayerGraph] = field(default_factory=dict)

    def __post_init__(self) -> None:
        columns: tuple[Variable | Derived, ...] = (*self.space.variables, *self.space.derived)
        self.keys: dict[str, str] = {one.name: one.key for one in columns if one.key is not None}
        self.units: dict[str, str] = {one.name: one.unit for one in columns}

    def __getstate__(self) -> Space:
        return self.space

    def __setstate__(self, space: Space) -> None:
        self.__init__(space)  # type: ignore[misc]

    def sets(self, row: Mapping[str, Value], leave_out: frozenset[str] = frozenset()) -> tuple[str, ...]:
        """The settings of a point, but those of some columns."""
        return tuple(
            f"{key}={setting_text(row[name], self.units[name])}"
            for name, key in self.keys.items()
            if name not in leave_out
        )

    def arch(self, sets: tuple[str, ...], dataflow: str | None = None) -> Arch | str:
        """The architecture with settings, or why there is none."""
        from accelsim import flow

        key = (dataflow, *sets)
        if key not in self._archs:
            if len(self._archs) >= MAX_KEPT:
                self._archs.clear()
            try:
                self._archs[key] = flow.arch(beside(self.space.file, self.space.arch), sets, dataflow)
            except AccelsimError as error:
                self._archs[key] = reason_of(error)
        return self._archs[key]

    def graph(self, network: str, batch: int | None, fuses: tuple[str, ...] | None) -> LayerGraph:
        """A network of a batch as a machine that fuses these operators sees it; None: as the file has it."""
        from accelsim import flow
        from accelsim.workload.passes import drop_noops, fuse

        key = (network, batch, ("",) if fuses is None else fuses)
        if key not in self._graphs:
            if fuses is None:
                self._graphs[key] = flow.load(self.space.model_of(network), batch)
            else:
                graph = self.graph(network, batch, None)
                self._graphs[key] = fuse(drop_noops(graph), frozenset(fuses))
        return self._graphs[key]

    def network_of(self, row: Mapping[str, Value]) -> tuple[str, int | None]:
        """Network and batch of a point."""
        batch = row.get("batch")
        return str(row.get("network", self.space.networks[0])), None if batch is None else int(batch)


def reason_of(error: AccelsimError) -> str:
    """The first problem of an error, on a line."""
    return " ".join(str(error).splitlines()[0].split())


@dataclass(frozen=True)
class Answer:
    """Columns of metrics of n points, before any of them is known."""

    columns: dict[str, NDArray[Any]]

    @staticmethod
    def empty(n: int, unknown: Sequence[str] = ()) -> Answer:
        """Of n points; `unknown` are metrics that the method does not give."""
        columns: dict[str, NDArray[Any]] = {name: np.zeros(n, np.int64) for name in WHOLE}
        columns |= {name: np.full(n, np.nan) for name in (*REAL, *unknown)}
        columns["status"] = np.full(n, "error", "<U10")
        columns["reason"] = np.full(n, "", object)
        return Answer(columns)

    def fail(self, where: NDArray[Any], status: str, reason: str) -> None:
        """Points without an answer, and why."""
        self.columns["status"][where] = status
        self.columns["reason"][where] = reason

    def put(self, where: NDArray[Any], values: Mapping[str, Any]) -> None:
        """The metrics of points that have an answer."""
        self.columns["status"][where] = "ok"
        for name, value in values.items():
            self.columns[name][where] = value

    def done(self) -> dict[str, NDArray[Any]]:
        """All columns in their order, texts as arrays of text; points without an answer have no numbers."""
        columns = dict(self.columns)
        without = columns["status"] != "ok"
        for name in (*WHOLE, *REAL):
            if name not in KNOWN_BEFORE:
                columns[name][without] = 0 if columns[name].dtype.kind == "i" else np.nan
        columns["reason"] = columns["reason"].astype(np.str_)
        return {name: columns[name] for name in ORDER}


def evaluate_one(
    makers: Makers,
    answer: Answer,
    where: NDArray[Any],
    row: Mapping[str, Value],
    found: Callable[[Arch, Mapping[str, Value]], Mapping[str, Any]],
    dataflow: str | None = None,
) -> None:
    """Points of one machine and network: their area and what `found` makes of them, or why there is none."""
    from accelsim.hardware.constants import total_area_mm2

    arch = makers.arch(makers.sets(row), dataflow)
    if isinstance(arch, str):
        answer.fail(where, "error", arch)
        return
    area = total_area_mm2(arch.spec)
    answer.columns["area_mm2"][where] = np.nan if area is None else area
    try:
        answer.put(where, found(arch, row))
    except InfeasibleError as error:
        answer.fail(where, "infeasible", reason_of(error))
    except AccelsimError as error:
        answer.fail(where, "error", reason_of(error))


WHOLE = ("latency_cycles", "macs", "dram_bytes", "sram_bytes")
REAL = (
    "latency_s",
    "energy_j",
    "edp_js",
    "throughput_fps",
    "utilization_frac",
    "area_mm2",
    "power_w",
    "gap_frac",
)
KNOWN_BEFORE = ("area_mm2",)
"""Metrics of a machine that a point without an answer has, too."""
ORDER = (
    "latency_cycles",
    "latency_s",
    "energy_j",
    "edp_js",
    "throughput_fps",
    "utilization_frac",
    "macs",
    "dram_bytes",
    "sram_bytes",
    "area_mm2",
    "power_w",
    "gap_frac",
    "status",
    "reason",
)


def metrics(
    cycles: Any, energy_pj: Any, clock_hz: Any, batch: Any, macs: Any, macs_per_cycle: Any
) -> dict[str, Any]:
    """The columns that follow from cycles and energy, as `run` has them: s, J, J s, images a second, W."""
    latency_s = cycles / clock_hz
    energy_j = energy_pj * 1e-12
    return {
        "latency_cycles": cycles,
        "latency_s": latency_s,
        "energy_j": energy_j,
        "edp_js": energy_j * latency_s,
        "throughput_fps": batch / latency_s,
        "utilization_frac": macs / (cycles * macs_per_cycle),
        "macs": macs,
        "power_w": energy_j / latency_s,
    }
