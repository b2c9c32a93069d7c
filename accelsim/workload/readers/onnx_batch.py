"""The batch: a symbolic one is set, a fixed one is rescaled where every shape follows, else refused."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

import numpy as np
import onnx

from accelsim.base.errors import InputError
from accelsim.workload.readers.onnx_inputs import Source, batch_axes
from accelsim.workload.readers.onnx_model import Node, problem
from accelsim.workload.readers.onnx_shapes import Inferred, Shape, infer_at

_TARGET_SLOT: Final = {"Reshape": 1, "Expand": 1, "Resize": 3}
"""Inputs that state an output shape: a leading constant equal to the file's batch is that batch."""


def infer(source: Source, batch: int | None) -> Inferred:
    """Shapes of all tensors at `batch` (None: the file's own, 1 where it is symbolic)."""
    axes = batch_axes(source)
    symbols = _batch_symbols(source, axes)
    if symbols or any("" in dims for dims in source.data.values()):
        size = batch or 1
        data = _with_symbols(source, axes, symbols, size)
        return infer_at(source, data, size)
    fixed: dict[str, Shape] = {n: tuple(int(d) for d in dims) for n, dims in _no_symbols(source).items()}
    own = next((fixed[name][axis] for name, axis in axes.items()), None)
    found = infer_at(source, fixed, own or 1)
    if batch is None or batch == (own or 1):
        return found
    if own is None:
        raise InputError(problem(source.path, "batch", f"no data input has a batch axis to set to {batch}"))
    return _rescaled(source, found, fixed, axes, own, batch)


def _batch_symbols(source: Source, axes: dict[str, int]) -> set[str]:
    """Names of the symbolic batch: those on batch axes that stand on no other axis."""
    on_axis = {dims[axes[n]] for n, dims in source.data.items() if n in axes}
    elsewhere = {d for n, dims in source.data.items() for i, d in enumerate(dims) if i != axes[n]}
    return {d for d in on_axis if isinstance(d, str) and d and d not in elsewhere}


def _with_symbols(source: Source, axes: dict[str, int], symbols: set[str], size: int) -> dict[str, Shape]:
    data: dict[str, Shape] = {}
    problems = []
    for name, dims in source.data.items():
        shape = []
        for axis, extent in enumerate(dims):
            if isinstance(extent, int):
                shape.append(extent)
            elif extent in symbols or (not extent and axis == axes[name]):
                shape.append(size)
            else:
                problems.append(_symbolic(source, name, axis, extent))
        data[name] = tuple(shape)
    if problems:
        raise InputError(problems)
    return data


def _no_symbols(source: Source) -> dict[str, list[int | str]]:
    problems = [
        _symbolic(source, name, axis, extent)
        for name, dims in source.data.items()
        for axis, extent in enumerate(dims)
        if isinstance(extent, str)
    ]
    if problems:
        raise InputError(problems)
    return source.data


def _symbolic(source: Source, name: str, axis: int, extent: str) -> Any:
    return problem(
        source.path,
        f"input {name!r}",
        f"unknown shape: axis {axis} is symbolic ({extent or 'unnamed'!r})",
        "fixed extents on all axes but the batch",
        "onnx.tools.update_model_dims.update_inputs_outputs_dims fixes them",
    )


def _rescaled(
    source: Source, before: Inferred, fixed: dict[str, Shape], axes: dict[str, int], own: int, batch: int
) -> Inferred:
    """The shapes at another batch; InputError names the node that stops it.

    Every tensor that depends on a batched input must have batch/own times its words.
    """
    data = dict(fixed)
    batched: set[str] = set()
    for name, axis in axes.items():
        if fixed[name][axis] == own:
            data[name] = (*fixed[name][:axis], batch, *fixed[name][axis + 1 :])
            batched.add(name)
    rewritten = _rewrite_targets(source, before, own, batch)
    hint = "export the model with a symbolic batch"
    stopped = f"the file is made for batch {own} and can't follow batch {batch}"
    try:
        found = infer_at(source, data, batch)
    except InputError as error:
        raise InputError(
            [replace(p, message=f"{stopped}: {p.message}", hint=hint) for p in error.problems]
        ) from None
    for node in source.nodes:
        if found.is_constant(node):
            continue
        follows = any(name in batched for name in (*node.inputs, *node.captured))
        for name in found.outputs_of(node):
            if name not in before.shapes:
                continue
            factor = batch if follows else own
            if _words(found.shapes[name]) * own != _words(before.shapes[name]) * factor:
                old, new = list(before.shapes[name]), list(found.shapes[name])
                message = f"{stopped}: {name!r} has shape {old} there and {new} here"
                raise InputError(problem(source.path, node.key, message, None, hint))
            if follows:
                batched.add(name)
    count = f", {rewritten} fixed shapes rewritten" if rewritten else ""
    found.notes.append(f"batch rescaled from the file's {own} to {batch}{count}")
    return found


def _rewrite_targets(source: Source, before: Inferred, own: int, batch: int) -> int:
    """Fixed shapes that begin with the old batch get the new one; constants joined to data are repeated."""
    fixed = _fixed_tensors(source)
    protos: list[Any] = []
    nodes: list[Node] = []
    count = 0
    for node, proto in zip(source.nodes, list(source.model.graph.node), strict=True):
        inputs = list(node.inputs)
        if node.standard and not before.is_constant(node):
            slot = _TARGET_SLOT.get(node.op, len(inputs))
            if slot < len(inputs) and inputs[slot] in fixed:
                inputs[slot] = _new_target(source, before, node, slot, own, batch)
            elif node.op == "Concat" and own == 1:
                for i in range(len(inputs)):
                    extra = _repeated(source, before, node, i, batch)
                    if extra is not None:
                        protos.append(extra.proto)
                        nodes.append(extra)
                        inputs[i] = extra.outputs[0]
        if tuple(inputs) != node.inputs:
            count += 1
            fresh = onnx.NodeProto()
            fresh.CopyFrom(proto)
            del fresh.input[:]
            fresh.input.extend(inputs)
            proto, node = fresh, replace(node, inputs=tuple(inputs), proto=fresh)
        protos.append(proto)
        nodes.append(node)
    graph = onnx.GraphProto()
    graph.CopyFrom(source.model.graph)
    del graph.node[:]
    graph.node.extend(protos)
    source.model.graph.CopyFrom(graph)
    source.nodes = nodes
    return count


def _fixed_tensors(source: Source) -> set[str]:
    """Stored constants and what Constant nodes make (arithmetic on shapes follows the batch by itself)."""
    fixed = set(source.weights)
    for node in source.nodes:
        if node.op == "Constant" or (node.op in ("Cast", "Identity") and node.inputs[0] in fixed):
            fixed.update(node.outputs)
    return fixed


def _new_target(source: Source, before: Inferred, node: Node, slot: int, own: int, batch: int) -> str:
    """The output shape that a node is given, its leading batch replaced where it stands there."""
    target = before.values.get(node.inputs[slot])
    leads = target is not None and target.ndim == 1 and target.size > 0 and int(target[0]) == own
    if target is None or not leads or before.shapes.get(node.inputs[0], ())[:1] != (own,):
        return node.inputs[slot]
    new = target.copy()
    new[0] = batch
    return _add_constant(source, f"{node.name}/shape", new)


def _repeated(source: Source, before: Inferred, node: Node, slot: int, batch: int) -> Node | None:
    """The node that repeats a constant for every image before it is joined to them (a class token)."""
    name = node.inputs[slot]
    shape = before.shapes.get(name, ())
    if name not in before.constant or shape[:1] != (1,) or node.attrs.get("axis", 0) in (0, -len(shape)):
        return None
    target = _add_constant(source, f"{node.name}/repeat{slot}", np.array([batch, *shape[1:]], dtype=np.int64))
    out = f"{node.name}/operand{slot}"
    proto = onnx.helper.make_node("Expand", [name, target], [out], name=out)
    return Node(out, "Expand", "", (name, target), (out,), {}, (), proto)


def _add_constant(source: Source, name: str, value: Any) -> str:
    tensor = onnx.numpy_helper.from_array(value, name)
    source.model.graph.initializer.append(tensor)
    source.weights[name] = tuple(tensor.dims)
    source.values[name] = value
    source.elem[name] = tensor.data_type
    return name


def _words(shape: Shape) -> int:
    words = 1
    for extent in shape:
        words *= extent
    return words
