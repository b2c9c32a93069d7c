"""Operators become the loop nests that their definitions state; expected extents are by hand or by a walk."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accelsim.workload import Layer, LayerGraph, Window, read


def graph_of(
    tmp_path: Path, body: str, data: str = "", opset: int = 17, batch: int | None = None
) -> LayerGraph:
    path = tmp_path / "model.onnx.txt"
    meta = f', metadata_props: ["accelsim.data_inputs": "{data}"]' if data else ""
    path.write_text(f'<ir_version: 8, opset_import: ["" : {opset}]{meta}>\ng {body}')
    return read(path, batch)


def only(graph: LayerGraph) -> Layer:
    (layer,) = graph.layers
    return layer


def dims(layer: Layer) -> dict[str, int]:
    return {d: layer.extent(d) for d in "NGKCPQRSZV" if layer.extent(d) != 1}


@st.composite
def axes(draw: st.DrawFn) -> tuple[int, int, int, int, int, int]:
    kernel, dilation = draw(st.integers(1, 4)), draw(st.integers(1, 3))
    begin, end = draw(st.integers(0, 3)), draw(st.integers(0, 3))
    reach = dilation * (kernel - 1) + 1
    size = draw(st.integers(max(1, reach - begin - end), 14))
    return size, kernel, draw(st.integers(1, 3)), dilation, begin, end


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(axes(), min_size=1, max_size=3), st.integers(1, 3), st.integers(1, 2), st.integers(1, 3))
def test_convolutions_have_as_many_positions_as_a_walk_counts(
    tmp_path: Path, along: list[tuple[int, int, int, int, int, int]], group: int, c: int, k: int
) -> None:
    sizes, kernels, strides, dilations, begins, ends = (list(v) for v in zip(*along, strict=True))
    spatial = ",".join("abd"[: len(along)])
    layer = only(
        graph_of(
            tmp_path,
            f"(float[2,{group * c},{','.join(map(str, sizes))}] x, float[{group * k},{c},"
            f"{','.join(map(str, kernels))}] w) => (float[n,m,{spatial}] y) {{ y = Conv<group = {group}, "
            f"strides = {strides}, dilations = {dilations}, pads = {begins + ends}>(x, w) }}",
            data="x",
        )
    )
    outs = []
    for size, kernel, stride, dilation, begin, end in along:
        start, count = -begin, 0
        while start + dilation * (kernel - 1) < size + end:  # the last tap still lies on a padded word
            start, count = start + stride, count + 1
        outs.append(count)
    letters = (
        [("Z", "V"), ("P", "R"), ("Q", "S")] if len(along) == 3 else [("P", "R"), ("Q", "S")][-len(along) :]
    )
    places = [2, 0, 1] if len(along) == 3 else [0, 1][-len(along) :]
    for (out, taps), place, axis, count in zip(letters, places, along, outs, strict=True):
        assert (layer.extent(out), layer.extent(taps)) == (count, axis[1])
        assert layer.windows[place] == Window(axis[2], axis[3], axis[4], axis[0])
    macs = 2 * group * c * k
    for count, kernel in zip(outs, kernels, strict=True):
        macs *= count * kernel
    assert layer.macs == macs
    assert [layer.extent(d) for d in "NGKC"] == [2, group, k, c]
    assert layer.op == ("depthwise_conv" if c == 1 and group > 1 else "conv")


@pytest.mark.parametrize(
    ("auto_pad", "begin", "out"), [("SAME_UPPER", 0, 4), ("SAME_LOWER", 1, 4), ("VALID", 0, 3)]
)
def test_auto_pad_puts_the_odd_word_where_onnx_says(
    tmp_path: Path, auto_pad: str, begin: int, out: int
) -> None:
    """8 words, filter 3, stride 2: SAME needs one word of padding for four outputs (operator definition)."""
    layer = only(
        graph_of(
            tmp_path,
            f'(float[1,1,8] x, float[1,1,3] w) => (float[a,b,c] y) {{ y = Conv<auto_pad = "{auto_pad}", '
            "strides = [2]>(x, w) }",
        )
    )
    assert (layer.windows[1].pad, layer.extent("Q")) == (begin, out)


def test_a_transposed_convolution_is_the_sub_pixel_one(tmp_path: Path) -> None:
    """16 maps of 5x5 to 8 of 10x10, kernel 4, stride 2, pad 1: each of the four phases has 2x2 taps."""
    layer = only(
        graph_of(
            tmp_path,
            "(float[2,16,5,5] x, float[16,8,4,4] w) => (float[a,b,c,d] y) "
            "{ y = ConvTranspose<strides = [2, 2], pads = [1, 1, 1, 1]>(x, w) }",
        )
    )
    assert dims(layer) == {"N": 2, "K": 8 * 4, "C": 16, "P": 5, "Q": 5, "R": 2, "S": 2}
    assert layer.windows[0] == Window(pad=1, size=5)
    product = 1
    for extent in layer.dims:
        product *= extent
    assert layer.macs == product == 2 * 16 * 8 * 16 * 25


@pytest.mark.parametrize(
    ("shapes", "data", "expected"),
    [
        ("float[4,32] a, float[32,8] b", "a", {"N": 4, "C": 32, "K": 8}),  # rows are the batch
        ("float[1,16,32] a, float[32,8] b", "a", {"P": 16, "C": 32, "K": 8}),
        ("float[3,16,32] a, float[32,8] b", "a", {"N": 3, "P": 16, "C": 32, "K": 8}),
        ("float[3,5,16,32] a, float[32,8] b", "a", {"N": 3, "P": 80, "C": 32, "K": 8}),
        ("float[3,5,16,32] a, float[5,32,8] b", "a", {"N": 3, "G": 5, "P": 16, "C": 32, "K": 8}),
        ("float[3,5,16,32] a, float[3,5,32,8] b", "a,b", {"N": 3, "G": 5, "P": 16, "C": 32, "K": 8}),
        ("float[3,5,16,32] a, float[3,1,32,8] b", "a,b", {"N": 3, "P": 80, "C": 32, "K": 8}),
        ("float[8,32] a, float[3,32,7] b", "b", {"N": 3, "K": 8, "C": 32, "P": 7}),  # the weight stands first
    ],
)
def test_matrix_products_place_rows_batch_and_heads(
    tmp_path: Path, shapes: str, data: str, expected: dict[str, int]
) -> None:
    rank = max(s.count(",") for s in shapes.split(", ")) + 1
    out = ",".join("efgh"[:rank])
    layer = only(graph_of(tmp_path, f"({shapes}) => (float[{out}] y) {{ y = MatMul(a, b) }}", data))
    assert dims(layer) == expected
    assert layer.weight_is_activation == (data == "a,b")
    assert layer.windows[0] == Window(size=layer.extent("P"))
    assert layer.params == (0 if data == "a,b" else 256 * (5 if "G" in expected else 1))


def test_gemm_transposes_and_counts_its_bias(tmp_path: Path) -> None:
    layer = only(
        graph_of(
            tmp_path,
            "(float[2,32] a, float[8,32] b, float[8] c) => (float[m,n] y) { y = Gemm<transB = 1>(a, b, c) }",
        )
    )
    assert dims(layer) == {"N": 2, "K": 8, "C": 32}
    assert (layer.op, layer.macs, layer.params) == ("gemm", 512, 264)


def test_einsum_of_attention_scores_is_a_batched_product(tmp_path: Path) -> None:
    layer = only(
        graph_of(
            tmp_path,
            "(float[2,7,3,16] q, float[2,9,3,16] k) => (float[a,b,c,d] y) "
            '{ y = Einsum<equation = "bthd,bshd->bhts">(q, k) }',
            data="q,k",
        )
    )
    assert dims(layer) == {"N": 2, "G": 3, "P": 7, "K": 9, "C": 16}


def test_an_lstm_is_its_inputs_product_the_steps_and_the_gates(tmp_path: Path) -> None:
    """10 steps, batch 2, 32 to 16 units, both directions; 8 (16 32 + 16 16 + 2 16) parameters."""
    graph = graph_of(
        tmp_path,
        "(float[10,2,32] x, float[2,64,32] w, float[2,64,16] r, float[2,128] b) => (float[a,c,d,e] y) "
        '{ [cell] y = LSTM<hidden_size = 16, direction = "bidirectional">(x, w, r, b) }',
    )
    first, steps, gates = graph.layers
    assert [layer.name for layer in graph.layers] == ["cell/input", "cell/recurrent", "cell/gates"]
    assert dims(first) == {"N": 2, "P": 10, "K": 128, "C": 32}
    assert dims(steps) == {"N": 2, "G": 2, "K": 64, "C": 16}
    assert steps.repeat == 10
    assert first.macs + steps.macs == 10 * 2 * 2 * 64 * (32 + 16)
    assert sum(layer.params for layer in graph.layers) == 8 * (16 * 32 + 16 * 16 + 2 * 16)
    assert gates.kind == "vector"
    assert gates.outputs == ("y",)


def test_attention_is_two_products_and_a_softmax(tmp_path: Path) -> None:
    """Eight query heads share two key heads of 16: four heads' rows stand in each group."""
    graph = graph_of(
        tmp_path,
        "(float[1,10,128] q, float[1,12,32] k, float[1,12,32] v) => (float[a,b,c] y) "
        "{ [at] y = Attention<q_num_heads = 8, kv_num_heads = 2>(q, k, v) }",
        data="q,k,v",
        opset=23,
    )
    qk, softmax, pv = graph.layers
    assert dims(qk) == {"G": 2, "P": 40, "K": 12, "C": 16}
    assert dims(pv) == {"G": 2, "P": 40, "K": 16, "C": 12}
    assert (softmax.op, graph.tensors[softmax.outputs[0]].shape) == ("softmax", (1, 8, 10, 12))
    assert pv.outputs == ("y",)


def test_vector_work_counts_outputs_times_window(tmp_path: Path) -> None:
    pool = only(
        graph_of(
            tmp_path,
            "(float[2,3,8,8] x) => (float[a,b,c,d] y) "
            "{ y = MaxPool<kernel_shape = [3, 3], strides = [2, 2], ceil_mode = 1>(x) }",
        )
    )
    assert (pool.kind, pool.vector_ops) == ("vector", 2 * 3 * 4 * 4 * 9)  # ceil((8 - 3) / 2) + 1 = 4
    total = only(
        graph_of(tmp_path, "(float[2,6] x, float[2,6] z) => (float[a,b] y) { y = Sum(x, z, x) }", "x,z")
    )
    assert (total.op, total.vector_ops) == ("add", 24)


def test_what_has_no_cost_model_is_listed_with_a_reason(tmp_path: Path) -> None:
    path = tmp_path / "own.onnx.txt"
    path.write_text(
        '<ir_version: 8, opset_import: ["" : 17, "my" : 1]>\n'
        "g (float[1,4] x) => (float[1,4] y) { y = my.FancyOp(x) }"
    )
    layer = only(read(path))
    assert (layer.op, layer.kind) == ("fancy_op", "not_costed")
    assert "'my'" in layer.reason


def test_control_flow_is_listed_not_dropped(tmp_path: Path) -> None:
    body = (
        "(float[1,4] x, bool c) => (float[1,4] y) { y = If(c) "
        "<then_branch = t () => (float[1,4] a) { a = Relu(x) }, "
        "else_branch = e () => (float[1,4] b) { b = Neg(x) }> }"
    )
    layer = only(graph_of(tmp_path, body, "x,c"))
    assert layer.kind == "not_costed"
    assert "control flow" in layer.reason
    assert layer.inputs == ("c", "x")  # what its branches read counts as its inputs
