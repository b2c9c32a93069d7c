"""What the translation of nodes shares: shapes, which operand is learned, how parameters count."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NoReturn

from accelsim.base.errors import InputError
from accelsim.tables.dims import DIMS, N_DIMS
from accelsim.workload.layer import Kind, Layer, Tensor
from accelsim.workload.readers.onnx_inputs import small_value
from accelsim.workload.readers.onnx_model import Node, problem
from accelsim.workload.readers.onnx_ops import BITS, FLOATS
from accelsim.workload.readers.onnx_shapes import Inferred, Shape

_FIRST_INPUT_ONLY = frozenset(
    (
        "DequantizeLinear",
        "Reshape",
        "Slice",
        "Gather",
        "Expand",
        "Tile",
        "Pad",
        "Unsqueeze",
        "Squeeze",
        "Resize",
    )
)
"""Functions of weights whose other inputs are indices, shapes or scales: not learned words of their own."""
_MASK = 1e4
"""A constant filled with so large a value (-inf, -1e9) masks scores; nobody learned it."""


def extents(**dims: int) -> tuple[int, ...]:
    """Loop extents in the order of DIMS, 1 where a dimension is not named."""
    loops = [1] * N_DIMS
    for letter, extent in dims.items():
        loops[DIMS.index(letter)] = extent
    return tuple(loops)


def product(values: Any) -> int:
    words = 1
    for value in values:
        words *= int(value)
    return words


@dataclass
class Context:
    """The model's shapes and the book of parameters: each stored tensor counts once, at its first user."""

    path: str
    found: Inferred
    stored: dict[str, int] = field(default_factory=dict)  # words of each root
    roots: dict[str, tuple[str, ...]] = field(default_factory=dict)  # constant tensor -> stored tensors
    counted: set[str] = field(default_factory=set)
    made: dict[str, Tensor] = field(default_factory=dict)  # tensors inside an operator that is several layers

    def shape(self, node: Node, slot: int) -> Shape:
        """Shape of an input; InputError where it is absent or unknown."""
        name = node.inputs[slot] if slot < len(node.inputs) else ""
        if not name:
            self.fail(node, f"has no input {slot}", f"{slot + 1} inputs or more")
        if name not in self.found.shapes:
            self.fail(node, f"unknown shape of its input {name!r}")
        return self.found.shapes[name]

    def out_shape(self, node: Node) -> Shape:
        return self.found.shapes[self.found.outputs_of(node)[0]]

    def name_at(self, node: Node, slot: int) -> str:
        return node.inputs[slot] if slot < len(node.inputs) else ""

    def is_learned(self, name: str) -> bool:
        return name in self.found.constant

    def activations(self, *names: str) -> tuple[str, ...]:
        return tuple(name for name in names if name and name not in self.found.constant)

    def fail(
        self, node: Node, message: str, expected: str | None = None, hint: str | None = None
    ) -> NoReturn:
        raise InputError(problem(self.path, node.key, message, expected, hint))

    def layer(self, node: Node, op: str, kind: Kind, suffix: str = "", **rest: Any) -> Layer:
        """A layer of this node; inputs and outputs default to the node's run-time tensors."""
        rest.setdefault("inputs", self.activations(*node.inputs, *node.captured))
        rest.setdefault("outputs", self.found.outputs_of(node))
        rest.setdefault("params_bn_folded", rest.get("params", 0))
        return Layer(node.name + suffix, op, kind, source=f"{self.path}: {node.key}", **rest)

    def make(self, name: str, shape: Shape, like: str) -> str:
        """A tensor between the layers of one operator."""
        self.made[name] = Tensor(name, shape, self.bits(like))
        return name

    def bits(self, name: str) -> int:
        return BITS.get(self.found.elem.get(name, 1), 32)

    def trace_roots(self, node: Node) -> None:
        """Which stored tensors the outputs of a constant node are made of."""
        roots: tuple[str, ...]
        if node.op in ("Constant", "ConstantOfShape"):
            output = node.outputs[0]
            self.stored[output] = 0 if _is_mask(node) else product(self.found.shapes.get(output, ()))
            roots = (output,)
        elif node.op in ("Shape", "Size", "NonZero", "Range"):
            roots = ()
        else:
            sources = node.inputs[:1] if node.op in _FIRST_INPUT_ONLY else node.inputs
            roots = tuple(dict.fromkeys(r for name in sources for r in self.roots.get(name, ())))
        for output in node.outputs:
            self.roots[output] = roots

    def take(self, *names: str) -> int:
        """Learned words that these operands add: stored tensors not counted before, scalar factors aside."""
        words = 0
        for name in names:
            single = product(self.found.shapes.get(name, ())) == 1
            for root in self.roots.get(name, ()):
                if root not in self.counted and (self.stored[root] > 1 or single):
                    self.counted.add(root)
                    words += self.stored[root]
        return words

    def take_operands(self, *names: str) -> int:
        """As `take`, of operands that may be constants instead: floating, and more than a scalar."""
        return self.take(
            *(
                name
                for name in names
                if name in self.found.constant
                and self.found.elem.get(name, 1) in FLOATS
                and product(self.found.shapes.get(name, ())) > 1
            )
        )


def _is_mask(node: Node) -> bool:
    value = node.attrs.get("value")
    fill = None if value is None else small_value(value)
    return (
        fill is not None
        and fill.size == 1
        and fill.dtype.kind == "f"
        and not abs(float(fill.ravel()[0])) < _MASK
    )
