"""Mappings as YAML: a loop nest a layer, or the parameters of row-stationary; read with places, written back.

schema: accelsim.mapping/1
layers:
  conv1:
    - {level: dram, keep: [I, W, O], time: [P 8, C 3]}
    - {level: glb, keep: [I, O], time: [Q 55], rows: [R 11], cols: [P 7]}
  conv2:
    row_stationary: {m: 64, n: 1, e: 27, p: 16, q: 2, r: 1, t: 1}
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping as Dict
from dataclasses import dataclass, replace
from math import prod
from pathlib import Path
from typing import Any

from accelsim.base.errors import InputError, Problem, did_you_mean
from accelsim.base.yaml_lines import Document, Key, load_yaml, load_yaml_file
from accelsim.mapping.dataflows.row_stationary import PARAMETERS
from accelsim.mapping.mapping import LevelLoops, Loop, Mapping
from accelsim.tables.dims import DIMS, OPERANDS

SCHEMA = "accelsim.mapping/1"
MAX_TRIPS = 2**31
MAX_PARAMETER = 2**20
"""Beyond these, products of counts would overflow 64 bits; no layer needs as many."""
_LEVEL_KEYS = ("level", "keep", "time", "rows", "cols", "array")


@dataclass(frozen=True)
class RowStationaryParameters:
    """n images and m filters a buffer pass, e rows a set, p x q in a PE, r x t sets."""

    values: Dict[str, int]


GivenMapping = Mapping | RowStationaryParameters


@dataclass(frozen=True)
class MappingFile:
    """The mappings of a file, by the name of the layer; `where` is each layer's place for messages."""

    file: str
    layers: Dict[str, GivenMapping]
    where: Dict[str, Problem]
    sha256: str = ""

    @property
    def provenance(self) -> dict[str, str]:
        return {"file": self.file, "sha256": self.sha256}


def load_mappings(path: Path) -> MappingFile:
    """Read a mapping file; InputError with file, line and key for everything that is wrong in it."""
    found = _Reader(load_yaml_file(path)).mappings()
    return replace(found, sha256=hashlib.sha256(path.read_bytes()).hexdigest())


def parse_mappings(text: str, file: str = "<text>") -> MappingFile:
    return _Reader(load_yaml(text, file)).mappings()


def dump_mappings(layers: Dict[str, Mapping]) -> str:
    """The file's text for mappings by layer; reading it gives the same mappings."""
    lines = [f"schema: {SCHEMA}", "layers:"]
    for name, mapping in layers.items():
        lines.append(f"  {_quoted(name)}:")
        for level in mapping.levels:
            parts = [f"level: {level.level}", f"keep: [{', '.join(level.keeps)}]"]
            for key in ("time", "rows", "cols", "array"):
                axis = "" if key == "time" else key
                loops = [f"{loop.dim} {loop.trips}" for loop in level.loops if loop.axis == axis]
                if loops:
                    parts.append(f"{key}: [{', '.join(loops)}]")
            lines.append(f"    - {{{', '.join(parts)}}}")
    return "\n".join(lines) + "\n"


def _quoted(name: str) -> str:
    """A YAML string in double quotes; what can't be printed is escaped."""

    def escaped(c: str) -> str:
        if c in '"\\':
            return f"\\{c}"
        return c if c.isprintable() else f"\\U{ord(c):08x}"

    return f'"{"".join(map(escaped, name))}"'


class _Reader:
    def __init__(self, document: Document) -> None:
        self.document = document
        self.problems: list[Problem] = []

    def mappings(self) -> MappingFile:
        data = self.document.data
        layers: dict[str, GivenMapping] = {}
        where: dict[str, Problem] = {}
        if not isinstance(data, dict) or data.get("schema") != SCHEMA:
            self._wrong((), "this is no mapping file", f"schema: {SCHEMA}")
        elif not isinstance(data.get("layers"), dict) or not data["layers"]:
            self._wrong(("layers",), "no layers", "layers: {name: [levels]}")
        else:
            for key in data:
                if key not in ("schema", "layers"):
                    self._wrong((key,), f"unknown key {key!r}", "schema, layers")
            for name, body in data["layers"].items():
                mark = self.document.at(("layers", name), key=True)
                where[str(name)] = Problem("", mark.file, mark.line, mark.column, str(name))
                found = self._layer(("layers", name), body)
                if found is not None:
                    layers[str(name)] = found
        if self.problems:
            raise InputError(self.problems)
        return MappingFile(self.document.file, layers, where)

    def _layer(self, path: Key, body: Any) -> GivenMapping | None:
        if isinstance(body, dict) and set(body) == {"row_stationary"}:
            return self._parameters((*path, "row_stationary"), body["row_stationary"])
        if not isinstance(body, list) or not body:
            self._wrong(path, "a layer's mapping is missing", "a list of levels, or row_stationary: {...}")
            return None
        found = [self._level((*path, i), level) for i, level in enumerate(body)]
        levels = tuple(level for level in found if level is not None)
        for dim in DIMS:
            trips = prod(loop.trips for level in levels for loop in level.loops if loop.dim == dim)
            if trips > MAX_TRIPS:
                self._wrong(
                    path,
                    f"the loops of {dim} make {trips} trips: a 64-bit count overflows",
                    f"at most {MAX_TRIPS:,}",
                )
        return Mapping(levels)

    def _parameters(self, path: Key, body: Any) -> RowStationaryParameters | None:
        if not isinstance(body, dict):
            self._wrong(path, "row_stationary has no parameters", f"{{{', '.join(PARAMETERS)}}}")
            return None
        for key, value in body.items():
            if key not in PARAMETERS:
                self._wrong((*path, key), f"unknown parameter {key!r}", ", ".join(PARAMETERS))
            elif not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= MAX_PARAMETER:
                self._wrong(
                    (*path, key), f"{value!r} is no count", f"a whole number from 1 to {MAX_PARAMETER:,}"
                )
        missing = [name for name in PARAMETERS if name not in body]
        if missing:
            self._wrong(path, f"{', '.join(missing)} missing", f"all of {', '.join(PARAMETERS)}")
        return RowStationaryParameters(dict(body))

    def _level(self, path: Key, body: Any) -> LevelLoops | None:
        if not isinstance(body, dict) or not isinstance(body.get("level"), str):
            self._wrong(path, "a level needs its name", "{level: NAME, keep: [...], time: [...]}")
            return None
        for key in body:
            if key not in _LEVEL_KEYS:
                self._wrong(
                    (*path, key),
                    f"unknown key {key!r}",
                    ", ".join(_LEVEL_KEYS),
                    did_you_mean(str(key), _LEVEL_KEYS),
                )
        keeps = body.get("keep", [])
        if not isinstance(keeps, list) or any(name not in OPERANDS for name in keeps):
            self._wrong((*path, "keep"), f"{keeps!r} names no operands", "a list of I, W, O")
            keeps = []
        loops: list[Loop] = []
        for key, axis in (("time", ""), ("rows", "rows"), ("cols", "cols"), ("array", "array")):
            entries = body.get(key, [])
            if not isinstance(entries, list):
                self._wrong((*path, key), f"{entries!r} is no list", "[K 4, P 7], outer to inner")
                continue
            loops += [
                loop for i, entry in enumerate(entries) if (loop := self._loop((*path, key, i), entry, axis))
            ]
        return LevelLoops(body["level"], tuple(keeps), tuple(loops))

    def _loop(self, path: Key, entry: Any, axis: str) -> Loop | None:
        dim, _, trips = str(entry).partition(" ")
        if dim not in DIMS or not trips.strip().isdecimal() or int(trips) < 1:
            self._wrong(
                path, f"{entry!r} is no loop", f"a dimension ({' '.join(DIMS)}) and its trips, as K 4"
            )
            return None
        return Loop(dim, int(trips), axis)

    def _wrong(self, path: Key, message: str, expected: str, hint: str | None = None) -> None:
        mark = self.document.at(path, key=bool(path) and isinstance(path[-1], str))
        key = ".".join(str(part) for part in path) or None
        self.problems.append(Problem(message, mark.file, mark.line, mark.column, key, expected, hint))
