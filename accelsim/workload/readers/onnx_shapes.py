"""Shapes of all tensors: onnx's inference for the bulk, our folding of shape arithmetic for the rest."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import onnx
import onnx.shape_inference
from numpy.typing import NDArray

from accelsim.base.errors import InputError, Problem
from accelsim.workload.readers.onnx_fold import fold
from accelsim.workload.readers.onnx_inputs import Source, dims_problems
from accelsim.workload.readers.onnx_model import Node, problem

Shape = tuple[int, ...]
_RANDOM: Final = (
    "RandomNormal",
    "RandomUniform",
    "RandomNormalLike",
    "RandomUniformLike",
    "Multinomial",
    "Bernoulli",
)


@dataclass
class Inferred:
    """Shape and element type of every tensor, values of small constants, and which tensors are constant."""

    batch: int
    shapes: dict[str, Shape]
    elem: dict[str, int]
    values: dict[str, NDArray[Any]]
    constant: set[str]
    """Tensors that are pure functions of weights and shapes: no operator makes them at run time."""
    used: set[str]
    notes: list[str] = field(default_factory=list)

    def is_constant(self, node: Node) -> bool:
        return all(not name or name in self.constant for name in node.outputs)

    def outputs_of(self, node: Node) -> tuple[str, ...]:
        """Outputs that something reads; the first where nothing does (an unread mask is not made)."""
        named = [name for name in node.outputs if name]
        return tuple(name for name in named if name in self.used) or tuple(named[:1])


def infer_at(source: Source, data: dict[str, Shape], batch: int) -> Inferred:
    """Shapes with the data inputs as given; InputError names each node with an unknown or wrong shape."""
    model = source.model
    for value in model.graph.input:
        if value.name in data:
            shape = value.type.tensor_type.shape
            del shape.dim[:]
            for extent in data[value.name]:
                shape.dim.add(dim_value=extent)
    problems = [p for name, dims in data.items() for p in dims_problems(source.path, f"input {name!r}", dims)]
    if problems:
        raise InputError(problems)
    try:
        # No data propagation: it takes a step for each word of a long vector (2^63 in a hostile file), and
        # `fold` knows the values that shapes need.
        result = onnx.shape_inference.infer_shapes(model, data_prop=False)
    except Exception as error:
        raise InputError(problem(source.path, "shape inference", _first_line(error))) from None
    shapes: dict[str, Shape] = dict(source.weights)
    elem = dict(source.elem)
    for value in (*result.graph.value_info, *result.graph.output, *result.graph.input):
        _note_type(value.name, value.type, shapes, elem)
    used = {name for node in source.nodes for name in (*node.inputs, *node.captured)}
    used |= {value.name for value in model.graph.output}
    found = Inferred(batch, shapes, elem, dict(source.values), set(source.weights), used)
    problems = []
    lost: set[str] = set()  # outputs that are unknown because something before them is
    for node in source.nodes:
        _settle(node, source, found, lost, problems)
    if problems:
        raise InputError(problems)
    return found


def _settle(node: Node, source: Source, found: Inferred, lost: set[str], problems: list[Problem]) -> None:
    """Folds one node and completes the shapes of its outputs; what is wrong goes to `problems`."""
    read = [name for name in (*node.inputs, *node.captured) if name]
    constant = all(name in found.constant for name in read) and node.op not in _RANDOM
    if constant or (node.standard and node.op in ("Shape", "Size")):
        found.constant.update(filter(None, node.outputs))
        value = fold(node, found.values, found.shapes)
        if value is not None:
            found.values[node.outputs[0]] = value
            found.shapes[node.outputs[0]] = value.shape
            found.elem.setdefault(node.outputs[0], onnx.helper.np_dtype_to_tensor_dtype(value.dtype))
    wanted = [name for name in found.outputs_of(node) if name not in found.shapes]
    if wanted and not any(name in lost for name in read):
        reason = _infer_node(node, source, found)
        wanted = [name for name in wanted if name not in found.shapes]
        if wanted and not found.is_constant(node):
            problems.append(_unknown(node, wanted[0], reason, source, found))
    if found.is_constant(node):
        return
    lost.update(name for name in wanted if name not in found.shapes)
    for name in found.outputs_of(node):
        if name in found.shapes:
            wrong = dims_problems(source.path, node.key, found.shapes[name])
            problems.extend(wrong)
            if wrong:
                lost.add(name)


def _infer_node(node: Node, source: Source, found: Inferred) -> str:
    """Inference of one node with the folded values; returns why it finds no shape, if it says so."""
    if not node.standard or not onnx.defs.has(node.op, ""):
        return ""
    versions = {("" if e.domain == "ai.onnx" else e.domain): e.version for e in source.model.opset_import}
    types = {
        name: onnx.helper.make_tensor_type_proto(found.elem.get(name) or 1, found.shapes[name])
        for name in node.inputs
        if name in found.shapes
    }
    values = {
        name: onnx.numpy_helper.from_array(
            np.ascontiguousarray(found.values[name]).reshape(found.values[name].shape)
        )
        for name in node.inputs
        if name in found.values
    }
    try:
        schema = onnx.defs.get_schema(node.op, versions[""], "")
        outputs = onnx.shape_inference.infer_node_outputs(
            schema,
            node.proto,
            types,
            values,
            opset_imports=list(source.model.opset_import),
            ir_version=source.model.ir_version,
        )
    except Exception as error:
        return _first_line(error)
    for name, kind in outputs.items():
        _note_type(name, kind, found.shapes, found.elem)
    return ""


def _unknown(node: Node, name: str, reason: str, source: Source, found: Inferred) -> Problem:
    missing = [i for i in node.inputs if i and i not in found.shapes]
    if missing:
        reason = f"that of its input {missing[0]!r} is, too"
    elif not reason and node.standard and onnx.defs.has(node.op, ""):
        runtime = [i for i in node.inputs[1:] if i and i in found.constant and i not in found.values]
        depends = [i for i in node.inputs[1:] if i and i not in found.constant]
        if runtime:
            reason = f"the values of {runtime[0]!r} are not in the file"
        elif depends:
            reason = f"it depends on the values of {depends[0]!r}"
    elif not reason:
        reason = f"operator {node.op} of domain {node.domain or 'ai.onnx'!r} has no shape inference"
    hint = "declare it in value_info, or export the model with fixed shapes"
    return problem(
        source.path, node.key, f"unknown shape of {name!r}" + (f": {reason}" if reason else ""), None, hint
    )


def _note_type(name: str, kind: Any, shapes: dict[str, Shape], elem: dict[str, int]) -> None:
    """Takes over what is fully known of a tensor's type."""
    if kind.WhichOneof("value") != "tensor_type":
        return
    tensor = kind.tensor_type
    if tensor.elem_type:
        elem[name] = tensor.elem_type
    if name not in shapes and tensor.HasField("shape"):
        dims = tensor.shape.dim
        if all(d.HasField("dim_value") for d in dims):
            shapes[name] = tuple([d.dim_value for d in dims])


def _first_line(error: Exception) -> str:
    text = str(error).replace("[ShapeInferenceError]", "").replace("[TypeInferenceError]", "")
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[0].removeprefix("Inference error(s):").strip() if lines else type(error).__name__
