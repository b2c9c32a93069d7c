"""The Caffe reader against the real files' published counts, Caffe's own shape rules, and bad files."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from accelsim.base.errors import InputError
from accelsim.workload.graph import LayerGraph
from accelsim.workload.layer import Layer, Window
from accelsim.workload.readers import read
from accelsim.workload.readers.caffe import read_caffe

REPO = Path(__file__).resolve().parents[2]
CAFFE = Path(os.environ.get("ACCELSIM_SHARED", REPO.parent / "shared")) / "models" / "caffe"

# network: MACs, params, params with batch norm folded, layers (models/README.md beside the files)
REAL = {
    "alexnet": (724_406_816, 60_965_224, 60_965_224, 23),
    "googlenet-v1": (1_582_671_872, 6_998_552, 6_998_552, 142),
    "vgg16": (15_470_264_320, 138_357_544, 138_357_544, 39),
    "inception-v3": (5_713_216_096, 23_834_568, 23_817_352, 404),
    "resnet-50": (3_857_973_248, 25_557_096, 25_530_536, 228),
    "resnet-101": (7_570_194_432, 44_549_160, 44_496_488, 449),
    "squeezenet1.0": (861_339_936, 1_248_424, 1_248_424, 66),
    "squeezenet1.1": (387_747_520, 1_235_496, 1_235_496, 66),
    "mobilenet-v2": (429_111_936, 3_505_960, 3_488_872, 208),
    "se-resnet-50": (3_860_488_192, 28_088_024, 28_061_464, 308),
}

DATA = 'input: "data" input_shape { dim: 1 dim: 4 dim: 13 dim: 13 }\n'


def net(*layers: str, head: str = DATA, batch: int | None = None) -> LayerGraph:
    return read_caffe(head + "\n".join(f"layer {{ {layer} }}" for layer in layers), "net.prototxt", batch)


def layer(graph: LayerGraph, name: str) -> Layer:
    return next(each for each in graph.layers if each.name == name)


def shape(graph: LayerGraph, name: str) -> tuple[int, ...]:
    return graph.tensors[layer(graph, name).outputs[0]].shape


def refusal(*layers: str, head: str = DATA) -> str:
    with pytest.raises(InputError) as caught:
        net(*layers, head=head)
    assert all(problem.file == "net.prototxt" for problem in caught.value.problems)
    return str(caught.value)


def convolution(name: str, bottom: str, top: str, param: str, type_: str = "Convolution") -> str:
    return f'name: "{name}" type: "{type_}" bottom: "{bottom}" top: "{top}" convolution_param {{ {param} }}'


@pytest.mark.parametrize("name", REAL)
def test_real_files_have_the_published_counts(name: str) -> None:
    path = CAFFE / f"{name}.prototxt"
    if not path.exists():
        pytest.skip(f"no shared model files at {CAFFE}")
    graph = read(path, batch=1)
    macs, params, folded, n_layers = REAL[name]
    assert sum(each.macs for each in graph.layers) == macs
    assert sum(each.params for each in graph.layers) == params
    assert sum(each.params_bn_folded for each in graph.layers) == folded
    assert len(graph.layers) == n_layers
    assert not [each.name for each in graph.layers if each.kind == "not_costed"]


@pytest.mark.parametrize(("caffe", "ours"), [("alexnet", "alexnet"), ("vgg16", "vgg16")])
def test_a_network_has_the_same_loops_from_caffe_and_from_onnx(caffe: str, ours: str) -> None:
    path = CAFFE / f"{caffe}.prototxt"
    if not path.exists():
        pytest.skip(f"no shared model files at {CAFFE}")
    pair = [read(path, batch=2), read(REPO / "workloads" / f"{ours}.onnx.txt", batch=2)]
    loops = [[(x.dims, x.windows, x.macs, x.params) for x in g.layers if x.kind == "array"] for g in pair]
    assert loops[0] == loops[1]


def test_the_files_batch_is_taken_and_batch_replaces_it() -> None:
    head = 'layer { type: "Input" top: "data" input_param { shape { dim: 10 dim: 4 dim: 8 dim: 8 } } }\n'
    conv = convolution("c", "data", "c", "num_output: 5 kernel_size: 3")
    assert net(conv, head=head).batch == 10
    assert layer(net(conv, head=head, batch=3), "c").extent("N") == 3


def test_a_layer_in_place_gets_a_tensor_of_its_own() -> None:
    graph = net(
        convolution("c", "data", "x", "num_output: 5 kernel_size: 1"),
        'name: "r" type: "ReLU" bottom: "x" top: "x"',
        'name: "p" type: "Power" bottom: "x" top: "y"',
    )
    conv, relu, power = graph.layers
    assert conv.outputs != relu.outputs
    assert relu.inputs == conv.outputs
    assert power.inputs == relu.outputs
    assert graph.outputs == power.outputs


def test_the_twin_for_training_is_left_out() -> None:
    graph = net(
        'name: "a" type: "ReLU" bottom: "data" top: "x" include { phase: TRAIN }',
        'name: "b" type: "Sigmoid" bottom: "data" top: "x" include { phase: TEST }',
        'name: "c" type: "TanH" bottom: "x" top: "y" exclude { phase: TEST }',
    )
    assert [each.name for each in graph.layers] == ["b"]


# Caffe's pooling_layer.cpp: ceil((in + 2 pad - kernel) / stride) + 1, less one where the last window starts
# at or beyond in + pad.
@pytest.mark.parametrize(
    ("param", "out"),
    [
        ("kernel_size: 2 stride: 2", 7),
        ("kernel_size: 2 stride: 2 ceil_mode: false", 6),
        ("kernel_size: 2 stride: 2 round_mode: FLOOR", 6),
        ("kernel_size: 2 stride: 2 pad: 1", 7),  # ceil gives 8, the last starts at 14 = in + pad
        ("kernel_h: 3 kernel_w: 3 stride_h: 3 stride_w: 3 pad_h: 1 pad_w: 1", 5),
        ("global_pooling: true", 1),
    ],
)
def test_pooling_rounds_and_clips_as_caffe_does(param: str, out: int) -> None:
    graph = net(f'name: "p" type: "Pooling" bottom: "data" top: "p" pooling_param {{ pool: MAX {param} }}')
    assert shape(graph, "p") == (1, 4, out, out)


def test_convolution_takes_rows_and_columns_dilation_and_groups_apart() -> None:
    param = "num_output: 6 kernel_h: 3 kernel_w: 1 pad_h: 2 pad_w: 0 stride: 2 dilation: 2 group: 2"
    conv = layer(net(convolution("c", "data", "c", param)), "c")
    # floor((13 + 4 - 2 * 2 - 1) / 2) + 1 = 7 rows, floor((13 - 1) / 2) + 1 = 7 columns
    assert [conv.extent(d) for d in "NGKCPQRS"] == [1, 2, 3, 2, 7, 7, 3, 1]
    assert conv.windows[:2] == (Window(2, 2, 2, 13), Window(2, 2, 0, 13))
    assert conv.macs == 6 * 2 * 3 * 49
    assert conv.params == 6 * 2 * 3 + 6


@pytest.mark.parametrize("type_", ["ConvolutionDepthwise", "DepthwiseConvolution"])
def test_the_depthwise_types_have_one_group_a_channel(type_: str) -> None:
    param = "num_output: 4 kernel_size: 3 kernel_size: 5 pad: 1 pad: 2 bias_term: false"
    conv = layer(net(convolution("d", "data", "d", param, type_)), "d")
    assert (conv.op, conv.extent("G"), conv.extent("C"), conv.params) == ("depthwise_conv", 4, 1, 4 * 15)
    assert (conv.extent("R"), conv.extent("S")) == (3, 5)


def test_deconvolution_counts_the_algorithms_macs_and_its_loops_cover_them() -> None:
    graph = net(
        convolution("u", "data", "u", "num_output: 2 kernel_size: 4 stride: 2 pad: 1", "Deconvolution")
    )
    deconv = layer(graph, "u")
    assert shape(graph, "u") == (1, 2, 26, 26)  # 2 (13 - 1) + 4 - 2
    assert deconv.macs == 13 * 13 * 4 * 2 * 16  # each input pixel times the whole kernel
    executed = 1
    for extent in deconv.dims:
        executed *= extent
    assert executed == deconv.macs  # stride 2 divides kernel 4: no zeros are multiplied


def test_batch_norm_has_no_parameters_and_scale_folds_to_one_bias_a_channel() -> None:
    graph = net(
        'name: "bn" type: "BatchNorm" bottom: "data" top: "x"',
        'name: "s" type: "Scale" bottom: "x" top: "x" scale_param { bias_term: true }',
    )
    norm, scale = graph.layers
    assert (norm.op, norm.channels, norm.params) == ("batch_normalization", 4, 0)
    assert (scale.op, scale.channels, scale.params, scale.params_bn_folded) == ("scale", 4, 8, 4)


def test_slice_scale_of_two_bottoms_axpy_and_eltwise_keep_shapes() -> None:
    graph = net(
        'name: "s" type: "Slice" bottom: "data" top: "a" top: "b" slice_param { axis: 1 slice_point: 1 }',
        'name: "g" type: "Pooling" bottom: "b" top: "g" pooling_param { pool: AVE global_pooling: true }',
        'name: "m" type: "Scale" bottom: "b" bottom: "g" top: "m" scale_param { axis: 0 }',
        'name: "x" type: "Axpy" bottom: "g" bottom: "b" bottom: "m" top: "x"',
        'name: "e" type: "Eltwise" bottom: "x" bottom: "m" bottom: "b" top: "e" '
        "eltwise_param { operation: MAX }",
        'name: "c" type: "Concat" bottom: "a" bottom: "e" top: "c"',
    )
    assert [graph.tensors[t].shape[1] for t in layer(graph, "s").outputs] == [1, 3]
    assert (layer(graph, "m").op, layer(graph, "m").params) == ("mul", 0)
    assert layer(graph, "x").vector_ops == 2 * 3 * 169
    assert layer(graph, "e").vector_ops == 2 * 3 * 169
    assert shape(graph, "c") == (1, 4, 13, 13)


def test_reshape_flatten_and_permute_follow_caffes_rules() -> None:
    graph = net(
        'name: "p" type: "Permute" bottom: "data" top: "p" permute_param { order: [0, 2, 3] }',
        'name: "r" type: "Reshape" bottom: "p" top: "r" reshape_param { shape { dim: 0 dim: -1 dim: 2 } }',
        'name: "f" type: "Flatten" bottom: "r" top: "f"',
        'name: "i" type: "InnerProduct" bottom: "data" top: "i" inner_product_param { num_output: 7 }',
    )
    assert shape(graph, "p") == (1, 13, 13, 4)
    assert shape(graph, "r") == (1, 338, 2)
    assert shape(graph, "f") == (1, 676)
    assert (layer(graph, "i").macs, layer(graph, "i").params) == (7 * 676, 7 * 677)


def test_the_old_layers_syntax_with_enum_types_is_read() -> None:
    text = DATA + (
        "layers { name: 'c' type: CONVOLUTION bottom: 'data' top: 'c' blobs_lr: 1 "
        "convolution_param { num_output: 3 kernel_size: 3 } }"
        "layers { name: 'r' type: RELU bottom: 'c' top: 'c' }"
    )
    assert [each.op for each in read_caffe(text, "v1.prototxt", None).layers] == ["conv", "relu"]


def test_unknown_fields_and_punctuation_do_not_stop_it() -> None:
    conv = convolution(
        "c", "data", "c", "num_output: 3, kernel_size: [3]; new_field { a: [1, 2] b < c: -1e-3 > }"
    )
    assert shape(net(conv), "c") == (1, 3, 11, 11)


def test_an_unknown_type_is_listed_and_stops_only_those_that_need_its_shape() -> None:
    graph = net(
        'name: "odd" type: "PriorBox" bottom: "data" top: "odd"',
        'name: "q" type: "Quantise" bottom: "data" top: "data"',  # in place: the shape is its bottom's
        'name: "r" type: "ReLU" bottom: "data" top: "r"',
    )
    odd, in_place, _ = graph.layers
    assert (odd.kind, in_place.kind) == ("not_costed", "not_costed")
    assert "PriorBox" in odd.reason
    text = refusal(
        'name: "odd" type: "PriorBox" bottom: "data" top: "odd"',
        'name: "r" type: "ReLU" bottom: "odd" top: "r"',
    )
    assert "layer 'r' reads 'odd', whose shape can't be told" in text
    assert "'PriorBox'" in text


def test_a_data_layer_gives_its_crop_or_says_what_to_put_in_its_place() -> None:
    data = 'layer {{ name: "d" type: "Data" top: "data" top: "label" {} data_param {{ batch_size: 5 }} }}\n'
    relu = 'name: "r" type: "ReLU" bottom: "data" top: "r"'
    graph = net(relu, head=data.format("transform_param { crop_size: 27 }"))
    assert shape(graph, "r") == (5, 3, 27, 27)
    assert any("assumed" in note for note in graph.notes)
    assert 'type: "Input"' in refusal(relu, head=data.format(""))


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        (
            ['name: "r" type: "ReLU" bottom: "dat" top: "r"'],
            "net.prototxt:2:40: bottom: layer 'r' reads 'dat'",
        ),
        (
            ['name: "a" type: "ReLU" bottom: "b" top: "a"', 'name: "b" type: "ReLU" bottom: "a" top: "b"'],
            "before it is made (by layer 'b' in line 3)",
        ),
        ([convolution("c", "data", "c", "num_output: 3")], "kernel_size is missing"),
        ([convolution("c", "data", "c", "kernel_size: 3")], "num_output is missing"),
        ([convolution("c", "data", "c", "num_output: 0 kernel_size: 3")], "0 is too small"),
        ([convolution("c", "data", "c", "num_output: -3 kernel_size: 3")], "-3 is too small"),
        ([convolution("c", "data", "c", "num_output: 3 kernel_size: 3 stride: 0")], "0 is too small"),
        ([convolution("c", "data", "c", "num_output: three kernel_size: 3")], "'three' is no whole number"),
        ([convolution("c", "data", "c", "num_output: 3 kernel_size: 99")], "shape [1, 3, -85, -85]"),
        (
            [convolution("c", "data", "c", "num_output: 3 kernel_size: 3 group: 3")],
            "4 input channels don't divide",
        ),
        ([convolution("c", "data", "c", "num_output: 9000000000000000000 kernel_size: 3")], "64 bits"),
        (['name: "e" type: "Eltwise" top: "e"'], "it has no bottom"),
        (
            ['name: "r" type: "ReLU" bottom: "data" top: "r" relu_param { negative_slope: steep }'],
            "'steep' is no number",
        ),
        (
            [
                'name: "p" type: "Pooling" bottom: "data" top: "p" pooling_param { global_pooling: true }',
                'name: "e" type: "Eltwise" bottom: "data" bottom: "p" top: "e"',
            ],
            "[1, 4, 13, 13] and [1, 4, 1, 1]",
        ),
        (['name: "r" type: "ReLU" bottom: "data" top: "r"', "name: {"], "the file ends inside the block"),
    ],
)
def test_bad_files_name_the_place_and_the_fault(layers: list[str], message: str) -> None:
    text = refusal(*layers)
    assert message in text
    assert text.startswith("net.prototxt:")


def test_all_faults_are_told_at_once_and_none_twice() -> None:
    text = refusal(
        convolution("a", "data", "a", "num_output: 3"),
        'name: "b" type: "ReLU" bottom: "a" top: "b"',  # only unknown because of a
        convolution("c", "data", "c", "kernel_size: 3"),
    )
    assert len(text.splitlines()) == 2


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("layer { " * 200_000, "nest deeper than 64"),
        ('input: "data" input_dim: 1 input_dim: 0 layer { }', "0 is too small"),
        ('input: "data" layer { type: "ReLU" bottom: "data" top: "x" }', "1 input but 0 shapes"),
        ('input: "d" input_shape { dim: 4000000000 dim: 4000000000 } layer { }', "more words than 64 bits"),
        ('name: "empty"', "no layer { } in this file"),
        ("layer { \x01 }", "'\\x01' can't stand here"),
    ],
)
def test_bad_text_is_an_input_error(text: str, message: str) -> None:
    with pytest.raises(InputError) as caught:
        read_caffe(text, "net.prototxt", None)
    assert message in str(caught.value)
