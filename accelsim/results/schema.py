"""JSON Schema of an answer, made from the table of columns."""

from __future__ import annotations

from typing import Any, Final

from accelsim.tables.columns import CELL, Column, cell_columns, of_command

_TYPES: Final = {"str": "string", "int": "integer", "float": "number", "list": "array", "dict": "object"}


def answer_schema(command: str) -> dict[str, Any]:
    """JSON Schema (2020-12) of `accelsim <command> --json`; every value may be null where it is unknown."""
    rows = {c.name: _property(c) for c in of_command(command) if command != "split" or c not in CELL}
    total = {c.name: _property(c) for c in of_command(command) if c.total != "none"}
    more = _grid() if command == "split" else {}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"accelsim.{command}/1",
        "type": "object",
        "required": ["schema", "tool", "inputs", "units", "totals", "layers", *more, "run"],
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
            **more,
            "notes": {"type": "array", "items": {"type": "string"}},
            "run": {"type": "object", "description": "All that may differ between equal runs."},
        },
    }


def _grid() -> dict[str, Any]:
    """The cells of a split, and the best of them."""
    cell = {"type": "object", "properties": {c.name: _property(c) for c in cell_columns()}}
    return {"grid": {"type": "array", "items": cell}, "best": cell}


def _property(column: Column) -> dict[str, Any]:
    said = [column.description]
    if column.formula:
        said.append(f"Formula: {column.formula}.")
    if column.unit:
        said.append(f"Unit: {column.unit}.")
    return {"type": [_TYPES[column.dtype], "null"], "description": " ".join(said)}
