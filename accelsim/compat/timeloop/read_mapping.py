"""Timeloop's mappings and constraints: lists of directives, one a level and kind."""

from __future__ import annotations

import re
from typing import Any, Final

import numpy as np

from accelsim.base.yaml_lines import Key
from accelsim.compat.timeloop.lines import Notes
from accelsim.compat.timeloop.model import Architecture, Constraints, Mappings, Rule, Workload

_FACTOR: Final = re.compile(r"([A-Za-z_]\w*?)\s*(<=|>=|=)?\s*(\d+)")
KEYS: Final = {"target", "type", "factors", "permutation", "split", "keep", "bypass"}
BYPASS: Final = {"bypass", "datatype", "dataspace"}


def read_constraints(notes: Notes, workload: Workload, architecture: Architecture) -> Constraints:
    """What `architecture_constraints` and `mapspace_constraints` ask of a mapping."""
    rules: dict[str, dict[int, Rule]] = {"temporal": {}, "spatial": {}}
    keep: dict[tuple[int, int], bool] = {}
    for section in ("architecture_constraints", "mapspace_constraints"):
        if not notes.at((section,)):
            continue
        notes.table((section,), {"targets", "version"})
        for i in range(len(notes.items((section, "targets")))):
            path: Key = (section, "targets", i)
            directive = _directive(notes, path, architecture)
            if directive is None:
                continue
            level, kind, table = directive
            if kind == "keep":
                _keep(notes, path, workload, level, keep)
            else:
                rules[kind][level] = _rule(notes, path, table, workload)
    for (at, _), kept in keep.items():
        if kept and architecture.levels[at].is_dummy:
            notes.note(("architecture_constraints",), f"{architecture.levels[at].name} can keep nothing")
    notes.stop()
    return Constraints(rules["temporal"], rules["spatial"], keep)


def read_mapping(
    notes: Notes, path: Key, workload: Workload, architecture: Architecture, keep: dict[tuple[int, int], bool]
) -> Mappings:
    """One mapping; loops that are not named run once, what is not bypassed is kept unless `keep` says so."""
    n_levels, n_dims = len(architecture.levels), len(workload.dims)
    time, space = (np.ones((n_levels, n_dims, 1), np.int64) for _ in range(2))
    orders = {kind: [tuple(range(n_dims))] * n_levels for kind in ("temporal", "spatial")}
    split = [n_dims] * n_levels
    kept = {
        (level, t): keep.get((level, t), not architecture.levels[level].is_dummy)
        for level in range(n_levels)
        for t in range(len(workload.tensors))
    }
    for i in range(len(notes.items(path))):
        here = (*path, i)
        directive = _directive(notes, here, architecture)
        if directive is None:
            continue
        level, kind, table = directive
        if kind == "keep":
            _keep(notes, here, workload, level, kept)
            continue
        rule = _rule(notes, here, table, workload)
        if rule.at_most or rule.at_least:
            notes.note((*here, "factors"), "a range", "one factor a dim")
        for dim, n in rule.exact.items():
            (time if kind == "temporal" else space)[level, dim] = n
        orders[kind][level] = full_order(rule.innermost, n_dims)
        if kind == "spatial" and rule.split is not None:
            split[level] = min(rule.split, n_dims)
    trips = (time * space).prod(axis=0)[:, 0]
    for name, extent, product in zip(workload.dims, workload.extents, trips, strict=True):
        if extent != product:
            notes.note(path, f"the factors of {name} make {product}", f"{extent}: perfect factors")
    notes.stop()
    return Mappings(
        time,
        space,
        np.array(orders["temporal"])[:, :, None],
        tuple(orders["spatial"]),
        tuple(split),
        tuple(tuple(kept[level, t] for t in range(len(workload.tensors))) for level in range(n_levels)),
    )


def full_order(innermost: tuple[int, ...], n_dims: int) -> tuple[int, ...]:
    """All dims: the named ones innermost, the others in the workload's order."""
    return (*innermost, *(dim for dim in range(n_dims) if dim not in innermost))


def _directive(notes: Notes, path: Key, architecture: Architecture) -> tuple[int, str, dict[str, Any]] | None:
    """(level, "temporal", "spatial" or "keep", its keys), None where it is not understood."""
    table = notes.table(path, KEYS, ("target", "type"))
    names = [level.name for level in architecture.levels]
    name = notes.one_of((*path, "target"), table.get("target"), names, "storage level")
    kinds = ("temporal", "spatial", *sorted(BYPASS))
    kind = notes.one_of((*path, "type"), table.get("type"), kinds, "type of directive")
    if name is None or kind is None:
        return None
    return names.index(name), "keep" if kind in BYPASS else kind, table


def _keep(notes: Notes, path: Key, workload: Workload, level: int, keep: dict[tuple[int, int], bool]) -> None:
    names = [tensor.name for tensor in workload.tensors]
    for key, kept in (("keep", True), ("bypass", False)):
        for item in notes.items((*path, key), optional=True):
            name = notes.one_of((*path, key), item, names, "data space")
            if name is not None:
                keep[level, names.index(name)] = kept


def _rule(notes: Notes, path: Key, table: dict[str, Any], workload: Workload) -> Rule:
    groups: dict[str, dict[int, int]] = {"=": {}, "<=": {}, ">=": {}}
    for name, sign, number in _factors(notes, (*path, "factors"), table.get("factors")):
        dim = notes.one_of((*path, "factors"), name, workload.dims, "dim")
        if dim is None:
            continue
        at = workload.dims.index(dim)
        groups[sign or "="][at] = number if number > 0 else workload.extents[at]
    split = table.get("split")
    return Rule(
        groups["="],
        groups["<="],
        groups[">="],
        _permutation(notes, (*path, "permutation"), table.get("permutation"), workload),
        None if split is None else notes.whole((*path, "split"), split, least=0),
    )


def _factors(notes: Notes, path: Key, value: Any) -> list[tuple[str, str, int]]:
    """`C=1,M=4`, `C1 M4` or a list of such words."""
    words = value if isinstance(value, list) else re.split(r"[,\s]+", str(value or ""))
    found = []
    for word in words:
        if not str(word).strip():
            continue
        match = _FACTOR.fullmatch(str(word).strip())
        if match is None:
            notes.note(path, f"{word!r} is no factor", "C=4, C<=4 or C4 (imperfect factors are not read)")
        else:
            found.append((match[1], match[2] or "=", int(match[3])))
    return found


def _permutation(notes: Notes, path: Key, value: Any, workload: Workload) -> tuple[int, ...]:
    """Dims from the innermost: `MQP`, `M,Q,P` or a list; one-letter dims need no separator."""
    if value is None:
        return ()
    words = value if isinstance(value, list) else [w for w in re.split(r"[,\s]+", str(value)) if w]
    words = [str(word) for word in words]
    if len(words) == 1 and words[0] not in workload.dims:
        words = re.findall(
            "|".join(sorted(map(re.escape, workload.dims), key=len, reverse=True)) + "|.", words[0]
        )
    order = [notes.one_of(path, word, workload.dims, "dim") for word in words]
    found = tuple(workload.dims.index(dim) for dim in order if dim is not None)
    if len(set(found)) != len(found):
        notes.note(path, f"{value} names a dim twice", "each dim once")
    return tuple(dict.fromkeys(found))
