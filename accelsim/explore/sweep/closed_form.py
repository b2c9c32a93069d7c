"""Method closed_form: the closed form of a network on all machines of a chunk of points.

Settings that move single columns of the machines (rows, columns, the SRAM's size, bandwidths) go into these
columns; an architecture is made for each combination of all other settings only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from accelsim.base.errors import AccelsimError, InputError, Problem
from accelsim.cost.closed_machines import SRAM, SystolicMachines, columns_of, joined
from accelsim.cost.network_form import NetworkForm, NetworkWork, network_form
from accelsim.costing import network_work
from accelsim.explore.sweep.distinct import distinct
from accelsim.explore.sweep.machines import Answer, Makers, metrics, reason_of
from accelsim.explore.sweep.points import Points
from accelsim.explore.sweep.space import Space
from accelsim.hardware import Arch
from accelsim.hardware.constants import (
    Component,
    access_pj_per_byte,
    components,
    with_size,
)
from accelsim.hardware.parts import TechnologyAccess

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

RATES = {"value": ("read", "write"), "read": ("read",), "write": ("write",)}


@dataclass(frozen=True)
class Direct:
    """A column of points that moves columns of the machines without an architecture of its own."""

    name: str
    part: str  # "rows", "cols", "size" or a memory
    rate: str = ""  # of a memory: value, read, write
    per_second: bool = False


@dataclass(frozen=True)
class Base:
    """An architecture of a combination of settings, ready to have columns put in."""

    arch: Arch
    columns: SystolicMachines
    parts: tuple[Component, ...]


class ClosedForm:
    """Evaluates points by the closed form; can be sent to other processes."""

    unknown: tuple[str, ...] = ()
    """Metrics that it does not give."""

    def __init__(self, space: Space) -> None:
        self.makers = Makers(space)
        self._bases: dict[tuple[str, ...], Base | str] = {}
        self._works: dict[tuple[str, int | None, tuple[str, ...], str], NetworkWork] = {}
        self._check(space)
        self.direct = self._direct()

    def __getstate__(self) -> Space:
        return self.makers.space

    def __setstate__(self, space: Space) -> None:
        self.__init__(space)  # type: ignore[misc]

    def __call__(self, points: Points) -> dict[str, NDArray[Any]]:
        n = len(points.index)
        answer = Answer.empty(n, self.unknown)
        columns = points.columns
        skip = frozenset(one.name for one in self.direct)
        of_arch = [name for name in self.makers.keys if name not in skip]
        of_run = [name for name in ("network", "batch") if name in columns]
        first, which = distinct([columns[name] for name in (*of_run, *of_arch)], n)
        jobs: dict[Any, list[tuple[int, Base]]] = {}
        for number, at in enumerate(first.tolist()):
            row = points.row(at)
            base = self._base(self.makers.sets(row, skip))
            if isinstance(base, str):
                answer.fail(which == number, "error", base)
                continue
            key = (*self.makers.network_of(row), base.arch.fuses, base.columns.kind)
            jobs.setdefault(key, []).append((number, base))
        for (network, batch, fuses, _), bases in jobs.items():
            try:
                self._evaluate(answer, columns, which, (network, batch, fuses), bases)
            except AccelsimError as error:
                place = np.isin(which, [number for number, _ in bases])
                answer.fail(place, "error", reason_of(error))
        return answer.done()

    def _evaluate(
        self,
        answer: Answer,
        columns: Mapping[str, NDArray[Any]],
        which: Ints,
        run: tuple[str, int | None, tuple[str, ...]],
        bases: list[tuple[int, Base]],
    ) -> None:
        """One network on all machines of a kind: [A] of the points that belong to these bases."""
        of_base = np.full(int(which.max()) + 1, -1, np.int64)
        for i, (number, _) in enumerate(bases):
            of_base[number] = i
        place = np.flatnonzero(of_base[which] >= 0)
        choice = of_base[which[place]]  # [A]
        some = {one.name: columns[one.name][place] for one in self.direct}
        machines = self._machines([base for _, base in bases], choice, some)
        empty = np.broadcast_to((machines.rows < 1) | (machines.cols < 1), len(place))
        if empty.any():
            answer.fail(place[empty], "error", "an array without rows or columns")
            machines, place, choice = machines.take(np.flatnonzero(~empty)), place[~empty], choice[~empty]
            some = {name: column[~empty] for name, column in some.items()}
        if not len(place):
            return
        form, macs = self._form(run, bases[0][1].arch, machines)
        batch = run[1] or self.makers.graph(run[0], None, None).batch
        n = len(place)
        per_cycle = np.broadcast_to(machines.rows * machines.cols, n)
        found = metrics(form.latency_cycles, form.energy_pj, machines.clock_hz, batch, macs, per_cycle)
        found["dram_bytes"] = form.dram_read_bytes + form.dram_write_bytes
        found["sram_bytes"] = form.sram_bytes
        found["gap_frac"] = 0.0
        found["area_mm2"] = self._areas([base for _, base in bases], choice, some, machines)
        answer.put(place, found)
        for need, has, name in (
            (form.needs_bytes, machines.sram_bytes, bases[0][1].arch.machine().level_names[-2]),
            (form.needs_dram_bytes, machines.dram_bytes, "dram"),
        ):
            over = place[need > has]
            if len(over):
                answer.fail(over, "infeasible", f"{name} is too small")

    def _form(
        self, run: tuple[str, int | None, tuple[str, ...]], arch: Arch, machines: SystolicMachines
    ) -> tuple[NetworkForm, int]:
        """A network on all machines, and its multiply-accumulates."""
        work = self._work(run, arch)
        return network_form(work, machines), work.macs

    def _machines(
        self, bases: list[Base], choice: Ints, some: Mapping[str, NDArray[Any]]
    ) -> SystolicMachines:
        """The machines of points: those of their bases, with the direct settings put in."""
        machines = joined([base.columns for base in bases])
        if len(bases) > 1:
            machines = machines.take(choice)
        for one in self.direct:
            values = some[one.name]
            if one.part in ("rows", "cols"):
                side: dict[str, Any] = {one.part: values.astype(np.int64)}
                machines = replace(machines, **side)
            elif one.part == "size":
                machines = self._sized(machines, bases, choice, values.astype(np.float64))
            else:
                rate = values / machines.clock_hz if one.per_second else values.astype(np.float64)
                ways: dict[str, Any] = {f"{one.part}_{way}": rate for way in RATES[one.rate]}
                machines = replace(machines, **ways)
        return machines

    def _sized(
        self, machines: SystolicMachines, bases: list[Base], choice: Ints, n_bytes: Floats
    ) -> SystolicMachines:
        """Another size of the SRAM, with the energy that the technology gives for it."""
        machines = replace(machines, sram_bytes=n_bytes)
        if not any(isinstance(_sram(base).energy, TechnologyAccess) for base in bases):
            return machines
        first, same = distinct([choice, n_bytes], len(n_bytes))
        pairs = [
            access_pj_per_byte(with_size(_sram(base), float(n_bytes[at])), base.arch.spec)
            for at, base in ((at, bases[choice[at]]) for at in first)
        ]
        read, write = np.array(pairs).T
        return replace(
            machines,
            read_pj=_with(machines.read_pj, read[same]),
            write_pj=_with(machines.write_pj, write[same]),
        )

    def _areas(
        self,
        bases: list[Base],
        choice: Ints,
        some: Mapping[str, NDArray[Any]],
        machines: SystolicMachines,
    ) -> Floats:  # [A] mm2, nan where the file gives no area
        """`constants.total_area_mm2` with the rows, columns and sizes of each point."""
        size = next((some[one.name] for one in self.direct if one.part == "size"), None)
        total = np.full(len(choice), np.nan)
        for i, base in enumerate(bases):
            at = np.flatnonzero(choice == i)
            if any(part.area_mm2 is None for part in base.parts):
                continue
            n_pe = base.arch.spec.core.count * np.broadcast_to(machines.rows * machines.cols, len(choice))[at]
            areas = np.zeros(len(at))
            for part in base.parts:
                count = n_pe * part.n_per_pe if part.n_per_pe else part.count
                one: Any = part.area_mm2
                if size is not None and part.name == _sram(base).name:
                    values, same = np.unique(size[at], return_inverse=True)
                    one = np.array([_area(base, part.name, float(value)) for value in values])[same]
                areas = areas + count * one
            total[at] = areas
        return total

    def _base(self, sets: tuple[str, ...]) -> Base | str:
        if sets not in self._bases:
            arch = self.makers.arch(sets)
            if isinstance(arch, str):
                return arch
            try:
                self._bases[sets] = Base(arch, columns_of(arch.machine()), components(arch.spec))
            except InputError as error:
                return reason_of(error)
        return self._bases[sets]

    def _work(self, run: tuple[str, int | None, tuple[str, ...]], arch: Arch) -> NetworkWork:
        key = (*run, arch.dataflow)
        if key not in self._works:
            self._works[key] = network_work(self.makers.graph(*run), arch.machine())
        return self._works[key]

    def _check(self, space: Space) -> None:
        """InputError where the base architecture has no closed form with the first value of each setting."""
        row = {one.name: one.values[0] for one in space.variables}
        sets = [text for name in row if name in self.makers.keys for text in [self._set(name, row[name])]]
        arch = self.makers.arch(tuple(sets))
        if isinstance(arch, str):
            return  # said of each point that it is true of
        try:
            columns_of(arch.machine())
        except InputError as error:
            raise InputError(
                Problem(problem.message, space.file, space.line, None, problem.key, problem.expected,
                        "method: dataflow searches a mapping")
                for problem in error.problems
            ) from None  # fmt: skip

    def _set(self, name: str, value: Any) -> str:
        from accelsim.explore.sweep.variables import setting_text

        return f"{self.makers.keys[name]}={setting_text(value, self.makers.units[name])}"

    @staticmethod
    def _bandwidth(arch: Arch, parts: list[str]) -> tuple[str, str]:
        """The memory and the way of a key such as memories.dram.bandwidth.read; ("", "") where it is none."""
        if parts[-1] == "bandwidth":
            parts = [*parts, "value"]
        sram = arch.spec.core.memories[0]
        known = {
            ("core", "memories", sram.name): ("sram", sram),
            ("memories", "dram"): ("dram", arch.spec.memories[-1]),
        }
        memory, spec = known.get(tuple(parts[:-2]), ("", None))
        if spec is None or spec.bandwidth is None or parts[-2] != "bandwidth":
            return "", ""
        given = getattr(spec.bandwidth, parts[-1], None) is not None
        return (memory, parts[-1]) if given else ("", "")

    def _direct(self) -> tuple[Direct, ...]:
        """The columns that need no architecture of their own."""
        arch = self.makers.arch(())
        if isinstance(arch, str) or arch.spec.clusters is not None or len(arch.spec.core.memories) != 1:
            return ()
        sram = arch.spec.core.memories[0].name
        found = []
        for name, key in self.makers.keys.items():
            unit, parts = self.makers.units[name], key.split(".")
            if key in ("core.array.rows", "core.array.cols"):
                found.append(Direct(name, parts[-1]))
            elif key == f"core.memories.{sram}.size" and unit == "B":
                found.append(Direct(name, "size"))
            elif unit in ("B/cycle", "B/s"):
                memory, way = self._bandwidth(arch, parts)
                if memory:
                    found.append(Direct(name, memory, way, unit == "B/s"))
        return tuple(found)


def _sram(base: Base) -> Any:
    return base.arch.spec.core.memories[0]


def _area(base: Base, name: str, n_bytes: float) -> float:
    spec = base.arch.spec
    memory = with_size(_sram(base), n_bytes)
    core = spec.core.model_copy(update={"memories": (memory,)})
    parts = components(spec.model_copy(update={"core": core}))
    area = next(part.area_mm2 for part in parts if part.name == name)
    assert area is not None  # the memory had one at another size
    return area


def _with(columns: tuple[Floats, ...], sram: Floats) -> tuple[Floats, ...]:
    return tuple(sram if level == SRAM else column for level, column in enumerate(columns))
