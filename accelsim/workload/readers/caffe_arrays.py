"""Caffe's layers that multiply and accumulate: convolutions of any kind and fully connected layers.

Shapes are [N, C, spatial...] as Caffe has them. Output extents are those of Caffe's own
base_conv_layer.cpp and deconv_layer.cpp (BVLC/caffe).
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import NamedTuple

from accelsim.tables.dims import DIMS
from accelsim.workload.layer import Window
from accelsim.workload.readers.caffe_node import Made, Node, check_counts, words
from accelsim.workload.readers.caffe_text import Message

Windows = tuple[Window, Window, Window]

SIDES = {"kernel_size": "kernel", "pad": "pad", "stride": "stride"}


def dims_of(**extents: int) -> tuple[int, ...]:
    """Loop extents in the order of DIMS; what is not named is 1."""
    return tuple(extents.get(name, 1) for name in DIMS)


def array(op: str, dims: tuple[int, ...], windows: Windows, macs: int, params: int) -> dict[str, object]:
    """The fields of a layer of multiply-accumulates; folding a normalisation keeps its bias."""
    return {
        "op": op,
        "kind": "array",
        "dims": dims,
        "windows": windows,
        "macs": macs,
        "params": params,
        "params_bn_folded": params,
    }


def spatial(node: Node, message: Message, name: str, n_axes: int, default: int | None) -> tuple[int, ...]:
    """kernel_size, pad, stride or dilation along each axis: one for all, one each, or as _h and _w."""
    least = 0 if name == "pad" else 1
    stem = SIDES.get(name, name)
    if n_axes == 2 and (message.has(f"{stem}_h") or message.has(f"{stem}_w")):
        return tuple(message.whole(f"{stem}_{side}", default, least) for side in "hw")
    given = message.wholes(name, least)
    if not given:
        if default is None:
            node.fail(f"{name} is missing", f"{name}, or {stem}_h and {stem}_w")
        given = [default]
    if len(given) == 1:
        given = given * n_axes
    if len(given) != n_axes:
        node.fail(f"{name} is given {len(given)} times for {n_axes} spatial axes", f"1 or {n_axes} values")
    return tuple(given)


def three(windows: Sequence[Window]) -> Windows:
    """Rows, columns, depth: Caffe has the depth first, where there is one."""
    if len(windows) == 3:
        windows = (windows[1], windows[2], windows[0])
    rows, columns, depth = (*windows, *[Window()] * (3 - len(windows)))
    return rows, columns, depth


def named(extents: Sequence[int], names: str) -> dict[str, int]:
    """Extents along the spatial axes by dimension; `names` are rows, columns, depth."""
    order = names if len(extents) < 3 else names[2] + names[:2]
    return dict(zip(order, extents, strict=False))


def _groups(node: Node, message: Message, channels: int, filters: int) -> int:
    depthwise = "Depthwise" in node.type
    group = channels if depthwise else message.whole("group", 1, least=1)
    for what, count in (("input channels", channels), ("num_output", filters)):
        if count % group:
            node.fail(f"{count} {what} don't divide into {group} groups", f"a multiple of {group}")
    return group


class _Walks(NamedTuple):
    """What convolution_param says, beside the axes that its filters walk."""

    shape: tuple[int, ...]
    axes: tuple[int, ...]
    kernel: tuple[int, ...]
    pad: tuple[int, ...]
    stride: tuple[int, ...]
    dilation: tuple[int, ...]
    filters: int
    group: int
    has_bias: bool


def _walks(node: Node) -> _Walks:
    shape = node.shape()
    param = node.param("convolution_param")
    axes = shape[2:]
    if not 1 <= len(axes) <= 3:
        node.fail(f"its bottom has the shape {list(shape)}", "batch, channels and 1 to 3 spatial axes")
    kernel = spatial(node, param, "kernel_size", len(axes), None)
    pad = spatial(node, param, "pad", len(axes), 0)
    stride = spatial(node, param, "stride", len(axes), 1)
    dilation = spatial(node, param, "dilation", len(axes), 1)
    filters = param.whole("num_output", least=1)
    group = _groups(node, param, shape[1], filters)
    return _Walks(shape, axes, kernel, pad, stride, dilation, filters, group, param.flag("bias_term", True))


def convolution(node: Node) -> Made:
    """Out = floor((in + 2 pad - dilation (kernel - 1) - 1) / stride) + 1 along each axis."""
    shape, axes, kernel, pad, stride, dilation, filters, group, has_bias = _walks(node)
    windows = [Window(*walk) for walk in zip(stride, dilation, pad, axes, strict=True)]
    out = tuple(
        (axis + 2 * p - d * (k - 1) - 1) // s + 1
        for axis, k, p, s, d in zip(axes, kernel, pad, stride, dilation, strict=True)
    )
    n_weights = filters * (shape[1] // group) * prod(kernel)
    params = n_weights + (filters if has_bias else 0)
    macs = shape[0] * n_weights * prod(out)
    check_counts(node, macs=macs, params=params)
    dims = dims_of(
        N=shape[0],
        G=group,
        K=filters // group,
        C=shape[1] // group,
        **named(out, "PQZ"),
        **named(kernel, "RSV"),
    )
    op = "depthwise_conv" if group > 1 and group == shape[1] else "conv"
    return Made(
        ((shape[0], filters, *out),),
        array(op, dims, three(windows), macs, params),
    )


def deconvolution(node: Node) -> Made:
    """Out = stride (in - 1) + dilation (kernel - 1) + 1 - 2 pad: an input pixel adds a kernel of outputs."""
    shape, axes, kernel, pad, stride, dilation, filters, group, has_bias = _walks(node)
    out = tuple(
        s * (axis - 1) + d * (k - 1) + 1 - 2 * p
        for axis, k, p, s, d in zip(axes, kernel, pad, stride, dilation, strict=True)
    )
    n_weights = shape[1] * (filters // group) * prod(kernel)
    params = n_weights + (filters if has_bias else 0)
    macs = shape[0] * n_weights * prod(axes)
    check_counts(node, macs=macs, params=params)
    walks = [_phases(*axis) for axis in zip(axes, out, kernel, pad, stride, dilation, strict=True)]
    phases = prod(walk[0] for walk in walks)
    dims = dims_of(
        N=shape[0],
        G=group,
        K=filters // group * phases,
        C=shape[1] // group,
        **named([walk[1] for walk in walks], "PQZ"),
        **named([walk[2] for walk in walks], "RSV"),
    )
    return Made(
        ((shape[0], filters, *out),),
        array("conv_transpose", dims, three([walk[3] for walk in walks]), macs, params),
    )


def _phases(
    size: int, out: int, kernel: int, pad: int, stride: int, dilation: int
) -> tuple[int, int, int, Window]:
    """One axis of a transposed convolution as `stride` plain ones, each of every stride-th output.

    Output o = stride q + phase - pad takes inputs q - j through taps phase + stride j: ceil(kernel / stride)
    taps that are walked with stride 1 over the real input. Phases with fewer taps are padded with zeros, the
    work that a machine does beyond the algorithm's. Returns phases, outputs of a phase, taps, window.
    Source: Shi et al., "Is the deconvolution layer the same as a convolutional layer?", arXiv:1609.07009.
    """
    if stride == 1:
        return 1, out, kernel, Window(1, dilation, max(0, dilation * (kernel - 1) - pad), size)
    taps = -(-(dilation * (kernel - 1) + 1) // stride)
    return stride, -(-out // stride), taps, Window(1, 1, max(0, taps - 1 - pad // stride), size)


def inner_product(node: Node) -> Made:
    """[.., C] times [C, K]: all axes from `axis` on are one reduction of C = their product."""
    shape = node.shape()
    param = node.param("inner_product_param")
    axis = node.axis(param, "axis", 1, len(shape))
    filters = param.whole("num_output", least=1)
    rows, channels = shape[:axis], words(shape[axis:])
    params = filters * channels + (filters if param.flag("bias_term", True) else 0)
    macs = words(rows) * filters * channels
    check_counts(node, macs=macs, params=params)
    n_images = rows[0] if rows else 1
    dims = dims_of(N=n_images, P=words(rows[1:]), K=filters, C=channels)
    windows = (Window(size=words(rows[1:])), Window(), Window())
    return Made(
        ((*rows, filters),),
        array("gemm", dims, windows, macs, params),
    )
