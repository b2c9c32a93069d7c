"""Timeloop's mappings and constraints: lists of directives, one a level and kind."""

from __future__ import annotations

import re
from typing import Any, Final

import numpy as np

from accelsim.base.yaml_lines import Key
from accelsim.compat.timeloop.lines import Notes
from accelsim.compat.timeloop.model import (
    SWITCHES,
    Architecture,
    Constraints,
    Ints,
    Mappings,
    Rule,
    Workload,
)

KEYS: Final = {"target", "type", "factors", "permutation", "split", "keep", "bypass", *SWITCHES}
UNSEARCHED: Final = {"utilization", "parallelism", "max_overbooked_proportion", "skew"}
OLD_SWITCHES: Final = {"rmw_on_first_writeback": "rmw_first_update"}
BYPASS: Final = {"bypass", "datatype", "dataspace"}


def read_constraints(notes: Notes, workload: Workload, architecture: Architecture) -> Constraints:
    """What `architecture_constraints` and `mapspace_constraints` ask of a mapping."""
    rules: dict[str, dict[int, Rule]] = {"temporal": {}, "spatial": {}}
    keep: dict[tuple[int, int], bool] = {}
    unsearched: list[str] = []
    for section in ("architecture_constraints", "mapspace_constraints"):
        if not notes.at((section,)):
            continue
        notes.table((section,), {"targets", "version"})
        for i in range(len(notes.items((section, "targets"), optional=True))):
            path: Key = (section, "targets", i)
            asked = notes.at((*path, "type"))
            if asked in UNSEARCHED:
                unsearched.append(str(asked))
                continue
            directive = _directive(notes, path, architecture)
            if directive is None:
                continue
            level, kind, table = directive
            off = _switched_off(notes, path, table, workload, level)
            unsearched += sorted({rule for rule, _, _ in off})
            if kind == "keep":
                _keep(notes, path, workload, level, keep)
            else:
                rules[kind][level] = _rule(notes, path, table, workload)
    for (at, _), kept in keep.items():
        if kept and architecture.levels[at].is_dummy:
            notes.note(("architecture_constraints",), f"{architecture.levels[at].name} can keep nothing")
    notes.stop()
    return Constraints(rules["temporal"], rules["spatial"], keep, tuple(dict.fromkeys(unsearched)))


def read_mapping(
    notes: Notes, path: Key, workload: Workload, architecture: Architecture, keep: dict[tuple[int, int], bool]
) -> Mappings:
    """One mapping; loops that are not named run once, what is not bypassed is kept unless `keep` says so."""
    n_levels, n_dims = len(architecture.levels), len(workload.dims)
    time, space, last_time, last_space = (np.ones((n_levels, n_dims), np.int64) for _ in range(4))
    orders = {kind: [tuple(range(n_dims))] * n_levels for kind in ("temporal", "spatial")}
    split = [n_dims] * n_levels
    kept = {
        (level, t): keep.get((level, t), not architecture.levels[level].is_dummy)
        for level in range(n_levels)
        for t in range(len(workload.tensors))
    }
    off: set[tuple[str, int, int]] = set()
    for i in range(len(notes.items(path))):
        here = (*path, i)
        directive = _directive(notes, here, architecture)
        if directive is None:
            continue
        level, kind, table = directive
        off |= _switched_off(notes, here, table, workload, level)
        if kind == "keep":
            _keep(notes, here, workload, level, kept)
            continue
        rule = _rule(notes, here, table, workload)
        if rule.at_most or rule.at_least:
            notes.note((*here, "factors"), "a range", "one factor a dim")
        trips, last = (time, last_time) if kind == "temporal" else (space, last_space)
        for dim, n in rule.exact.items():
            trips[level, dim], last[level, dim] = n, rule.last.get(dim, n)
        orders[kind][level] = full_order(rule.innermost, n_dims)
        if kind == "spatial" and rule.split is not None:
            split[level] = min(rule.split, n_dims)
    notes.stop()  # where a loop could not be read, the factors of its dims are short for no other reason
    _check_factors(notes, path, workload, (space, time), (last_space, last_time))
    notes.stop()
    imperfect = bool((last_time != time).any() or (last_space != space).any())
    return Mappings(
        time[:, :, None],
        space[:, :, None],
        np.array(orders["temporal"])[:, :, None],
        tuple(orders["spatial"]),
        tuple(split),
        tuple(tuple(kept[level, t] for t in range(len(workload.tensors))) for level in range(n_levels)),
        tuple((tuple(a), tuple(b)) for a, b in zip(last_space.tolist(), last_time.tolist(), strict=True))
        if imperfect
        else (),
        frozenset(off),
    )


def _check_factors(
    notes: Notes, path: Key, workload: Workload, trips: tuple[Ints, Ints], last: tuple[Ints, Ints]
) -> None:
    """Loops of a dim must make its extent: 1 + sum of (last trips - 1) x trips of the loops inside."""
    for dim, (name, extent) in enumerate(zip(workload.dims, workload.extents, strict=True)):
        product, reached = 1, 1
        for level in range(len(trips[0])):
            for n, m in zip(trips, last, strict=True):
                reached += (int(m[level, dim]) - 1) * product
                product *= int(n[level, dim])
        if extent != reached:
            notes.note(
                path,
                f"the factors of {name} make {reached}",
                f"{extent}; a last step that is shorter is written as in {name}=4,3",
            )


def full_order(innermost: tuple[int, ...], n_dims: int) -> tuple[int, ...]:
    """All dims: the named ones innermost, the others in the workload's order."""
    return (*innermost, *(dim for dim in range(n_dims) if dim not in innermost))


def _directive(notes: Notes, path: Key, architecture: Architecture) -> tuple[int, str, dict[str, Any]] | None:
    """(level, "temporal", "spatial" or "keep", its keys), None where it is not understood."""
    table = notes.table(path, KEYS | OLD_SWITCHES.keys(), ("target", "type"))
    names = [level.name for level in architecture.levels]
    target = table.get("target")
    if isinstance(target, int) and 0 <= target < len(names):  # Timeloop's own numbers, from the inside
        target = names[target]
    name = notes.one_of((*path, "target"), target, names, "storage level")
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


def _switched_off(
    notes: Notes, path: Key, table: dict[str, Any], workload: Workload, level: int
) -> set[tuple[str, int, int]]:
    """Rules that a directive switches off at its level, each with the tensors that it names."""
    names = [tensor.name for tensor in workload.tensors]
    found = set()
    for key in table.keys() & {*SWITCHES, *OLD_SWITCHES}:
        for item in notes.items((*path, key), optional=True):
            name = notes.one_of((*path, key), item, names, "data space")
            if name is not None:
                found.add((OLD_SWITCHES.get(key, key), level, names.index(name)))
    return found


def _rule(notes: Notes, path: Key, table: dict[str, Any], workload: Workload) -> Rule:
    groups: dict[str, dict[int, int]] = {"=": {}, "<=": {}, ">=": {}}
    lasts: dict[int, int] = {}
    for name, sign, number, last in _factors(notes, (*path, "factors"), table.get("factors"), workload.dims):
        dim = notes.one_of((*path, "factors"), name, workload.dims, "dim")
        if dim is None:
            continue
        at = workload.dims.index(dim)
        groups[sign or "="][at] = number if number > 0 else workload.extents[at]
        if last is not None:
            if not 1 <= last <= groups["="].get(at, 0):
                notes.note((*path, "factors"), f"{name}={number},{last}", "a last step of 1 up to the factor")
            lasts[at] = last
    split = table.get("split")
    return Rule(
        groups["="],
        groups["<="],
        groups[">="],
        _permutation(notes, (*path, "permutation"), table.get("permutation"), workload),
        None if split is None else notes.whole((*path, "split"), split, least=0),
        lasts,
    )


def _factors(
    notes: Notes, path: Key, value: Any, dims: tuple[str, ...]
) -> list[tuple[str, str, int, int | None]]:
    """`C=1,M=4`, `C1 M4`, an imperfect `P=4,3` (4 steps, 3 at the last) or a list of such words."""
    known = "|".join(sorted(map(re.escape, dims), key=len, reverse=True))
    factor = re.compile(
        rf"[,\s]*({known}|[A-Za-z_]\w*?)\s*(<=|>=|=)?\s*(\d+)(?:\s*,\s*(\d+)(?![\w=]))?(?=[,\s]|$)"
    )
    found = []
    for text in value if isinstance(value, list) else [value or ""]:
        words = str(text).partition("#")[0].rstrip(", \t\n")
        start = 0
        while start < len(words):
            match = factor.match(words, start)
            if match is None:
                notes.note(path, f"{words[start:].strip(', ')!r} is no factor", "C=4, C<=4, C4 or C=4,3")
                break
            found.append((match[1], match[2] or "=", int(match[3]), int(match[4]) if match[4] else None))
            start = match.end()
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
