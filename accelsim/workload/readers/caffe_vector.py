"""Caffe's layers that a vector engine does: pooling, activations, normalisation, elementwise."""

from __future__ import annotations

from math import prod

from accelsim.workload.readers.caffe_arrays import spatial
from accelsim.workload.readers.caffe_node import Made, Node, Shape, check_counts, words
from accelsim.workload.readers.caffe_text import Message
from accelsim.workload.vector_ops import LRN_SQUARES, OPS_PER_ELEMENT

ACTIVATIONS = {
    "ReLU": "relu",
    "ReLU6": "relu6",
    "Sigmoid": "sigmoid",
    "TanH": "tanh",
    "ELU": "elu",
    "Clip": "clip",
    "AbsVal": "abs",
    "Exp": "exp",
    "Log": "log",
    "Power": "power",
    "BNLL": "softplus",
    "Threshold": "threshold",
    "Swish": "swish",
    "MVN": "mean_variance_normalization",
    "Softmax": "softmax",
}
"""One top of its bottom's shape, no parameters, OPS_PER_ELEMENT operations an element."""


def vector(
    shape: Shape,
    op: str,
    params: int = 0,
    folded: int | None = None,
    channels: int = 0,
    ops: int | None = None,
) -> Made:
    """A vector layer whose top has this shape; `ops` where it is not the table's count times the elements."""
    count = OPS_PER_ELEMENT[op] * words(shape) if ops is None else ops
    fields = {
        "op": op,
        "kind": "vector",
        "vector_ops": count,
        "params": params,
        "params_bn_folded": params if folded is None else folded,
        "channels": channels,
    }
    return Made((shape,), fields)


def activation(node: Node) -> Made:
    op = ACTIVATIONS[node.type]
    if op == "relu" and node.param("relu_param").number("negative_slope", 0.0):
        op = "leaky_relu"
    return vector(node.shape(), op)


def prelu(node: Node) -> Made:
    """One slope a channel, or one for all."""
    shape = node.shape()
    shared = node.param("prelu_param").flag("channel_shared")
    return vector(shape, "prelu", params=1 if shared else channels_of(node, shape))


def channels_of(node: Node, shape: Shape) -> int:
    if len(shape) < 2:
        node.fail(f"its bottom has the shape {list(shape)}", "batch and channels at least")
    return shape[1]


def pooling(node: Node) -> Made:
    """Out = ceil((in + 2 pad - kernel) / stride) + 1; a last window that starts beyond the padded map is cut.

    Caffe rounds up unless `round_mode: FLOOR` or `ceil_mode: false` says otherwise (BVLC/caffe
    pooling_layer.cpp).
    """
    shape = node.shape()
    param = node.param("pooling_param")
    if len(shape) != 4:
        node.fail(f"its bottom has the shape {list(shape)}", "batch, channels, rows and columns")
    n_images, n_channels, *axes = shape
    method = {"0": "MAX", "1": "AVE", "2": "STOCHASTIC"}.get(
        param.text("pool", "MAX"), param.text("pool", "MAX")
    )
    op = "max_pool" if method == "MAX" else "average_pool"
    kernel, out = tuple(axes), [1, 1]
    if param.flag("global_pooling"):
        op = f"global_{op}"
    else:
        kernel = spatial(node, param, "kernel_size", 2, None)
        pad = spatial(node, param, "pad", 2, 0)
        stride = spatial(node, param, "stride", 2, 1)
        up = param.flag("ceil_mode", True) and param.text("round_mode", "CEIL") not in ("FLOOR", "1")
        if any(p >= k for p, k in zip(pad, kernel, strict=True)):  # windows of nothing but padding
            node.fail(f"pad {list(pad)} is not smaller than the kernel {list(kernel)}", "a smaller pad")
        out = [_pooled(*axis, up) for axis in zip(axes, kernel, pad, stride, strict=True)]
    result = (n_images, n_channels, *out)
    made = vector(result, op, ops=words(result) * prod(kernel))
    return Made((result,) * max(1, node.n_tops), made.fields)  # a second top holds the maxima's places


def _pooled(size: int, kernel: int, pad: int, stride: int, up: bool) -> int:
    span = size + 2 * pad - kernel
    out = (-(-span // stride) if up else span // stride) + 1
    return out - 1 if pad and (out - 1) * stride >= size + pad else out


def batch_norm(node: Node) -> Made:
    """Normalises by stored statistics, which are no learned parameters; scale and shift are Scale's.

    NVIDIA's Caffe (`scale_bias`) and the older type BN keep scale and shift in the layer itself.
    """
    shape = node.shape()
    n_channels = shape[1] if len(shape) > 1 else 1  # as Caffe: a flat bottom has one channel
    has_scale = node.type == "BN" or node.param("batch_norm_param").flag("scale_bias")
    params = 2 * n_channels if has_scale else 0
    return vector(shape, "batch_normalization", params, folded=params // 2, channels=n_channels)


def scale(node: Node) -> Made:
    """y = scale x (+ bias) along `num_axes` axes from `axis`; with two bottoms the scale is an activation."""
    shape = node.shape()
    param = node.param("scale_param")
    n_scaled = _aligned(node, param, shape)
    n_biases = n_scaled if param.flag("bias_term") else 0
    if len(node.shapes) > 1:
        return vector(shape, "mul", params=n_biases, ops=words(shape) * (2 if n_biases else 1))
    # Folded into its producer a scaled channel keeps one bias, whether or not the file has one here.
    return vector(shape, "scale", n_scaled + n_biases, folded=n_scaled, channels=n_scaled)


def bias(node: Node) -> Made:
    shape = node.shape()
    n_biases = _aligned(node, node.param("bias_param"), shape)
    return vector(shape, "add", params=0 if len(node.shapes) > 1 else n_biases)


def _aligned(node: Node, param: Message, shape: Shape) -> int:
    """How many values a Scale or Bias has; a second bottom must fit the axes from `axis` on."""
    axis = node.axis(param, "axis", 1, len(shape))
    if len(node.shapes) > 1:
        other = node.shape(1)
        # SENet's files give [N, C, 1, 1] for axis 0: trailing ones stand for the whole map.
        if (
            any(b not in (1, a) for a, b in zip(shape[axis:], other, strict=False))
            or len(other) > len(shape) - axis
        ):
            node.fail(f"a scale of shape {list(other)} does not fit {list(shape)} from axis {axis}")
        return words(other)
    n_axes = param.whole("num_axes", 1, least=-1)
    return words(shape[axis:] if n_axes == -1 else shape[axis : axis + n_axes])


def eltwise(node: Node) -> Made:
    """SUM, PROD or MAX of bottoms of one shape."""
    shape = node.shape()
    for other in node.shapes[1:]:
        if other != shape:
            node.fail(f"its bottoms have the shapes {list(shape)} and {list(other)}", "equal shapes")
    operation = node.param("eltwise_param").text("operation", "SUM")
    op = {"PROD": "mul", "0": "mul", "MAX": "max", "2": "max"}.get(operation, "add")
    return vector(shape, op, ops=(len(node.shapes) - 1) * words(shape))


def axpy(node: Node) -> Made:
    """Bottoms a [N, C], x and y [N, C, H, W]: a x + y, the end of a squeeze-and-excitation block."""
    factor, x, y = node.shape(0), node.shape(1), node.shape(2)
    if x != y:
        node.fail(f"x has the shape {list(x)} and y {list(y)}", "equal shapes")
    if factor[:2] != x[:2] or words(factor) != words(x[:2]):
        node.fail(f"the factors have the shape {list(factor)} for an x of {list(x)}", "one factor a channel")
    return vector(x, "axpy")


def lrn(node: Node) -> Made:
    """x / (k + alpha/n sum of n squares) ** beta, over n neighbouring channels or an n x n window."""
    shape = node.shape()
    param = node.param("lrn_param")
    size = param.whole("local_size", 5, least=1)
    within = param.text("norm_region", "ACROSS_CHANNELS") in ("WITHIN_CHANNEL", "1")
    n_squares = size * size if within else size
    return vector(shape, "lrn", ops=words(shape) * (OPS_PER_ELEMENT["lrn"] + LRN_SQUARES * n_squares))


def normalize(node: Node) -> Made:
    """SSD's Normalize: each pixel's channels divided by their length, times a learned scale a channel."""
    shape = node.shape()
    params = 1 if node.param("norm_param").flag("channel_shared", True) else channels_of(node, shape)
    return vector(shape, "lp_normalization", params=params, ops=words(shape) * 4)


def reduction(node: Node) -> Made:
    """All axes from `axis` on to one number."""
    shape = node.shape()
    axis = node.axis(node.param("reduction_param"), "axis", 0, len(shape))
    return vector(shape[:axis], "reduce", ops=words(shape))


def argmax(node: Node) -> Made:
    shape = node.shape()
    param = node.param("argmax_param")
    top = param.whole("top_k", 1, least=1)
    if param.has("axis"):
        axis = node.axis(param, "axis", 1, len(shape))
        result = (*shape[:axis], top, *shape[axis + 1 :])
    elif not shape:
        node.fail("its bottom is a single number", "a batch")
    else:
        result = (shape[0], 2 if param.flag("out_max_val") else 1, top)
    return vector(result, "argmax", ops=words(shape))


def interp(node: Node) -> Made:
    """DeepLab's bilinear resize to a height and width, or by a factor."""
    shape = node.shape()
    param = node.param("interp_param")
    if len(shape) != 4:
        node.fail(f"its bottom has the shape {list(shape)}", "batch, channels, rows and columns")
    out = []
    for axis, side in zip(shape[2:], ("height", "width"), strict=True):
        if param.has(side):
            out.append(param.whole(side, least=1))
        else:
            shrunk = (axis - 1) // param.whole("shrink_factor", 1, least=1) + 1
            zoom = param.whole("zoom_factor", 1, least=1)
            out.append(shrunk + (shrunk - 1) * (zoom - 1))
    result = (*shape[:2], *out)
    check_counts(node, words=words(result))
    return vector(result, "resize_linear")
