"""The JSON Schemas of space files (`accelsim schema space`) and of answers (`accelsim schema sweep`)."""

from __future__ import annotations

from typing import Any, Final

from accelsim.explore.sweep.envelope import SCHEMA as ANSWER
from accelsim.explore.sweep.metrics import METRICS
from accelsim.explore.sweep.read import OBJECTIVES
from accelsim.explore.sweep.screen_key import SEARCHES
from accelsim.explore.sweep.space import COMPATS, METHODS, SAMPLES, SCHEMA
from accelsim.results.schema import property_of
from accelsim.tables.columns import of_command

_ONE: Final = {"type": ["string", "number", "boolean", "null"]}
_NAMES: Final = {
    "oneOf": [
        {"type": "string"},
        {"type": "array", "items": {"type": "string"}, "minItems": 1, "uniqueItems": True},
    ]
}


def json_schema() -> dict[str, Any]:
    """JSON Schema (draft 2020-12) of accelsim.space/1; what ranges and expressions say is not seen by it."""
    metrics = {"type": "array", "items": {"enum": list(METRICS)}, "uniqueItems": True, "maxItems": 4}
    values = {
        "description": "a value, a list, a range as 8..256 step x2, an expression as 4096 / array.rows, or "
        "choices that set several keys at once",
        "anyOf": [
            _ONE,
            {"type": "array", "minItems": 1, "uniqueItems": True},
            {"type": "object", "minProperties": 1},
        ],
    }
    properties: dict[str, Any] = {
        "schema": {"const": SCHEMA},
        "name": {"type": "string", "pattern": "^[a-z0-9_]+$"},
        "description": {"type": "string"},
        "arch": {"type": "string", "description": "the architecture that varies: a shipped name, or a file"},
        "networks": {"description": "shipped names or files", **_NAMES},
        "vary": {
            "type": "object",
            "minProperties": 1,
            "description": "keys of the architecture as --set takes them, or batch, network, dataflow, "
            "cores, mp, dp, threads",
            "additionalProperties": values,
        },
        "where": {"description": "what has to hold, of variables or of metrics", **_NAMES},
        "method": {"enum": list(METHODS), "default": METHODS[0]},
        "compat": {"enum": list(COMPATS), "description": "the simulator by whose rules points are counted"},
        "objective": {"enum": list(OBJECTIVES), "default": OBJECTIVES[0]},
        "answers": {
            "type": "object",
            "properties": {"minimise": metrics, "maximise": metrics},
            "additionalProperties": False,
        },
        "sample": {
            "type": "object",
            "properties": {
                "method": {"enum": list(SAMPLES)},
                "points": {"type": "integer", "minimum": 1},
                "seed": {"type": "integer", "minimum": 0, "default": 0},
            },
            "required": ["method", "points"],
            "additionalProperties": False,
        },
        "screen": {
            "type": "object",
            "description": "with method screen: which search refines, and where it may stop",
            "properties": {
                "method": {"enum": list(SEARCHES), "default": SEARCHES[0]},
                "refine": {
                    "type": "integer",
                    "minimum": 1,
                    "description": "points that are searched at most",
                },
                "gap": {
                    "anyOf": [
                        {"type": "number", "minimum": 0, "exclusiveMaximum": 1},
                        {"type": "string", "pattern": "^[0-9.]+ *%$"},
                    ],
                    "default": 0,
                    "description": "what could be better by less than this share is left",
                },
            },
            "additionalProperties": False,
        },
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": SCHEMA,
        "type": "object",
        "properties": properties,
        "required": ["schema", "name", "arch", "vary"],
        "additionalProperties": False,
    }


def answer_schema() -> dict[str, Any]:
    """JSON Schema (draft 2020-12) of `accelsim sweep --json` and of result.json.

    A point has a column for each variable of the space beside those named here.
    """
    point = {column.name: property_of(column) for column in of_command("sweep")}
    point["network"] = {"type": ["string", "null"], "description": "null: geometric means over all networks"}
    objects = {"type": "array", "items": {"type": "object"}}
    count = {"type": "integer", "minimum": 0}
    summary = {
        "network": point["network"],
        "n_points": count,
        "n_ok": count,
        "n_front": count,
        "knee": {"type": ["integer", "null"], "description": "index of the point"},
        "best": {"type": "object", "description": "index of the best point of each objective"},
        "least": {"type": "object", "description": "the objective's value there"},
        "effects": objects,
        "steps": objects,
    }
    properties: dict[str, Any] = {
        "schema": {"const": ANSWER},
        "tool": {"type": "object", "required": ["name", "version"]},
        "inputs": {"type": "object", "required": ["space", "options"]},
        "units": {"type": "object", "additionalProperties": {"type": "string"}},
        "totals": {"type": "object", "additionalProperties": count},
        "objectives": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"name": {"enum": list(METRICS)}, "maximise": {"type": "boolean"}},
            },
        },
        "points": {"type": "array", "items": {"type": "object", "properties": point}},
        "pareto": {"type": "array", "items": {"type": "object", "properties": summary}},
        "around": {
            "type": ["object", "null"],
            "description": "a chosen point (--around), one step each way, its machine over all networks",
            "properties": {
                "point": {"type": "object", "properties": point},
                "steps": objects,
                "over_all": {"type": ["object", "null"]},
            },
        },
        "notes": {"type": "array", "items": {"type": "string"}},
        "run": {"type": "object", "description": "All that may differ between equal runs."},
        "hypervolume": {"type": ["object", "null"], "description": "Of a sample: against points seen."},
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": ANSWER,
        "type": "object",
        "required": ["schema", "tool", "inputs", "objectives", "run"],  # --dry-run has no more
        "properties": properties,
    }
