"""Timeloop's flattened architecture and its table of energies (ERT)."""

from __future__ import annotations

import re
from typing import Any, Final

from accelsim.base.yaml_lines import Key
from accelsim.compat.timeloop.lines import Notes
from accelsim.compat.timeloop.model import Architecture, Level

COUNTED: Final = {
    "depth", "width", "datawidth", "word_bits", "block_size", "read_bandwidth", "write_bandwidth",
    "shared_bandwidth", "multiple_buffering", "meshX", "meshY",
}  # fmt: skip
IGNORED: Final = {
    "version", "type", "technology", "global_cycle_seconds", "n_banks", "update_fifo_depth", "power_gated_at",
    "multiplier_width", "adder_width", "min_utilization", "allow_overbooking",
}  # fmt: skip
"""They change no count of ours: overbooking and least utilisation only widen or narrow Timeloop's own
search.
"""
NEUTRAL: Final[dict[str, Any]] = {"cluster_size": 1, "reduction_supported": True, "has_power_gating": False}
"""What is read at this value alone: others change counts in a way that no case at hand shows."""
_NAME: Final = re.compile(r"(\w+)(?:\[(\d+)\.\.(\d+)\])?")
_ARITHMETIC: Final = re.compile(r"(^|_|int|fp)(mac|compute|macc)", re.IGNORECASE)


class _Found:
    """A component as it stands in the file, with the path to its attributes."""

    def __init__(self, name: str, count: int, kind: str, path: Key) -> None:
        self.name, self.count, self.kind, self.path = name, count, kind, path


def read_architecture(notes: Notes, energies: Notes) -> Architecture:
    """The section `architecture`, outermost level first in the file, innermost first here."""
    notes.table(("architecture",), {"version", "subtree"}, ("subtree",))
    found: list[_Found] = []
    _walk(notes, ("architecture",), 1, found)
    if len(found) < 2:
        notes.note(("architecture",), f"{len(found)} components", "storage levels and a multiplier")
    notes.stop()
    *stores, mac = found
    if not _ARITHMETIC.search(mac.kind):
        notes.note(mac.path, f"the innermost component is a {mac.kind}", "a class of multipliers, as intmac")
    table = _energies(energies)
    levels = [_level(notes, energies, store, table) for store in stores]
    attributes = notes.table((*mac.path, "attributes"), COUNTED | IGNORED | set(NEUTRAL))
    mesh_x = notes.whole((*mac.path, "attributes", "meshX"), attributes.get("meshX", mac.count))
    compute = _energy(energies, table, mac, "compute")
    for inner, outer in zip([mac, *reversed(stores)], reversed(stores), strict=False):
        if inner.count % outer.count:
            notes.note(inner.path, f"{inner.count} of them under {outer.count}", "a multiple")
    notes.stop()
    energies.stop()
    return Architecture(tuple(reversed(levels)), mac.count, mesh_x, compute)


def _walk(notes: Notes, path: Key, times: int, found: list[_Found]) -> None:
    """Components in the order of the file; those inside `name[0..N-1]` of a subtree stand N times."""
    for i in range(len(notes.items((*path, "subtree")))):
        here = (*path, "subtree", i)
        table = notes.table(here, {"name", "attributes", "local", "subtree"}, ("name",))
        _, count = _named(notes, here, table.get("name"))
        for j, item in enumerate(notes.items((*here, "local"), optional=True)):
            at = (*here, "local", j)
            known = {"name", "class", "subclass", "attributes", "required_actions", "enabled"}
            part = notes.table(at, known, ("name", "class"))
            if isinstance(item, dict) and part.get("enabled", True) is not True:
                notes.note((*at, "enabled"), "a component that is off", "no such component")
            name, n = _named(notes, at, part.get("name"))
            found.append(_Found(name, n * count * times, str(part.get("class")), at))
        if "subtree" in table:
            _walk(notes, here, times * count, found)


def _named(notes: Notes, path: Key, text: Any) -> tuple[str, int]:
    match = _NAME.fullmatch(str(text))
    if match is None:
        notes.note((*path, "name"), f"{text!r} is no name", "a name, or name[1..N]")
        return str(text), 1
    name, first, last = match.groups()
    return name, 1 if first is None else max(1, int(last) - int(first) + 1)


def _level(notes: Notes, energies: Notes, store: _Found, table: dict[str, Key]) -> Level:
    path = (*store.path, "attributes")
    attributes = notes.table(path, COUNTED | IGNORED | set(NEUTRAL))
    for key, neutral in NEUTRAL.items():
        if attributes.get(key, neutral) != neutral:
            notes.note((*path, key), f"{attributes[key]!r}", f"{neutral!r}: nothing else is counted")

    def whole(key: str, default: int) -> int:
        return notes.whole((*path, key), attributes.get(key, default))

    def bandwidth(key: str) -> float | None:
        value = attributes.get(key)
        return None if value is None else notes.number((*path, key), value)

    width = whole("width", 16)
    word = whole("word_bits" if "word_bits" in attributes else "datawidth", 16)
    size = None
    if attributes.get("depth") is not None:
        size = whole("depth", 1) * width // word // whole("multiple_buffering", 1)
    mesh_x = whole("meshX", store.count)
    if store.count % mesh_x or whole("meshY", store.count // mesh_x) != store.count // mesh_x:
        notes.note(
            path, f"{store.count} instances on a mesh of {mesh_x} columns", "meshX x meshY = instances"
        )
    dummy = store.kind == "dummy_storage"
    pj = {} if dummy else {a: _energy(energies, table, store, a) for a in ("read", "write", "update", "leak")}
    return Level(
        store.name,
        store.count,
        mesh_x,
        size,
        max(1, whole("block_size", max(1, width // word))),
        bandwidth("read_bandwidth"),
        bandwidth("write_bandwidth"),
        bandwidth("shared_bandwidth"),
        **{f"{action}_pj": value for action, value in pj.items()},
        is_dummy=dummy,
    )


def _energies(energies: Notes) -> dict[str, Key]:
    """Name of a component to the path of its actions."""
    tables: dict[str, Key] = {}
    for i, item in enumerate(energies.items(("ERT", "tables"))):
        name = str(item.get("name", "")) if isinstance(item, dict) else ""
        tables[re.sub(r"\[.*?\]$", "", name).split(".")[-1]] = ("ERT", "tables", i, "actions")
    return tables


def _energy(energies: Notes, table: dict[str, Key], part: _Found, action: str) -> float:
    """pJ of one action; leakage may be missing, the others not."""
    path = table.get(part.name)
    if path is None:
        energies.note(("ERT", "tables"), f"no energies of {part.name}", f"a table named ...{part.name}")
        return 0.0
    for i, item in enumerate(energies.items(path)):
        if isinstance(item, dict) and item.get("name") == action:
            return energies.number((*path, i, "energy"), item.get("energy"))
    if action != "leak":
        energies.note(path, f"no energy of {action} of {part.name}", f"an action {action}")
    return 0.0
