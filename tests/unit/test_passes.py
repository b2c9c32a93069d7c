"""Fusing and dropping: what folds, what must not, and that nothing is lost. Expected graphs are by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from accelsim.base.errors import InputError
from accelsim.workload import Layer, LayerGraph, Tensor, drop_noops, fuse, read

HEAD = '<ir_version: 8, opset_import: ["" : 17]>\n'
STATS = "float[4] s, float[4] b, float[4] m, float[4] v"


def graph_of(tmp_path: Path, body: str, inputs: str = "", outputs: str = "float[a,b,c,d] y") -> LayerGraph:
    path = tmp_path / "model.onnx.txt"
    head = HEAD.replace(">", ', metadata_props: ["accelsim.data_inputs": "x"]>')
    weights = f"float[4,3,3,3] w, {STATS}{inputs}"
    path.write_text(f"{head}g (float[1,3,8,8] x, {weights}) => ({outputs}) {{ {body} }}")
    return read(path)


def names(graph: LayerGraph) -> list[str]:
    return [layer.name for layer in graph.layers]


def totals(graph: LayerGraph) -> tuple[int, int, int]:
    return (
        sum(layer.macs for layer in graph.layers),
        sum(layer.params for layer in graph.layers),
        sum(layer.params_bn_folded for layer in graph.layers),
    )


BN = "[bn] n = BatchNormalization(c, s, b, m, v)"


def test_normalisation_and_activation_fold_into_the_convolution(tmp_path: Path) -> None:
    graph = graph_of(tmp_path, f"[conv] c = Conv(x, w) {BN} [act] y = Relu(n)")
    fused = fuse(graph)
    (conv,) = fused.layers
    assert conv.fused == ("bn", "act")
    assert conv.outputs == ("y",)
    assert conv.params == 4 * 3 * 9 + 8
    assert conv.params_bn_folded == 4 * 3 * 9 + 4
    assert totals(fused) == totals(graph)
    assert set(fused.tensors) == {"x", "y"}
    assert len(fused.notes) == len(graph.notes) + 2


def test_only_the_kinds_asked_for_are_fused(tmp_path: Path) -> None:
    graph = graph_of(tmp_path, f"[conv] c = Conv(x, w) {BN} [act] y = Relu(n)")
    assert names(fuse(graph, {"batch_norm"})) == ["conv", "act"]
    assert names(fuse(graph, {"activation"})) == ["conv", "bn"]
    assert fuse(graph, frozenset()).layers == graph.layers
    with pytest.raises(InputError, match="did you mean 'activation'"):
        fuse(graph, {"activations"})


def test_a_tensor_that_others_read_is_not_folded_away(tmp_path: Path) -> None:
    body = f"[conv] c = Conv(x, w) {BN} [act] r = Relu(n) [sum] y = Add(r, c)"
    assert names(fuse(graph_of(tmp_path, body), {"batch_norm"})) == ["conv", "bn", "act", "sum"]


def test_a_graph_output_is_not_folded_away(tmp_path: Path) -> None:
    graph = graph_of(
        tmp_path, "[conv] c = Conv(x, w) [act] y = Relu(c)", outputs="float[a,b,c,d] c, float[a,b,c,d] y"
    )
    assert names(fuse(graph)) == ["conv", "act"]


def test_no_normalisation_folds_past_an_activation(tmp_path: Path) -> None:
    body = "[conv] r = Conv(x, w) [act] c = Relu(r) [bn] y = BatchNormalization(c, s, b, m, v)"
    assert names(fuse(graph_of(tmp_path, body))) == ["conv", "bn"]


def test_scale_and_shift_written_as_mul_and_add_fold_like_a_normalisation(tmp_path: Path) -> None:
    body = f"[conv] c = Conv(x, w) {BN} [mul] q = Mul(n, f) [add] y = Add(q, h)"
    graph = graph_of(tmp_path, body, ", float[4,1,1] f, float[1,4,1,1] h")
    fused = fuse(graph, {"batch_norm"})
    assert fused.layers[0].fused == ("bn", "mul", "add")
    assert totals(fused) == totals(graph) == (4 * 27 * 36, 108 + 16, 108 + 4)


def test_a_factor_on_another_axis_than_the_channels_does_not_fold(tmp_path: Path) -> None:
    graph = graph_of(tmp_path, "[conv] c = Conv(x, w) [mul] y = Mul(c, f)", ", float[6] f")
    assert names(fuse(graph)) == ["conv", "mul"]


def test_a_shortcut_joins_the_later_of_its_convolutions(tmp_path: Path) -> None:
    body = "[one] a = Conv(x, w) [two] e = Conv(x, w2) [sum] t = Add(a, e) [act] y = Relu(t)"
    fused = fuse(graph_of(tmp_path, body, ", float[4,3,3,3] w2"))
    assert names(fused) == ["one", "two"]
    assert fused.layers[1].fused == ("sum", "act")
    assert fused.layers[1].fused_inputs == ("a",)
    assert [layer.name for layer in fused.consumers["a"]] == ["two"]


def test_a_shortcut_that_is_made_later_than_the_convolution_does_not_join_it(tmp_path: Path) -> None:
    body = "[one] a = Conv(x, w) [two] e = Conv(x, w2) "
    body += "[pool] p = MaxPool<kernel_shape = [1, 1]>(e) [sum] y = Add(a, p)"
    fused = fuse(graph_of(tmp_path, body, ", float[4,3,3,3] w2"))
    assert names(fused) == ["one", "two", "pool", "sum"]


def test_an_activation_joins_a_vector_layer_with_its_work(tmp_path: Path) -> None:
    body = "[pool] p = MaxPool<kernel_shape = [2, 2]>(x) [act] y = Relu(p)"
    (pool,) = fuse(graph_of(tmp_path, body)).layers
    assert pool.vector_ops == 3 * 49 * 4 + 3 * 49


def test_a_product_of_activations_takes_no_normalisation(tmp_path: Path) -> None:
    layers = (
        Layer("qk", "matmul", "array", ("q", "k"), ("s",), weight_is_activation=True),
        Layer("scale", "scale", "vector", ("s",), ("y",), channels=4),
    )
    tensors = {name: Tensor(name, (1, 2, 4, 4)) for name in ("q", "k", "s", "y")}
    assert len(fuse(LayerGraph("g", layers, tensors, ("q", "k"), ("y",))).layers) == 2


def test_no_ops_are_dropped_and_their_readers_and_outputs_repointed(tmp_path: Path) -> None:
    body = "[conv] c = Conv(x, w) [drop] d = Dropout(c) [act] r = Relu(d) [flat] y = Flatten(r)"
    graph = graph_of(tmp_path, body, outputs="float[a,b] y")
    small = drop_noops(graph)
    assert names(small) == ["conv", "act"]
    assert small.layers[1].inputs == ("c",)
    assert small.outputs == ("r",)
    assert set(small.tensors) == {"x", "c", "r"}
    assert totals(small) == totals(graph)


def test_operators_that_move_words_are_no_no_ops(tmp_path: Path) -> None:
    graph = graph_of(tmp_path, "[turn] y = Transpose<perm = [0, 2, 3, 1]>(x)")
    assert names(drop_noops(graph)) == ["turn"]


def test_dropping_first_lets_more_fuse(tmp_path: Path) -> None:
    graph = graph_of(tmp_path, "[conv] c = Conv(x, w) [same] d = Identity(c) [act] y = Relu(d)")
    assert names(fuse(graph)) == ["conv", "same", "act"]
    assert names(fuse(drop_noops(graph))) == ["conv"]
