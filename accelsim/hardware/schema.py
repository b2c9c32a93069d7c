"""The JSON Schema of architecture files, for editors (`accelsim schema arch`)."""

from __future__ import annotations

import json
from typing import Any


def json_schema() -> dict[str, Any]:
    """JSON Schema (draft 2020-12) of accelsim.arch/1.

    A file with `extends:` may leave out what the other has, and may name the memories that it changes; only
    constants with a source stay whole.
    """
    from accelsim.hardware.model import ArchFile

    whole = ArchFile.model_json_schema(by_alias=True)
    definitions = whole.pop("$defs")
    activations = whole["properties"]["activations"]
    whole["properties"]["activations"] = {"anyOf": [{"type": "string"}, activations]}
    whole["title"] = "Arch"
    changes = json.loads(json.dumps({**definitions, "Arch": whole}).replace('"#/$defs/', '"#/$defs/Change'))
    for name, definition in changes.items():
        if not {"source", "from"} & set(definition.get("required", ())):
            definition["required"] = ["schema", "name"] if name == "Arch" else []
        memories = definition.get("properties", {}).get("memories")
        if memories is not None:
            named = {"type": "object", "additionalProperties": {"$ref": "#/$defs/ChangeMemory"}}
            definition["properties"]["memories"] = {"anyOf": [memories, named]}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "accelsim.arch/1",
        "type": "object",
        "if": {"required": ["extends"]},
        "then": {"$ref": "#/$defs/ChangeArch"},
        "else": {"$ref": "#/$defs/Arch"},
        "$defs": {
            **definitions,
            "Arch": whole,
            **{f"Change{name}": definition for name, definition in changes.items()},
        },
    }
