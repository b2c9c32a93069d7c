"""Expressions between variables, as `4096 / array.rows` or `glb.size >= 2 * spad.size`, as trees on columns.

text -> tokens (quantities, dotted names) -> Python's grammar, of which a few rules are let through -> a tree
of Nodes with a kind and a dimension each -> NumPy on whole columns. Nothing is ever executed as Python.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

Kind = Literal["number", "bool", "text"]
Dimension = tuple[tuple[str, int], ...]
"""Powers of base dimensions, sorted: bytes a second are (("data", 1), ("time", -1)); () is a plain number."""

COUNTED: Final[tuple[Dimension, ...]] = ((), (("data", 1),), (("word", 1),), (("cycle", 1),))
"""Dimensions of what is counted: values that are whole stay so. All else is measured, and a double."""

EXACT: Final = 2.0**53
"""Whole numbers up to here are doubles too; what could exceed it is computed in doubles."""


@dataclass(frozen=True, slots=True)
class Node:
    """One operation or leaf; `magnitude` bounds the absolute value of whole numbers and is inf for others.

    `scale` is what a bare number beside it counts in base units (metrics have their unit in their name), None
    where a number needs a unit of its own.
    """

    op: str
    args: tuple[Node, ...] = ()
    value: Any = None
    kind: Kind = "number"
    dimension: Dimension = ()
    scale: float | None = 1.0
    magnitude: float = math.inf
    labels: tuple[str, ...] = ()

    @property
    def whole(self) -> bool:
        """Whether its values are whole numbers whatever the variables are."""
        return self.magnitude <= EXACT

    def names(self) -> frozenset[str]:
        """The columns that it needs."""
        here = frozenset([str(self.value)]) if self.op == "name" else frozenset()
        return here.union(*(argument.names() for argument in self.args))


Columns = Mapping[str, NDArray[Any]]


MAX_NUMBER: Final = 1e30
"""What a measured quantity may be in base units, as in architecture files."""


def number(value: float, dimension: Dimension = ()) -> Node:
    """A literal: whole where it is and its dimension is counted, not measured."""
    if dimension in COUNTED and value == int(value) and abs(value) <= EXACT:
        value = int(value)
    magnitude = abs(value) if isinstance(value, int) else math.inf
    return Node(
        "number", value=value, dimension=dimension, scale=None if dimension else 1.0, magnitude=magnitude
    )


def compute(node: Node, columns: Columns) -> Any:
    """The value of a tree on columns [n], or a scalar where it names none; 0 divides into nan.

    Whole numbers stay whole but for `/`; comparisons with nan are false.
    """
    with np.errstate(all="ignore"):
        return _compute(node, columns)


def _compute(node: Node, columns: Columns) -> Any:
    if node.op == "number":
        return node.value
    if node.op == "name":
        return columns[node.value]
    if node.op == "among":
        return _among(node, columns)
    values = [_compute(argument, columns) for argument in node.args]
    if node.op == "recode":
        return np.asarray(node.value)[values[0]]
    if node.op == "if":
        return np.where(*values)
    if node.op in _EXACT_OPS and not node.whole:  # beyond whole doubles
        values = [np.asarray(value, np.float64) for value in values]
    result = _OPERATIONS[node.op](*values[:2])
    for value in values[2:]:
        result = _OPERATIONS[node.op](result, value)
    return result


def _among(node: Node, columns: Columns) -> Any:
    """Whether a column of labels, as codes or as texts, holds one of the codes in `value`."""
    column = np.asarray(_compute(node.args[0], columns))
    wanted = (
        node.value if column.dtype.kind in "iu" else tuple(node.args[0].labels[code] for code in node.value)
    )
    result = np.zeros(column.shape, bool)
    for one in wanted:
        result |= column == one
    return result


def _divided(function: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    """A division that gives nan where the divisor is 0 (NumPy's whole ones give 0)."""

    def divide(a: Any, b: Any) -> Any:
        zero = np.equal(b, 0)
        if not np.any(zero):
            return function(a, b)
        return np.where(zero, np.nan, function(a, np.where(zero, 1, b)))

    return divide


def _rounded(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda a: a if np.asarray(a).dtype.kind in "iu" else function(a)


_OPERATIONS: Final[dict[str, Callable[..., Any]]] = {
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "/": _divided(np.true_divide),
    "//": _divided(np.floor_divide),
    "%": _divided(np.remainder),
    "negative": np.negative,
    "min": np.minimum,
    "max": np.maximum,
    "ceil": _rounded(np.ceil),
    "floor": _rounded(np.floor),
    "==": np.equal,
    "!=": np.not_equal,
    "<": np.less,
    "<=": np.less_equal,
    ">": np.greater,
    ">=": np.greater_equal,
    "and": np.logical_and,
    "or": np.logical_or,
    "not": np.logical_not,
}
_EXACT_OPS: Final = {"+", "-", "*", "//", "%", "negative", "min", "max"}


def result_magnitude(op: str, args: tuple[Node, ...]) -> float:
    """The largest absolute value of a result that is whole for certain; inf where it may not be."""
    sizes = [argument.magnitude for argument in args]
    if any(math.isinf(size) for size in sizes) or op == "/":
        return math.inf
    if op in ("+", "-"):
        found = sum(sizes)
    elif op == "*":
        found = math.prod(sizes)
    elif op == "//":
        found = sizes[0] + 1
    else:
        found = sizes[1] if op == "%" else max(sizes)
    return found if found <= EXACT else math.inf


def scaled(node: Node, factor: float) -> Node:
    """The node times a constant that turns the unit of a metric's name into base units."""
    if factor == 1:
        return node
    return Node("*", (node, Node("number", value=factor)), dimension=node.dimension, scale=node.scale)
