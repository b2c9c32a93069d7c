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

from accelsim.mapping.dataflows.base import Bools, Dataflow, ParameterSpace, ladder, thinned
from accelsim.mapping.dataflows.row_spaces import n_sets as n_sets
from accelsim.mapping.dataflows.row_spaces import rs_spaces
from accelsim.mapping.footprint import level_bytes, partial_bytes, tile_words, word_bytes
from accelsim.tables.dims import C, G, I, K, N, O, P, Q, R, S, V, W, Z
from accelsim.tables.machine import Machine
from accelsim.tables.nest import Nest, Problem

Ints = NDArray[np.int64]

MAX_IMAGES = 16
"""Numbers of images a pass that are tried: batches of 64 and less have no more."""
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

    def candidates(self, problem: Problem, machine: Machine, keep: Bools) -> Iterator[Nest]:
        """All of e, t, p, q; r as large as the array then allows; m all sizes that differ in passes."""
        x = problem.extents
        rows = min(x[R], machine.rows)
        room = {t: self._room(machine, t) for t in (I, W, O)}
        taps = min(x[S], room[I], room[W])
        sets_of = [
            (int(e), int(t), sets // int(t))
            for e in ladder(x[P], machine.cols * (machine.rows // rows))
            if (sets := int(n_sets(np.array(rows), e, machine))) >= 1
            for t in sorted({min(sets // r, x[K]) for r in range(1, sets + 1)})
        ]
        if not sets_of:
            return
        pairs = np.array(sets_of, np.int64).T[:, :, None, None]
        useful_p = [ladder(-(-x[K] // t), room[O]) for t in {t for _, t, _ in sets_of}]
        p = np.unique(np.concatenate(useful_p))[:, None]
        q = ladder(x[C], max(1, room[I] // taps))
        e, t, r, p, q = (np.asarray(axis).ravel() for axis in np.broadcast_arrays(*pairs, p, q))
        filters = -(-x[K] // t)
        useful = (p * q * taps <= room[W]) & (p == -(-filters // -(-filters // p)))
        e, t, r, p, q = (axis[useful] for axis in (e, t, r, p, q))
        folds = -(-x[C] // q)
        r = -(-folds // -(-folds // r))  # no larger than the passes need
        for n in thinned(ladder(x[N]), MAX_IMAGES):
            chosen = {"m": p * t, "n": n * np.ones_like(p), "e": e, "p": p, "q": q, "r": r, "t": t}
            chosen["r"] = self._fitting(problem, machine, keep, chosen, rows, taps)
            chosen["m"] = p * t * self._passes(problem, machine, keep, chosen, rows, taps)
            yield self.nest(problem, machine, keep, chosen, rows, taps)

    def spaces(self, problem: Problem, machine: Machine, keep: Bools) -> Iterator[ParameterSpace]:
        """All of e, t, p, q, r, n, m and taps on their ladders: see `rs_spaces`."""
        return rs_spaces(self, problem, machine, keep)

    def _fitting(
        self,
        problem: Problem,
        machine: Machine,
        keep: Bools,
        chosen: Mapping[str, Ints],
        rows: int,
        taps: int,
    ) -> Ints:
        """r, or fewer sets of channels where the buffer has no room for the inputs of so many."""
        glb = machine.fanout_level
        if not keep[glb, I]:
            return chosen["r"]
        single = self.nest(problem, machine, keep, {**chosen, "r": np.ones_like(chosen["r"])}, rows, taps)
        total = level_bytes(problem, single, machine, glb)
        inputs = _buffer_words(problem, single, machine, I) * word_bytes(machine, glb, I)
        most = 1 + np.floor((machine.capacity_bytes[glb] - total) / inputs).clip(0, chosen["r"] - 1)
        fitting: Ints = np.minimum(chosen["r"], most.astype(np.int64))
        return fitting

    def _passes(
        self,
        problem: Problem,
        machine: Machine,
        keep: Bools,
        chosen: Mapping[str, Ints],
        rows: int,
        taps: int,
    ) -> Ints:
        """The most passes of p t filters whose sums the buffer holds beside its inputs, none of them useless.

        More filters at once read the inputs from DRAM less often and change nothing else, so fewer are never
        better.
        """
        glb = machine.fanout_level
        n_passes = -(-problem.extents[K] // (chosen["p"] * chosen["t"]))
        if not keep[glb, O]:
            return np.asarray(n_passes, np.int64)
        one = self.nest(problem, machine, keep, chosen, rows, taps)
        inputs = level_bytes(problem, one, machine, glb)
        sums = _buffer_words(problem, one, machine, O) * partial_bytes(machine, glb)
        most = 1 + np.floor((machine.capacity_bytes[glb] - inputs) / sums).clip(0, n_passes - 1)
        return np.asarray(-(-n_passes // np.ceil(n_passes / most).astype(np.int64)), np.int64)

    def nest(
        self,
        problem: Problem,
        machine: Machine,
        keep: Bools,
        parameters: Mapping[str, Ints],
        rows: int | None = None,
        taps: int | Ints | None = None,
    ) -> Nest:
        """The loops of n, m, e, p, q, r, t (arrays [B]); m is rounded up to whole passes of p t filters."""
        x = problem.extents
        rows = min(x[R], machine.rows) if rows is None else rows
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


def _buffer_words(problem: Problem, nest: Nest, machine: Machine, operand: int) -> Ints:  # [B]
    """Words that an operand takes in the buffer around the array, twice with double buffering."""
    glb = machine.fanout_level
    edge = bool(machine.padding_stored[glb]), bool(machine.fetch_box[glb])
    words = tile_words(problem, nest, operand, glb, *edge)
    return words * 2 if machine.double_buffered[glb] else words


def _cover(extent: int, tile: Ints) -> Ints:
    return np.asarray(-(-extent // tile), np.int64)


RS = RowStationary(
    "rs",
    "row-stationary: filter rows across, input rows along diagonals, sums down the columns",
    rows=(R, C, K),
    cols=(P, C, K),
    in_array=(I, W, O),
)
