"""Where weights, shapes and batch stand in a file changes no network; expected counts are by hand."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from accelsim.base.errors import InputError
from accelsim.workload import LayerGraph, read

MACS = 4 * 27 * 36 + 144 * 10  # 3x3 convolution of 3 maps to 4 of 6x6, then 144 to 10
PARAMS = 108 + 4 + 1440 + 10
WEIGHTS = {"w": (4, 3, 3, 3), "b": (4,), "f": (10, 144), "h": (10,)}


def network(**options: object) -> onnx.ModelProto:
    """A convolution, a reshape and a fully connected layer, its weights stored as `weights` says."""
    weights = options.get("weights", "initialiser")
    batch = options.get("batch", 1)
    target = options.get("target", [1, 144])
    value = helper.make_tensor_value_info
    inputs = [value("x", TensorProto.FLOAT, [batch, 3, 8, 8])]
    nodes, initial = [], [numpy_helper.from_array(np.array(target, dtype=np.int64), "shape")]
    for name, shape in WEIGHTS.items():
        if weights in ("input", "both"):
            inputs.append(value(name, TensorProto.FLOAT, shape))
        if weights in ("initialiser", "both"):
            initial.append(numpy_helper.from_array(np.zeros(shape, np.float32), name))
        elif weights == "external":
            tensor = TensorProto(name=name, dims=shape, data_type=TensorProto.FLOAT)
            tensor.data_location = TensorProto.EXTERNAL
            tensor.external_data.add(key="location", value="absent.bin")
            initial.append(tensor)
        elif weights == "constant":
            tensor = numpy_helper.from_array(np.zeros(shape, np.float32))
            nodes.append(helper.make_node("Constant", [], [name], value=tensor))
        elif weights == "of_shape":
            initial.append(numpy_helper.from_array(np.array(shape, dtype=np.int64), f"{name}_shape"))
            nodes.append(helper.make_node("ConstantOfShape", [f"{name}_shape"], [name]))
    nodes += [
        helper.make_node("Conv", ["x", "w", "b"], ["c"], "conv"),
        helper.make_node("Reshape", ["c", "shape"], ["r"], "reshape"),
        helper.make_node("Gemm", ["r", "f", "h"], ["y"], "fc", transB=1),
    ]
    graph = helper.make_graph(nodes, "g", inputs, [value("y", TensorProto.FLOAT, [None, 10])], initial)
    opset = options.get("opset", 17)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)


def loaded(tmp_path: Path, model: onnx.ModelProto, batch: int | None = None) -> LayerGraph:
    path = tmp_path / "net.onnx"
    path.write_bytes(model.SerializeToString())
    return read(path, batch)


def totals(graph: LayerGraph) -> tuple[int, int]:
    return sum(layer.macs for layer in graph.layers), sum(layer.params for layer in graph.layers)


@pytest.mark.parametrize("weights", ["initialiser", "both", "input", "external", "constant", "of_shape"])
def test_weights_count_alike_wherever_they_are_stored(tmp_path: Path, weights: str) -> None:
    graph = loaded(tmp_path, network(weights=weights))
    assert totals(graph) == (MACS, PARAMS)
    assert graph.inputs == ("x",)
    assert [layer.name for layer in graph.layers] == ["conv", "reshape", "fc"]


@pytest.mark.parametrize("opset", [7, 8, 9, 11, 13, 15, 17, 18, 21, onnx.defs.onnx_opset_version()])
def test_all_opsets_from_seven_on_are_read(tmp_path: Path, opset: int) -> None:
    assert totals(loaded(tmp_path, network(opset=opset))) == (MACS, PARAMS)


@pytest.mark.parametrize("target", [[0, 144], [-1, 144], [0, -1]])
def test_a_symbolic_batch_is_set_by_batch_and_one_without(tmp_path: Path, target: list[int]) -> None:
    model = network(batch="N", target=target)
    assert loaded(tmp_path, model).batch == 1
    graph = loaded(tmp_path, model, 8)
    assert (graph.batch, graph.tensors["y"].shape) == (8, (8, 10))
    assert totals(graph) == (8 * MACS, PARAMS)
    assert graph.layers[2].extent("N") == 8


def test_a_symbolic_batch_does_not_hide_a_fixed_reshape(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="'reshape'"):
        loaded(tmp_path, network(batch="N", target=[1, 144]), 8)


def test_a_fixed_reshape_to_the_old_batch_is_rewritten(tmp_path: Path) -> None:
    graph = loaded(tmp_path, network(batch=2, target=[2, 144]), 6)
    assert totals(graph) == (6 * MACS, PARAMS)
    assert any("rescaled" in note for note in graph.notes)


def test_text_and_binary_of_one_model_give_the_same_layers(tmp_path: Path) -> None:
    model = network()
    path = tmp_path / "net.onnx.txt"
    path.write_text(onnx.printer.to_text(model))
    text, binary = read(path), loaded(tmp_path, model)
    assert totals(text) == totals(binary)
    assert [(a.dims, a.windows, a.inputs) for a in text.layers] == [
        (a.dims, a.windows, a.inputs) for a in binary.layers
    ]


def test_the_format_is_told_by_content_and_the_graph_named_after_the_file(tmp_path: Path) -> None:
    data = network().SerializeToString()
    for name, stem in (("a.onnx", "a"), ("b.c.onnx.txt", "b.c"), ("d.prototxt", "d"), ("e", "e")):
        (tmp_path / name).write_bytes(data)
        graph = read(tmp_path / name)
        assert (graph.name, graph.format) == (stem, "onnx")
        assert graph.sha256 == hashlib.sha256(data).hexdigest()


def test_nodes_out_of_order_are_sorted(tmp_path: Path) -> None:
    model = network()
    nodes = [onnx.NodeProto.FromString(n.SerializeToString()) for n in model.graph.node]
    del model.graph.node[:]
    model.graph.node.extend(nodes[::-1])
    assert [layer.name for layer in loaded(tmp_path, model).layers] == ["conv", "reshape", "fc"]


def test_tied_tensors_count_once_at_their_first_user(tmp_path: Path) -> None:
    """An embedding of 100 words of 16 that is the output layer, too, through a transpose of the weight."""
    path = tmp_path / "tied.onnx.txt"
    path.write_text(
        '<ir_version: 8, opset_import: ["" : 17], metadata_props: ["accelsim.data_inputs": "ids"]>\n'
        "g (int64[1,7] ids, float[100,16] table) => (float[a,b,c] y) {\n"
        "[look] e = Gather(table, ids) t = Transpose(table) [head] y = MatMul(e, t) }"
    )
    graph = read(path)
    assert [(layer.name, layer.kind, layer.params) for layer in graph.layers] == [
        ("look", "movement", 1600),
        ("head", "array", 0),
    ]


def test_shape_arithmetic_is_folded_to_the_shape_it_computes(tmp_path: Path) -> None:
    """What exporters write for x.view(x.size(0), -1, x.size(1) // 2), Where and Expand among it."""
    path = tmp_path / "chain.onnx.txt"
    path.write_text(
        '<ir_version: 8, opset_import: ["" : 17]>\n'
        "g (float[N,8,4] x) => (float[a,b,c] y)\n"
        "<int64 zero = {0}, int64 one = {1}, int64[1] two = {2}, int64[1] minus = {-1},\n"
        " int64[1] axis = {0}>\n"
        "{ s = Shape(x) n = Gather(s, zero) c = Gather(s, one)\n"
        "n1 = Unsqueeze(n, axis) c1 = Unsqueeze(c, axis) half = Div(c1, two)\n"
        "is = Equal(half, minus) h = Where(is, c1, half)\n"
        "target = Concat<axis = 0>(n1, minus, h) [view] y = Reshape(x, target) }"
    )
    graph = read(path, 3)
    assert [layer.name for layer in graph.layers] == ["view"]
    assert graph.tensors["y"].shape == (3, 8, 4)
    assert "folded 9 operators" in graph.notes[-1]


def test_quantised_weights_count_their_words_not_their_scales(tmp_path: Path) -> None:
    path = tmp_path / "quantised.onnx.txt"
    path.write_text(
        '<ir_version: 8, opset_import: ["" : 17], metadata_props: ["accelsim.data_inputs": "x"]>\n'
        "g (float[1,16] x, int8[16,8] w, float[8] scale, int8[8] zero) => (float[a,b] y) {\n"
        "f = DequantizeLinear<axis = 1>(w, scale, zero) y = MatMul(x, f) }"
    )
    graph = read(path)
    assert [(layer.op, layer.params) for layer in graph.layers] == [("matmul", 128)]


def test_constant_factors_are_no_parameters(tmp_path: Path) -> None:
    path = tmp_path / "constant.onnx.txt"
    path.write_text(
        '<ir_version: 8, opset_import: ["" : 17]>\n'
        "g (float[1,4] x) => (float[1,4] y) <float half = {0.5}, float[4] gain = {1, 2, 3, 4}>\n"
        "{ a = Mul(x, half) y = Mul(a, gain) }"
    )
    assert [layer.params for layer in read(path).layers] == [0, 4]


def test_a_class_token_is_repeated_when_a_fixed_batch_is_rescaled(tmp_path: Path) -> None:
    path = tmp_path / "token.onnx.txt"
    path.write_text(
        '<ir_version: 8, opset_import: ["" : 17], metadata_props: ["accelsim.data_inputs": "x"]>\n'
        "g (float[1,4,8] x, float[1,1,8] token) => (float[a,b,c] y) { y = Concat<axis = 1>(token, x) }"
    )
    graph = read(path, 5)
    assert graph.tensors["y"].shape == (5, 5, 8)
    assert sum(layer.params for layer in graph.layers) == 8
