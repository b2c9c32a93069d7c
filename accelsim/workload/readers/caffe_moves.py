"""Caffe's layers that only move words: concat, slice, reshape, permute and their like."""

from __future__ import annotations

from itertools import pairwise
from math import prod

from accelsim.workload.readers.caffe_node import Made, Node, Shape, check_counts, words


def movement(op: str, *shapes: Shape, params: int = 0) -> Made:
    return Made(shapes, {"op": op, "kind": "movement", "params": params, "params_bn_folded": params})


def concat(node: Node) -> Made:
    shape = node.shape()
    param = node.param("concat_param")
    axis = node.axis(param, "concat_dim" if param.has("concat_dim") else "axis", 1, len(shape))
    for other in node.shapes[1:]:
        if len(other) != len(shape) or any(
            a != b for i, (a, b) in enumerate(zip(shape, other, strict=True)) if i != axis
        ):
            node.fail(
                f"shapes {list(shape)} and {list(other)} differ beside axis {axis}",
                "equal extents along the other axes",
            )
    joined = sum(each[axis] for each in node.shapes)
    return movement("concat", (*shape[:axis], joined, *shape[axis + 1 :]))


def slice_(node: Node) -> Made:
    """Cuts one axis at `slice_point`s, or in equal parts."""
    shape = node.shape()
    param = node.param("slice_param")
    axis = node.axis(param, "slice_dim" if param.has("slice_dim") else "axis", 1, len(shape))
    points = param.wholes("slice_point", least=1)
    if points:
        cuts = [0, *points, shape[axis]]
        parts = [b - a for a, b in pairwise(cuts)]
        if len(parts) != node.n_tops or min(parts) < 1:
            node.fail(
                f"slice points {points} cut {shape[axis]} into {parts} for {node.n_tops} tops",
                "rising points within the axis, one fewer than tops",
            )
    else:
        if shape[axis] % max(1, node.n_tops):
            node.fail(
                f"{shape[axis]} don't divide into {node.n_tops} equal tops", "slice_point, or a multiple"
            )
        parts = [shape[axis] // max(1, node.n_tops)] * node.n_tops
    return movement("slice", *((*shape[:axis], part, *shape[axis + 1 :]) for part in parts))


def split(node: Node) -> Made:
    """One bottom under several names; nothing is computed."""
    return movement("split", *[node.shape()] * node.n_tops)


def dropout(node: Node) -> Made:
    """The identity at inference (Caffe scales while training)."""
    return movement("dropout", node.shape())


def flatten(node: Node) -> Made:
    shape = node.shape()
    param = node.param("flatten_param")
    begin = node.axis(param, "axis", 1, len(shape))
    end = node.axis(param, "end_axis", -1, len(shape))
    if end < begin:
        node.fail(f"end_axis {end} lies before axis {begin}", "end_axis at or behind axis")
    return movement("flatten", (*shape[:begin], words(shape[begin : end + 1]), *shape[end + 1 :]))


def reshape(node: Node) -> Made:
    """The axes from `axis` on become `shape`; 0 keeps an extent, one -1 takes what is left."""
    shape = node.shape()
    param = node.param("reshape_param")
    begin = param.whole("axis", 0, least=-len(shape) - 1)
    begin += len(shape) + 1 if begin < 0 else 0
    n_axes = param.whole("num_axes", -1, least=-1)
    end = len(shape) if n_axes == -1 else begin + n_axes
    if begin > end or end > len(shape):
        node.fail(f"it reshapes axes {begin} to {end} of a bottom with {len(shape)} axes")
    inner = shape[begin:end]
    wanted = param.message("shape").wholes("dim", least=-1)
    made = [
        (inner[i] if i < len(inner) else node.fail(f"dim {i} is 0, but there is no such axis"))
        if dim == 0
        else dim
        for i, dim in enumerate(wanted)
    ]
    if made.count(-1) > 1:
        node.fail("more than one dim is -1", "one that takes what is left")
    known = prod(dim for dim in made if dim != -1)
    if -1 in made:
        made[made.index(-1)] = words(inner) // known
    if prod(made) != words(inner):
        node.fail(
            f"{words(inner):,} words of shape {list(shape)} don't fit into {wanted}",
            "the same number of words",
            "a batch that the file fixes here can't be changed by --batch",
        )
    return movement("reshape", (*shape[:begin], *made, *shape[end:]))


def permute(node: Node) -> Made:
    """`order` lists the axes; those that it leaves out follow in their old order."""
    shape = node.shape()
    order = node.param("permute_param").wholes("order")
    if any(axis >= len(shape) for axis in order) or len(set(order)) != len(order):
        node.fail(f"order {order} does not name axes of {list(shape)}", f"0 to {len(shape) - 1}, each once")
    order += [axis for axis in range(len(shape)) if axis not in order]
    return movement("transpose", tuple(shape[axis] for axis in order))


def crop(node: Node) -> Made:
    """The first bottom cut to the second's extents from `axis` on."""
    shape, like = node.shape(0), node.shape(1)
    axis = node.axis(node.param("crop_param"), "axis", 2, len(shape))
    if len(like) != len(shape) or any(b > a for a, b in zip(shape[axis:], like[axis:], strict=True)):
        node.fail(
            f"{list(like)} can't be cut out of {list(shape)} from axis {axis}",
            "a smaller shape of equal rank",
        )
    return movement("crop", (*shape[:axis], *like[axis:]))


def tile(node: Node) -> Made:
    shape = node.shape()
    param = node.param("tile_param")
    axis = node.axis(param, "axis", 1, len(shape))
    result = (*shape[:axis], shape[axis] * param.whole("tiles", least=1), *shape[axis + 1 :])
    check_counts(node, words=words(result))
    return movement("tile", result)


def upsample(node: Node) -> Made:
    """Nearest neighbour by `scale`."""
    shape = node.shape()
    factor = node.param("upsample_param").whole("scale", 2, least=1)
    return movement("resize_nearest", (*shape[:2], *(axis * factor for axis in shape[2:])))


def shuffle_channel(node: Node) -> Made:
    return movement("shuffle_channel", node.shape())


def embed(node: Node) -> Made:
    """Looks up one row of a table for each index."""
    param = node.param("embed_param")
    rows, columns = param.whole("input_dim", least=1), param.whole("num_output", least=1)
    params = rows * columns + (columns if param.flag("bias_term", True) else 0)
    check_counts(node, params=params)
    return movement("gather", (*node.shape(), columns), params=params)


def silence(node: Node) -> Made:
    """Only tells Caffe that its bottoms are not wanted."""
    return movement("silence")
