"""Timeloop's problem: dims, tensors and their projections, extents of one layer."""

from __future__ import annotations

from typing import Any, Final

from accelsim.base.yaml_lines import Key
from accelsim.compat.timeloop.lines import Notes
from accelsim.compat.timeloop.model import Tensor, Workload

UNUSED: Final = ("H", "W", "Hpad", "Wpad", "densities")
"""Keys that layer files carry along and no projection uses."""


def read_workload(notes: Notes) -> Workload:
    """The section `problem`; a misspelt stride is refused (Timeloop itself would take 1 for it)."""
    notes.table(("problem",), {"version", "name", "shape", "instance"}, ("shape", "instance"))
    at: Key = ("problem", "shape")
    shape = notes.table(
        at, {"version", "name", "dimensions", "data_spaces", "coefficients"}, ("dimensions", "data_spaces")
    )
    notes.stop()
    dims = [str(dim) for dim in notes.items((*at, "dimensions"))]
    if len(set(dims)) != len(dims) or not dims:
        notes.note((*at, "dimensions"), f"{dims} are no dims", "names, each once")
    coefficients = {}
    for i, item in enumerate(notes.items((*at, "coefficients"), optional=True)):
        if isinstance(item, dict) and set(item) <= {"name", "default"} and "name" in item:
            coefficients[str(item["name"])] = item.get("default")
        else:
            notes.note((*at, "coefficients", i), "is no coefficient", "name and default")
    extents, by = _instance(notes, dims, coefficients)
    key = "data_spaces" if notes.at((*at, "data_spaces")) is not None else "data-spaces"
    spaces = notes.items((*at, key))
    tensors = [_tensor(notes, (*at, key, i), dims, by) for i in range(len(spaces))]
    if len(tensors) < 1 or sum(tensor.read_write for tensor in tensors) != 1:
        notes.note((*at, key), "no or several data spaces are written", "one with read_write: true")
    notes.stop()
    return Workload(str(shape.get("name", "")), tuple(dims), tuple(extents), tuple(tensors))


def _instance(notes: Notes, dims: list[str], defaults: dict[str, Any]) -> tuple[list[int], dict[str, int]]:
    """Extents of the dims, and the coefficients: the instance's, else their defaults."""
    at: Key = ("problem", "instance")
    table = notes.table(at, {*dims, *defaults, *UNUSED}, dims)
    if table.get("densities"):
        notes.note((*at, "densities"), "sparse data", "dense data: sparsity is not counted")
    by = {name: notes.whole((*at, name), table.get(name, default)) for name, default in defaults.items()}
    return [notes.whole((*at, dim), table.get(dim, 1)) for dim in dims], by


def _tensor(notes: Notes, path: Key, dims: list[str], coefficients: dict[str, int]) -> Tensor:
    table = notes.table(path, {"name", "projection", "read_write"}, ("name", "projection"))
    ranks = []
    for i, rank in enumerate(notes.items((*path, "projection"))):
        terms = rank if isinstance(rank, list) else [rank]
        terms = [terms] if terms and all(isinstance(term, str) for term in terms) else terms
        ranks.append(_rank(notes, (*path, "projection", i), terms, dims, coefficients))
    return Tensor(str(table.get("name")), tuple(ranks), table.get("read_write") is True)


def _rank(
    notes: Notes, path: Key, terms: list[Any], dims: list[str], coefficients: dict[str, int]
) -> tuple[tuple[int, int], ...]:
    found = []
    for term in terms:
        parts = term if isinstance(term, list) else [term]
        dim = notes.one_of(path, parts[0] if parts else None, dims, "dim")
        by = parts[1] if len(parts) > 1 else 1
        if isinstance(by, str):
            name = notes.one_of(path, by, coefficients, "coefficient")
            by = coefficients[name] if name else 1
        if dim is not None:
            found.append((dims.index(dim), notes.whole(path, by)))
    if not found:
        notes.note(path, "an axis of no dims", "a dim, or a sum of dims")
    return tuple(found)
