"""Timeloop's flattened architecture with its tables of energies (ERT) and areas (ART)."""

from __future__ import annotations

import re
from difflib import get_close_matches
from math import sqrt
from typing import Any, Final

from accelsim.base.errors import did_you_mean
from accelsim.base.yaml_lines import Key
from accelsim.compat.timeloop.lines import Notes
from accelsim.compat.timeloop.model import Architecture, Level, Network

COUNTED: Final = {
    "depth", "memory_depth", "entries", "sizeKB", "width", "memory_width", "datawidth", "word_bits",
    "word_width", "block_size", "n_words", "cluster_size", "bandwidth", "read_bandwidth", "write_bandwidth",
    "shared_bandwidth", "per_dataspace_bandwidth_consumption_scale", "multiple_buffering", "meshX", "meshY",
    "reduction_supported", "network_fill_latency", "network_drain_latency", "network_word_bits",
    "wire_energy", "router_energy", "energy_per_hop", "ingress_energy", "tile_width",
}  # fmt: skip
NEUTRAL: Final[dict[str, Any]] = {
    "has_power_gating": False, "network_type": "1:N", "addr_gen_energy": 0, "network_read": None,
    "network_fill": None, "network_drain": None, "network_update": None, "metadata_datawidth": None,
    "compression_supported": None, "decompression_supported": None,
}  # fmt: skip
"""What is read at this value alone: others change counts by rules that are not reproduced."""
IGNORED: Final = {
    "version", "type", "technology", "global_cycle_seconds", "n_banks", "num_banks", "nports", "num_ports",
    "n_ports", "n_rdwr_ports", "n_rd_ports", "n_wr_ports", "n_rw_ports", "read_energy", "write_energy",
    "update_energy", "leak_energy", "energy", "area", "width_a", "width_b", "update_fifo_depth",
    "power_gated_at", "multiplier_width", "adder_width", "min_utilization",
    "allow_overbooking", "latency", "action_latency_cycles", "exponent", "mantissa", "n_pipeline_stages",
}  # fmt: skip
"""They change no count: arguments of energy models; least utilisation and overbooking narrow a search."""
ACTIONS: Final = {
    "read": ("random_read", "read"),
    "write": ("random_fill", "write", "fill"),
    "update": ("random_update", "update", "write"),
    "leak": ("leak",),
    "compute": ("random_compute", "compute", "mac_random", "mac"),
}
"""What Timeloop counts, and the names in a table of energies that it looks for, in turn."""
_NAME: Final = re.compile(r"(\w+)(?:\[(\d+)\.\.(\d+)\])?")
_STORAGE: Final = re.compile(r"DRAM|SRAM|regfile|smartbuffer|storage")
_ARITHMETIC: Final = re.compile(r"mac|compute", re.IGNORECASE)
_NETWORK: Final = re.compile(r"NoC|Legacy|ReductionTree|SimpleMulticast|Mesh")
"""What Timeloop takes for a level, a multiplier and a network, by parts of a class's name; it passes over the
rest.
"""


class _Found:
    """A component as it stands in the file, with the path to its attributes."""

    def __init__(self, name: str, count: int, kind: str, path: Key) -> None:
        self.name, self.count, self.kind, self.path = name, count, kind, path


def read_architecture(
    notes: Notes, energies: Notes, areas: Notes | None = None, tensors: tuple[str, ...] = ()
) -> Architecture:
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
    table, area = _tables(energies, "ERT"), _areas(areas)
    levels: list[Level] = []
    subtree = area.get(mac.name, 0.0)
    wire = _wire(energies, table)
    inner = mac
    for store in reversed(stores):
        if inner.count % store.count:
            notes.note(inner.path, f"{inner.count} of them under {store.count}", "a multiple")
        pj = _energies(energies, table, store)
        levels.append(_level(notes, store, pj, area.get(store.name), subtree, wire, tensors))
        subtree = area.get(store.name, 0.0) + subtree * (inner.count // store.count)
        inner = store
    attributes = _attributes(notes, mac)
    mesh_x = notes.whole((*mac.path, "attributes", "meshX"), attributes.get("meshX", mac.count))
    compute = _energy(energies, table, mac, "compute")
    notes.stop()
    energies.stop()
    return Architecture(tuple(levels), mac.count, mesh_x, compute, mac.name, area.get(mac.name))


def _walk(notes: Notes, path: Key, times: int, found: list[_Found]) -> None:
    """Components in the order of the file; those inside `name[0..N-1]` of a subtree stand N times."""
    for i in range(len(notes.items((*path, "subtree")))):
        here = (*path, "subtree", i)
        if i:
            notes.note(here, "a second subtree", "one subtree a level, as Timeloop itself reads")
        table = notes.table(here, {"name", "attributes", "local", "subtree"}, ("name",))
        _, count = _named(notes, here, table.get("name"))
        for j, item in enumerate(notes.items((*here, "local"), optional=True)):
            at = (*here, "local", j)
            known = {"name", "class", "subclass", "attributes", "required_actions", "enabled", "area_scale",
                     "energy_scale"}  # fmt: skip
            part = notes.table(at, known, ("name", "class"))
            if isinstance(item, dict) and part.get("enabled", True) is not True:
                notes.note((*at, "enabled"), "a component that is off", "no such component")
            name, n = _named(notes, at, part.get("name"))
            kind = str(part.get("class"))
            if _STORAGE.search(kind) or _ARITHMETIC.search(kind):
                found.append(_Found(name, n * count * times, kind, at))
            elif _NETWORK.search(kind):
                notes.note(at, f"{name} is a network of class {kind}", "networks inside their levels")
            else:
                notes.passed_over.append(name)
        if "subtree" in table:
            _walk(notes, here, times * count, found)


def _named(notes: Notes, path: Key, text: Any) -> tuple[str, int]:
    match = _NAME.fullmatch(str(text))
    if match is None:
        notes.note((*path, "name"), f"{text!r} is no name", "a name, or name[1..N]")
        return str(text), 1
    name, first, last = match.groups()
    return name, 1 if first is None else max(1, int(last) - int(first) + 1)


def _attributes(notes: Notes, part: _Found) -> dict[str, Any]:
    """A component's attributes; what is nearly one that counts is refused, others are its energy model's."""
    path = (*part.path, "attributes")
    if notes.at(path) is None:
        return {}
    attributes = notes.table(path, None)
    known = COUNTED | IGNORED | NEUTRAL.keys()
    for key in notes.at(path) or {}:
        plain = key.replace("-", "_")
        if plain not in known:
            if get_close_matches(plain.lower(), [name.lower() for name in known], cutoff=0.8):
                hint = did_you_mean(plain, known)
                notes.note((*path, key), "unknown key", "a key that is read", hint, key=True)
            notes.passed_over.append(f"{part.name}.{plain}")
    for key, neutral in NEUTRAL.items():
        if attributes.get(key, neutral) not in (neutral, None):
            notes.note((*path, key), f"{attributes[key]!r}", f"{neutral!r}: nothing else is counted")
    return attributes


def _level(
    notes: Notes, store: _Found, pj: dict[str, float], area: float | None, subtree: float,
    wire: float, tensors: tuple[str, ...],
) -> Level:  # fmt: skip
    path = (*store.path, "attributes")
    attributes = _attributes(notes, store)

    def whole(keys: tuple[str, ...], default: int, least: int = 1) -> int:
        key = next((key for key in keys if attributes.get(key) is not None), None)
        return default if key is None else notes.whole((*path, key), attributes[key], least)

    def number(key: str) -> float | None:
        value = attributes.get(key)
        return None if value is None else notes.number((*path, key), value)

    word = whole(("word_bits", "word_width", "datawidth"), 16)
    width = whole(("width", "memory_width"), word)
    cluster = whole(("cluster_size",), 0) or (
        max(1, width // (word * whole(("block_size", "n_words"), 1))) if "block_size" in attributes else 1
    )
    block = whole(("block_size", "n_words"), 0) or max(1, width // (word * cluster))
    if store.count % cluster:
        notes.note((*path, "cluster_size"), f"{cluster} of {store.count} instances", "whole clusters")
    mesh_x = whole(("meshX",), store.count if attributes.get("meshY") is None else 0)
    mesh_x = mesh_x or store.count // whole(("meshY",), 1)
    if store.count % mesh_x or whole(("meshY",), store.count // mesh_x) != store.count // mesh_x:
        notes.note(
            path, f"{store.count} instances on a mesh of {mesh_x} columns", "meshX x meshY = instances"
        )
    half = None if number("bandwidth") is None else (number("bandwidth") or 0.0) / 2
    reduces = attributes.get("reduction_supported")
    return Level(
        store.name,
        store.count,
        mesh_x,
        _size(attributes, whole, number, word, block),
        block,
        number("read_bandwidth") if "read_bandwidth" in attributes else half,
        number("write_bandwidth") if "write_bandwidth" in attributes else half,
        number("shared_bandwidth"),
        **{f"{action}_pj": value for action, value in pj.items()},
        is_dummy=store.kind == "dummy_storage",
        cluster_size=cluster,
        can_reduce="DRAM" not in store.kind if reduces is None else bool(reduces),
        network=_network(notes, path, attributes, word, subtree, wire),
        bandwidth_scale=_scales(notes, path, attributes, tensors),
        area_um2=area,
    )


def _size(attributes: dict[str, Any], whole: Any, number: Any, word: int, block: int) -> int | None:
    """Words of one instance, shared by the buffers of a multiple one; None: unlimited."""
    if attributes.get("entries") is not None:
        size = whole(("entries",), 1)
    elif attributes.get("depth") is not None or attributes.get("memory_depth") is not None:
        size = whole(("depth", "memory_depth"), 1) * block
    elif attributes.get("sizeKB") is not None:
        size = whole(("sizeKB",), 1) * 1024 * 8 // word
    else:
        return None
    return int(size // max(1.0, number("multiple_buffering") or 1.0))


def _network(
    notes: Notes, path: Key, attributes: dict[str, Any], word: int, subtree: float, wire: float
) -> Network:
    """Inside a level: E_hop = bits x mm of a child's side x pJ per bit and mm, unless it is given."""

    def number(key: str, default: float = 0.0) -> float:
        value = attributes.get(key)
        return default if value is None else notes.number((*path, key), value)

    bits = number("network_word_bits", word)
    side_um = number("tile_width", sqrt(subtree))
    if number("wire_energy", wire) and not side_um:
        notes.note((*path, "wire_energy"), "no length of a wire", "tile_width, or areas (ART)")
    latency = [
        0 if attributes.get(key) is None else notes.whole((*path, key), attributes[key], 0)
        for key in ("network_fill_latency", "network_drain_latency")
    ]
    return Network(
        number("energy_per_hop", bits * side_um / 1000 * number("wire_energy", wire)),
        number("router_energy"),
        number("ingress_energy"),
        *latency,
    )


def _wire(energies: Notes, table: dict[str, Key]) -> float:
    """pJ per bit and mm of all networks, where the table of energies has a wire."""
    path = table.get("wire", table.get("Wire"))
    if path is None:
        return 0.0
    for i, item in enumerate(energies.items((*path, "actions"))):
        if isinstance(item, dict) and item.get("name") == "transfer_random":
            return energies.number((*path, "actions", i, "energy"), item.get("energy"))
    return 0.0


def _scales(
    notes: Notes, path: Key, attributes: dict[str, Any], tensors: tuple[str, ...]
) -> tuple[float, ...]:
    key = "per_dataspace_bandwidth_consumption_scale"
    if not attributes.get(key):
        return ()
    table = notes.at((*path, key))
    for name in table:
        notes.one_of((*path, key), name, tensors, "data space")
    return tuple(notes.number((*path, key, name), table.get(name, 1)) for name in tensors)


def _tables(notes: Notes, section: str) -> dict[str, Key]:
    """Name of a component to the path of its table."""
    found: dict[str, Key] = {}
    for i, item in enumerate(notes.items((section, "tables"))):
        name = str(item.get("name", "")) if isinstance(item, dict) else ""
        found[re.sub(r"\[.*?\]$", "", name).split(".")[-1]] = (section, "tables", i)
    return found


def _areas(areas: Notes | None) -> dict[str, float]:
    """um2 of one instance by component."""
    if areas is None:
        return {}
    found = {
        name: areas.number((*path, "area"), areas.at((*path, "area")) or 0)
        for name, path in _tables(areas, "ART").items()
    }
    areas.stop()
    return found


def _energies(energies: Notes, table: dict[str, Key], store: _Found) -> dict[str, float]:
    if store.kind == "dummy_storage":
        return {}
    return {action: _energy(energies, table, store, action) for action in ("read", "write", "update", "leak")}


def _energy(energies: Notes, table: dict[str, Key], part: _Found, action: str) -> float:
    """pJ of one action; leakage may be missing, the others not."""
    path = table.get(part.name)
    if path is None:
        energies.note(("ERT", "tables"), f"no energies of {part.name}", f"a table named ...{part.name}")
        return 0.0
    items = energies.items((*path, "actions"))
    for name in ACTIONS[action]:
        for i, item in enumerate(items):
            if isinstance(item, dict) and item.get("name") == name:
                return energies.number((*path, "actions", i, "energy"), item.get("energy"))
    if action != "leak":
        energies.note(
            (*path, "actions"), f"no energy of {action} of {part.name}", f"an action {ACTIONS[action][-1]}"
        )
    return 0.0
