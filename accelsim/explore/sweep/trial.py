"""What can be seen of a space before it is evaluated: that there are points, and that they are machines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import zip_longest
from math import prod
from typing import TYPE_CHECKING, Final

import numpy as np

from accelsim.base.errors import InputError, Problem
from accelsim.explore.sweep.choose import Entries
from accelsim.explore.sweep.points import subgrid
from accelsim.explore.sweep.space import KEY_OF, Space
from accelsim.explore.sweep.variables import Derived, Value, Variable, setting_text
from accelsim.hardware import load_arch

if TYPE_CHECKING:
    from accelsim.explore.sweep.read import Reader

_MAX_GRID: Final = 2**20
"""Combinations on which a derived column is looked at as a whole."""
_MAX_SEARCH: Final = 2**22
_MAX_LABELS: Final = 64


def check_points(reader: Reader, space: Space, entries: Entries) -> Space:
    """The space with the types of its derived columns settled; notes what is wrong with its points."""
    chosen = {one.name for one in entries.chosen}
    probes: dict[str, list[Value]] = {one.name: ends(one) for one in space.variables}
    for derived in space.derived:
        if derived.labels or derived.name in chosen:
            probes[derived.name] = list(derived.labels or dict.fromkeys(derived.tree.value))
            continue
        try:
            space, probes[derived.name] = _settled(space, derived)
        except InputError as error:
            probes[derived.name] = []
            for problem in error.problems:
                reader.note(entries.places[derived.name], problem.message, problem.expected, problem.hint)
    check_values(reader, space.all_columns, entries, probes)
    if not reader.problems:
        try:
            _check_first(reader, space, entries)
        except InputError as error:
            reader.problems += error.problems
    return space


def ends(variable: Variable) -> list[Value]:
    """All texts of a variable, or its least and greatest number."""
    if variable.labels:
        return list(variable.labels)
    return [variable.values[int(variable.column.argmin())], variable.values[int(variable.column.argmax())]]


def _axes(space: Space, names: frozenset[str]) -> set[int]:
    """The axes that columns follow from."""
    found = set(names)
    for derived in reversed(space.derived):
        if derived.name in found:
            found |= derived.tree.names()
    return {axis for axis, variable in enumerate(space.variables) if variable.name in found}


def _settled(space: Space, derived: Derived) -> tuple[Space, list[Value]]:
    """Whether all values of a derived column are whole, seen on its own axes; and its least and greatest."""
    axes = _axes(space, frozenset([derived.name]))
    if prod(space.shape[axis] for axis in axes) > _MAX_GRID:
        return space, []
    constraints = [
        one for one in space.constraints if not one.on_metrics and _axes(space, one.tree.names()) <= axes
    ]
    others = tuple(
        one for one in space.derived if one.name == derived.name or _axes(space, one.tree.names()) <= axes
    )
    small = replace(space, derived=others[: others.index(derived) + 1])
    needed = small.needed(frozenset([derived.name]).union(*(one.tree.names() for one in constraints)))
    small = replace(space, derived=tuple(one for one in space.derived if one.name in needed))
    points = small.points_under(subgrid(sorted(axes), space.shape), constraints)
    column = points.columns[derived.name]
    if not len(column):
        return space, []
    counted = derived.unit in ("", "B", "words", "cycles")
    whole = derived.whole or (counted and bool((column == np.rint(column)).all()))
    if whole and not derived.whole:
        settled = replace(derived, whole=True)
        space = replace(space, derived=tuple(settled if one is derived else one for one in space.derived))
    extremes = [column.min().item(), column.max().item()]
    return space, [int(value) if whole else value for value in extremes]


def _check_first(reader: Reader, space: Space, entries: Entries) -> None:
    """The first point has to be a machine; where it is not among the first few millions, it is not sought."""
    start, size = 0, 1024
    while start < min(space.n_raw, _MAX_SEARCH):
        points = space.points(start, start + size)
        if len(points):
            break
        start, size = start + size, min(size * 4, 2**18)
    else:
        if start >= space.n_raw:
            said = f"no point of {space.n_raw:,} combinations meets all constraints"
            reader.note(("where",), said, "at least one")
        return
    try:
        load_arch(space.arch, space.machine_sets(points.row(0)))
    except InputError as error:
        for problem in error.problems:
            _note(reader, entries, problem)


def check_values(
    reader: Reader, columns: Sequence[Variable | Derived], entries: Entries, probes: dict[str, list[Value]]
) -> None:
    """Apply the ends of every column, as --set would: what no key takes is wrong in any combination."""
    assert entries.settings is not None
    texts = {
        KEY_OF.get(one.name, one.name): list(
            dict.fromkeys(setting_text(value, one.unit) for value in probes[one.name][:_MAX_LABELS])
        )
        for one in columns
        if one.key is not None
    }
    for values in zip_longest(*texts.values()):
        sets = [f"{name}={text}" for name, text in zip(texts, values, strict=True) if text is not None]
        for problem in entries.settings.wrong(sets):
            _note(reader, entries, problem)


def _note(reader: Reader, entries: Entries, problem: Problem) -> None:
    """A problem of a setting, told at the variable that sets it."""
    setting, _, text = (problem.file or "").removeprefix("--set ").partition("=")
    place = next((entries.places[name] for name in entries.places if KEY_OF.get(name, name) == setting), None)
    if (problem.file or "").startswith("--set ") and place is not None:
        reader.note(place, f"{text}: {problem.message}", problem.expected, problem.hint)
    else:
        reader.note(("vary",), f"the first point is no machine: {problem}")
