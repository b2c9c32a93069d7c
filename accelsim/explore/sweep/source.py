"""Where answers read points from: tables of a bounded size one by one, or those that hold some points."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from accelsim.explore.sweep.numbering import Numbering
from accelsim.explore.sweep.work import EXCLUDED

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Columns = Mapping[str, NDArray[Any]]

ABSENT: Final = -1
OK: Final = 0
STATUSES: Final = ("ok", EXCLUDED, "infeasible", "error", "screened")
"""What can come of a point: the first two have metrics."""
WITH_METRICS: Final = 2
WINDOW: Final = 2**16
"""Points that are looked at together where a machine's networks lie in several parts."""


class Source(Protocol):
    """The parts of a sweep."""

    @property
    def spans(self) -> Sequence[tuple[int, int]]:
        """The least and the greatest index of each part."""
        ...

    @property
    def in_order(self) -> bool:
        """Whether points stand in the order of their numbers; samples do not."""
        ...

    def table(self, at: int, columns: Sequence[str]) -> Columns:
        """Columns of a part."""
        ...


@dataclass(frozen=True, slots=True)
class Sifted:
    """A source with what came of each point as a place in STATUSES."""

    source: Source

    def table(self, at: int, names: Sequence[str]) -> dict[str, NDArray[Any]]:
        """Columns of a part, its `index`, and its `status`."""
        table = dict(self.source.table(at, tuple(dict.fromkeys(("index", *names, "status")))))
        return table | {"status": status_codes(table["status"])}

    def held(self, names: Sequence[str]) -> dict[str, NDArray[Any]]:
        """The same of all parts."""
        tables = [self.table(at, names) for at in range(len(self.source.spans))]
        every = dict.fromkeys(("index", *names, "status"))
        none = np.empty(0, np.int64)
        return {name: np.concatenate([table[name] for table in tables] or [none]) for name in every}


@dataclass(frozen=True, slots=True)
class Block:
    """Some machines with all networks; `values` are NaN and `status` ABSENT where there is no point."""

    machine: Ints  # [m]
    status: NDArray[np.int8]  # [m, networks]: places in STATUSES
    values: dict[str, Floats]  # [m, networks]


def status_codes(status: NDArray[Any]) -> NDArray[np.int8]:
    """Places in STATUSES."""
    codes = np.full(len(status), STATUSES.index("error"), np.int8)
    for code, word in enumerate(STATUSES):
        codes[status == word] = code
    return codes


def blocks(points: Sifted, numbering: Numbering, names: Sequence[str]) -> Iterator[Block]:
    """All points once, a machine's networks together, with some metrics.

    Memory is that of a few parts. Only samples over several networks are held whole (index, metrics), since a
    machine's points stand anywhere in them.
    """
    if numbering.n_networks == 1:
        for at in range(len(points.source.spans)):
            table = points.table(at, names)
            yield _block(numbering, numbering.split(table["index"])[0], [table], names)
        return
    for machine, tables in (_windows if points.source.in_order else _held)(points, numbering, names):
        block = _block(numbering, machine, tables, names)
        if len(block.machine):
            yield block


def rows_at(points: Sifted, wanted: Ints, names: Sequence[str]) -> dict[str, NDArray[Any]]:
    """The rows with these numbers, where there are such, in their order; with `index` and `status`."""
    wanted = np.unique(wanted)
    columns = tuple(dict.fromkeys(("index", *names, "status")))
    found: list[dict[str, NDArray[Any]]] = []
    for at in _holding(points.source.spans, wanted):
        table = points.table(at, columns)
        some = np.isin(table["index"], wanted)
        found.append({name: table[name][some] for name in columns})
    if not found:
        return {name: np.empty(0, np.int64) for name in columns}
    rows = {name: np.concatenate([table[name] for table in found]) for name in columns}
    order = np.argsort(rows["index"], kind="stable")
    return {name: values[order] for name, values in rows.items()}


def geometric(values: NDArray[Any]) -> Floats:  # [m, networks, ...] -> [m, ...]
    """Geometric means over networks; what is equal for all of them, such as an area, stays as it is.

    Ratios of geometric means do not depend on what each network is measured against (Fleming and Wallace,
    CACM 29, 1986), so no network weighs more than another.
    """
    first = values[:, 0].astype(np.float64)
    differs = (values != values[:, :1]).any(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        means = np.exp(np.log(values.astype(np.float64)).mean(axis=1))
    return np.where(differs, means, first)


def _block(numbering: Numbering, machine: Ints, tables: Sequence[Columns], names: Sequence[str]) -> Block:
    """Tables sorted into machines (in rising order, or those of the only table) that have a point."""
    shape = (len(machine), numbering.n_networks)
    status = np.full(shape, ABSENT, np.int8)
    values = {name: np.full(shape, np.nan) for name in names}
    for table in tables:
        if numbering.n_networks == 1:
            place: Any = (slice(None), 0)
            some: Any = slice(None)
        else:
            own, network = numbering.split(table["index"])
            row = np.searchsorted(machine, own).clip(max=len(machine) - 1)
            some = machine[row] == own
            place = (row[some], network[some])
        status[place] = table["status"][some]
        for name in names:
            values[name][place] = table[name][some]
    there = (status != ABSENT).any(axis=1)
    if there.all():
        return Block(machine, status, values)
    return Block(machine[there], status[there], {name: column[there] for name, column in values.items()})


def _windows(
    points: Sifted, numbering: Numbering, names: Sequence[str]
) -> Iterator[tuple[Ints, Sequence[Columns]]]:
    """Machines in order, with the parts that hold points of them: each part is read once."""
    kept: dict[int, Columns] = {}
    size = max(1, WINDOW // numbering.n_networks)
    for start in range(0, numbering.n_machines, size):
        machine = np.arange(start, min(start + size, numbering.n_machines), dtype=np.int64)
        wanted = numbering.point(machine[:, None], np.arange(numbering.n_networks))
        parts = _holding(points.source.spans, np.sort(wanted, axis=None))
        kept = {at: kept[at] if at in kept else points.table(at, names) for at in parts}
        yield machine, list(kept.values())


def _held(
    points: Sifted, numbering: Numbering, names: Sequence[str]
) -> Iterator[tuple[Ints, Sequence[Columns]]]:
    """Machines of a sample, in order."""
    table = points.held(names)
    machine = np.unique(numbering.split(table["index"])[0])
    size = max(1, WINDOW // numbering.n_networks)
    for start in range(0, len(machine), size):
        yield machine[start : start + size], [table]


def _holding(spans: Sequence[tuple[int, int]], points: Ints) -> list[int]:
    """The parts that may hold one of these points, which are sorted."""
    ends = np.asarray(spans, np.int64).reshape(-1, 2)
    first, last = np.searchsorted(points, ends[:, 0]), np.searchsorted(points, ends[:, 1], "right")
    return np.flatnonzero(first < last).tolist()
