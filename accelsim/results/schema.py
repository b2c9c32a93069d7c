"""JSON Schema of an answer, made from the table of columns."""

from __future__ import annotations

from typing import Any, Final

from accelsim.tables.column import Column
from accelsim.tables.columns import cell_columns, of_command, plan_columns
from accelsim.tables.columns_split import CELL, PLAN

_TYPES: Final = {"str": "string", "int": "integer", "float": "number", "list": "array", "dict": "object"}


def answer_schema(command: str) -> dict[str, Any]:
    """JSON Schema (2020-12) of `accelsim <command> --json`; every value may be null where it is unknown."""
    rows = {
        c.name: property_of(c) for c in of_command(command) if command != "split" or c not in (*CELL, *PLAN)
    }
    total = {c.name: property_of(c) for c in of_command(command) if c.total != "none"}
    if command == "validate":
        return _validation(rows)
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
            **(_plan() if command == "split" else {}),
            "notes": {"type": "array", "items": {"type": "string"}},
            "run": {"type": "object", "description": "All that may differ between equal runs."},
        },
    }


def _validation(rows: dict[str, Any]) -> dict[str, Any]:
    """The cases with what their checks come to, and every published value beside ours."""
    check = {
        "quantity": "string", "name": "string", "unit": "string", "rule": "string", "tolerance": "number",
        "value": "number", "n_rows": "integer", "n_equal": "integer", "mean_error_frac": "number",
        "median_error_frac": "number", "max_error_frac": "number", "score": "number", "passed": "boolean",
        "basis": "string", "reason": "string",
    }  # fmt: skip
    typed = {name: {"type": [kind, "null"]} for name, kind in check.items()}
    case = {
        "case": {"type": "string"},
        "source": {"type": "string"},
        "passed": {"type": ["boolean", "null"]},
        "checks": {"type": "array", "items": {"type": "object", "properties": typed}},
        "fitted": {"type": "array", "items": {"type": "object"}},
    }
    rows["theirs"]["type"] = rows["ours"]["type"] = ["number", "string", "null"]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "accelsim.validate/1",
        "type": "object",
        "required": ["schema", "tool", "inputs", "units", "totals", "comparisons", "cases", "run"],
        "properties": {
            "schema": {"const": "accelsim.validate/1"},
            "comparisons": {"type": "array", "items": {"type": "object", "properties": rows}},
            "cases": {"type": "array", "items": {"type": "object", "properties": case}},
        },
    }


def _grid() -> dict[str, Any]:
    """The cells of a split, and the best of them."""
    cell = {"type": "object", "properties": {c.name: property_of(c) for c in cell_columns()}}
    return {"grid": {"type": "array", "items": cell}, "best": cell}


def _plan() -> dict[str, Any]:
    """What `--strategy` adds."""
    row = {"type": "object", "properties": {c.name: property_of(c) for c in plan_columns()}}
    said = {
        "exhaustive": ("boolean", "Whether the best plan in closed form is proven to be the best there is."),
        "lower_bound": ("number", "No plan has less, in the unit of best.value."),
        "gap_frac": ("number", "How far best.value is above it."),
        "n_places": ("integer", "Combinations of cores and images in flight in the grid."),
        "n_places_planned": ("integer", "Of these, those that plans were sought for."),
    }
    return {
        "strategy": {"enum": ["uniform", "hybrid", "pipeline"]},
        "plan": {"type": "array", "items": row, "description": "The best cell's, layer by layer."},
        **{name: {"type": [kind, "null"], "description": text} for name, (kind, text) in said.items()},
    }


def property_of(column: Column) -> dict[str, Any]:
    said = [column.description]
    if column.formula:
        said.append(f"Formula: {column.formula}.")
    if column.unit:
        said.append(f"Unit: {column.unit}.")
    return {"type": [_TYPES[column.dtype], "null"], "description": " ".join(said)}
