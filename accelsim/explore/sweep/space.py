"""The space of a sweep: what varies, what has to hold, what is asked; its points, chunk by chunk."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from accelsim.base.errors import InputError, Problem
from accelsim.explore.sweep.expressions import Node, compute
from accelsim.explore.sweep.points import Points, digits_of
from accelsim.explore.sweep.variables import Derived, Value, Variable, setting_text

SCHEMA: Final = "accelsim.space/1"
METHODS: Final = ("closed_form", "dataflow", "any", "screen", "split")
COMPATS: Final = ("scalesim",)
SAMPLES: Final = ("lhs", "random", "evolve")
RUN_NAMES: Final = ("network", "batch", "mp", "dp", "threads")
"""Variables that are options of a run, not keys of the machine."""

KEY_OF: Final = {"dataflow": "core.dataflow", "cores": "core.count"}
"""Variables that are another name of a key."""

_CHUNK: Final = 2**18


@dataclass(frozen=True)
class Constraint:
    """What has to hold: of variables before the evaluation, or (`on_metrics`) of results after it."""

    text: str
    tree: Node
    on_metrics: bool
    line: int | None = None


@dataclass(frozen=True)
class Answers:
    """Which metrics are best small, and which large."""

    minimise: tuple[str, ...] = ("latency_s", "energy_j")
    maximise: tuple[str, ...] = ()


@dataclass(frozen=True)
class Sample:
    """How points are chosen where not all are evaluated."""

    method: Literal["lhs", "random", "evolve"]
    points: int
    seed: int = 0


@dataclass(frozen=True)
class Screen:
    """How far a screening goes: the search that refines, and where it may stop before all is proven."""

    method: str = "dataflow"
    refine: int | None = None
    """Points that are refined at most."""
    gap: float = 0.0
    """What could be better than a refined point by less than this share, in every objective, is left."""


@dataclass(frozen=True)
class Space:
    """A space file, read and checked; `arch` and `model_of` are what `accelsim.arch` and `load` take.

    `derived` stands in the order in which one follows from the other.
    """

    name: str
    description: str
    arch: str
    networks: tuple[str, ...]
    variables: tuple[Variable, ...]
    derived: tuple[Derived, ...]
    constraints: tuple[Constraint, ...]
    method: str
    objective: str
    answers: Answers
    sample: Sample | None
    file: str
    sha256: str
    screen: Screen | None = None
    """With method screen only."""
    compat: str | None = None
    """The simulator by whose rules points are counted."""
    line: int | None = None
    """Where the file says the method, else the architecture."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Number of values of each variable."""
        return tuple(len(variable) for variable in self.variables)

    @property
    def n_raw(self) -> int:
        """Number of all combinations, before constraints."""
        return math.prod(self.shape)

    @property
    def all_columns(self) -> tuple[Variable | Derived, ...]:
        """Variables and what follows from them, in the order of the columns of points."""
        return (*self.variables, *self.derived)

    @property
    def names(self) -> tuple[str, ...]:
        """Of all columns of points, in their order."""
        return tuple(column.name for column in self.all_columns)

    @cached_property
    def labels(self) -> dict[str, tuple[str, ...]]:
        """The texts behind each column of codes."""
        return {column.name: column.labels for column in self.all_columns if column.labels}

    @cached_property
    def units(self) -> dict[str, str]:
        """The base unit of each column, "" where it has none."""
        return {column.name: column.unit for column in self.all_columns}

    def points(self, start: int, stop: int) -> Points:
        """The points among combinations start to stop - 1 that meet the constraints on variables."""
        stop = min(stop, self.n_raw)
        return self.points_at(np.arange(max(start, 0), max(stop, 0), dtype=np.int64))

    def points_at(self, index: NDArray[np.int64]) -> Points:
        """Those of the combinations with these numbers that meet the constraints on variables.

        InputError where a derived column is no number, or no whole one where its key needs that.
        """
        return self.points_under(index, [one for one in self.constraints if not one.on_metrics])

    def points_under(self, index: NDArray[np.int64], constraints: Iterable[Constraint]) -> Points:
        """The combinations with these numbers that meet some constraints."""
        trees = [one.tree for one in constraints]
        digits = digits_of(index, self.shape)
        columns: dict[str, NDArray[Any]] = {}
        self._fill(
            columns, self.needed(frozenset().union(*(tree.names() for tree in trees))), digits, len(index)
        )
        kept = np.ones(len(index), bool)
        for tree in trees:
            kept &= compute(tree, columns)
        if not kept.all():
            index, digits = index[kept], [digit[kept] for digit in digits]
            columns = {name: column[kept] for name, column in columns.items()}
        self._fill(columns, set(self.names), digits, len(index))
        for derived in self.derived:
            columns[derived.name] = self._settled(derived, columns)
        return Points(index, {name: columns[name] for name in self.names}, self.labels)

    def broken(self, columns: Mapping[str, NDArray[Any]]) -> NDArray[np.str_]:
        """The first constraint on metrics that each point breaks, "" where it meets all  # [n]

        `columns` has the variables (codes or texts) and metrics that they name; nan meets none.
        """
        found = np.zeros(len(next(iter(columns.values()))) if columns else 0, np.str_)
        for one in self.constraints:
            if one.on_metrics:
                missing = sorted(one.tree.names() - set(columns))
                if missing:
                    said = f"needs {', '.join(missing)}, which method {self.method} does not give"
                    raise InputError(Problem(said, self.file, one.line, key=f"where: {one.text}"))
                found = np.where((found == "") & ~compute(one.tree, columns), one.text, found)
        return found

    def count(self, limit: int = 2**24) -> int | None:
        """Number of points that meet the constraints on variables; None beyond `limit` combinations."""
        if not any(not one.on_metrics for one in self.constraints):
            return self.n_raw
        if self.n_raw > limit:
            return None
        return sum(len(self.points(start, start + _CHUNK)) for start in range(0, self.n_raw, _CHUNK))

    def machine_sets(self, row: Mapping[str, Value]) -> tuple[str, ...]:
        """`--set` texts that make the machine of a point (a `Points.row`, or a row of results)."""
        return tuple(
            f"{KEY_OF.get(column.name, column.name)}={setting_text(row[column.name], column.unit)}"
            for column in self.all_columns
            if column.key is not None
        )

    def run_options(self, row: Mapping[str, Value]) -> dict[str, Value]:
        """What of a point is an option of the run: network, batch, mp, dp, threads."""
        return {name: row[name] for name in RUN_NAMES if name in row}

    def model_of(self, network: str) -> str:
        """A network as `accelsim.load` takes it: the file beside the space, or the shipped name."""
        return beside(self.file, network)

    def describe(self) -> dict[str, Any]:
        """What the space is, as plain data."""
        return {
            "name": self.name,
            "description": self.description,
            "arch": self.arch,
            "networks": list(self.networks),
            "variables": [
                {
                    "name": variable.name,
                    "unit": variable.unit,
                    "n_values": len(variable),
                    "first": _shown(variable, 0),
                    "last": _shown(variable, -1),
                }
                for variable in self.variables
            ],
            "derived": [{"name": one.name, "unit": one.unit, "expression": one.text} for one in self.derived],
            "constraints": [{"text": one.text, "on_metrics": one.on_metrics} for one in self.constraints],
            "method": self.method,
            "compat": self.compat,
            "objective": self.objective,
            "answers": {"minimise": list(self.answers.minimise), "maximise": list(self.answers.maximise)},
            "sample": vars(self.sample) if self.sample else None,
            "screen": vars(self.screen) if self.screen else None,
            "n_raw": self.n_raw,
        }

    def __str__(self) -> str:
        lines = [f"{self.name}: {self.n_raw:,} combinations on {self.arch}, {self.method}"]
        for variable in self.variables:
            ends = (
                _shown(variable, 0)
                if len(variable) == 1
                else f"{_shown(variable, 0)} .. {_shown(variable, -1)}"
            )
            lines.append(f"  {variable.name}: {len(variable)} ({ends})")
        lines += [f"  {one.name} = {one.text}" for one in self.derived]
        lines += [f"  where {one.text}" for one in self.constraints]
        return "\n".join(lines)

    def needed(self, names: frozenset[str]) -> set[str]:
        """The names with all that they follow from."""
        found = set(names)
        for derived in reversed(self.derived):
            if derived.name in found:
                found |= derived.tree.names()
        return found

    def _fill(
        self, columns: dict[str, NDArray[Any]], names: set[str], digits: list[NDArray[np.int64]], n: int
    ) -> None:
        for variable, digit in zip(self.variables, digits, strict=True):
            if variable.name in names and variable.name not in columns:
                columns[variable.name] = digit if variable.labels else variable.column[digit]
        for derived in self.derived:
            if derived.name in names and derived.name not in columns:
                columns[derived.name] = derived.column(columns, n)

    def _settled(self, derived: Derived, columns: Mapping[str, NDArray[Any]]) -> NDArray[Any]:
        """A derived column in its type, checked."""
        values = columns[derived.name]
        if values.dtype.kind == "i" and (derived.whole or derived.labels):
            return np.ascontiguousarray(values)
        values = values.astype(np.float64)
        bad = ~np.isfinite(values)
        if derived.whole:
            bad |= values != np.rint(values)
        if bad.any():
            at = int(np.argmax(bad))
            where = ", ".join(
                f"{name} = {self._text(name, columns[name][at])}" for name in sorted(derived.tree.names())
            )
            value = f"{values[at]:g}" if math.isfinite(values[at]) else "no number"
            said = f"{derived.text} is {value} where {where}"
            hint = "// instead of /, or a constraint with % in where:" if derived.whole else None
            expected = "a whole number" if derived.whole else "a number"
            raise InputError(
                Problem(said, self.file, key=f"vary.{derived.name}", expected=expected, hint=hint)
            )
        return values.astype(np.int64) if derived.whole else values

    def _text(self, name: str, value: Any) -> str:
        return (
            self.labels[name][int(value)]
            if name in self.labels
            else setting_text(value.item(), self.units[name])
        )


def _shown(variable: Variable, at: int) -> str:
    return setting_text(variable.values[at], variable.unit)


def beside(file: str, name: str) -> str:
    """A path relative to a file where that exists, else the name as it stands."""
    path = Path(file).parent / name
    try:
        return str(path) if path.is_file() else name
    except (OSError, ValueError):  # a name too long or with a NUL byte
        return name
