"""Caffe prototxt into a layer graph: every layer that runs at inference becomes one `Layer`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from accelsim.base.errors import InputError, Problem, did_you_mean
from accelsim.workload.graph import LayerGraph
from accelsim.workload.layer import Layer, Tensor
from accelsim.workload.readers.caffe_inputs import (
    DATA_TYPES,
    INPUT_TYPES,
    V1_TYPES,
    layer_inputs,
    net_inputs,
    runs_at_inference,
)
from accelsim.workload.readers.caffe_node import Node, Shape, check_shape
from accelsim.workload.readers.caffe_ops import RULES, is_evaluation
from accelsim.workload.readers.caffe_text import Message, parse_prototxt

MAX_PROBLEMS: Final = 50
"""More are not told: a file with that many is of another kind."""


def read_caffe(text: str, path: str, batch: int | None) -> LayerGraph:
    """The network of a deploy (or train-and-test) prototxt; `batch` replaces the first extent of its inputs.

    InputError: no protobuf text, a layer without its bottoms, shapes that don't fit or stay unknown. All
    problems of the file are told at once.
    """
    net = parse_prototxt(text, path)
    blocks = [*net.messages("layers"), *net.messages("layer")]
    if not blocks:
        raise InputError(Problem("no layer { } in this file", file=path, expected="a Caffe network"))
    reading = _Reading(path, batch, [block for block in blocks if runs_at_inference(block)])
    reading.attempt(lambda: reading.define_inputs(net_inputs(net, batch)))
    for block in reading.blocks:
        reading.attempt(lambda block=block: reading.add(block))
        if len(reading.problems) >= MAX_PROBLEMS:
            break
    if reading.problems:
        raise InputError(reading.problems)
    if n_dropped := len(blocks) - len(reading.blocks):
        reading.notes.append(f"{n_dropped} layers left out: they run in training only")
    return reading.graph(net.text("name"))


class _Reading:
    """Walks the layers in the file's order, which is the order in which Caffe runs them."""

    def __init__(self, path: str, batch: int | None, blocks: list[Message]) -> None:
        self.path, self.batch, self.blocks = path, batch, blocks
        self.problems: list[Problem] = []
        self.layers: list[Layer] = []
        self.tensors: dict[str, Tensor] = {}
        self.inputs: list[str] = []
        self.notes: list[str] = []
        self.names: set[str] = set()
        # The tensor that a blob's name stands for now: a layer that works in place gives it a new one.
        self.current: dict[str, str] = {}
        # Blobs whose shape can't be told: why, or None where an error has been told already.
        self.unknown: dict[str, str | None] = {}
        self.makers = {top: block for block in reversed(blocks) for top in block.texts("top")}

    def attempt(self, step: Callable[..., None]) -> None:
        try:
            step()
        except InputError as error:
            self.problems.extend(error.problems)

    def define_inputs(self, shapes: dict[str, Shape]) -> None:
        for blob, shape in shapes.items():
            self.inputs.append(self._define(blob, shape, "input"))

    def add(self, block: Message) -> None:
        """One layer; where it can't be read its tops become unknown, so that one fault is told once."""
        tops = block.texts("top")
        type_ = V1_TYPES.get(block.text("type"), block.text("type"))
        try:
            if type_ in INPUT_TYPES or (type_ in DATA_TYPES and not block.texts("bottom")):
                shapes, notes = layer_inputs(block, type_, self.batch)
                self.define_inputs(shapes)
                self.notes.extend(notes)
            else:
                self._add_layer(block, type_, tops)
        except InputError:
            self.unknown.update(dict.fromkeys(tops))
            raise

    def _add_layer(self, block: Message, type_: str, tops: list[str]) -> None:
        name = self._unique(block.text("name") or (tops[0] if tops else type_))
        bottoms = self._bottoms(block, name)
        if bottoms is None:
            self.unknown.update(dict.fromkeys(tops))
            return
        if type_ not in RULES:
            self._add_unknown(block, type_, name, bottoms, tops)
            return
        shapes = tuple(self.tensors[bottom].shape for bottom in bottoms)
        node = Node(block, name, type_, shapes, len(tops))
        if not shapes:
            node.fail("it has no bottom", "at least one")
        made = RULES[type_](node)
        if len(made.shapes) < len(tops):
            node.fail(f"it has {len(tops)} tops", f"{len(made.shapes)}")
        for shape in made.shapes:
            check_shape(node, shape)
        outputs = tuple(self._define(top, shape, name) for top, shape in zip(tops, made.shapes, strict=False))
        self._append(block, type_, name, tuple(bottoms), outputs, made.fields)

    def _add_unknown(
        self, block: Message, type_: str, name: str, bottoms: list[str], tops: list[str]
    ) -> None:
        """A type without a rule is not costed: in place it keeps its bottom's shape, else that is unknown."""
        reason = f"no rule for the Caffe layer type {type_!r}" if type_ else "the layer has no type"
        if is_evaluation(type_):
            reason = f"{type_} evaluates a network, it is no part of it"
        elif hint := did_you_mean(type_, RULES):
            reason = f"{reason}: {hint}"
        names = block.texts("bottom")
        outputs = []
        for top in tops:
            if top in names:
                outputs.append(self._define(top, self.tensors[bottoms[names.index(top)]].shape, name))
            else:
                self.unknown[top] = f"layer {name!r} makes it, and there is {reason}"
                self.current.pop(top, None)
        fields = {"op": type_ or "unknown", "kind": "not_costed", "reason": reason}
        self._append(block, type_, name, tuple(bottoms), tuple(outputs), fields)

    def _append(
        self,
        block: Message,
        type_: str,
        name: str,
        inputs: tuple[str, ...],
        outputs: tuple[str, ...],
        fields: Any,
    ) -> None:
        source = f"{self.path}:{block.line}: {type_} {name!r}"
        self.layers.append(Layer(name=name, inputs=inputs, outputs=outputs, source=source, **fields))

    def _bottoms(self, block: Message, name: str) -> list[str] | None:
        """The tensors that a layer reads; None where an earlier error has already told why one is missing."""
        problems: list[Problem] = []
        found: list[str] = []
        told = False
        for bottom in block.scalars("bottom"):
            if bottom.text in self.current:
                found.append(self.current[bottom.text])
                continue
            hint = did_you_mean(bottom.text, self.current)
            message = f"layer {name!r} reads {bottom.text!r}, which nothing makes"
            if bottom.text in self.unknown:
                why = self.unknown[bottom.text]
                told |= why is None
                message = f"layer {name!r} reads {bottom.text!r}, whose shape can't be told: {why}"
                hint = None
                if why is None:
                    continue
            elif bottom.text in self.makers:
                maker = self.makers[bottom.text]
                message = (
                    f"layer {name!r} reads {bottom.text!r} before it is made "
                    f"(by layer {maker.text('name')!r} in line {maker.line})"
                )
                hint = "layers stand in the order in which they run; a cycle can't"
            problems.append(
                Problem(
                    message, file=self.path, line=bottom.line, column=bottom.column, key="bottom", hint=hint
                )
            )
        if problems:
            raise InputError(problems)
        return None if told else found

    def _unique(self, name: str) -> str:
        """The layer's name, numbered where the file has it twice."""
        unique, count = name, 1
        while unique in self.names:
            count += 1
            unique = f"{name}#{count}"
        self.names.add(unique)
        return unique

    def _define(self, blob: str, shape: Shape, maker: str) -> str:
        """Single assignment: a blob's first tensor has its name, later ones name their maker too."""
        tensor = blob
        while tensor in self.tensors:
            tensor = f"{blob}@{maker}" if tensor == blob else f"{tensor}'"
        self.tensors[tensor] = Tensor(tensor, shape)
        self.current[blob] = tensor
        self.unknown.pop(blob, None)
        return tensor

    def graph(self, name: str) -> LayerGraph:
        """Everything that no layer reads is an output."""
        read = {tensor for layer in self.layers for tensor in layer.inputs}
        outputs = tuple(tensor for layer in self.layers for tensor in layer.outputs if tensor not in read)
        if not self.layers:
            raise InputError(
                Problem("no layer runs at inference", file=self.path, expected="a deploy network")
            )
        if not self.inputs:
            raise InputError(
                Problem(
                    "the network has no input",
                    file=self.path,
                    expected="an Input layer, or input and input_dim",
                )
            )
        return LayerGraph(
            name=name,
            layers=tuple(self.layers),
            tensors=self.tensors,
            inputs=tuple(self.inputs),
            outputs=outputs,
            batch=self.tensors[self.inputs[0]].shape[0],
            format="caffe",
            notes=tuple(self.notes),
        )
