"""Grids of mappings: one template of loops, and for each dimension a table of choices of its trips.

The mappings of a grid are the cross product of the choices. Dimensions that share an input axis (P and R, Q
and S, Z and V) make one axis of the grid, each other one an axis of its own: every factor of every count then
depends on one axis only (`cost.grid_traffic`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from math import prod

import numpy as np
from numpy.typing import NDArray

from accelsim.tables.dims import N_DIMS, WINDOWS
from accelsim.tables.nest import Nest, Problem

Ints = NDArray[np.int64]

MAX_CHOICES = 2**14
"""Choices of an axis whose factors are held at once: some hundred factors then take some 10 MB."""


@dataclass(frozen=True, eq=False)
class Grid:
    """J loops, outer to inner, as in a `Nest`, and of each dimension n_d choices of its loops' trips."""

    dims: tuple[int, ...]  # [J]
    levels: tuple[int, ...]  # [J]
    axis: tuple[str, ...]  # [J]
    keep: NDArray[np.bool_] = field(repr=False)  # [L, T]
    choices: Mapping[int, Ints]  # dimension: [J_d, n_d], the dimension's loops from the outermost in
    start: Mapping[int, int] = field(default_factory=dict)  # of a part: the first choice in the whole grid

    @cached_property
    def axes(self) -> tuple[tuple[int, ...], ...]:  # [A]
        """The dimensions of each axis of the grid, in the order of its points: the last runs fastest."""
        pairs = {d: pair for pair in WINDOWS for d in pair}
        found: dict[tuple[int, ...], None] = {}
        for d in range(N_DIMS):
            if d in self.choices:
                found[tuple(e for e in pairs.get(d, (d,)) if e in self.choices)] = None
        return tuple(found)

    def digest(self, dims: tuple[int, ...]) -> bytes:
        """Short for the choices of some dimensions."""
        if dims not in self._digests:
            digest = hashlib.blake2b(digest_size=16)
            for d in dims:
                digest.update(f"{d} {self.choices[d].shape}".encode())
                digest.update(np.ascontiguousarray(self.choices[d]).tobytes())
            self._digests[dims] = digest.digest()
        return self._digests[dims]

    @cached_property
    def _digests(self) -> dict[tuple[int, ...], bytes]:
        return {}

    @cached_property
    def sizes(self) -> tuple[int, ...]:  # [A]
        return tuple(prod(self.choices[d].shape[1] for d in dims) for dims in self.axes)

    @property
    def n_points(self) -> int:
        return prod(self.sizes)

    def index(self, points: Ints) -> list[Ints]:
        """Where points stand on each axis."""
        return [np.asarray(i, np.int64) for i in np.unravel_index(points, self.sizes)] if self.sizes else []

    def choice_of(self, index: Sequence[Ints]) -> dict[int, Ints]:
        """The choice of each dimension, numbered as in the whole grid, by places on the axes."""
        found: dict[int, Ints] = {}
        for dims, place in zip(self.axes, index, strict=True):
            each = np.unravel_index(place, [self.choices[d].shape[1] for d in dims])
            found |= {d: np.asarray(i) + self.start.get(d, 0) for d, i in zip(dims, each, strict=True)}
        return found

    def index_of(self, choice: Mapping[int, Ints]) -> list[Ints]:
        """The place on each axis of choices by dimension; dimensions that are not named have one choice."""
        zero = np.zeros_like(next(iter(choice.values())))
        return [
            np.ravel_multi_index(
                [choice.get(d, zero) for d in dims], [self.choices[d].shape[1] for d in dims]
            ).astype(np.int64)
            for dims in self.axes
        ]

    @cached_property
    def choices_by_trips(self) -> dict[int, dict[bytes, int]]:
        """Of each dimension, the number of the choice that has some trips (int64, from the outermost in)."""
        return {
            d: {trips.tobytes(): i for i, trips in enumerate(np.ascontiguousarray(table.T))}
            for d, table in self.choices.items()
        }

    def along(self, axis: int) -> Nest:
        """The choices of one axis, n_a of them, all other loops of one trip."""
        trips = np.ones((len(self.dims), self.sizes[axis]), np.int64)
        self._fill(trips, axis, np.arange(self.sizes[axis]))
        return Nest(self.dims, self.levels, self.axis, trips, self.keep)

    def nest(self, points: Ints) -> Nest:
        """Some mappings of the grid."""
        return self.nest_at(self.index(points)) if self.sizes else self.template

    def nest_at(self, index: Sequence[Ints]) -> Nest:
        """Mappings by their place on each axis, [A] of [B]."""
        trips = np.ones((len(self.dims), len(index[0])), np.int64)
        for axis, place in enumerate(index):
            self._fill(trips, axis, place)
        return Nest(self.dims, self.levels, self.axis, trips, self.keep)

    def _fill(self, trips: Ints, axis: int, index: Ints) -> None:
        dims = self.axes[axis]
        each = np.unravel_index(index, [self.choices[d].shape[1] for d in dims])
        for d, choice in zip(dims, each, strict=True):
            trips[[j for j, dim in enumerate(self.dims) if dim == d]] = self.choices[d][:, choice]

    @cached_property
    def template(self) -> Nest:
        """One mapping of single trips."""
        trips = np.ones((len(self.dims), 1), np.int64)
        return Nest(self.dims, self.levels, self.axis, trips, self.keep)

    def without_single_trips(self) -> Grid:
        """The same mappings without the loops that never repeat."""
        return self._without_single_trips

    @cached_property
    def _without_single_trips(self) -> Grid:
        rows = {d: iter(table) for d, table in self.choices.items()}
        used = [j for j, d in enumerate(self.dims) if np.any(next(rows[d]) > 1)]
        choices = {}
        for d, table in self.choices.items():
            some = table[np.any(table > 1, axis=1)]
            if len(some) or table.shape[1] > 1:
                choices[d] = some
        return Grid(
            tuple(self.dims[j] for j in used),
            tuple(self.levels[j] for j in used),
            tuple(self.axis[j] for j in used),
            self.keep,
            choices,
            self.start,
        )

    def parts(self, most: int = MAX_CHOICES) -> Iterator[Grid]:
        """The grid in smaller ones, so that no axis has more choices than so many."""
        for axis, size in enumerate(self.sizes):
            if size <= most:
                continue
            d = max(self.axes[axis], key=lambda d: self.choices[d].shape[1])
            n = self.choices[d].shape[1]
            for few in np.array_split(np.arange(n), min(n, -(-size // most))):
                some = {**self.choices, d: self.choices[d][:, few]}
                start = {**self.start, d: self.start.get(d, 0) + int(few[0])}
                yield from replace(self, choices=some, start=start).parts(most)
            return
        yield self


def part_of_problem(problem: Problem, dims: tuple[int, ...]) -> Problem:
    """The layer along some dimensions, all others 1."""
    extents = tuple(extent if d in dims else 1 for d, extent in enumerate(problem.extents))
    windows = tuple(
        window if set(pair) & set(dims) else (1, 1, 0, 1)
        for pair, window in zip(WINDOWS, problem.windows, strict=True)
    )
    return Problem(extents, windows, problem.weight_has_batch)
