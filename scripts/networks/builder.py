"""Writes a network as ONNX text: weights are typed inputs (shapes alone), one input and one node a line.

The methods are named after the operators and keep track of the channels only, so that a family's file
reads like the table in its paper. A node is named for its output. Nothing here needs the onnx package.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Value:
    """A tensor on its way through the network: its name and how many channels (features) it has."""

    name: str
    channels: int


Attribute = int | float | str | Sequence[int]


def quoted(name: str) -> str:
    """The name as the text syntax wants it: dots are only allowed between quotes."""
    return name if name.isidentifier() else f'"{name}"'


def pair(size: int | tuple[int, int]) -> tuple[int, int]:
    return size if isinstance(size, tuple) else (size, size)


def attribute(value: Attribute) -> str:
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, float):
        text = repr(value)
        return text if "." in text or "e" in text else f"{text}.0"
    return str(value) if isinstance(value, int) else f"[{', '.join(str(v) for v in value)}]"


@dataclass
class Net:
    """One network being written; `source` says what it follows and stands in the file as its doc_string."""

    name: str
    source: str
    opset: int = 17
    data: list[str] = field(default_factory=list)
    inputs: list[str] = field(default_factory=list)
    outputs: list[str] = field(default_factory=list)
    nodes: list[str] = field(default_factory=list)
    constants: set[str] = field(default_factory=set)

    def input(self, name: str, shape: Sequence[int | str], kind: str = "float") -> Value:
        """A data input; its leading dimension is the symbolic batch N."""
        self.data.append(name)
        self.weight(name, shape, kind)
        return Value(name, int(shape[1]) if len(shape) > 1 else 1)

    def image(self, size: int, channels: int = 3) -> Value:
        return self.input("input", ("N", channels, size, size))

    def weight(self, name: str, shape: Sequence[int | str], kind: str = "float") -> str:
        self.inputs.append(f"{kind}[{','.join(str(extent) for extent in shape)}] {quoted(name)}")
        return name

    def weights(self, node: str, **shapes: Sequence[int]) -> list[str]:
        return [self.weight(f"{node}.{kind}", shape) for kind, shape in shapes.items()]

    def op(
        self, name: str, op: str, inputs: Iterable[str], channels: int = 0, /, **attributes: Attribute
    ) -> Value:
        """A node of any operator, named for its output, which has `channels` channels."""
        self.node((name,), op, inputs, attributes)
        return Value(name, channels)

    def node(
        self, outputs: Iterable[str], op: str, inputs: Iterable[str], attributes: Mapping[str, Attribute]
    ) -> None:
        listed = ", ".join(f"{key} = {attribute(value)}" for key, value in attributes.items())
        brackets = f" <{listed}>" if listed else ""
        made = ", ".join(quoted(output) for output in outputs)
        self.nodes.append(f"{made} = {op}{brackets} ({', '.join(quoted(i) for i in inputs)})")

    def constant(self, name: str, value: float | Sequence[int]) -> str:
        """A constant that is no weight (a target shape, a limit), written where it is first used."""
        if name not in self.constants:
            self.constants.add(name)
            if isinstance(value, float):
                self.op(name, "Constant", (), value_float=value)
            else:
                self.op(name, "Constant", (), value_ints=value)
        return name

    def section(self, text: str) -> None:
        self.nodes.append(f"# {text}")

    # Operators with weights

    def conv(
        self,
        name: str,
        x: Value,
        filters: int,
        kernel: int | tuple[int, int],
        stride: int = 1,
        pad: int | tuple[int, int] | tuple[int, int, int, int] = 0,
        groups: int = 1,
        bias: bool = False,
    ) -> Value:
        """A convolution; `pad` is one number, rows and columns, or ONNX's four (begins, then ends)."""
        size = pair(kernel)
        pads = pad if isinstance(pad, tuple) and len(pad) == 4 else (*pair(pad), *pair(pad))
        shape = (filters, x.channels // groups, *size)
        biases = {"bias": (filters,)} if bias else {}
        operands = self.weights(name, weight=shape, **biases)
        named: dict[str, Attribute] = {"kernel_shape": size}
        if groups > 1:
            named["group"] = groups
        if any(pads):
            named["pads"] = pads
        if stride > 1:
            named["strides"] = (stride, stride)
        return self.op(name, "Conv", (x.name, *operands), filters, **named)

    def batch_norm(self, name: str, x: Value, epsilon: float = 1e-5) -> Value:
        each = (x.channels,)
        operands = self.weights(name, weight=each, bias=each, running_mean=each, running_var=each)
        return self.op(name, "BatchNormalization", (x.name, *operands), x.channels, epsilon=epsilon)

    def layer_norm(self, name: str, x: Value, epsilon: float = 1e-5) -> Value:
        operands = self.weights(name, weight=(x.channels,), bias=(x.channels,))
        return self.op(name, "LayerNormalization", (x.name, *operands), x.channels, axis=-1, epsilon=epsilon)

    def linear(self, name: str, x: Value, features: int, bias: bool = True) -> Value:
        """A fully connected layer of a flat input [N, C]; its weight is [K, C] as torch stores it."""
        biases = {"bias": (features,)} if bias else {}
        operands = self.weights(name, weight=(features, x.channels), **biases)
        return self.op(name, "Gemm", (x.name, *operands), features, transB=1)

    # Operators without weights

    def relu(self, name: str, x: Value) -> Value:
        return self.op(name, "Relu", (x.name,), x.channels)

    def relu6(self, name: str, x: Value) -> Value:
        low, high = self.constant("zero", 0.0), self.constant("six", 6.0)
        return self.op(name, "Clip", (x.name, low, high), x.channels)

    def max_pool(
        self, name: str, x: Value, kernel: int, stride: int, pad: int = 0, ceil: bool = False
    ) -> Value:
        return self._pool("MaxPool", name, x, kernel, stride, pad, ceil)

    def average_pool(
        self, name: str, x: Value, kernel: int, stride: int, pad: int = 0, ceil: bool = False
    ) -> Value:
        return self._pool("AveragePool", name, x, kernel, stride, pad, ceil)

    def _pool(self, op: str, name: str, x: Value, kernel: int, stride: int, pad: int, ceil: bool) -> Value:
        named: dict[str, Attribute] = {"ceil_mode": 1} if ceil else {}
        named["kernel_shape"] = (kernel, kernel)
        if pad:
            named["pads"] = (pad,) * 4
        named["strides"] = (stride, stride)
        return self.op(name, op, (x.name,), x.channels, **named)

    def global_pool(self, name: str, x: Value) -> Value:
        return self.op(name, "GlobalAveragePool", (x.name,), x.channels)

    def flatten(self, x: Value, pixels: int = 1, name: str = "flatten") -> Value:
        """All but the batch in one axis; `pixels` is the size of the map that is flattened."""
        return self.op(name, "Flatten", (x.name,), x.channels * pixels, axis=1)

    def reshape(self, name: str, x: Value, shape: Sequence[int], channels: int) -> Value:
        """`shape` as ONNX reads it: 0 keeps the dimension, -1 takes what is left."""
        target = self.constant("to_" + "_".join(str(s).replace("-1", "rest") for s in shape), shape)
        return self.op(name, "Reshape", (x.name, target), channels)

    def transpose(self, name: str, x: Value, perm: Sequence[int], channels: int = 0) -> Value:
        return self.op(name, "Transpose", (x.name,), channels or x.channels, perm=perm)

    def add(self, name: str, *values: Value) -> Value:
        return self.op(name, "Add", (v.name for v in values), values[0].channels)

    def mul(self, name: str, *values: Value) -> Value:
        return self.op(name, "Mul", (v.name for v in values), values[0].channels)

    def concat(self, name: str, values: Sequence[Value], axis: int = 1) -> Value:
        channels = sum(v.channels for v in values)
        return self.op(name, "Concat", (v.name for v in values), channels, axis=axis)

    def softmax(self, name: str, x: Value) -> Value:
        return self.op(name, "Softmax", (x.name,), x.channels, axis=-1)

    def output(self, x: Value, shape: Sequence[int | str], kind: str = "float") -> None:
        self.outputs.append(f"{kind}[{','.join(str(extent) for extent in shape)}] {quoted(x.name)}")

    def classes(self, x: Value) -> Net:
        """Ends a classifier: x is its one output."""
        self.output(x, ("N", x.channels))
        return self

    def text(self) -> str:
        """The file, to the byte the same on every run."""
        ir_version = 9 if self.opset >= 20 else 8
        head = [
            "<",
            f"  ir_version: {ir_version},",
            f'  opset_import: ["" : {self.opset}],',
            '  producer_name: "accelsim scripts/make_workloads.py",',
            f'  doc_string: "{self.source}",',
            f'  metadata_props: ["accelsim.data_inputs": "{",".join(self.data)}"]',
            ">",
            f"{self.name} (",
        ]
        inputs = [f"  {line}," for line in self.inputs]
        inputs[-1] = inputs[-1].removesuffix(",")
        return "\n".join(
            [
                *head,
                *inputs,
                f") => ({', '.join(self.outputs)})",
                "{",
                *(f"  {n}" for n in self.nodes),
                "}",
                "",
            ]
        )
