"""Loop nests as arrays: one template of loops for many mappings, what `cost` and `mapper` see of a mapping.

Shapes: J loops (outer to inner), B mappings, D dimensions, L levels, T operands.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from accelsim.tables.dims import OUTPUT_DIMS

Ints = NDArray[np.int64]

MAX_PRODUCT = 2**62
"""Counts beyond this would overflow an int64 on the way; sizes are checked before a kernel runs."""


@dataclass(frozen=True)
class Problem:
    """The loop extents and windows of one layer."""

    extents: tuple[int, ...]  # [D]
    windows: tuple[
        tuple[int, int, int, int], ...
    ]  # [3][4]: stride, dilation, pad, size of rows, columns, depth
    weight_has_batch: bool = False

    @property
    def n_macs(self) -> int:
        return prod(self.extents)

    @property
    def n_output_words(self) -> int:
        return prod(self.extents[d] for d in OUTPUT_DIMS)


@dataclass(frozen=True)
class Nest:
    """B mappings that share the order of their loops and differ in the trips.

    `dims`, `levels` and `axis` describe loop j, outer to inner. A loop with an axis is spatial: part of the
    fan-out from its level to the children, along the array's rows, its cols or both (`array`). `step[j]` is
    what one trip of loop j moves: the product of the trips of all loops of the same dimension inside it.
    """

    dims: tuple[int, ...]  # [J]
    levels: tuple[int, ...]  # [J]
    axis: tuple[str, ...]  # [J], "" in time, else "rows", "cols" or "array"
    trips: Ints  # [J, B]
    keep: NDArray[np.bool_] = field(repr=False)  # [L, T]

    @cached_property
    def step(self) -> Ints:  # [J, B]
        step = np.ones_like(self.trips)
        inner: dict[int, Ints] = {}
        for j in range(len(self.dims) - 1, -1, -1):
            dim = self.dims[j]
            if dim in inner:
                step[j] = inner[dim]
            inner[dim] = step[j] * self.trips[j]
        return step

    @cached_property
    def spatial(self) -> tuple[bool, ...]:  # [J]
        return tuple(bool(axis) for axis in self.axis)

    @property
    def n_points(self) -> int:
        return int(self.trips.shape[1])

    @cached_property
    def known(self) -> dict[tuple[Any, ...], Ints]:
        """What was counted of the mappings before, by name."""
        return {}

    def tile(self, dim: int, level: int) -> Ints:  # [B]
        """Nominal extent of a dimension in the tile of a level: all loops at and below it."""
        key = ("tile", dim, level)
        if key not in self.known:
            extent = np.ones(self.n_points, np.int64)
            for j, d in enumerate(self.dims):
                if d == dim and self.levels[j] <= level:
                    extent = extent * self.trips[j]
            self.known[key] = extent
        return self.known[key]

    def kept_levels(self, operand: int) -> list[int]:
        """Levels that keep the operand, from the innermost to its home."""
        return [int(level) for level in np.flatnonzero(self.keep[:, operand])]

    def take(self, index: NDArray[np.int64] | slice) -> Nest:
        return Nest(self.dims, self.levels, self.axis, self.trips[:, index], self.keep)

    def without_single_trips(self) -> Nest:
        """The same mappings without the loops that never repeat in any of them."""
        used = [j for j in range(len(self.dims)) if np.any(self.trips[j] > 1)]
        return Nest(
            tuple(self.dims[j] for j in used),
            tuple(self.levels[j] for j in used),
            tuple(self.axis[j] for j in used),
            self.trips[used],
            self.keep,
        )
