"""An architecture file read and merged: `extends:` below it, settings (`per_dataflow:`, `--set`) above it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from accelsim.base.errors import InputError, Problem, did_you_mean
from accelsim.base.files import find_shipped, read_limited
from accelsim.base.yaml_lines import MAX_BYTES, Document, Key, Mark, load_yaml
from accelsim.hardware.paths import ON_COMMAND_LINE, Address, addresses, assign, resolve, sourced_keys

_WHOLE: Final = {*sourced_keys(), "activations"}
"""Keys whose mapping is one constant with its source: replaced, never merged."""

_MAX_EXTENDS: Final = 16


def read_merged(name_or_path: str) -> tuple[Document, str]:
    """The file's data with those it extends merged in, and the sha256 of all their bytes."""
    digest = hashlib.sha256()
    document = _read(find_shipped("arch_configs", name_or_path), (), digest)
    return document, digest.hexdigest()


def _read(path: Path, chain: tuple[Path, ...], digest: Any) -> Document:
    content = read_limited(path, MAX_BYTES, "an architecture in YAML")
    digest.update(content)
    parsed = load_yaml(content, str(path))
    if not isinstance(parsed.data, dict):
        raise InputError(
            Problem("holds no architecture", file=str(path), line=1, column=1, expected="keys and values")
        )
    document = Document(_copied(parsed.data), parsed.file, parsed.values, parsed.keys)
    base_name = document.data.pop("extends", None)
    if base_name is None:
        return document
    mark = parsed.at(("extends",))
    chain = (*chain, path.resolve())
    try:
        if not isinstance(base_name, str):
            raise InputError(f"{base_name!r} is no name of a file")
        beside = path.parent / base_name
        base_path = beside if beside.is_file() else find_shipped("arch_configs", base_name)
    except InputError as error:
        problem = error.problems[0]
        message = f"{base_name!r}: {problem.message}"
        raise InputError(_placed(message, mark, "extends", problem.expected, problem.hint)) from None
    if base_path.resolve() in chain or len(chain) > _MAX_EXTENDS:
        names = " -> ".join(link.name for link in (*chain, base_path))
        raise InputError(_placed(f"extends itself: {names}", mark, "extends"))
    base = _read(base_path, chain, digest)
    _merge(base, document, (), ())
    return Document(base.data, document.file, base.values, base.keys)


def _copied(data: Any) -> Any:
    """A copy in which no two places share a list or mapping, as aliases do."""
    if isinstance(data, dict):
        return {key: _copied(value) for key, value in data.items()}
    return [_copied(value) for value in data] if isinstance(data, list) else data


def _at(data: Any, path: Key) -> Any:
    for part in path:
        data = data[part]
    return data


def _merge(base: Document, over: Document, to: Key, source: Key) -> None:
    """Mappings merge key by key, sourced constants and lists are replaced; `memories:` given as a mapping
    changes the memories of these names, as a list replaces them all."""
    target, news = _at(base.data, to), _at(over.data, source)
    base.values[to] = over.at(source)
    for key, value in news.items():
        here, there = (*source, key), (*to, key)
        old = target.get(key)
        if key == "memories" and isinstance(value, dict) and isinstance(old, list):
            names = [item.get("name") if isinstance(item, dict) else None for item in old]
            for name, change in value.items():
                mark = over.at((*here, name), key=True)
                if name not in names or not isinstance(change, dict):
                    known = [word for word in names if isinstance(word, str)]
                    hint = did_you_mean(name, known)
                    raise InputError(_placed(f"no memory {name!r} to change", mark, "memories", hint=hint))
                _merge(base, over, (*there, names.index(name)), (*here, name))
        elif isinstance(value, dict) and isinstance(old, dict) and key not in _WHOLE:
            _merge(base, over, there, here)
        else:
            target[key] = value
            _copy_marks(base, over, there, here)


def _copy_marks(base: Document, over: Document, to: Key, source: Key) -> None:
    for into, marks in ((base.values, over.values), (base.keys, over.keys)):
        for path in [path for path in into if path[: len(to)] == to]:
            del into[path]
        for path in [path for path in marks if path[: len(source)] == source]:
            into[(*to, *path[len(source) :])] = marks[path]


def _placed(
    message: str, mark: Mark, key: str | None, expected: str | None = None, hint: str | None = None
) -> Problem:
    return Problem(message, mark.file, mark.line, mark.column, key, expected, hint)


def apply_settings(document: Document, sets: Sequence[str], dataflow: str | None) -> str | None:
    """Choose the dataflow, apply its `per_dataflow:` settings, then `--set`; all that is wrong at once."""
    problems: list[Problem] = []
    wanted: list[tuple[Address, Any, Mark]] = []
    known = list(addresses(document.data))
    for text in sets:
        try:
            wanted.append(_setting(text, known))
        except InputError as error:
            problems.extend(error.problems)
    chosen_at, chosen_key = Mark(f"--dataflow {dataflow}"), None
    others = []
    for address, value, mark in wanted:
        if address.name != ("core", "dataflow"):
            others.append((address, value, mark))
        elif isinstance(value, str):
            if dataflow is not None and dataflow != value:
                problems.append(_placed(f"contradicts the dataflow {dataflow!r} that is picked", mark, None))
            dataflow, chosen_at, chosen_key = value, mark, "core.dataflow"
        else:
            assign(document, address, value, mark, None)
    listed = _listed_dataflows(document)
    chosen = dataflow or (listed[0] if listed else None)
    if dataflow is not None and listed and dataflow not in (*listed, "any"):
        name = document.data.get("name", "this architecture")
        among = tuple(dict.fromkeys((*listed, "any")))
        message = f"{name} has no dataflow {dataflow!r}"
        expected, hint = f"one of {', '.join(among)}", did_you_mean(dataflow, among)
        problems.append(_placed(message, chosen_at, chosen_key, expected, hint))
    problems.extend(_apply_per_dataflow(document, known, chosen))
    if problems:
        raise InputError(problems)
    for address, value, mark in others:
        assign(document, address, value, mark, ON_COMMAND_LINE)
    return chosen


def _listed_dataflows(document: Document) -> list[str]:
    core = document.data.get("core")
    listed = core.get("dataflow") if isinstance(core, dict) else None
    return [word for word in listed if isinstance(word, str)] if isinstance(listed, list) else []


def _setting(text: str, known: list[Address]) -> tuple[Address, Any, Mark]:
    """`array.rows=8` as an address, a value and the mark that errors show."""
    mark = Mark(f"--set {text}")
    path, equals, value_text = text.partition("=")
    if not equals or not path.strip() or not value_text.strip():
        raise InputError(Problem("is no setting", file=mark.file, expected="key=value, as in array.rows=8"))
    try:
        value = load_yaml(value_text, str(mark.file)).data
    except InputError as error:
        raise InputError(Problem(error.problems[0].message, file=mark.file, key=path)) from None
    return resolve(path, known, mark), value, mark


def _apply_per_dataflow(document: Document, known: list[Address], chosen: str | None) -> list[Problem]:
    """Settings of the chosen dataflow; the paths of all others are looked up too, so that a slip shows."""
    problems: list[Problem] = []
    table = document.data.get("per_dataflow")
    for dataflow, settings in table.items() if isinstance(table, dict) else ():
        for text, value in settings.items() if isinstance(settings, dict) else ():
            place: Key = ("per_dataflow", dataflow, text)
            try:
                address = resolve(text, known, document.at(place, key=True))
            except InputError as error:
                problems.extend(error.problems)
                continue
            if dataflow == chosen:
                assign(document, address, value, document.at(place), None)
    return problems
