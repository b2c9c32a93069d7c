"""Points of a space in columns, and the numbers of all combinations: mixed radix, last variable fastest."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from accelsim.explore.sweep.variables import Value


@dataclass(frozen=True)
class Points:
    """n points: `index` is each one's number among all combinations, texts are codes into `labels[name]`."""

    index: NDArray[np.int64]  # [n]
    columns: dict[str, NDArray[Any]]  # name -> [n] of int64 or float64
    labels: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.index)

    def text(self, name: str) -> NDArray[np.str_]:
        """A column of codes as texts  # [n]"""
        texts: NDArray[np.str_] = np.array(self.labels[name])[self.columns[name]]
        return texts

    def row(self, i: int) -> dict[str, Value]:
        """One point: plain numbers in base units, and texts."""
        return {
            name: self.labels[name][int(column[i])] if name in self.labels else column[i].item()
            for name, column in self.columns.items()
        }

    def take(self, rows: NDArray[Any]) -> Points:
        """Some of the points, by position or mask."""
        return Points(self.index[rows], {name: c[rows] for name, c in self.columns.items()}, self.labels)


def digits_of(index: NDArray[np.int64], shape: Sequence[int]) -> list[NDArray[np.int64]]:
    """The position along each axis of combinations with these numbers  # len(shape) x [n]"""
    digits: list[NDArray[np.int64]] = []
    rest = index
    for size in reversed(shape):
        above = rest // size
        digits.append(rest - above * size)
        rest = above
    return digits[::-1]


def index_of(digits: Sequence[NDArray[np.int64]], shape: Sequence[int]) -> NDArray[np.int64]:
    """The numbers of combinations given by their position along each axis  # [n]"""
    index = np.zeros_like(np.asarray(digits[0], np.int64))
    for digit, size in zip(digits, shape, strict=True):
        index = index * size + digit
    return index


def subgrid(axes: Sequence[int], shape: Sequence[int]) -> NDArray[np.int64]:
    """The numbers of all combinations along some axes, at the first value of all others  # [n]"""
    index = np.zeros(1, np.int64)
    for axis in axes:
        stride = math.prod(shape[axis + 1 :])
        index = (index[:, None] + np.arange(shape[axis], dtype=np.int64) * stride).ravel()
    return index
