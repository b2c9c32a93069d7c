"""What a rule for one type of Caffe layer sees, and what it makes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import prod
from typing import Any, NoReturn

from accelsim.base.errors import InputError, Problem
from accelsim.workload.readers.caffe_text import MAX_COUNT, Message

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Node:
    """One `layer {}` block with the shapes of its bottoms."""

    message: Message
    name: str
    type: str
    shapes: tuple[Shape, ...]
    n_tops: int

    def param(self, name: str) -> Message:
        """The block of its parameters; in V1 files some have other names, so both are looked at."""
        return self.message.message(name)

    def fail(self, message: str, expected: str | None = None, hint: str | None = None) -> NoReturn:
        place = self.message
        raise InputError(
            Problem(
                f"layer {self.name!r} ({self.type}): {message}",
                file=place.file,
                line=place.line,
                expected=expected,
                hint=hint,
            )
        )

    def shape(self, index: int = 0) -> Shape:
        if len(self.shapes) <= index:
            self.fail(f"it has {len(self.shapes)} bottoms", f"{index + 1} or more")
        return self.shapes[index]

    def axis(self, message: Message, name: str, default: int, rank: int, end: bool = False) -> int:
        """An axis, counted from the end where negative; `end` allows the one behind the last."""
        axis = message.whole(name, default, least=-rank)
        axis += rank if axis < 0 else 0
        if axis >= rank + end:
            self.fail(f"{name} is {axis}, but its bottom has {rank} axes", f"-{rank} to {rank - 1 + end}")
        return axis


@dataclass(frozen=True)
class Made:
    """The shapes of the tops, and the fields of the `Layer` that the rule knows."""

    shapes: tuple[Shape, ...]
    fields: Mapping[str, Any] = field(default_factory=dict)


def words(shape: Shape) -> int:
    return prod(shape)


def check_counts(node: Node, **counts: int) -> None:
    """InputError where a count does not fit in the 64 bits of the arrays that it ends in."""
    for name, count in counts.items():
        if count > MAX_COUNT:
            node.fail(f"{name} is {count:.3e}", f"at most {MAX_COUNT:,}, what 64 bits hold")


def check_shape(node: Node, shape: Shape) -> None:
    if any(extent < 1 for extent in shape):
        node.fail(f"its output would have the shape {list(shape)}", "1 or more along each axis")
    check_counts(node, **{"the number of words of its output": words(shape)})
