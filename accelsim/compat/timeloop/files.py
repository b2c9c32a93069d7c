"""Which files make one Timeloop input, and what they say together."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from accelsim.base.errors import InputError, Problem, did_you_mean
from accelsim.base.yaml_lines import Document, load_yaml_file
from accelsim.compat.timeloop.nodes import load_with_nodes

SECTIONS: Final = {
    "architecture", "architecture_constraints", "mapspace_constraints", "problem", "mapping", "ERT", "ART",
    "dumped_by_timeloop_front_end", "compound_components", "components", "mapper", "mapspace", "globals",
    "variables",
}  # fmt: skip
INPUT_NAMES: Final = ("input.yaml", "parsed-processed-input.yaml")
BESIDE: Final = {
    "mapping": ("mapping.yaml", "map.yaml", "timeloop-model.map.yaml", "timeloop-mapper.map.yaml"),
    "ERT": ("ERT.yaml", "timeloop-model.ERT.yaml", "timeloop-mapper.ERT.yaml"),
    "ART": ("ART.yaml", "timeloop-model.ART.yaml", "timeloop-mapper.ART.yaml"),
}
"""Files beside an input file, by the section that they hold."""


def gather(paths: Sequence[Path], given: dict[str, Path | None]) -> Document:
    """One document of all files; each section stands in one of them.

    A folder holds input.yaml and perhaps a mapping that takes the place of its own, or one file a section.
    The tables of a file stand beside it. `given`: section to the file that replaces it.
    """
    if len(paths) == 1 and paths[0].is_dir():
        folder = paths[0]
        inputs = [folder / name for name in INPUT_NAMES if (folder / name).is_file()][:1]
        if inputs:
            mapping = _beside(folder, "mapping")
            given = {"mapping": mapping, **{key: path for key, path in given.items() if path is not None}}
        else:
            inputs = _one_a_section(folder)
    else:
        inputs = list(paths)
        for path in inputs:
            if path.is_dir():
                raise InputError(
                    Problem("a folder among files", file=str(path), expected="one folder, or files")
                )
    documents = [load_with_nodes(path) for path in inputs]
    for section, other in given.items():
        if other is not None:
            documents = [_without(document, section) for document in documents]
            documents.append(_only(load_yaml_file(other), section))
    for section in ("ERT", "ART"):
        near = _beside(inputs[0].parent, section)
        if near is not None and not any(section in (one.data or {}) for one in documents):
            documents.append(_only(load_yaml_file(near), section))
    return _joined(documents)


def _beside(folder: Path, section: str) -> Path | None:
    return next((folder / name for name in BESIDE[section] if (folder / name).is_file()), None)


def _one_a_section(folder: Path) -> list[Path]:
    """Files of a folder that hold a section, those of tables aside."""
    aside = {name for names in BESIDE.values() for name in names} - {*BESIDE["mapping"]}
    found = [
        path
        for path in sorted(folder.glob("*.yaml"))
        if path.name not in aside and SECTIONS & set(_keys(_read_or_none(path)))
    ]
    if not found:
        raise InputError(
            Problem("no input", file=str(folder), expected=f"{INPUT_NAMES[0]}, or one file a section")
        )
    return found


def _read_or_none(path: Path) -> Document | None:
    """A file that is no YAML of ours may stand in the folder too."""
    try:
        return load_with_nodes(path)
    except InputError:
        return None


def _keys(document: Document | None) -> list[str]:
    return list(document.data) if document is not None and isinstance(document.data, dict) else []


def _only(document: Document, section: str) -> Document:
    """The one section of a file."""
    if section not in _keys(document):
        raise InputError(
            Problem(
                f"no section {section}",
                file=document.file,
                expected=section,
                hint=did_you_mean(section, _keys(document)),
            )
        )
    return Document({section: document.data[section]}, document.file, document.values, document.keys)


def _without(document: Document, section: str) -> Document:
    if section not in _keys(document):
        return document
    data = {key: value for key, value in document.data.items() if key != section}
    return Document(data, document.file, document.values, document.keys)


def _joined(documents: list[Document]) -> Document:
    """All sections with their marks; InputError where two files hold one section or one holds none."""
    first = documents[0]
    if len(documents) == 1:
        return first
    together = Document({}, first.file, {(): first.at(())}, {})
    for document in documents:
        if not isinstance(document.data, dict):
            raise InputError(Problem("is no table of sections", file=document.file, expected="sections"))
        for key, value in document.data.items():
            if key in together.data and value != together.data[key]:
                mark, other = document.at((key,), key=True), together.at((key,), key=True)
                raise InputError(
                    Problem(
                        f"a second section {key}",
                        mark.file,
                        mark.line,
                        key=str(key),
                        expected=f"it stands in {other.file} already",
                    )
                )
            if key in together.data:
                continue
            together.data[key] = value
            for marks, into in ((document.values, together.values), (document.keys, together.keys)):
                into.update({path: mark for path, mark in marks.items() if path and path[0] == key})
    return together
