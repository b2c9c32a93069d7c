"""What a search found as bytes and back, exactly: JSON, from which nothing but numbers and text can come."""

from __future__ import annotations

import json
from dataclasses import fields, is_dataclass
from typing import Any, Final

import numpy as np

from accelsim.mapper.found import Found, Point
from accelsim.tables.certificate import Certificate
from accelsim.tables.layer_cost import LayerCost
from accelsim.tables.nest import Nest

KINDS: Final = {kind.__name__: kind for kind in (Found, Point, Nest, LayerCost, Certificate)}
TAG: Final = "is"


def to_bytes(found: Found) -> bytes:
    """JSON of the fields; floats are written so that they read back to the bit."""
    return json.dumps(_written(found), separators=(",", ":")).encode()


def from_bytes(body: bytes) -> Found:
    """The same `Found` again; ValueError where the bytes are none."""
    try:
        found = _read(json.loads(body))
    except (KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(f"no result of a search: {error}") from None
    if not isinstance(found, Found) or not found.points:
        raise ValueError("no result of a search")
    return found


def _written(value: Any) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        return {TAG: "array", "dtype": value.dtype.str, "shape": value.shape, "of": value.ravel().tolist()}
    if is_dataclass(value) and not isinstance(value, type):
        of = {field.name: _written(getattr(value, field.name)) for field in fields(value)}
        return {TAG: type(value).__name__, "of": of}
    if isinstance(value, dict):
        return {TAG: "dict", "of": {name: _written(item) for name, item in value.items()}}
    if isinstance(value, (tuple, list)):
        return [_written(item) for item in value]
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    raise TypeError(f"{type(value).__name__} can't be stored")


def _read(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(_read(item) for item in value)
    if not isinstance(value, dict):
        return value
    if value[TAG] == "array":
        return np.array(value["of"], np.dtype(value["dtype"])).reshape(value["shape"])
    of = {name: _read(item) for name, item in value["of"].items()}
    return of if value[TAG] == "dict" else KINDS[value[TAG]](**of)
