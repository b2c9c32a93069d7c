"""Integer shape arithmetic: the values that Reshape, Slice and Expand take from chains of nodes."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from accelsim.workload.readers.onnx_inputs import SMALL_WORDS, small_value
from accelsim.workload.readers.onnx_model import Node

Array = NDArray[Any]
Shape = tuple[int, ...]

_NUMPY_TYPE: Final = {
    1: np.float32, 2: np.uint8, 3: np.int8, 5: np.int16, 6: np.int32, 7: np.int64, 9: np.bool_,
    10: np.float16, 11: np.float64, 12: np.uint32, 13: np.uint64,
}  # fmt: skip


def fold(node: Node, values: Mapping[str, Array], shapes: Mapping[str, Shape]) -> Array | None:
    """The value of a node's first output where its inputs are known and small, else None."""
    if node.op == "Shape" and node.standard and node.inputs[0] in shapes:
        shape = shapes[node.inputs[0]]
        return np.array(shape[node.attrs.get("start", 0) : node.attrs.get("end", len(shape))], dtype=np.int64)
    if node.op == "Size" and node.standard and node.inputs[0] in shapes:
        return np.array(np.prod(shapes[node.inputs[0]], dtype=np.int64))
    rule = _RULES.get(node.op)
    if rule is None or not node.standard or any(name and name not in values for name in node.inputs):
        return None
    try:
        with np.errstate(all="ignore"):
            found = rule(node, [values[name] if name else None for name in node.inputs])
    except Exception:  # a wrong chain stays unknown; the node that needs it is named then
        return None
    return found if found is not None and found.size <= SMALL_WORDS else None


def _constant(node: Node, _: list[Any]) -> Array | None:
    attrs = node.attrs
    if "value" in attrs:
        return small_value(attrs["value"])
    for name in ("value_int", "value_ints"):
        if name in attrs:
            return np.array(attrs[name], dtype=np.int64)
    for name in ("value_float", "value_floats"):
        if name in attrs:
            return np.array(attrs[name], dtype=np.float32)
    return None


def _constant_of_shape(node: Node, inputs: list[Any]) -> Array | None:
    shape = _bounded(inputs[0])
    if shape is None:
        return None
    fill = small_value(node.attrs["value"]) if "value" in node.attrs else np.zeros(1, np.float32)
    return None if fill is None else np.full(shape, fill.reshape(-1)[0])


def _bounded(extents: Array) -> Shape | None:
    """A shape as a tuple, or None where the result would be large."""
    words, shape = 1, tuple(int(v) for v in np.ravel(extents))
    for extent in shape:
        words *= extent
    return shape if 0 <= words <= SMALL_WORDS else None


def _axes(node: Node, inputs: list[Any]) -> tuple[int, ...] | None:
    if len(inputs) > 1 and inputs[1] is not None:
        return tuple(int(v) for v in np.ravel(inputs[1]))
    return tuple(node.attrs["axes"]) if "axes" in node.attrs else None


def _unsqueeze(node: Node, inputs: list[Any]) -> Array:
    axes = _axes(node, inputs) or ()
    return np.expand_dims(inputs[0], axes)


def _squeeze(node: Node, inputs: list[Any]) -> Array:
    return np.asarray(np.squeeze(inputs[0], _axes(node, inputs)))


def _slice(node: Node, inputs: list[Any]) -> Array:
    data = inputs[0]
    if len(inputs) > 1:
        starts, ends = np.ravel(inputs[1]), np.ravel(inputs[2])
        axes = np.ravel(inputs[3]) if len(inputs) > 3 and inputs[3] is not None else range(len(starts))
        steps = np.ravel(inputs[4]) if len(inputs) > 4 and inputs[4] is not None else [1] * len(starts)
    else:
        starts, ends = node.attrs["starts"], node.attrs["ends"]
        axes, steps = node.attrs.get("axes", range(len(starts))), [1] * len(starts)
    index = [slice(None)] * data.ndim
    for start, end, axis, step in zip(starts, ends, axes, steps, strict=True):
        stop = None if step < 0 and int(end) < -data.shape[axis] else int(end)
        index[axis] = slice(int(start), stop, int(step))
    return np.asarray(data[tuple(index)])


def _range(node: Node, inputs: list[Any]) -> Array | None:
    start, limit, delta = (v.item() for v in inputs)
    if not 0 <= (limit - start) / delta <= SMALL_WORDS:
        return None
    count = max(0, math.ceil((limit - start) / delta))
    return np.asarray(start + np.arange(count) * delta).astype(inputs[0].dtype)


def _reshape(node: Node, inputs: list[Any]) -> Array:
    target = [int(v) for v in np.ravel(inputs[1])]
    if not node.attrs.get("allowzero", 0):
        target = [inputs[0].shape[i] if v == 0 else v for i, v in enumerate(target)]
    return np.asarray(inputs[0].reshape(target))


def _expand(node: Node, inputs: list[Any]) -> Array | None:
    shape = np.broadcast_shapes(inputs[0].shape, tuple(int(v) for v in np.ravel(inputs[1])))
    return np.broadcast_to(inputs[0], shape) if _bounded(np.array(shape)) is not None else None


def _divide(node: Node, inputs: list[Any]) -> Array:
    a, b = inputs
    if not np.issubdtype(a.dtype, np.integer):
        return np.asarray(a / b)
    quotient = np.abs(a) // np.abs(b)  # onnx truncates towards zero
    return np.asarray((np.sign(a) * np.sign(b) * quotient).astype(a.dtype))


def _reduce(function: Callable[..., Any]) -> Callable[[Node, list[Any]], Array]:
    def rule(node: Node, inputs: list[Any]) -> Array:
        axes = _axes(node, inputs)
        return np.asarray(function(inputs[0], axis=axes, keepdims=bool(node.attrs.get("keepdims", 1))))

    return rule


def _pairwise(function: Callable[[Any, Any], Any]) -> Callable[[Node, list[Any]], Array]:
    return lambda node, inputs: np.asarray(function(inputs[0], inputs[1]))


def _single(function: Callable[[Any], Any]) -> Callable[[Node, list[Any]], Array]:
    return lambda node, inputs: np.asarray(function(inputs[0]))


_RULES: Final[dict[str, Callable[[Node, list[Any]], Array | None]]] = {
    "Constant": _constant,
    "ConstantOfShape": _constant_of_shape,
    "Identity": _single(lambda a: a),
    "Gather": lambda n, i: np.take(i[0], i[1].astype(np.int64), axis=n.attrs.get("axis", 0)),
    "Unsqueeze": _unsqueeze,
    "Squeeze": _squeeze,
    "Concat": lambda n, i: np.concatenate(i, axis=n.attrs["axis"]),
    "Slice": _slice,
    "Cast": lambda n, i: i[0].astype(_NUMPY_TYPE[n.attrs["to"]]),
    "Range": _range,
    "Reshape": _reshape,
    "Expand": _expand,
    "Tile": lambda n, i: np.tile(i[0], _bounded(i[1]) or ()),
    "Transpose": lambda n, i: np.transpose(i[0], n.attrs.get("perm")),
    "Where": lambda n, i: np.where(i[0], i[1], i[2]),
    "NonZero": _single(lambda a: np.array(np.nonzero(a), dtype=np.int64)),
    "Add": _pairwise(operator.add),
    "Sub": _pairwise(operator.sub),
    "Mul": _pairwise(operator.mul),
    "Div": _divide,
    "Mod": lambda n, i: np.asarray((np.fmod if n.attrs.get("fmod", 0) else np.mod)(i[0], i[1])),
    "Pow": lambda n, i: np.power(i[0], i[1]).astype(i[0].dtype),
    "Equal": _pairwise(operator.eq),
    "Less": _pairwise(operator.lt),
    "LessOrEqual": _pairwise(operator.le),
    "Greater": _pairwise(operator.gt),
    "GreaterOrEqual": _pairwise(operator.ge),
    "And": _pairwise(np.logical_and),
    "Or": _pairwise(np.logical_or),
    "Not": _single(np.logical_not),
    "Neg": _single(operator.neg),
    "Abs": _single(np.abs),
    "Floor": _single(np.floor),
    "Ceil": _single(np.ceil),
    "Round": _single(np.round),
    "Sqrt": _single(np.sqrt),
    "Max": lambda n, i: np.asarray(np.maximum.reduce(i)),
    "Min": lambda n, i: np.asarray(np.minimum.reduce(i)),
    "ReduceProd": _reduce(np.prod),
    "ReduceSum": _reduce(np.sum),
    "ReduceMax": _reduce(np.max),
    "ReduceMin": _reduce(np.min),
}
