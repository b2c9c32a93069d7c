"""Timeloop v0.4's own form of an architecture, a list of tagged nodes, flattened as its front end does.

    nodes:
    - !Container {name, spatial: {meshX, meshY}, attributes, constraints}
    - !Component {name, class, subclass, spatial, attributes, constraints}

A container's attributes hold for all that stands after it, its spatial for that too. A fan-out of a container
becomes a level of its own that keeps nothing, `inter_<name>_spatial`, outside of what stands in it. Source:
timeloopfe (v4) of Accelergy-Project/timeloop-python. Jinja, expressions and parallel branches are refused.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Final

from accelsim.base.errors import InputError, Problem
from accelsim.base.files import read_limited
from accelsim.base.yaml_lines import MAX_BYTES, Document, Key, load_yaml

_TAG: Final = re.compile(r"^(\s*-\s+)!(\w+)", re.MULTILINE)
_KNOWN: Final = {
    "tag", "name", "class", "subclass", "attributes", "spatial", "constraints", "required_actions", "enabled",
    "area_scale", "energy_scale",
}  # fmt: skip
_DUMMY: Final = {"width": 1, "depth": 1, "datawidth": 1}


def load_with_nodes(path: Path) -> Document:
    """A YAML file of Timeloop's; `architecture.nodes` comes back as the subtree that it stands for."""
    text = read_limited(path, MAX_BYTES, "a YAML file").decode("utf-8-sig", errors="replace")
    if "{{" in text and re.search(r"\{\{.*?\}\}", text):
        line = text[: text.index("{{")].count("\n") + 1
        raise InputError(
            Problem("a template", str(path), line, expected="the file that Timeloop's front end writes",
                    hint="parsed-processed-input.yaml")
        )  # fmt: skip
    document = load_yaml(_TAG.sub(r"\1tag: \2", text), str(path))
    architecture = document.data.get("architecture") if isinstance(document.data, dict) else None
    if isinstance(architecture, dict) and "nodes" in architecture:
        _flatten(document, architecture)
    return document


def _flatten(document: Document, architecture: dict[str, Any]) -> None:
    """Replaces `nodes` by a subtree and its constraints; marks of the nodes go along."""
    found: list[dict[str, Any]] = []
    targets: list[dict[str, Any]] = []
    inherited: dict[str, Any] = {}
    mesh = (1, 1)
    paths: list[Key] = []
    for i, node in enumerate(architecture["nodes"] or []):
        here: Key = ("architecture", "nodes", i)
        if not isinstance(node, dict) or node.get("tag") not in ("Container", "Component"):
            tag = node.get("tag") if isinstance(node, dict) else node
            raise _at(document, here, f"a node {tag!r}", "!Container or !Component in one list")
        for key in node.keys() - _KNOWN:
            raise _at(document, (*here, key), f"unknown key {key}", "a key that is read")
        spatial = node.get("spatial") or {}
        fan = tuple(int(spatial.get(axis, 1)) for axis in ("meshX", "meshY"))
        outer, mesh = mesh, (mesh[0] * fan[0], mesh[1] * fan[1])
        name = str(node.get("name"))
        attributes = {**inherited, **(node.get("attributes") or {})}
        if fan != (1, 1):
            dummy = f"inter_{name}_spatial"
            found.append(_part(dummy, "dummy_storage", _DUMMY, outer))
            paths.append(here)
            targets += _targets(node, dummy, ("spatial",))
        if node["tag"] == "Container":
            inherited = attributes
            continue
        found.append(_part(name, str(node.get("subclass") or node.get("class")), attributes, mesh))
        if "class" in node and "storage" not in str(node["class"]):
            found[-1]["class"] = str(node["class"])
        paths.append(here)
        targets += _targets(node, name, ("temporal", "dataspace"))
    for j, here in enumerate(paths):
        for marks in (document.values, document.keys):
            for path, mark in list(marks.items()):
                if path[:3] == here:
                    marks["architecture", "subtree", 0, "local", j, *path[3:]] = mark
    del architecture["nodes"]
    architecture["subtree"] = [{"name": "system", "local": found}]
    if targets:
        document.data.setdefault("architecture_constraints", {}).setdefault("targets", []).extend(targets)


def _part(name: str, kind: str, attributes: dict[str, Any], mesh: tuple[int, int]) -> dict[str, Any]:
    return {
        "name": f"{name}[1..{mesh[0] * mesh[1]}]",
        "class": kind,
        "attributes": {**attributes, "meshX": mesh[0], "meshY": mesh[1]},
    }


def _targets(node: dict[str, Any], target: str, kinds: tuple[str, ...]) -> list[dict[str, Any]]:
    """A node's constraints as directives on its level."""
    constraints = node.get("constraints") or {}
    return [{"target": target, "type": kind, **constraints[kind]} for kind in kinds if constraints.get(kind)]


def _at(document: Document, path: Key, message: str, expected: str) -> InputError:
    mark = document.at(path)
    return InputError(Problem(message, mark.file, mark.line, mark.column, expected=expected))
