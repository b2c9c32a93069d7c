"""The nine light models of the onnx package: MACs and parameters to the unit.

Expected values: shared/models/README.md (columns "MACs" and "params stored"), counted there
from the files; stored parameters include two running statistics a batch-normalised channel, ours do not.
"""

from __future__ import annotations

from pathlib import Path

import onnx
import pytest

from accelsim.workload import LayerGraph, drop_noops, fuse, read

FOLDER = Path(onnx.__file__).parent / "backend" / "test" / "data" / "light"

EXPECTED = {
    # name: MACs at batch 1, parameters stored
    "light_bvlc_alexnet": (654_560_384, 60_965_224),
    "light_densenet121": (2_834_161_664, 8_146_152),
    "light_inception_v1": (1_431_556_352, 6_998_552),
    "light_inception_v2": (2_018_851_840, 11_234_792),
    "light_resnet50": (4_089_184_256, 25_610_152),
    "light_shufflenet": (124_664_528, 1_420_152),
    "light_squeezenet": (349_151_936, 1_235_496),
    "light_vgg19": (19_632_062_464, 143_667_240),
    "light_zfnet512": (1_481_727_008, 87_250_536),
}
FOLDED = {
    # torchvision's count less one value a batch-normalised channel (num_params of the 0.19.0 weights)
    "light_densenet121": 7_978_856 - 41_824,
    "light_resnet50": 25_557_032 - 26_560,
}


def _macs(graph: LayerGraph) -> int:
    return sum(layer.macs for layer in graph.layers)


def _params(graph: LayerGraph) -> int:
    return sum(layer.params for layer in graph.layers)


def _bn_channels(name: str) -> int:
    """Channels whose mean the file stores, counted from the protobuf alone."""
    model = onnx.load(FOLDER / f"{name}.onnx")
    initial = {tensor.name: tensor for tensor in model.graph.initializer}
    shapes = {n: list(t.dims) for n, t in initial.items()}
    for node in model.graph.node:
        if node.op_type == "ConstantOfShape":
            shapes[node.output[0]] = onnx.numpy_helper.to_array(initial[node.input[0]]).tolist()
    return sum(shapes[n.input[3]][0] for n in model.graph.node if n.op_type == "BatchNormalization")


@pytest.mark.parametrize("name", EXPECTED)
def test_macs_and_params_of_light_models_are_exact(name: str) -> None:
    graph = read(FOLDER / f"{name}.onnx")
    macs, stored = EXPECTED[name]
    assert _macs(graph) == macs
    assert _params(graph) == stored - 2 * _bn_channels(name)
    assert graph.batch == 1
    assert not [layer.name for layer in graph.layers if layer.kind == "not_costed"]


@pytest.mark.parametrize("name", EXPECTED)
def test_light_models_rescale_from_batch_one_to_four(name: str) -> None:
    graph = read(FOLDER / f"{name}.onnx", batch=4)
    macs, stored = EXPECTED[name]
    assert graph.batch == 4
    assert _macs(graph) == 4 * macs
    assert _params(graph) == stored - 2 * _bn_channels(name)
    assert all(graph.tensors[t].shape[0] == 4 for t in (*graph.inputs, *graph.outputs))


@pytest.mark.parametrize("name", FOLDED)
def test_folded_params_are_weights_and_one_bias_per_scaled_channel(name: str) -> None:
    graph = read(FOLDER / f"{name}.onnx")
    assert sum(layer.params_bn_folded for layer in graph.layers) == FOLDED[name]


@pytest.mark.parametrize("name", EXPECTED)
def test_passes_keep_macs_and_params_of_light_models(name: str) -> None:
    graph = read(FOLDER / f"{name}.onnx")
    small = fuse(drop_noops(graph))
    assert (_macs(small), _params(small)) == (_macs(graph), _params(graph))
    assert len(small.layers) < len(graph.layers)
    made = set(small.inputs)
    for layer in small.layers:  # still in an order in which it can run
        assert made.issuperset((*layer.inputs, *layer.fused_inputs)), layer.name
        made.update(layer.outputs)
    assert made.issuperset(small.outputs)


def test_all_normalisations_of_resnet50_fold_and_all_shortcuts_join_a_convolution() -> None:
    """53 BN and 16 sums in the file, each behind a convolution: nothing but 53 conv, pools, head is left."""
    small = fuse(drop_noops(read(FOLDER / "light_resnet50.onnx")))
    ops = [layer.op for layer in small.layers]
    assert ops.count("conv") == 53
    assert set(ops) == {"conv", "max_pool", "average_pool", "gemm", "softmax"}


def test_reading_twice_gives_equal_graphs() -> None:
    path = FOLDER / "light_shufflenet.onnx"
    assert read(path) == read(path)
