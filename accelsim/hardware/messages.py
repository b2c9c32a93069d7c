"""Pydantic's errors and our own checks as problems with file, line, column and remedy."""

from __future__ import annotations

from typing import Any, Final

from pydantic import BaseModel, ValidationError

from accelsim.base.errors import Problem, did_you_mean
from accelsim.base.units import UnitError
from accelsim.base.yaml_lines import Document, Key
from accelsim.hardware.checks import Fault
from accelsim.hardware.model import ArchFile
from accelsim.hardware.parts import FROM_TECHNOLOGY, GIVEN
from accelsim.hardware.paths import submodels

_EXPECTED: Final = {
    "int_type": "a whole number",
    "bool_type": "true or false",
    "string_type": "text",
    "tuple_type": "a list",
    "float_type": "a number",
    "finite_number": "a number",
    "dict_type": "keys and values",
    "string_too_short": "some text",
    "too_short": "at least one",
    "too_long": "at most {max_length}",
    "string_too_long": "at most {max_length} characters",
    "greater_than_equal": "at least {ge}",
    "less_than_equal": "at most {le}",
    "string_pattern_mismatch": "a lower-case name of letters, digits and _",
}
_SOURCE: Final = 'source: "paper, table or assumption"'


def from_validation(error: ValidationError, document: Document) -> list[Problem]:
    """One problem for each error of a ValidationError, in the order of the file."""
    found = [
        _problem(detail, document)
        for detail in error.errors(include_url=False)
        if not (detail["type"] == "too_short" and detail["input"])  # its items have errors of their own
    ]
    return sorted(found, key=lambda problem: (str(problem.file), problem.line or 0, problem.column or 0))


def from_fault(fault: Fault, document: Document) -> Problem:
    mark = document.at(fault.path)
    key = shown(fault.path, document.data)
    return Problem(fault.message, mark.file, mark.line, mark.column, key, fault.expected, fault.hint)


def shown(path: Key, data: Any) -> str:
    """A path as the user would write it: memories by their names."""
    words = []
    for part in path:
        data = _below(data, part)
        name = data.get("name") if isinstance(part, int) and isinstance(data, dict) else None
        words.append(str(name) if isinstance(name, str) else str(part))
    return ".".join(words)


def _below(data: Any, part: str | int) -> Any:
    if isinstance(data, dict):
        return data.get(part)
    return data[part] if isinstance(data, list) and isinstance(part, int) and part < len(data) else None


def _problem(detail: Any, document: Document) -> Problem:
    place: Key = tuple(part for part in detail["loc"] if part != "[key]")
    path: Key = tuple(part for part in place if part not in (GIVEN, FROM_TECHNOLOGY))
    kind, value, context = detail["type"], detail["input"], detail.get("ctx", {})
    mark = document.at(path, key=kind == "extra_forbidden")
    message, expected, hint = f"{_quoted(value)} does not fit", None, None
    cause = context.get("error")
    if isinstance(cause, UnitError):
        message, expected, hint = cause.message, cause.expected, cause.hint
    elif kind == "missing":
        message = "is missing"
        expected = _SOURCE if path[-1] == "source" else None
    elif kind == "extra_forbidden":
        known = _keys_at(place[:-1])
        message, hint = "unknown key", did_you_mean(str(path[-1]), known)
        expected = None if hint else f"one of {', '.join(known)}"
    elif kind in ("literal_error", "enum"):
        expected = context["expected"]
        hint = did_you_mean(str(value), expected.replace("'", "").replace(" or ", ", ").split(", "))
    elif kind in ("model_type", "model_attributes_type"):
        expected = f"keys and values: {', '.join(_keys_at(place))}"
    elif kind in _EXPECTED:
        expected = _EXPECTED[kind].format(**context)
        if path and path[-1] == "source" and kind != "string_type":
            expected = _SOURCE
    else:
        expected = detail["msg"]
    return Problem(message, mark.file, mark.line, mark.column, shown(path, document.data), expected, hint)


def _keys_at(place: Key) -> list[str]:
    """The keys that the file may have at a place, tags of the ways to give a constant included."""
    models: list[type[BaseModel]] = [ArchFile]
    for part in place:
        if part == FROM_TECHNOLOGY:
            models = models[1:]
        elif models and isinstance(part, str) and part != GIVEN:
            by_key = {info.alias or name: info for name, info in models[0].model_fields.items()}
            models = submodels(by_key[part].annotation) if part in by_key else []
    keys = [info.alias or name for model in models for name, info in model.model_fields.items()]
    return list(dict.fromkeys(keys))


def _quoted(value: object) -> str:
    text = "null" if value is None else repr(value)
    return text if len(text) <= 62 else text[:57] + "..."
