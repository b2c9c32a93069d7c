"""Row-stationary (Chen, Emer, Sze, ISCA 2016): a filter row meets an input row in each PE.

A set of R x e PEs makes e output rows: filter rows lie along rows, input rows along diagonals, sums run down
the columns. r sets take different channels, t sets different filters; a PE interleaves p filters and q
channels; the buffer holds n images of q r channels and the sums of m filters.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from accelsim.mapping.dataflows.base import Bools, Dataflow, ParameterSpace
from accelsim.mapping.dataflows.row_spaces import n_sets, rs_spaces
from accelsim.tables.dims import C, G, I, K, N, O, P, Q, R, S, V, W, Z
from accelsim.tables.machine import Machine
from accelsim.tables.nest import Nest, Problem

Ints = NDArray[np.int64]

PARAMETERS = ("m", "n", "e", "p", "q", "r", "t")


@dataclass(frozen=True)
class RowStationary(Dataflow):
    """RS: all three operands stay in the PEs, a row of each at a time."""

    parameters = PARAMETERS

    def fits_array(self, nest: Nest, machine: Machine) -> Bools:
        """Sets wider than the array fold into strips that lie below each other; strips stand side by side."""
        trips = {
            d: np.prod(
                [nest.trips[j] for j in range(len(nest.dims)) if nest.axis[j] and nest.dims[j] == d], axis=0
            )
            for d in (R, P, C, K)
        }
        sets = n_sets(trips[R] * np.ones(1, np.int64), trips[P] * np.ones(1, np.int64), machine)
        return np.asarray((trips[C] * trips[K] <= sets) & np.ones(nest.n_points, np.bool_))

    def spaces(
        self, problem: Problem, machine: Machine, keep: Bools, wider: bool = False
    ) -> Iterator[ParameterSpace]:
        """All of e, t, p, q, r, n, m and taps on their ladders: see `rs_spaces`."""
        return rs_spaces(self, problem, machine, keep, wider)

    def nest(
        self,
        problem: Problem,
        machine: Machine,
        keep: Bools,
        parameters: Mapping[str, Ints],
        taps: int | Ints | None = None,
    ) -> Nest:
        """The loops of n, m, e, p, q, r, t (arrays [B]); m is rounded up to whole passes of p t filters."""
        x = problem.extents
        rows = min(x[R], machine.rows)
        taps = min(x[S], self._room(machine, I), self._room(machine, W)) if taps is None else taps
        m, n, e, p, q, r, t = (np.asarray(parameters[name], np.int64) for name in PARAMETERS)
        k_passes = -(-m // (p * t))
        top, glb, one = machine.n_levels - 1, machine.fanout_level, np.ones_like(m)
        loops: list[tuple[int, int, str, Ints]] = [
            (G, top, "", one * x[G]),
            (Z, top, "", one * x[Z]),
            (N, top, "", _cover(x[N], n)),
            (P, top, "", _cover(x[P], e)),
            (K, top, "", _cover(x[K], k_passes * p * t)),
            (V, top, "", one * x[V]),
            (R, top, "", _cover(x[R], one * rows)),
            (S, top, "", _cover(x[S], one * taps)),
            (C, top, "", _cover(x[C], q * r)),
            (K, glb, "", k_passes),
            (N, glb, "", n),
            (Q, glb, "", one * x[Q]),
            (R, glb, "rows", one * rows),
            (P, glb, "cols", e),
            (C, glb, "array", r),
            (K, glb, "array", t),
            (C, 0, "", q),
            (S, 0, "", one * taps),
            (K, 0, "", p),
        ]
        dims, levels, axis, trips = zip(*loops, strict=True)
        return Nest(dims, levels, axis, np.stack(trips), keep)

    @staticmethod
    def _room(machine: Machine, operand: int) -> int:
        """Words of an operand that a PE can keep: of its own memory in the PE, the first that holds it."""
        for level in range(machine.fanout_level):
            if machine.holds[level, operand]:
                bits = int(machine.word_bits[level] or machine.bits[operand])
                share = int(machine.holds[level].sum())
                return max(1, int(machine.capacity_bytes[level] * 8 // bits) - (share - 1))
        return 1


def _cover(extent: int, tile: Ints) -> Ints:
    return np.asarray(-(-extent // tile), np.int64)


RS = RowStationary(
    "rs",
    "row-stationary: filter rows across, input rows along diagonals, sums down the columns",
    rows=(R, C, K),
    cols=(P, C, K),
    in_array=(I, W, O),
)
