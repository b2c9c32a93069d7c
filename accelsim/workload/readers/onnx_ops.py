"""Operators that are vector work or data movement: their name here and what an element costs.

What an operation is, `accelsim.workload.vector_ops` says.
"""

from __future__ import annotations

import re
from typing import Final

from accelsim.workload.vector_ops import OPS_PER_ELEMENT

UNARY: Final[dict[str, str]] = {
    **{
        name: name.lower()
        for name in ("Relu", "Clip", "Elu", "Celu", "Selu", "Sigmoid", "Swish", "Mish", "Tanh")
    },
    **{
        name: name.lower()
        for name in ("Softplus", "Softsign", "Erf", "Gelu", "Exp", "Log", "Sqrt", "Reciprocal")
    },
    **{
        name: name.lower()
        for name in ("Abs", "Neg", "Sign", "Floor", "Ceil", "Round", "Not", "Shrink", "Trilu")
    },
    **{name: name.lower() for name in ("Sin", "Cos", "Tan", "Asin", "Acos", "Atan", "Sinh", "Cosh", "Asinh")},
    **{name: name.lower() for name in ("Acosh", "Atanh", "Softmax", "Hardmax")},
    "PRelu": "prelu",
    "LeakyRelu": "leaky_relu",
    "ThresholdedRelu": "threshold",
    "HardSigmoid": "hard_sigmoid",
    "HardSwish": "hard_swish",
    "BitwiseNot": "bitwise_not",
    "IsNaN": "is_nan",
    "IsInf": "is_inf",
    "LogSoftmax": "log_softmax",
    "InstanceNormalization": "instance_normalization",
    "LayerNormalization": "layer_normalization",
    "GroupNormalization": "group_normalization",
    "RMSNormalization": "rms_normalization",
    "LpNormalization": "lp_normalization",
    "MeanVarianceNormalization": "mean_variance_normalization",
    "QuantizeLinear": "quantize_linear",
    "DequantizeLinear": "dequantize_linear",
    "DynamicQuantizeLinear": "dynamic_quantize_linear",
    "CumSum": "cum_sum",
    "CumProd": "cum_prod",
    "RotaryEmbedding": "rotary_embedding",
    "OneHot": "one_hot",
    "EyeLike": "eye_like",
}
"""Work per element of the first output; `ops_per_element` says how much."""

_ONLY_HERE: Final = {
    "celu": 4,  # divide, and as ELU
    "mish": 3,  # two look-ups, multiply
    "softsign": 3,  # absolute value, add, divide
    "shrink": 3,  # two compares, add
    "hardmax": 2,  # maximum, compare
    "quantize_linear": 4,  # divide, round, add, saturate
    "dequantize_linear": 2,  # subtract, multiply
    "dynamic_quantize_linear": 6,  # minimum, maximum, and as quantize_linear
    "rotary_embedding": 3,  # two multiplies, add
}
"""Operators that no other format has; all else costs what `vector_ops` says, or one operation."""


def ops_per_element(name: str) -> int:
    """Scalar operations of an operator for one element: those of every reader, so that formats agree."""
    return OPS_PER_ELEMENT.get(name) or _ONLY_HERE.get(name, 1)


ELEMENTWISE: Final[dict[str, tuple[str, int]]] = {
    "Add": ("add", 0),
    "Sum": ("add", 0),
    "Sub": ("sub", 0),
    "Mul": ("mul", 0),
    "Div": ("div", 0),
    "Pow": ("pow", 0),
    "Mod": ("mod", 0),
    "Max": ("max", 0),
    "Min": ("min", 0),
    "Mean": ("mean", 1),  # and the division
    "Equal": ("equal", 0),
    "Less": ("less", 0),
    "LessOrEqual": ("less_or_equal", 0),
    "Greater": ("greater", 0),
    "GreaterOrEqual": ("greater_or_equal", 0),
    "And": ("and", 0),
    "Or": ("or", 0),
    "Xor": ("xor", 0),
    "BitShift": ("bit_shift", 0),
    "BitwiseAnd": ("bitwise_and", 0),
    "BitwiseOr": ("bitwise_or", 0),
    "BitwiseXor": ("bitwise_xor", 0),
    "Where": ("where", -1),  # one selection from three inputs
}
"""Per output element: inputs - 1 and what stands here."""

POOLS: Final[dict[str, tuple[str, int]]] = {
    "MaxPool": ("max_pool", 1),
    "AveragePool": ("average_pool", 1),
    "LpPool": ("lp_pool", 2),  # power, add
}
"""Per output element and window element."""

GLOBAL_POOLS: Final[dict[str, tuple[str, int]]] = {
    "GlobalMaxPool": ("global_max_pool", 1),
    "GlobalAveragePool": ("global_average_pool", 1),
    "GlobalLpPool": ("global_lp_pool", 2),
}
REDUCTIONS: Final[dict[str, tuple[str, int]]] = {
    "ReduceSum": ("reduce_sum", 1),
    "ReduceMean": ("reduce_mean", 1),
    "ReduceMax": ("reduce_max", 1),
    "ReduceMin": ("reduce_min", 1),
    "ReduceProd": ("reduce_prod", 1),
    "ReduceL1": ("reduce_l1", 2),  # absolute value, add
    "ReduceL2": ("reduce_l2", 2),  # square, add
    "ReduceSumSquare": ("reduce_sum_square", 2),  # square, add
    "ReduceLogSum": ("reduce_log_sum", 1),
    "ReduceLogSumExp": ("reduce_log_sum_exp", 2),  # exponential, add
    "ArgMax": ("arg_max", 1),
    "ArgMin": ("arg_min", 1),
}
"""Per input element."""

MOVEMENT: Final[dict[str, str]] = {
    "Concat": "concat",
    "Split": "split",
    "Slice": "slice",
    "Reshape": "reshape",
    "Flatten": "flatten",
    "Transpose": "transpose",
    "Pad": "pad",
    "CenterCropPad": "center_crop_pad",
    "Gather": "gather",
    "GatherElements": "gather_elements",
    "GatherND": "gather_nd",
    "Scatter": "scatter",
    "ScatterElements": "scatter_elements",
    "ScatterND": "scatter_nd",
    "TensorScatter": "tensor_scatter",
    "Squeeze": "squeeze",
    "Unsqueeze": "unsqueeze",
    "Expand": "expand",
    "Tile": "tile",
    "DepthToSpace": "depth_to_space",
    "SpaceToDepth": "space_to_depth",
    "ReverseSequence": "reverse_sequence",
    "Identity": "identity",
    "Dropout": "dropout",
    "Cast": "cast",
    "CastLike": "cast",
    "BitCast": "cast",
}
SAME_WORDS: Final = ("Reshape", "Flatten", "Squeeze", "Unsqueeze", "Transpose", "Identity", "Cast")
"""Operators whose output has exactly their input's words: a shape that says otherwise is wrong."""

CONTROL_FLOW: Final = ("If", "Loop", "Scan", "SequenceMap")

AFFINE: Final = ("Add", "Sub", "Mul", "Div")
"""With one value a channel as the other operand they scale or shift, and fold as batch normalisation."""

BITS: Final[dict[int, int]] = {
    1: 32, 2: 8, 3: 8, 4: 16, 5: 16, 6: 32, 7: 64, 8: 8, 9: 8, 10: 16, 11: 64, 12: 32, 13: 64, 14: 64,
    15: 128, 16: 16, 17: 8, 18: 8, 19: 8, 20: 8, 21: 4, 22: 4, 23: 4, 24: 8, 25: 2, 26: 2,
}  # fmt: skip
"""Bits of an element by onnx's TensorProto.DataType."""

FLOATS: Final = frozenset((1, 10, 11, 16, 17, 18, 19, 20, 23))


def snake(op: str) -> str:
    """The operator's name in lower_snake: NonMaxSuppression -> non_max_suppression, LSTM -> lstm."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", op).lower()
