"""Convolutions and matrix products as loop nests."""

from __future__ import annotations

from typing import Final

from accelsim.tables.dims import DIMS, WINDOWS
from accelsim.workload.layer import Layer, Window
from accelsim.workload.readers.onnx_context import Context, extents, product
from accelsim.workload.readers.onnx_model import Node
from accelsim.workload.readers.onnx_ops import snake

_PLACES: Final = {1: (1,), 2: (0, 1), 3: (2, 0, 1)}
"""Which of (rows, columns, depth) a spatial axis is, by the number of spatial axes (depth stands first)."""
CONV_SLOTS: Final = {
    "Conv": (0, 1, 2),
    "ConvInteger": (0, 1, -1),
    "QLinearConv": (0, 3, 8),
    "ConvTranspose": (0, 1, 2),
}
MATMUL_SLOTS: Final = {"MatMul": (0, 1), "MatMulInteger": (0, 1), "QLinearMatMul": (0, 3), "Gemm": (0, 1)}


def conv(ctx: Context, node: Node) -> list[Layer]:
    """Convolution of 1 to 3 spatial axes, grouped, dilated, padded as the file or auto_pad says.

    out = floor((in + pad_begin + pad_end - dilation (kernel - 1) - 1) / stride) + 1 on each axis.
    """
    x_slot, w_slot, b_slot = CONV_SLOTS[node.op]
    x, w = ctx.shape(node, x_slot), ctx.shape(node, w_slot)
    geometry = _geometry(ctx, node, x, w)
    if geometry is None:
        return [_not_costed(ctx, node, f"a convolution over {len(x) - 2} spatial axes")]
    group, kernel, stride, dilation = geometry
    if x[1] != w[1] * group or w[0] % group:
        ctx.fail(node, f"input has {x[1]} channels, weight {list(w)} in {group} groups takes {w[1] * group}")
    dims = {"N": x[0], "G": group, "K": w[0] // group, "C": w[1]}
    windows = [Window(), Window(), Window()]
    for i, place in enumerate(_PLACES[len(kernel)]):
        size = x[2 + i]
        reach = dilation[i] * (kernel[i] - 1) + 1
        begin, end = _pads(ctx, node, i, len(kernel), size, stride[i], reach)
        out = (size + begin + end - reach) // stride[i] + 1
        if out < 1:
            ctx.fail(
                node,
                f"the filter reaches over {reach} of {size} + {begin + end} padded words on axis {2 + i}",
            )
        out_dim, filter_dim = WINDOWS[place]
        dims[DIMS[out_dim]], dims[DIMS[filter_dim]] = out, kernel[i]
        windows[place] = Window(stride[i], dilation[i], begin, size)
    op = "depthwise_conv" if group == x[1] and group > 1 else "conv"
    bias = ctx.name_at(node, b_slot) if b_slot > 0 else ""
    return [
        ctx.layer(
            node,
            op,
            "array",
            inputs=ctx.activations(node.inputs[x_slot], node.inputs[w_slot], bias),
            dims=extents(**dims),
            windows=(windows[0], windows[1], windows[2]),
            macs=product(dims.values()),
            params=ctx.take(node.inputs[w_slot], bias),
        )
    ]


def conv_transpose(ctx: Context, node: Node) -> list[Layer]:
    """Transposed convolution as the sub-pixel one: K grows by the strides, the filter shrinks by them.

    The algorithm's MACs are N C_in (K / groups) prod(kernel) prod(input); the loops hold padded zeros where
    the stride does not divide the kernel. Source: Shi et al., "Is the deconvolution layer the same as a
    convolutional layer?", arXiv:1609.07009.
    """
    x, w = ctx.shape(node, 0), ctx.shape(node, 1)
    geometry = _geometry(ctx, node, x, w)
    if geometry is None:
        return [_not_costed(ctx, node, f"a transposed convolution over {len(x) - 2} spatial axes")]
    group, kernel, stride, dilation = geometry
    if x[1] != w[0] or w[0] % group:
        ctx.fail(node, f"input has {x[1]} channels, weight {list(w)} in {group} groups takes {w[0]}")
    out = ctx.out_shape(node)
    dims = {"N": x[0], "G": group, "K": w[1] * product(stride), "C": w[0] // group}
    windows = [Window(), Window(), Window()]
    for i, place in enumerate(_PLACES[len(kernel)]):
        reach = dilation[i] * (kernel[i] - 1) + 1
        taps = -(-reach // stride[i])
        begin = _transposed_pad(node, i, len(kernel), x[2 + i], out[2 + i], stride[i], reach)
        out_dim, filter_dim = WINDOWS[place]
        dims[DIMS[out_dim]], dims[DIMS[filter_dim]] = -(-out[2 + i] // stride[i]), taps
        windows[place] = Window(1, 1, max(0, taps - 1 - begin // stride[i]), x[2 + i])
    bias = ctx.name_at(node, 2)
    return [
        ctx.layer(
            node,
            "conv_transpose",
            "array",
            inputs=ctx.activations(*node.inputs[:3]),
            dims=extents(**dims),
            windows=(windows[0], windows[1], windows[2]),
            macs=x[0] * x[1] * w[1] * product(kernel) * product(x[2:]),
            params=ctx.take(node.inputs[1], bias),
        )
    ]


def matmul(ctx: Context, node: Node) -> list[Layer]:
    """Gemm and MatMul: rows in P (or N, where each image has one), shared leading axes in N and G."""
    a_slot, b_slot = MATMUL_SLOTS[node.op]
    a_name, b_name = ctx.name_at(node, a_slot), ctx.name_at(node, b_slot)
    a, b = ctx.shape(node, a_slot), ctx.shape(node, b_slot)
    bias = ctx.name_at(node, 2) if node.op == "Gemm" else ""
    if not a or not b or (node.op == "Gemm" and (len(a) != 2 or len(b) != 2)):
        ctx.fail(node, f"operands have shapes {list(a)} and {list(b)}", "matrices")
    a = (1, *a) if len(a) == 1 else a
    b = (*b, 1) if len(b) == 1 else b
    if node.attrs.get("transA", 0):
        a = (a[1], a[0])
    if node.attrs.get("transB", 0):
        b = (b[1], b[0])
    if ctx.is_learned(a_name) and not ctx.is_learned(b_name):  # (A B)^T = B^T A^T: the weight stands second
        a_name, b_name = b_name, a_name
        a, b = (*b[:-2], b[-1], b[-2]), (*a[:-2], a[-1], a[-2])
    if a[-1] != b[-2]:
        ctx.fail(node, f"inner extents {a[-1]} and {b[-2]} of {list(a)} and {list(b)} differ", "equal ones")
    learned = ctx.is_learned(b_name)
    rank = max(len(a), len(b)) - 2
    pairs = zip((1,) * (rank + 2 - len(a)) + a[:-2], (1,) * (rank + 2 - len(b)) + b[:-2], strict=True)
    n, g, p, k = 1, 1, a[-2], b[-1]
    for axis, (of_a, of_b) in enumerate(pairs):
        if of_a != of_b and 1 not in (of_a, of_b):
            ctx.fail(node, f"leading extents of {list(a)} and {list(b)} do not match")
        if of_b == 1:  # rows that share the second operand
            n, p = (of_a, p) if learned and axis == 0 else (n, p * of_a)
        elif of_a == 1:
            k *= of_b
        elif axis == 0 and not learned:
            n = of_a
        else:
            g *= of_a
    if learned and rank == 0 and p == ctx.found.batch:
        n, p = p, 1
    op = "gemm" if node.op == "Gemm" else "matmul"
    names = ctx.activations(a_name, b_name, bias)
    params = ctx.take(b_name, bias) if learned else ctx.take(bias)
    return [gemm_layer(ctx, node, op, names, (n, g, k, a[-1], p), learned=learned, params=params)]


def einsum(ctx: Context, node: Node) -> list[Layer]:
    """A product of two operands that contracts letters; other sums and repeated letters are not costed."""
    left, arrow, out = str(node.attrs.get("equation", "")).replace(" ", "").partition("->")
    terms = left.split(",")
    if not arrow or len(terms) != 2 or "." in left or any(len(set(t)) != len(t) for t in (*terms, out)):
        return [
            _not_costed(ctx, node, f"einsum {node.attrs.get('equation', '')!r} is no plain product of two")
        ]
    names, shapes = list(node.inputs[:2]), [ctx.shape(node, 0), ctx.shape(node, 1)]
    if ctx.is_learned(names[0]) and not ctx.is_learned(names[1]):
        names, shapes, terms = names[::-1], shapes[::-1], terms[::-1]
    first, second = terms
    if any(len(t) != len(s) for t, s in zip(terms, shapes, strict=True)):
        ctx.fail(node, f"equation {left!r} does not fit shapes {shapes}")
    size = {**dict(zip(second, shapes[1], strict=True)), **dict(zip(first, shapes[0], strict=True))}
    shared = set(first) & set(second)
    if (set(first) ^ set(second)) - set(out) or set(out) - set(size):
        return [_not_costed(ctx, node, f"einsum {left + arrow + out!r} sums a letter of one operand alone")]
    learned = ctx.is_learned(names[1])
    n = g = p = k = c = 1
    for letter in size:
        extent = size[letter]
        if letter not in out:
            c *= extent
        elif letter in shared and (learned or letter != out[0]):
            g *= extent
        elif letter in shared or (letter in first and learned and letter == out[0] and len(first) > 2):
            n *= extent
        elif letter in first:
            p *= extent
        else:
            k *= extent
    params = ctx.take(names[1]) if learned else 0
    return [
        gemm_layer(
            ctx, node, "einsum", ctx.activations(*names), (n, g, k, c, p), learned=learned, params=params
        )
    ]


def gemm_layer(
    ctx: Context,
    node: Node,
    op: str,
    inputs: tuple[str, ...],
    ngkcp: tuple[int, int, int, int, int],
    *,
    learned: bool,
    suffix: str = "",
    params: int = 0,
    repeat: int = 1,
    outputs: tuple[str, ...] | None = None,
) -> Layer:
    """N x G products of [P x C] times [C x K]; the row axis is a window of stride 1 and filter 1."""
    n, g, k, c, p = ngkcp
    return ctx.layer(
        node,
        op,
        "array",
        suffix,
        inputs=inputs,
        outputs=ctx.found.outputs_of(node) if outputs is None else outputs,
        dims=extents(N=n, G=g, K=k, C=c, P=p),
        windows=(Window(size=p), Window(), Window()),
        macs=n * g * k * c * p * repeat,
        params=params,
        weight_is_activation=not learned,
        repeat=repeat,
    )


def _geometry(
    ctx: Context, node: Node, x: tuple[int, ...], w: tuple[int, ...]
) -> tuple[int, tuple[int, ...], tuple[int, ...], tuple[int, ...]] | None:
    """Groups, kernel, strides and dilations of a convolution, None where it has no 1 to 3 spatial axes."""
    rank = len(x) - 2
    if len(w) != len(x):
        ctx.fail(node, f"input {list(x)} and weight {list(w)} have different ranks", "equal ranks")
    if rank not in _PLACES:
        return None
    kernel = node.ints("kernel_shape", w[2:])
    stride, dilation = node.ints("strides", (1,) * rank), node.ints("dilations", (1,) * rank)
    if kernel != w[2:] or len(stride) != rank or len(dilation) != rank:
        ctx.fail(node, f"kernel_shape {kernel}, strides {stride}, dilations {dilation} do not fit {list(w)}")
    return int(node.attrs.get("group", 1)), kernel, stride, dilation


def _pads(
    ctx: Context, node: Node, axis: int, rank: int, size: int, stride: int, reach: int
) -> tuple[int, int]:
    """Padding before and after on one axis; SAME_UPPER puts an odd word after, SAME_LOWER before."""
    auto = node.attrs.get("auto_pad", "NOTSET")
    if auto in ("SAME_UPPER", "SAME_LOWER"):
        total = max(0, (-(-size // stride) - 1) * stride + reach - size)
        less, more = total // 2, total - total // 2
        return (less, more) if auto == "SAME_UPPER" else (more, less)
    pads = node.ints("pads", (0,) * (2 * rank)) if auto != "VALID" else (0,) * (2 * rank)
    if len(pads) != 2 * rank:
        ctx.fail(node, f"pads {list(pads)} for {rank} spatial axes", f"{2 * rank} values")
    return pads[axis], pads[axis + rank]


def _transposed_pad(node: Node, axis: int, rank: int, size: int, out: int, stride: int, reach: int) -> int:
    """Words cut off before the output: as stated, or what output_shape or auto_pad leave to cut."""
    auto = node.attrs.get("auto_pad", "NOTSET")
    if "output_shape" not in node.attrs and auto in ("NOTSET", "VALID"):
        return node.ints("pads", (0,) * (2 * rank))[axis] if auto == "NOTSET" else 0
    extra = node.ints("output_padding", (0,) * rank)[axis]
    total = max(0, stride * (size - 1) + extra + reach - out)
    return total // 2 if auto == "SAME_UPPER" else total - total // 2


def _not_costed(ctx: Context, node: Node, reason: str) -> Layer:
    return ctx.layer(node, snake(node.op), "not_costed", reason=reason)
