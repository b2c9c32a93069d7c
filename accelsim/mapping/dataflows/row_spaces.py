"""The parameters of row-stationary as grids: rows of outputs, sets of PEs, what a PE and the buffer take.

There is a bound for the number of filters whose sums stand in the buffer (m). Let N be the passes of p t
filters, k those of m, D = ceil(N / k). The loops are, from outside,

    images, rows, K: D, filter rows and columns that the array or a PE can't take, C, K: k, images, columns

Of all counts only those of inputs change with k at given N. What passes into the buffer is read D times: less
with a larger k. What passes into a PE is the same for all N passes but for what stays when the next begins:
when k advances only columns return, when D advances C and the outer filter loops return, too, so that less
stays; what those filter loops let stay when they advance themselves is nothing where C returns with them.
Weights and sums move alike, since each pass has its own (so that the number of passes that
take new weights, and what they load, is the same, too), as long as a sum leaves the PE after each channel:
there is more than one column, or more than one pass each time that C runs. With one column a pass that is
alone (k = 1, or the last where k leaves a remainder of 1) keeps its sums for all channels: such k are
families of their own. So with no outer filter loops or some outer loop of C, no count is lower than with k
= N, whether that fits or not. Layers that are not so have no such bound. Choices that do not fit a PE's
memory even alone are left out, which is no loss.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from accelsim.mapping.dataflows.base import Bools, FamilyBound, ParameterSpace, ladder
from accelsim.tables.dims import C, I, K, N, O, P, Q, R, S, V, W
from accelsim.tables.grid import Grid
from accelsim.tables.machine import Machine
from accelsim.tables.nest import Nest, Problem

if TYPE_CHECKING:
    from accelsim.mapping.dataflows.row_stationary import RowStationary

Ints = NDArray[np.int64]
Table = Mapping[str, Ints]
"""Choices of some parameters together, by their names."""
MAX_WORDS = 2**31
MAX_SPACES = 2**7
"""Layers and arrays whose spaces are kept for machines that differ in their memories."""
MAX_WIDER = 4
"""Times that the memories of PEs may be larger for which a space was made: it has more to leave out."""
Limits = tuple[int, int]
_SPACES: dict[tuple[Any, ...], dict[Limits, list[ParameterSpace]]] = {}


def rs_spaces(
    flow: RowStationary, problem: Problem, machine: Machine, keep: Bools, wider: bool = False
) -> Iterator[ParameterSpace]:
    """One grid of all parameters, with the bound over m where it holds; the last ones are kept.

    `wider`: it may be one for larger memories in the PEs, with the same legal mappings in the same order, and
    others between them that do not fit.
    """
    inside = machine.fanout_level
    key = (
        problem,
        *(machine.rows, machine.cols, machine.n_levels, inside, machine.accumulate_bits),
        *(machine.word_bits.tobytes(), machine.bits.tobytes(), machine.holds.tobytes(), keep.tobytes()),
    )
    known = _SPACES[key] = _SPACES.pop(key, {})
    if len(_SPACES) > MAX_SPACES:
        del _SPACES[next(iter(_SPACES))]
    limits = _limits(problem, machine, keep)
    most = MAX_WIDER if wider else 1
    for other in known:
        if all(mine <= its <= mine * most for mine, its in zip(limits, other, strict=True)):
            yield from known[other]
            return
    found = known[limits] = list(_spaces(flow, problem, machine, keep))
    if len(known) > MAX_WIDER:
        del known[next(iter(known))]
    yield from found


def _limits(problem: Problem, machine: Machine, keep: Bools) -> Limits:
    """The most channels or taps that a PE has room for, and the most filters; no more than the layer has."""
    room = {t: _room(machine, keep, t) for t in (I, W, O)}
    x = problem.extents
    return min(room[I], room[W], max(x[C], x[S])), min(room[O], room[W], x[K])


def _spaces(flow: RowStationary, problem: Problem, machine: Machine, keep: Bools) -> Iterator[ParameterSpace]:
    maker = _Maker(flow, problem, machine, keep)
    if not maker.sets:
        return
    x = problem.extents
    if x[V] > 1 or x[R] > machine.rows or x[K] == 1:
        yield ParameterSpace(maker.grid())
        return
    yield ParameterSpace(maker.grid(), FamilyBound(K, maker.first, maker.exempt))


class _Maker:
    """The choices of one layer on one machine."""

    def __init__(self, flow: RowStationary, problem: Problem, machine: Machine, keep: Bools) -> None:
        self.flow, self.problem, self.machine, self.keep = flow, problem, machine, keep
        x = problem.extents
        self.rows = min(x[R], machine.rows)
        heights = ladder(x[P], machine.cols * (machine.rows // self.rows))
        sets = n_sets(np.full(len(heights), self.rows), heights, machine)
        self.heights, self.sets = heights[sets >= 1], sets[sets >= 1].tolist()
        if not self.sets:
            return
        held, interleaved = _limits(problem, machine, keep)
        taps = ladder(x[S])
        self.taps = taps[taps <= held]
        self.filters, self.first = self._filters(interleaved)
        pairs = [
            (int(q), int(r)) for q in ladder(x[C], held) for r in ladder(-(-x[C] // int(q)), max(self.sets))
        ]
        pairs.sort(key=lambda pair: pair[::-1])  # those of as many sets together: what fits the array does so
        q, r = np.array(pairs, np.int64).T
        self.channels: Table = {"q": q, "r": r}

    def _filters(self, interleaved: int) -> tuple[Table, Ints]:
        """All m, p, t, and where their families begin among them."""
        n_filters, tables, pairs = self.problem.extents[K], [], []
        for t in sorted({min(sets // r, n_filters) for sets in set(self.sets) for r in range(1, sets + 1)}):
            each = -(-n_filters // t)
            for p in ladder(each, interleaved):
                for family in self._families(-(-each // int(p))):
                    tables.append(family)
                    pairs.append((int(p), t))
        n_each = np.array(list(map(len, tables)))
        p, t = np.repeat(np.array(pairs, np.int64).T, n_each, axis=1)
        return {"m": np.concatenate(tables) * p * t, "p": p, "t": t}, np.cumsum([0, *n_each])

    def _families(self, passes: int) -> list[Ints]:
        """The k of so many passes, those of a family together; the last of a family costs least."""
        k = ladder(passes)
        alone = (k == 1) | (passes % k == 1)
        if self.problem.extents[Q] > 1 or not alone.any():
            return [k]
        return [family for family in (k[~alone], *k[alone][:, None]) if len(family)]

    def grid(self) -> Grid:
        """The loops of `RowStationary.nest`, each dimension's by the parameters that it depends on."""
        x, one = self.problem.extents, np.ones(1, np.int64)
        own: dict[int, tuple[Table, Ints]] = {
            N: ({"n": ladder(x[N])}, one),
            P: ({"e": self.heights}, one),
            K: (self.filters, one),
            C: (self.channels, one),
            S: ({}, self.taps),
        }
        nest = self._nest({}, one)
        choices = {d: _loops_of(nest, d) for d in range(len(x)) if d not in own}
        choices |= {d: _loops_of(self._nest(*table), d) for d, table in own.items()}
        return Grid(nest.dims, nest.levels, nest.axis, self.keep, choices)

    def _nest(self, table: Table, taps: Ints) -> Nest:
        """The loops of some parameters, all others 1."""
        one = np.ones(max(len(taps), *map(len, table.values()), 1), np.int64)
        parameters = {name: table.get(name, one) for name in self.flow.parameters}
        return self.flow.nest(self.problem, self.machine, self.keep, parameters, taps * one)

    @property
    def exempt(self) -> Mapping[int, Bools]:
        """Families with outer loops of filter columns but none of C."""
        cut = self.taps < self.problem.extents[S]
        whole = self.channels["q"] * self.channels["r"] >= self.problem.extents[C]
        return {S: cut, C: whole} if cut.any() and whole.any() else {}


def _room(machine: Machine, keep: Bools, operand: int) -> int:
    """No less than the words of an operand that a PE's memory can take; one where none keeps it."""
    for level in range(machine.fanout_level):
        if keep[level, operand]:
            least = min(int(machine.bits[operand]), machine.accumulate_bits)
            bits = int(machine.word_bits[level]) or least
            return max(1, int(min(machine.capacity_bytes[level] * 8 // bits, MAX_WORDS)))
    return 1


def _loops_of(nest: Nest, d: int) -> Ints:  # [J_d, B]
    return nest.trips[[j for j, dim in enumerate(nest.dims) if dim == d]]


def n_sets(rows: Ints, e: Ints, machine: Machine) -> Ints:  # [B]
    """How many PE sets of rows x e fit the array: e is cut into strips no wider than it.

    Eyeriss, CONV2 of AlexNet: 5 x 27 on 12 x 14 is two strips of 5 x 14, one below the other, one set.
    """
    width = np.minimum(e, machine.cols)
    strips = -(-e // width)
    return np.asarray((machine.rows // rows) * (machine.cols // width) // strips, np.int64)
