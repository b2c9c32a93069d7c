"""The rule for each type of Caffe layer: which shapes it makes and what it costs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from accelsim.workload.readers import caffe_arrays as arrays
from accelsim.workload.readers import caffe_moves as moves
from accelsim.workload.readers import caffe_vector as vectors
from accelsim.workload.readers.caffe_node import Made, Node

RULES: Final[dict[str, Callable[[Node], Made]]] = {
    "Convolution": arrays.convolution,
    "ConvolutionDepthwise": arrays.convolution,
    "DepthwiseConvolution": arrays.convolution,
    "Deconvolution": arrays.deconvolution,
    "InnerProduct": arrays.inner_product,
    **dict.fromkeys(vectors.ACTIVATIONS, vectors.activation),
    "PReLU": vectors.prelu,
    "Pooling": vectors.pooling,
    "BatchNorm": vectors.batch_norm,
    "BN": vectors.batch_norm,
    "Scale": vectors.scale,
    "Bias": vectors.bias,
    "Eltwise": vectors.eltwise,
    "Axpy": vectors.axpy,
    "LRN": vectors.lrn,
    "Normalize": vectors.normalize,
    "Reduction": vectors.reduction,
    "ArgMax": vectors.argmax,
    "Interp": vectors.interp,
    "Concat": moves.concat,
    "Slice": moves.slice_,
    "Split": moves.split,
    "Dropout": moves.dropout,
    "Flatten": moves.flatten,
    "Reshape": moves.reshape,
    "Permute": moves.permute,
    "Crop": moves.crop,
    "Tile": moves.tile,
    "Upsample": moves.upsample,
    "ShuffleChannel": moves.shuffle_channel,
    "Embed": moves.embed,
    "Silence": moves.silence,
}


def is_evaluation(type_: str) -> bool:
    """Losses and accuracies: part of training, nothing that a deployed network computes."""
    return type_.endswith("Loss") or type_ in ("Accuracy", "HDF5Output")
