"""Addresses of settings: every key that an architecture can have, with memories addressed by their name.

A path may be shortened from the left while it stays unique: `array.rows`, `glb.size`, `dram.energy.read`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, Final, get_args

from pydantic import BaseModel

from accelsim.base.errors import InputError, Problem, did_you_mean
from accelsim.base.yaml_lines import Document, Key, Mark
from accelsim.hardware.model import ArchFile, Memory
from accelsim.hardware.parts import Sourced

_NOT_SETTABLE: Final = {"schema", "extends", "per_dataflow", "notes"}
ON_COMMAND_LINE: Final = "--set on the command line"


@dataclass(frozen=True, slots=True)
class Address:
    """One key: its name to the user, its place in the data, and the class of its value where it has one."""

    name: tuple[str, ...]
    path: Key
    model: type[BaseModel] | None
    parent: type[BaseModel]


def submodel(annotation: Any) -> type[BaseModel] | None:
    """The model inside an annotation such as `Hop | None` or `tuple[Memory, ...]`."""
    return _first_model(annotation)


@cache
def _first_model(annotation: Any) -> type[BaseModel] | None:
    return next(iter(submodels(annotation)), None)


def submodels(annotation: Any) -> list[type[BaseModel]]:
    """All models inside an annotation: more than one where a constant can be given in two ways."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [found for part in get_args(annotation) for found in submodels(part)]


def sourced_keys(model: type[BaseModel] = ArchFile) -> set[str]:
    """Keys whose mapping is one constant with its source."""
    found: set[str] = set()
    for field_name, info in model.model_fields.items():
        below = submodel(info.annotation)
        if below is not None:
            found |= {info.alias or field_name} if issubclass(below, Sourced) else sourced_keys(below)
    return found


def addresses(
    data: Any, model: type[BaseModel] = ArchFile, name: tuple[str, ...] = (), path: Key = ()
) -> Iterator[Address]:
    """Every key that `data` has or could have, outermost first."""
    for field_name, info in model.model_fields.items():
        key = info.alias or field_name
        if not path and key in _NOT_SETTABLE:
            continue
        below = submodel(info.annotation)
        value = data.get(key) if isinstance(data, dict) else None
        yield Address((*name, key), (*path, key), below, model)
        if below is Memory:
            for index, memory in enumerate(value if isinstance(value, list) else ()):
                if isinstance(memory, dict) and isinstance(memory.get("name"), str):
                    here = (*name, key, memory["name"])
                    yield Address(here, (*path, key, index), below, model)
                    yield from addresses(memory, Memory, here, (*path, key, index))
        elif below is not None:
            yield from addresses(value, below, (*name, key), (*path, key))


def resolve(text: str, known: list[Address], mark: Mark) -> Address:
    """The one address that a shortened path means; InputError where there is none or more than one."""
    wanted = tuple(part.strip() for part in text.split("."))
    found = [address for address in known if address.name[-len(wanted) :] == wanted]
    exact = [address for address in found if address.name == wanted]
    if exact or len(found) == 1:
        return (exact or found)[0]
    place = {"file": mark.file, "line": mark.line, "column": mark.column, "key": text}
    if not found:
        endings = {".".join(address.name[start:]) for address in known for start in range(len(address.name))}
        raise InputError(Problem("no such setting", **place, hint=did_you_mean(text, sorted(endings))))  # type: ignore[arg-type]
    several = ", ".join(_shortest(address, known) for address in found[:12])
    more = f" and {len(found) - 12} more" if len(found) > 12 else ""
    raise InputError(
        Problem(f"could be any of {len(found)} settings", **place, expected=f"one of {several}{more}")  # type: ignore[arg-type]
    )


def _shortest(address: Address, known: list[Address]) -> str:
    """The shortest ending of an address that means nothing else."""
    for n_parts in range(1, len(address.name)):
        ending = address.name[-n_parts:]
        if sum(other.name[-n_parts:] == ending for other in known) == 1:
            return ".".join(ending)
    return ".".join(address.name)


def assign(document: Document, address: Address, value: Any, mark: Mark, source: str | None) -> None:
    """Put a value at an address; a bare number of a sourced constant gets `source` as its source."""
    *above, key = address.path
    target: Any = document.data
    here: Key = ()
    for part in above:
        here = (*here, part)
        if isinstance(target, dict) and not isinstance(target.get(part), dict | list):
            old = target.get(part)
            target[part] = {"home": old} if part == "activations" and isinstance(old, str) else {}
            document.values.setdefault(here, mark)
        elif isinstance(target, list) and not isinstance(part, int):
            return  # a list where keys belong: validation says so
        target = target[part]
    if not isinstance(target, dict):
        return
    model = address.model
    sourced = isinstance(model, type) and issubclass(model, Sourced)
    if source and sourced and value is not None and not isinstance(value, dict):
        fields = ("value",) if "value" in model.model_fields else ("read", "write")  # type: ignore[union-attr]
        value = {**dict.fromkeys(fields, value), "source": source}
    elif source and "source" in address.parent.model_fields and key != "source":
        before = target.get("source")
        target["source"] = f"{key}: {source}; else {before}" if before and len(target) > 2 else source
        document.values[(*here, "source")] = mark
    for marks in (document.values, document.keys):
        for old_path in [path for path in marks if path[: len(address.path)] == address.path]:
            del marks[old_path]
    target[key] = value
    document.values[address.path] = document.keys[address.path] = mark
