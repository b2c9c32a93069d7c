"""What of an onnx graph's inputs is data and what is weights, and what its batch is."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import onnx
from numpy.typing import NDArray

from accelsim.base.errors import InputError, Problem, did_you_mean
from accelsim.workload.readers.onnx_model import Node, problem

DATA_INPUTS_KEY: Final = "accelsim.data_inputs"
SMALL_WORDS: Final = 1024
"""Constants up to this size keep their values (shapes, axes, pads); larger ones are weights, typed only."""

MAX_WORDS: Final = 2**63 - 1
_BATCH_NAME = re.compile(r"batch|^(n|b|bs)$", re.IGNORECASE)
WEIGHT_SLOTS: Final[dict[str, frozenset[int]]] = {
    op: frozenset(slots)
    for op, slots in {
        "Conv": (1, 2), "ConvTranspose": (1, 2), "Gemm": (1, 2), "BatchNormalization": (1, 2, 3, 4),
        "InstanceNormalization": (1, 2), "LayerNormalization": (1, 2), "GroupNormalization": (1, 2),
        "RMSNormalization": (1,), "PRelu": (1,), "LSTM": (1, 2, 3, 7), "GRU": (1, 2, 3), "RNN": (1, 2, 3),
        "ConvInteger": (1, 3), "MatMulInteger": (1, 3), "QLinearConv": (3, 4, 5, 8),
        "QLinearMatMul": (3, 4, 5),
    }.items()
}  # fmt: skip
"""Inputs that are weights by their place; MatMul, Gather and elementwise need a look at shapes, too."""
_ELEMENTWISE: Final = ("Add", "Sub", "Mul", "Div")


@dataclass
class Source:
    """A model taken apart: data inputs with their shapes (None: symbolic), weights and small constants."""

    path: str
    model: Any
    nodes: list[Node]
    data: dict[str, list[int | str]]
    weights: dict[str, tuple[int, ...]]  # roots that store words: initialisers and typed weight inputs
    values: dict[str, NDArray[Any]]  # small constants, with their content
    elem: dict[str, int]  # onnx element type
    notes: list[str] = field(default_factory=list)


def take_apart(model: Any, nodes: list[Node], path: str) -> Source:
    """Data, weights and small constants; large initialisers leave the model and become typed inputs.

    Shape inference needs types alone: without the words it is some thirty times faster.
    """
    graph = model.graph
    problems: list[Problem] = []
    weights: dict[str, tuple[int, ...]] = {}
    values: dict[str, NDArray[Any]] = {}
    elem: dict[str, int] = {}
    small, typed = [], []
    for tensor in [*graph.initializer, *(s.values for s in graph.sparse_initializer)]:
        weights[tensor.name] = dims = tuple(tensor.dims)
        elem[tensor.name] = tensor.data_type
        value = small_value(tensor)
        if value is not None:
            values[tensor.name] = value
            small.append(tensor)
        else:
            typed.append((tensor.name, tensor.data_type, dims))
    for sparse in graph.sparse_initializer:
        weights[sparse.values.name] = tuple(sparse.dims)
    data: dict[str, list[int | str]] = {}
    for value_info in graph.input:
        if value_info.name in weights:
            continue
        elem[value_info.name] = value_info.type.tensor_type.elem_type
        data[value_info.name] = _declared(value_info, path, problems)
    for name, weight_dims in weights.items():
        problems.extend(dims_problems(path, f"initialiser {name!r}", weight_dims, zero_is_bad=False))
    if problems:
        raise InputError(problems)
    source = Source(path, model, nodes, data, weights, values, elem)
    _split_inputs(source)
    _slim(source, small, typed)
    return source


def small_value(tensor: Any) -> NDArray[Any] | None:
    """The content of a small constant; None where it is large, stored elsewhere or damaged."""
    if tensor.data_location == onnx.TensorProto.EXTERNAL:
        return None
    words = 1
    for extent in tensor.dims:
        words *= extent
    if not 0 <= words <= SMALL_WORDS or tensor.data_type == onnx.TensorProto.STRING:
        return None
    try:
        return np.asarray(onnx.numpy_helper.to_array(tensor))
    except Exception:  # damaged content: its type and shape are enough unless a shape depends on it
        return None


def dims_problems(
    path: str, key: str, dims: tuple[int, ...] | list[Any], zero_is_bad: bool = True
) -> list[Problem]:
    """What is wrong with a shape: extents below one, or more words than 64 bits count."""
    words = 1
    for extent in dims:
        if isinstance(extent, int):
            if extent < 0 or (zero_is_bad and extent == 0):
                return [
                    problem(path, key, f"shape {list(dims)} has the extent {extent}", "extents of 1 or more")
                ]
            words *= extent
    if words > MAX_WORDS:
        return [
            problem(
                path, key, f"shape {list(dims)} has {words:.3g} words", f"at most 2^63 - 1 ({MAX_WORDS:,})"
            )
        ]
    return []


def _declared(value_info: Any, path: str, problems: list[Problem]) -> list[int | str]:
    """The extents of a graph input; symbolic ones are their names ('' where they have none)."""
    key = f"input {value_info.name!r}"
    kind = value_info.type.WhichOneof("value")
    if kind != "tensor_type" or not value_info.type.tensor_type.HasField("shape"):
        what = (
            "has no shape" if kind == "tensor_type" or kind is None else f"is a {kind.removesuffix('_type')}"
        )
        problems.append(problem(path, key, f"unknown shape: it {what}", "a tensor with known extents"))
        return []
    dims: list[int | str] = [
        int(d.dim_value) if d.HasField("dim_value") else str(d.dim_param)
        for d in value_info.type.tensor_type.shape.dim
    ]
    problems.extend(dims_problems(path, key, dims))
    return dims


def _split_inputs(source: Source) -> None:
    """Moves inputs that are weights from `data` to `weights`: by the metadata, else by their uses."""
    stated = {p.key: p.value for p in source.model.metadata_props}.get(DATA_INPUTS_KEY)
    if stated is not None:
        named = [name.strip() for name in stated.split(",") if name.strip()]
        unknown = [name for name in named if name not in source.data]
        if unknown:
            raise InputError(
                problem(source.path, DATA_INPUTS_KEY, f"no graph input {name!r}", "names of graph inputs",
                        did_you_mean(name, source.data)) for name in unknown
            )  # fmt: skip
        moved = [name for name in source.data if name not in named]
    else:
        moved = _weights_by_use(source)
        if moved:
            source.notes.append(
                f"inputs that only feed weight slots are taken as weights ({len(moved)}: {_some(moved)}); "
                f"metadata {DATA_INPUTS_KEY!r} would state the data inputs"
            )
    for name in moved:
        dims = source.data.pop(name)
        symbolic = [d for d in dims if isinstance(d, str)]
        if symbolic:
            raise InputError(
                problem(
                    source.path,
                    f"weight input {name!r}",
                    f"unknown shape: {dims}",
                    "a weight with known extents",
                )
            )
        source.weights[name] = tuple(int(d) for d in dims)


def _weights_by_use(source: Source) -> list[str]:
    """Inputs all of whose uses are weight slots, in a model that stores no weights of its own."""
    uses: dict[str, list[tuple[Node, int]]] = {name: [] for name in source.data}
    for node in source.nodes:
        for slot, name in enumerate(node.inputs):
            if name in uses:
                uses[name].append((node, slot))
            elif slot in WEIGHT_SLOTS.get(node.op, ()) and name in source.weights:
                return []
    moved = [
        name
        for name, found in uses.items()
        if found and all(_is_weight_slot(source, node, slot, name) for node, slot in found)
    ]
    return moved if len(moved) < len(source.data) else []


def _is_weight_slot(source: Source, node: Node, slot: int, name: str) -> bool:
    dims = source.data[name]
    if any(isinstance(d, str) for d in dims):
        return False
    if slot in WEIGHT_SLOTS.get(node.op, ()):
        return True
    if node.op == "MatMul":
        return slot == 1 and len(dims) == 2 and node.inputs[0] != name
    if node.op == "Gather":
        return slot == 0 and len(dims) == 2
    if node.op in _ELEMENTWISE:
        return len(dims) == 1 and any(i not in source.data or len(source.data[i]) > 1 for i in node.inputs)
    return False


_DATA_DEPENDENT = frozenset({"NonMaxSuppression", "NonZero", "Unique", "Compress"})
"""Operators whose output's shape depends on the data: no inference finds it, the file may declare it."""


def _slim(source: Source, small: list[Any], typed: list[tuple[str, int, tuple[int, ...]]]) -> None:
    """Only small constants stay initialisers; declared shapes of what inference can find are cleared."""
    graph = source.model.graph
    kept = [onnx.helper.make_tensor_value_info(name, kind, dims) for name, kind, dims in typed]
    small_names = {tensor.name for tensor in small}
    typed_names = {name for name, _, _ in typed}
    kept += [v for v in graph.input if v.name not in small_names and v.name not in typed_names]
    foreign = {
        name
        for node in source.nodes
        if not node.standard or node.op in _DATA_DEPENDENT or not onnx.defs.has(node.op, "")
        for name in node.outputs
    }
    infos = [v for v in graph.value_info if v.name in foreign]
    fresh = onnx.GraphProto(name=graph.name or "graph")
    fresh.node.extend(node.proto for node in source.nodes)
    fresh.input.extend(kept)
    fresh.initializer.extend(small)
    fresh.value_info.extend(infos)
    fresh.output.extend(graph.output)
    for value in fresh.output:
        if value.name not in foreign and value.type.WhichOneof("value") == "tensor_type":
            value.type.tensor_type.ClearField("shape")
    model = onnx.ModelProto(ir_version=max(source.model.ir_version, 4))
    domains = {entry.domain for entry in source.model.opset_import}
    model.opset_import.extend(source.model.opset_import)
    for domain in dict.fromkeys(node.domain for node in source.nodes if not node.standard):
        if domain not in domains:
            model.opset_import.add(domain=domain, version=1)
    model.graph.CopyFrom(fresh)
    source.model = model


def batch_axes(source: Source) -> dict[str, int]:
    """The batch axis of each data input: the leading one, but 1 where a recurrent layer runs over axis 0."""
    axes = {name: 0 for name, dims in source.data.items() if dims}
    for node in source.nodes:
        if node.op in ("LSTM", "GRU", "RNN") and not node.attrs.get("layout", 0):
            for slot in (0, 5, 6):
                name = node.inputs[slot] if slot < len(node.inputs) else ""
                if name in axes and len(source.data[name]) > 1:
                    axes[name] = 1
    for name, axis in axes.items():
        dims = source.data[name]
        named = [i for i, d in enumerate(dims) if isinstance(d, str) and _BATCH_NAME.search(d)]
        if named and isinstance(dims[axis], str) and axis not in named:
            axes[name] = named[0]
    return axes


def _some(names: list[str], count: int = 4) -> str:
    return ", ".join(names[:count]) + (", ..." if len(names) > count else "")
