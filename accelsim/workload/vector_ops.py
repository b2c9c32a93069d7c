"""Scalar operations of the operators that a vector engine does, for one element.

An operation is one add, multiply, compare, divide or table look-up (exponential, root), so that the work
of a vector engine of n lanes is at least operations / n cycles. Counts are of the definition of each operator
at inference, not of any library's kernel.
"""

from __future__ import annotations

from typing import Final

OPS_PER_ELEMENT: Final[dict[str, int]] = {
    # one look-up, compare or arithmetic operation for each element
    "relu": 1,  # max(x, 0)
    "leaky_relu": 2,  # compare, multiply
    "prelu": 2,  # compare, multiply
    "relu6": 2,  # two limits
    "clip": 2,  # two limits
    "threshold": 1,  # one compare
    "abs": 1,
    "neg": 1,
    "exp": 1,  # one look-up
    "log": 1,  # one look-up
    "sqrt": 1,  # one look-up
    "reciprocal": 1,
    "erf": 1,  # one look-up
    "sigmoid": 1,  # one look-up, as accelerators do it
    "tanh": 1,  # one look-up
    "softplus": 1,  # one look-up
    "hard_sigmoid": 4,  # multiply, add, two limits
    "hard_swish": 5,  # hard sigmoid, multiply
    "swish": 2,  # sigmoid, multiply
    "elu": 3,  # compare, exponential, subtract (and multiply folded in the table)
    "selu": 3,  # as elu
    "gelu": 2,  # one look-up of the normal distribution, one multiply
    "power": 3,  # (shift + scale x) ** power: multiply, add, look-up
    # between tensors: one for each further input, see the readers
    "add": 1,
    "sub": 1,
    "mul": 1,
    "div": 1,
    "max": 1,
    "min": 1,
    "axpy": 2,  # a x + y: multiply, add
    # normalisation
    "batch_normalization": 2,  # multiply and add, all its statistics folded into two constants a channel
    "scale": 2,  # multiply, add
    "lrn": 3,  # scale the sum, look up the power, multiply; the squares of the window come on top
    "layer_normalization": 7,  # mean 1, variance 3 (subtract, square, add), normalise 1, scale and shift 2
    "instance_normalization": 7,  # as layer_normalization
    "group_normalization": 7,  # as layer_normalization
    "rms_normalization": 4,  # square, add, normalise, scale
    "mean_variance_normalization": 5,  # mean 1, variance 3, normalise 1
    "lp_normalization": 3,  # square, add, divide
    "softmax": 5,  # maximum, subtract, exponential, sum, divide
    "log_softmax": 5,  # maximum, subtract, exponential, sum, subtract
    # for each element that is read
    "reduce": 1,  # one add or compare
    "argmax": 1,  # one compare
    # for each output
    "resize_linear": 7,  # four corners: four multiplies, three adds
}
"""Operations an element by operator; pooling is outputs times window instead."""

LRN_SQUARES: Final = 1
"""LRN: one multiply-add for each of the local_size neighbours, beside OPS_PER_ELEMENT["lrn"]."""
