"""JSON Schema of an answer, made from the table of columns."""

from __future__ import annotations

from typing import Any, Final

from accelsim.tables.columns import Column, of_command

_TYPES: Final = {"str": "string", "int": "integer", "float": "number", "list": "array", "dict": "object"}


def answer_schema(command: str) -> dict[str, Any]:
    """JSON Schema (2020-12) of `accelsim <command> --json`; every value may be null where it is unknown."""
    rows = {column.name: _property(column) for column in of_command(command)}
    total = {c.name: _property(c) for c in of_command(command) if c.total != "none"}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"accelsim.{command}/1",
        "type": "object",
        "required": ["schema", "tool", "inputs", "units", "totals", "layers", "run"],
        "properties": {
            "schema": {"const": f"accelsim.{command}/1"},
            "tool": {"type": "object", "required": ["version"]},
            "inputs": {"type": "object", "required": ["model", "options"]},
            "units": {"type": "object", "additionalProperties": {"type": "string"}},
            "totals": {"type": "object", "properties": total},
            "layers": {
                "type": "array",
                "items": {"type": "object", "required": ["layer", "op", "status"], "properties": rows},
            },
            "notes": {"type": "array", "items": {"type": "string"}},
            "run": {"type": "object", "description": "All that may differ between equal runs."},
        },
    }


def _property(column: Column) -> dict[str, Any]:
    said = [column.description]
    if column.formula:
        said.append(f"Formula: {column.formula}.")
    if column.unit:
        said.append(f"Unit: {column.unit}.")
    return {"type": [_TYPES[column.dtype], "null"], "description": " ".join(said)}
