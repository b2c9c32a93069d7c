"""The fewest steps that spatial loops can leave of a layer: what no filling of the array goes below."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from functools import cache, lru_cache
from math import prod

import numpy as np
from numpy.typing import NDArray

from accelsim.mapping.dataflows import ANY, DATAFLOWS, RS
from accelsim.mapping.dataflows.base import ladder
from accelsim.tables.dims import N_DIMS, C, K, P, R
from accelsim.tables.machines import Machines
from accelsim.tables.nest import Problem

Ints = NDArray[np.int64]


@lru_cache(maxsize=2**16)
def least_steps(extents: tuple[int, ...], size: int) -> int:
    """The least product of ceil(extent / trips) over trips whose product is at most `size`."""
    first, *rest = sorted(extent for extent in extents if extent > 1) or [1]
    if not rest:
        return -(-first // min(first, size))
    trips: list[int] = ladder(first, size).tolist()
    return min(-(-first // some) * least_steps(tuple(rest), size // some) for some in trips)


@dataclass(frozen=True)
class Filling:
    """How the arrays of some machines can be filled with a layer's loops."""

    problem: Problem
    dataflow: str
    rows: Ints  # [A]
    cols: Ints  # [A]

    @staticmethod
    def of(problem: Problem, machines: Machines) -> Filling:
        return Filling(problem, machines.dataflow, machines.rows, machines.cols)

    def steps(self, dims: Collection[int]) -> Ints:  # [A]
        """The fewest positions that the loops in time of some dimensions take together."""
        x, flow = self.problem.extents, DATAFLOWS[self.dataflow]
        if flow is RS and len(dims) == N_DIMS:
            return self._sets()
        on_rows = tuple(x[d] for d in flow.rows if d in dims)
        on_cols = tuple(x[d] for d in flow.cols if d in dims)
        spread = {d for d in (*flow.rows, *flow.cols) if d in dims}
        rest = prod(x[d] for d in dims if d not in spread)
        if flow in (RS, ANY):  # a dimension may lie on both sides
            words = prod(x[d] for d in spread)
            return np.asarray(rest * -(-words // np.minimum(self.rows * self.cols, words)))
        return rest * _by_size(on_rows, self.rows) * _by_size(on_cols, self.cols)

    def most_pes(self) -> Ints:  # [A]
        """PEs that can have work side by side."""
        flow = DATAFLOWS[self.dataflow]
        words = prod(self.problem.extents[d] for d in {*flow.rows, *flow.cols})
        return np.asarray(np.minimum(self.rows * self.cols, words))

    def _sets(self) -> Ints:  # [A]
        """Row-stationary: rows x strips of a set, filters and channels on the sets."""
        pairs, which = np.unique(np.stack([self.rows, self.cols]), axis=1, return_inverse=True)
        steps = [_row_stationary(self.problem.extents, rows, cols) for rows, cols in pairs.T.tolist()]
        return np.array(steps, np.int64)[which.ravel()]


def _by_size(extents: tuple[int, ...], sizes: Ints) -> Ints:  # [A]
    values, which = np.unique(sizes, return_inverse=True)
    return np.array([least_steps(extents, size) for size in values.tolist()], np.int64)[which]


@cache
def _row_stationary(extents: tuple[int, ...], rows: int, cols: int) -> int:
    """The fewest steps over all sets of filter rows x output rows: `row_spaces.n_sets` of them at once."""
    taps = ladder(extents[R], rows)[:, None]
    strips = ladder(extents[P])[None, :]
    width = np.minimum(strips, cols)
    sets = (rows // taps) * (cols // width) // -(-strips // width)
    products = extents[C] * extents[K]
    steps = -(-extents[R] // taps) * -(-extents[P] // strips) * -(-products // np.clip(sets, 1, products))
    least = int(np.where(sets > 0, steps, np.iinfo(np.int64).max).min())
    return least * prod(extents[d] for d in range(N_DIMS) if d not in (R, P, C, K))
