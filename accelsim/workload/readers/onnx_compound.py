"""Operators that are several layers: attention and recurrent cells."""

from __future__ import annotations

from typing import Final

from accelsim.workload.layer import Layer
from accelsim.workload.readers.onnx_array import gemm_layer
from accelsim.workload.readers.onnx_context import Context, product
from accelsim.workload.readers.onnx_model import Node

_GATES: Final = {"LSTM": 4, "GRU": 3, "RNN": 1}
_CELL_OPS: Final = {"LSTM": 17, "GRU": 15, "RNN": 3}
"""Scalar operations per hidden unit and step. Each gate adds two products and a bias (2) and looks up its
curve (1). LSTM: 4 gates 12, tanh of the cell 1, cell and output 4. GRU: 3 gates 9, the reset product and its
bias 2, blend 4. RNN: one gate 3."""


def recurrent(ctx: Context, node: Node) -> list[Layer]:
    """LSTM, GRU or RNN: the inputs of all steps in one product, `steps` products of the state, the gates.

    X [T, B, I], W [D, gates H, I], R [D, gates H, H] with D directions; MACs = T B D gates H (I + H).
    """
    x, w, r = ctx.shape(node, 0), ctx.shape(node, 1), ctx.shape(node, 2)
    gates = _GATES[node.op]
    if len(x) != 3 or len(w) != 3 or len(r) != 3:
        ctx.fail(node, f"X {list(x)}, W {list(w)}, R {list(r)}", "three axes each")
    steps, batch = (x[1], x[0]) if node.attrs.get("layout", 0) else (x[0], x[1])
    directions, hidden = w[0], r[2]
    if w[2] != x[2] or w[1] != gates * hidden or r[:2] != w[:2]:
        ctx.fail(node, f"X {list(x)}, W {list(w)}, R {list(r)} do not fit {gates} gates of {hidden} units")
    learned = ctx.is_learned(node.inputs[1]) and ctx.is_learned(node.inputs[2])
    if not learned:
        return [ctx.layer(node, node.op.lower(), "not_costed", reason="its weights are made at run time")]
    wide = (steps, batch, directions * gates * hidden)
    of_input = ctx.make(f"{node.name}/x_gates", wide, node.inputs[0])
    of_state = ctx.make(f"{node.name}/h_gates", wide, node.inputs[0])
    state = ctx.activations(ctx.name_at(node, 5)) or (
        of_input,
    )  # without a first state it begins with the input's
    rest = ctx.activations(ctx.name_at(node, 6))
    op = node.op.lower()
    return [
        gemm_layer(
            ctx, node, f"{op}_input", ctx.activations(node.inputs[0]),
            (batch, 1, directions * gates * hidden, x[2], steps),
            learned=True, suffix="/input", outputs=(of_input,),
            params=ctx.take(node.inputs[1], ctx.name_at(node, 3)),
        ),
        gemm_layer(
            ctx, node, f"{op}_recurrent", state, (batch, directions, gates * hidden, hidden, 1),
            learned=True, suffix="/recurrent", outputs=(of_state,), repeat=steps,
            params=ctx.take(node.inputs[2]),
        ),
        ctx.layer(
            node, f"{op}_gates", "vector", "/gates", inputs=(of_input, of_state, *rest),
            vector_ops=_CELL_OPS[node.op] * steps * batch * directions * hidden,
            params=ctx.take(ctx.name_at(node, 7)),
        ),
    ]  # fmt: skip


def attention(ctx: Context, node: Node) -> list[Layer]:
    """softmax(Q K^T) V: two products of activations with a softmax between, a cache joined before.

    Query heads that share a key head (grouped-query attention) stand in the rows of its group.
    """
    if any(ctx.is_learned(name) for name in node.inputs[:3]):
        return [ctx.layer(node, "attention", "not_costed", reason="attention on a learned tensor")]
    shapes = [ctx.shape(node, slot) for slot in range(3)]
    heads = (int(node.attrs.get("q_num_heads", 0)), int(node.attrs.get("kv_num_heads", 0)))
    (batch, q_heads, rows, depth), (_, kv_heads, keys, _), (_, _, _, value_depth) = (
        _by_heads(ctx, node, s, h) for s, h in zip(shapes, (heads[0], heads[1], heads[1]), strict=True)
    )
    if q_heads % kv_heads:
        ctx.fail(node, f"{q_heads} query heads do not share {kv_heads} key heads evenly")
    layers = []
    operands = list(node.inputs[:3])
    named = [*node.outputs, "", "", "", ""]
    for slot, what in ((1, "key"), (2, "value")):
        past = ctx.name_at(node, 3 + slot)
        if not past:
            continue
        held = ctx.shape(node, 3 + slot)
        width = depth if slot == 1 else value_depth
        joined = named[slot] or ctx.make(
            f"{node.name}/{what}s", (batch, kv_heads, held[2] + keys, width), past
        )
        names = ctx.activations(past, operands[slot])
        layers.append(ctx.layer(node, "concat", "movement", f"/{what}s", inputs=names, outputs=(joined,)))
        operands[slot] = joined
    length = keys + (ctx.shape(node, 4)[2] if ctx.name_at(node, 4) else 0)
    scores_shape = (batch, q_heads, rows, length)
    scores = ctx.make(f"{node.name}/scores", scores_shape, node.inputs[0])
    weights = ctx.make(f"{node.name}/weights", scores_shape, node.inputs[0])
    mask = ctx.activations(ctx.name_at(node, 3))
    shared = rows * (q_heads // kv_heads)
    masked = int(bool(ctx.name_at(node, 3)) or bool(node.attrs.get("is_causal", 0)))
    layers += [
        gemm_layer(
            ctx, node, "attention_qk", (operands[0], operands[1]), (batch, kv_heads, length, depth, shared),
            learned=False, suffix="/qk", outputs=(scores,),
        ),
        ctx.layer(  # scale 1, mask 1 where there is one, softmax 5
            node, "softmax", "vector", "/softmax", inputs=(scores, *mask), outputs=(weights,),
            vector_ops=(6 + masked) * product(scores_shape),
        ),
        gemm_layer(
            ctx, node, "attention_pv", (weights, operands[2]), (batch, kv_heads, value_depth, length, shared),
            learned=False, suffix="/pv", outputs=ctx.found.outputs_of(node)[:1],
        ),
    ]  # fmt: skip
    return layers


def _by_heads(ctx: Context, node: Node, shape: tuple[int, ...], heads: int) -> tuple[int, int, int, int]:
    """[B, heads, T, D] of a 4-D operand, or of a 3-D one [B, T, heads D]."""
    if len(shape) == 4:
        return shape[0], shape[1], shape[2], shape[3]
    if len(shape) != 3 or heads < 1 or shape[2] % heads:
        ctx.fail(
            node,
            f"operand {list(shape)} in {heads} heads",
            "[B, heads, T, D], or [B, T, heads D] and its heads",
        )
    return shape[0], heads, shape[1], shape[2] // heads
