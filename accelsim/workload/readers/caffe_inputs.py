"""Where a Caffe net's data comes from, and which of its layers run at inference."""

from __future__ import annotations

from typing import Final

from accelsim.base.errors import InputError, Problem
from accelsim.workload.readers.caffe_node import Shape, words
from accelsim.workload.readers.caffe_text import MAX_COUNT, Message

V1_TYPES: Final = {
    "ABSVAL": "AbsVal", "ACCURACY": "Accuracy", "ARGMAX": "ArgMax", "BNLL": "BNLL", "CONCAT": "Concat",
    "CONTRASTIVE_LOSS": "ContrastiveLoss", "CONVOLUTION": "Convolution", "DATA": "Data",
    "DECONVOLUTION": "Deconvolution", "DROPOUT": "Dropout", "DUMMY_DATA": "DummyData", "ELTWISE": "Eltwise",
    "EUCLIDEAN_LOSS": "EuclideanLoss", "EXP": "Exp", "FLATTEN": "Flatten", "HDF5_DATA": "HDF5Data",
    "HDF5_OUTPUT": "HDF5Output", "HINGE_LOSS": "HingeLoss", "IM2COL": "Im2col", "IMAGE_DATA": "ImageData",
    "INFOGAIN_LOSS": "InfogainLoss", "INNER_PRODUCT": "InnerProduct", "LRN": "LRN",
    "MEMORY_DATA": "MemoryData",
    "MULTINOMIAL_LOGISTIC_LOSS": "MultinomialLogisticLoss", "MVN": "MVN", "POOLING": "Pooling",
    "POWER": "Power", "RELU": "ReLU", "SIGMOID": "Sigmoid",
    "SIGMOID_CROSS_ENTROPY_LOSS": "SigmoidCrossEntropyLoss", "SILENCE": "Silence", "SLICE": "Slice",
    "SOFTMAX": "Softmax", "SOFTMAX_LOSS": "SoftmaxWithLoss", "SPLIT": "Split", "TANH": "TanH",
    "THRESHOLD": "Threshold", "WINDOW_DATA": "WindowData",
}  # fmt: skip
"""V1LayerParameter.LayerType of caffe.proto, by the names of today's layer types."""

DATA_TYPES: Final = frozenset(
    {"Data", "ImageData", "HDF5Data", "WindowData", "MemoryData", "AnnotatedData", "DenseImageData", "Python"}
)
INPUT_TYPES: Final = frozenset({"Input", "DummyData"})


def runs_at_inference(layer: Message) -> bool:
    """Caffe's rules in the state {phase: TEST, stage: "deploy"}: an `include` must hold, no `exclude` may."""
    includes, excludes = layer.messages("include"), layer.messages("exclude")
    if includes:
        return any(_holds(rule) for rule in includes)
    return not any(_holds(rule) for rule in excludes)


def _holds(rule: Message) -> bool:
    phase = rule.text("phase", "TEST").upper()
    return (
        phase in ("TEST", "1")
        and rule.whole("min_level", 0) <= 0
        and all(stage == "deploy" for stage in rule.texts("stage"))
        and "deploy" not in rule.texts("not_stage")
    )


def checked(message: Message, name: str, dims: list[int], batch: int | None) -> Shape:
    """The shape of an input with its first extent set to the batch."""
    if not dims:
        message.fail(f"input {name!r} has no shape", expected="shape { dim: .. }, one dim for each axis")
    shape = (batch or dims[0], *dims[1:])
    if words(shape) > MAX_COUNT:
        message.fail(f"input {name!r} of shape {list(shape)} has more words than 64 bits count")
    return shape


def net_inputs(net: Message, batch: int | None) -> dict[str, Shape]:
    """`input:` with `input_shape {}` or four `input_dim:` for each."""
    names = net.texts("input")
    shapes = [m.wholes("dim", least=1) for m in net.messages("input_shape")]
    dims = net.wholes("input_dim", least=1)
    if not shapes and dims:
        if len(dims) != 4 * len(names):
            net.fail(
                f"{len(dims)} input_dim for {len(names)} input",
                net.scalars("input_dim")[0],
                "input_dim",
                "four each",
            )
        shapes = [dims[i : i + 4] for i in range(0, len(dims), 4)]
    if len(shapes) != len(names):
        raise InputError(
            Problem(
                f"{len(names)} input but {len(shapes)} shapes",
                file=net.file,
                line=net.scalars("input")[0].line if names else net.line,
                key="input",
                expected="one input_shape { dim: .. } for each",
            )
        )
    return {name: checked(net, name, dims, batch) for name, dims in zip(names, shapes, strict=True)}


def layer_inputs(layer: Message, type_: str, batch: int | None) -> tuple[dict[str, Shape], list[str]]:
    """The tops of an Input, DummyData or Data layer with their shapes, and notes on what had to be assumed.

    InputError: a data layer that doesn't say how large its images are.
    """
    tops = layer.texts("top")
    if type_ in INPUT_TYPES:
        param = layer.message("input_param" if type_ == "Input" else "dummy_data_param")
        shapes = [m.wholes("dim", least=1) for m in param.messages("shape")]
        if len(shapes) == 1:
            shapes *= len(tops)
        if len(shapes) != len(tops):
            layer.fail(
                f"{len(tops)} tops but {len(shapes)} shapes", key=layer.text("name"), expected="one each"
            )
        return {top: checked(layer, top, s, batch) for top, s in zip(tops, shapes, strict=True)}, []
    return _data_layer(layer, type_, tops, batch)


def _data_layer(
    layer: Message, type_: str, tops: list[str], batch: int | None
) -> tuple[dict[str, Shape], list[str]]:
    name = layer.text("name")
    hint = (
        'put an input in its place: layer { type: "Input" top: "data" input_param { shape { dim: 1 .. } } }'
    )
    block = {"ImageData": "image_data_param", "MemoryData": "memory_data_param"}.get(type_, "data_param")
    data, transform = layer.message(block), layer.message("transform_param")
    n_images = data.whole("batch_size", 1, least=1)
    channels = data.whole("channels", 1 if transform.flag("force_gray") else 3, least=1)
    rows = data.whole("height", transform.whole("crop_size", 0), least=0) or data.whole("new_height", 0)
    columns = data.whole("width", transform.whole("crop_size", 0), least=0) or data.whole("new_width", 0)
    if not (rows and columns):
        layer.fail(
            f"layer {name!r} ({type_}) does not say how large its images are", expected="crop_size", hint=hint
        )
    made = {
        top: checked(layer, top, [n_images, channels, rows, columns] if i == 0 else [n_images], batch)
        for i, top in enumerate(tops)
    }
    note = (
        f"layer {name!r} ({type_}): images of {channels}x{rows}x{columns} assumed from crop_size and its like"
    )
    return made, [note]
