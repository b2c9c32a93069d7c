"""An ONNX model as a layer graph: each operator that runs is a layer, what weights decide is folded."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace

from accelsim.base.errors import InputError, Problem
from accelsim.workload.graph import LayerGraph
from accelsim.workload.layer import Layer, Tensor
from accelsim.workload.readers import onnx_array, onnx_compound, onnx_ops, onnx_text
from accelsim.workload.readers.onnx_batch import infer
from accelsim.workload.readers.onnx_context import Context, product
from accelsim.workload.readers.onnx_inputs import MAX_WORDS, Source, take_apart
from accelsim.workload.readers.onnx_model import Node, checked_opset, inlined, nodes_of, problem
from accelsim.workload.readers.onnx_shapes import Inferred
from accelsim.workload.vector_ops import LRN_SQUARES


def read_onnx(data: bytes, path: str, batch: int | None, *, is_text: bool) -> LayerGraph:
    """The layer graph of an ONNX model, binary or text; `name` and `sha256` are the caller's to set.

    InputError names file and node: what can't be parsed, a cycle, unknown, empty or huge shapes, a batch that
    a fixed file can't follow.
    """
    model = (onnx_text.parse_text if is_text else onnx_text.parse_binary)(data, path)
    opset = checked_opset(model, path)
    model = inlined(model, path)
    source = take_apart(model, nodes_of(model, path, opset), path)
    found = infer(source, batch)
    ctx = Context(path, found)
    for name, dims in source.weights.items():
        ctx.stored[name], ctx.roots[name] = product(dims), (name,)
    layers = _layers(ctx, source, found)
    outputs = tuple(v.name for v in source.model.graph.output)
    runtime = tuple(name for name in outputs if name not in found.constant)
    notes = [*source.notes, *found.notes, *_folded_note(source, found)]
    if len(runtime) < len(outputs):
        lost = [name for name in outputs if name in found.constant]
        notes.append(f"outputs that no data reaches are left out: {', '.join(lost)}")
    return LayerGraph(
        name=model.graph.name,
        layers=tuple(layers),
        tensors=_tensors(ctx, source, layers, runtime),
        inputs=tuple(source.data),
        outputs=runtime,
        batch=found.batch,
        format="onnx-text" if is_text else "onnx",
        notes=tuple(notes),
    )


def _layers(ctx: Context, source: Source, found: Inferred) -> list[Layer]:
    """The layers of all nodes that run, or all that is wrong with them at once."""
    layers: list[Layer] = []
    problems: list[Problem] = []
    chains = _Chains(ctx, source)
    for node in source.nodes:
        if found.is_constant(node):
            ctx.trace_roots(node)
            continue
        try:
            made = _translate(ctx, node)
        except InputError as error:
            problems.extend(error.problems)
            continue
        problems.extend(
            problem(ctx.path, node.key, f"{layer.macs:.3g} multiply-accumulates", f"at most {MAX_WORDS:,}")
            for layer in made
            if layer.macs > MAX_WORDS
        )
        layers.extend(chains.mark(node, layer) for layer in made)
    if not layers and not problems:
        problems.append(Problem("no operator depends on a data input", file=ctx.path, expected="a network"))
    if problems:
        raise InputError(problems)
    return layers


def _translate(ctx: Context, node: Node) -> list[Layer]:
    """The layers of one node that runs."""
    op = node.op
    if not node.standard:
        reason = f"no cost model for operator {op} of domain {node.domain!r}"
        return [ctx.layer(node, onnx_ops.snake(op), "not_costed", reason=reason)]
    if op in onnx_ops.SAME_WORDS:
        given, made = ctx.shape(node, 0), ctx.out_shape(node)
        if product(given) != product(made):
            ctx.fail(node, f"{list(given)} can't become {list(made)}: the words differ")
    if op in _ARRAY:
        return _ARRAY[op](ctx, node)
    if op in onnx_ops.MOVEMENT:
        params = ctx.take_operands(*(node.inputs[:1] if op.startswith("Gather") else node.inputs))
        return [ctx.layer(node, onnx_ops.MOVEMENT[op], "movement", params=params)]
    vector = _vector(ctx, node)
    if vector is not None:
        return [vector]
    reason = "control flow: what runs is known only at run time" if op in onnx_ops.CONTROL_FLOW else ""
    return [
        ctx.layer(node, onnx_ops.snake(op), "not_costed", reason=reason or f"no cost model for operator {op}")
    ]


_ARRAY: dict[str, Callable[[Context, Node], list[Layer]]] = {
    "Conv": onnx_array.conv,
    "ConvInteger": onnx_array.conv,
    "QLinearConv": onnx_array.conv,
    "ConvTranspose": onnx_array.conv_transpose,
    "Gemm": onnx_array.matmul,
    "MatMul": onnx_array.matmul,
    "MatMulInteger": onnx_array.matmul,
    "QLinearMatMul": onnx_array.matmul,
    "Einsum": onnx_array.einsum,
    "LSTM": onnx_compound.recurrent,
    "GRU": onnx_compound.recurrent,
    "RNN": onnx_compound.recurrent,
    "Attention": onnx_compound.attention,
}


def _vector(ctx: Context, node: Node) -> Layer | None:
    """Vector work with its scalar operations (the tables of onnx_ops say what an element costs)."""
    op = node.op
    if op == "BatchNormalization":
        return _batch_normalization(ctx, node)
    n_out = product(ctx.out_shape(node))
    if op in onnx_ops.UNARY:
        name = onnx_ops.UNARY[op]
        each = onnx_ops.ops_per_element(name)
        learned = () if op in ("QuantizeLinear", "DequantizeLinear", "OneHot", "Clip") else node.inputs[1:]
        params = ctx.take(
            *(n for n in learned if ctx.is_learned(n) and ctx.found.elem.get(n, 1) in onnx_ops.FLOATS)
        )
        return ctx.layer(node, name, "vector", vector_ops=each * n_out, params=params)
    if op in onnx_ops.ELEMENTWISE:
        name, extra = onnx_ops.ELEMENTWISE[op]
        each = max(1, len(node.inputs) - 1 + extra)
        params = 0 if op == "Where" else ctx.take_operands(*node.inputs)
        read = sum(product(ctx.found.shapes[n]) for n in node.inputs if ctx.is_learned(n))
        return ctx.layer(node, name, "vector", vector_ops=each * n_out, params=params, weight_words=read)
    if op in onnx_ops.POOLS:
        name, each = onnx_ops.POOLS[op]
        window = product(node.ints("kernel_shape", (1,)))
        return ctx.layer(node, name, "vector", vector_ops=each * n_out * window)
    if op in onnx_ops.GLOBAL_POOLS or op in onnx_ops.REDUCTIONS:
        name, each = onnx_ops.GLOBAL_POOLS.get(op) or onnx_ops.REDUCTIONS[op]
        return ctx.layer(node, name, "vector", vector_ops=each * product(ctx.shape(node, 0)))
    if op == "LRN":
        each = int(node.attrs.get("size", 1)) * LRN_SQUARES + onnx_ops.ops_per_element("lrn")
        return ctx.layer(node, "lrn", "vector", vector_ops=each * n_out)
    if op in ("Resize", "Upsample", "GridSample", "RoiAlign", "MaxRoiPool"):
        return ctx.layer(node, onnx_ops.snake(op), "vector", vector_ops=_taps(ctx, node) * n_out)
    if op == "TopK":  # a heap of k: log2(k) compares an element
        k = ctx.out_shape(node)[int(node.attrs.get("axis", -1))]
        return ctx.layer(
            node, "top_k", "vector", vector_ops=max(1, (k - 1).bit_length()) * product(ctx.shape(node, 0))
        )
    return None


def _taps(ctx: Context, node: Node) -> int:
    """Operations per output word of a resize: a copy, or a multiply and an add for each neighbour."""
    axes = sum(a != b for a, b in zip(ctx.shape(node, 0), ctx.out_shape(node), strict=False))
    mode = str(node.attrs.get("mode", "nearest"))
    per_axis = {"nearest": 1, "linear": 2, "bilinear": 2, "cubic": 4, "bicubic": 4}.get(mode, 2)
    return 1 if per_axis == 1 else 2 * per_axis ** max(1, axes)


def _batch_normalization(ctx: Context, node: Node) -> Layer:
    """y = x scale + shift a channel at inference; one parameter a channel is left when it is folded."""
    shape = ctx.shape(node, 0)
    channels = shape[1] if len(shape) > 1 else 1
    for slot in (1, 2, 3, 4):
        if product(ctx.shape(node, slot)) != channels:
            ctx.fail(node, f"input {slot} has {product(ctx.shape(node, slot))} words for {channels} channels")
    params = ctx.take(*node.inputs[1:3])
    return ctx.layer(
        node,
        "batch_normalization",
        "vector",
        vector_ops=onnx_ops.ops_per_element("batch_normalization") * product(shape),
        params=params,
        params_bn_folded=min(params, channels),
        channels=channels,
    )


class _Chains:
    """Scale and shift by one value a channel, written as Mul and Add: a chain of them folds into one bias.

    The first layer of a chain (a batch normalisation, or the first factor after a convolution) counts one
    parameter a channel in `params_bn_folded`, those behind it none.
    """

    def __init__(self, ctx: Context, source: Source) -> None:
        self.ctx = ctx
        self.axis: dict[str, int] = {}  # tensor -> axis of its channels
        self.chained: set[str] = set()
        self.uses = Counter(name for node in source.nodes for name in node.inputs)
        self.uses.update(v.name for v in source.model.graph.output)

    def mark(self, node: Node, layer: Layer) -> Layer:
        output = layer.outputs[0] if layer.outputs else ""
        if layer.kind == "array" and not layer.weight_is_activation and layer.repeat == 1:
            rank = len(self.ctx.found.shapes.get(output, ()))
            self.axis[output] = 1 if "conv" in layer.op else rank - 1
        elif layer.op == "batch_normalization":
            self.axis[output] = 1
            self.chained.add(output)
        elif (
            node.standard and node.op in onnx_ops.AFFINE and len(node.inputs) == 2 and len(layer.inputs) == 1
        ):
            return self._affine(node, layer, output)
        return layer

    def _affine(self, node: Node, layer: Layer, output: str) -> Layer:
        given = layer.inputs[0]
        axis = self.axis.get(given)
        factor = node.inputs[1] if node.inputs[0] == given else node.inputs[0]
        shape, full = self.ctx.found.shapes.get(factor, ()), self.ctx.found.shapes[output]
        if axis is None or self.uses[given] != 1 or (node.op == "Div" and node.inputs[0] != given):
            return layer
        wide = (1,) * (len(full) - len(shape)) + shape
        expected = tuple(extent if i == axis else 1 for i, extent in enumerate(full))
        if wide != expected or full != self.ctx.found.shapes[given]:
            return layer
        self.axis[output] = axis
        folded = 0 if given in self.chained else layer.params
        self.chained.add(output)
        return replace(layer, channels=full[axis], params_bn_folded=folded)


def _tensors(
    ctx: Context, source: Source, layers: list[Layer], outputs: tuple[str, ...]
) -> dict[str, Tensor]:
    names = [*source.data]
    for layer in layers:
        names += (*layer.inputs, *layer.outputs)
    names += outputs
    return {
        name: ctx.made.get(name) or Tensor(name, ctx.found.shapes[name], ctx.bits(name))
        for name in dict.fromkeys(names)
    }


def _folded_note(source: Source, found: Inferred) -> list[str]:
    folded = Counter(node.op for node in source.nodes if found.is_constant(node))
    if not folded:
        return []
    parts = ", ".join(f"{op} {count}" for op, count in sorted(folded.items()))
    return [f"folded {sum(folded.values())} operators on weights, constants and shapes alone ({parts})"]
