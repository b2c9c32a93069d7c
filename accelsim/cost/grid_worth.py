"""The mappings of a grid that could be worth having: bounds of many at once leave out the others.

    outer choices, each with all inner ones -> with a group of inner ones -> mapping by mapping

A bound is what it would cost to have the least of each quantity that any of the mappings has. All that costs
grows with the quantities, in float64 too, so that no mapping costs less than its bound.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from accelsim.cost.grid_kernel import (
    BLOCK_POINTS,
    GridBlock,
    GridCost,
    Quantities,
    Remembered,
    costs,
    index_of,
)
from accelsim.cost.grid_quantities import NONE, Rules
from accelsim.cost.grid_tables import LEFT_NUMBERS, Tables
from accelsim.cost.systolic import fold_cycles
from accelsim.tables.grid import Grid

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

Worth = Callable[[Floats, Floats, Callable[[Ints], Ints]], Bools]
"""Whether mappings of no less than some energy and cycles [B] could be wanted; the last one gives the least
number (`GridCost.number`) of those that some of them stand for."""
GROUP: Final = 16
"""Inner choices that have a bound together: few enough for a sharp one."""
FIRST, TIMES = 8, 8
"""Outer choices that are looked into at once: the most promising, then so many times more each time."""
KEPT_NUMBERS = 2**18
"""Factors of outer choices that are kept for the next machine: 2 MB."""


class Selection:
    """Mappings of a grid: some outer choices of its tables with some inner ones, in groups."""

    def __init__(self, tables: Tables, rows: Ints, cols: Ints, starts: Ints) -> None:
        self.n_inner, self.order, self.grid = tables.n_inner, tables.order, tables.grid
        self.tables, self.rows, self.cols, self.starts = tables.inside(cols), rows, cols, starts
        right = self.tables.right
        self.sizes = np.diff(starts, append=len(cols))
        self.ends = right.min(1)[:, None], right.max(1)[:, None]  # [U, 1] each
        self.group_ends = (
            np.minimum.reduceat(right, starts, axis=1),
            np.maximum.reduceat(right, starts, axis=1),
        )  # [U, n_groups] each
        self._left: Floats | None = None
        self._least: dict[int, Floats] = {}

    @property
    def n_bytes(self) -> int:
        """Of all that it holds or may hold."""
        left = len(self.tables.right) * len(self.rows)
        known = left + len(self.tables.start) * len(self.rows) if left <= KEPT_NUMBERS else 0
        return 8 * known + self.tables.right.nbytes + sum(end.nbytes for end in self.group_ends)

    def lefts(self) -> Iterator[tuple[Ints, Floats, dict[int, Floats]]]:
        """Outer choices [n], their factors [U, n] and what is known of the least of each quantity."""
        if self._left is None and len(self.tables.right) * len(self.rows) <= KEPT_NUMBERS:
            some = [left for _, left in self._some_lefts()]
            self._left = np.concatenate(some, axis=1) if some else np.zeros((len(self.tables.right), 0))
        if self._left is not None:
            yield self.rows, self._left, self._least
            return
        for rows, left in self._some_lefts():
            yield rows, left, {}

    def _some_lefts(self) -> Iterator[tuple[Ints, Floats]]:
        for first, left in self.tables.lefts(LEFT_NUMBERS):
            some = np.arange(*np.searchsorted(self.rows, (first, first + left.shape[1])))
            if len(some):
                rows = self.rows[some]
                yield rows, left if len(some) == left.shape[1] else left[:, rows - first]

    def place(self, rows: Ints, cols: Ints) -> Ints:
        """Where mappings stand in the tables' order, by their outer choice and their place among `cols`."""
        return np.asarray(rows * self.n_inner + self.cols[cols], np.int64)


def whole(cost: GridCost, apart: Mapping[int, Bools] | None = None) -> list[Selection]:
    """All mappings of a grid, but those all of whose choices are `apart` (by dimension [n_d])."""

    def make() -> list[Selection]:
        tables = Tables(cost.grid, cost.quantities)
        rows, cols = _chosen(tables, apart or {})
        every = np.arange(tables.n_inner)
        parts = [(np.flatnonzero(~rows), every), (np.flatnonzero(rows), np.flatnonzero(~cols))]
        return _kept(
            cost,
            [
                Selection(tables, some, few, np.arange(0, len(few), GROUP))
                for some, few in parts
                if len(some) and len(few)
            ],
        )

    found: list[Selection] = cost.once(("whole", _name(apart or {})), make)
    return found


def only(cost: GridCost, chosen: Mapping[int, Bools], d: int, starts: Ints) -> list[Selection]:
    """The mappings all of whose choices are `chosen` (by dimension), in groups of choices of `d`."""

    def make() -> list[Selection]:
        axis = next(i for i, dims in enumerate(cost.grid.axes) if dims == (d,))
        tables = Tables(cost.grid, cost.quantities, inner_axis=axis)
        rows, cols = _chosen(tables, chosen)
        return _kept(cost, [Selection(tables, np.flatnonzero(rows), np.flatnonzero(cols), starts)])

    found: list[Selection] = cost.once(("only", _name(chosen), d, starts.tobytes()), make)
    return found


def _kept(cost: GridCost, selections: list[Selection]) -> list[Selection]:
    cost.counter.made_bytes += sum(selection.n_bytes for selection in selections)
    return selections


def _name(chosen: Mapping[int, Bools]) -> tuple[tuple[int, bytes], ...]:
    return tuple((d, few.tobytes()) for d, few in chosen.items())


def _chosen(tables: Tables, chosen: Mapping[int, Bools]) -> tuple[Bools, Bools]:  # [n_outer], [n_inner]
    """Of each outer and each inner choice, whether all of it is chosen; none where nothing is said."""
    grid, found = tables.grid, []
    for axes, n in zip(tables.axes, (tables.n_outer, tables.n_inner), strict=True):
        every = np.full(n, bool(chosen))
        index = np.unravel_index(np.arange(n), [grid.sizes[axis] for axis in axes]) if axes else ()
        for axis, place in zip(axes, index, strict=True):
            for d, choice in _choices(grid, axis, np.asarray(place)).items():
                if d in chosen:
                    every &= chosen[d][choice]
        found.append(every)
    for d, few in chosen.items():
        if d not in grid.choices:  # it has one choice
            found[0] &= bool(few[0])
    return found[0], found[1]


def _choices(grid: Grid, axis: int, place: Ints) -> dict[int, Ints]:
    dims = grid.axes[axis]
    each = np.unravel_index(place, [grid.choices[d].shape[1] for d in dims])
    return dict(zip(dims, map(np.asarray, each), strict=True))


class WorthBlocks:
    """Goes through the mappings of a grid, and counts those that no bound leaves."""

    def __init__(self, cost: GridCost, worth: Worth) -> None:
        self.cost, self.worth, self.rules = cost, worth, cost.rules
        self.divisors = frozenset(int(q) for q in cost.rules.instances if q != NONE)
        self.n_cut = 0
        """Mappings that were left out."""

    def blocks(self, selections: list[Selection]) -> Iterator[GridBlock]:
        """The mappings that could be worth having, the most promising outer choices first."""
        for selection in selections:
            for rows, left, known in selection.lefts():
                yield from self._rows(selection, rows, left, known)

    def _rows(
        self, selection: Selection, rows: Ints, left: Floats, known: dict[int, Floats]
    ) -> Iterator[GridBlock]:
        least = _Least(selection.tables, left, selection.ends, self.divisors, known)
        energy, cycles, fits = costs(self.rules, least, (len(rows), 1), _least_ends)
        n_cols, n_groups = len(selection.cols), len(selection.starts)
        some = np.flatnonzero(fits)
        some = some[np.argsort(energy[some] * cycles[some], kind="stable")]
        n, most = 0, max(FIRST, BLOCK_POINTS // n_groups)
        while len(some):
            first = selection.place(rows[some], np.zeros(len(some), np.int64))
            wanted = self.worth(energy[some], cycles[some], self._number(selection, first))
            self.n_cut += int(np.count_nonzero(~wanted)) * n_cols
            n = n or (FIRST if wanted.all() else most)  # most, where a good mapping is known
            few, some = some[wanted][:n], some[wanted][n:]
            if len(few):
                yield from self._groups(selection, rows[few], left[:, few])
            n = min(n * TIMES, most)

    def _groups(self, selection: Selection, rows: Ints, left: Floats) -> Iterator[GridBlock]:
        """The mappings of some outer choices, group by group."""
        n_groups = len(selection.starts)
        least = _Least(selection.tables, left, selection.group_ends, self.divisors)
        energy, cycles, fits = costs(self.rules, least, (len(rows), n_groups), _least_ends)
        some = np.flatnonzero(fits)
        most = max(1, BLOCK_POINTS // int(selection.sizes.max()))
        while len(some):
            row, group = np.divmod(some, n_groups)
            first = selection.place(rows[row], selection.starts[group])
            wanted = self.worth(energy[some], cycles[some], self._number(selection, first))
            self.n_cut += int(selection.sizes[group[~wanted]].sum())
            row, group, some = row[wanted][:most], group[wanted][:most], some[wanted][most:]
            if len(row):
                yield self._members(selection, rows, left, row, group)

    def _members(self, selection: Selection, rows: Ints, left: Floats, row: Ints, group: Ints) -> GridBlock:
        """The mappings of some groups, each of an outer choice."""
        n = selection.sizes[group]
        which = np.repeat(np.arange(len(n)), n)
        col = selection.starts[group][which] + np.arange(len(which)) - np.repeat(np.cumsum(n) - n, n)
        pairs = _Pairs(selection.tables, left, row[which], col)
        energy, cycles, fits = costs(self.rules, pairs, (1, len(col)))
        places = selection.place(rows[row[which]], col)
        return GridBlock(selection.grid, selection.order, 0, energy, cycles, fits, places)

    def _number(self, selection: Selection, place: Ints) -> Callable[[Ints], Ints]:
        return lambda few: self.cost.number(index_of(selection.grid, selection.order, place[few]))


class _Least:
    """The least of each quantity over groups of inner choices [n_a, G]; the most of what others divide by."""

    def __init__(
        self,
        tables: Tables,
        left: Floats,
        ends: tuple[Floats, Floats],
        divisors: frozenset[int],
        known: dict[int, Floats] | None = None,
    ) -> None:
        self.tables, self.left, self.ends, self.divisors = tables, left, ends, divisors
        self.known = {} if known is None else known

    def __getitem__(self, q: int) -> Floats:
        key = ~q if q in self.divisors else q  # what is divided by on one machine is no divisor on another
        if key not in self.known:
            self.known[key] = self._find(q)
        return self.known[key]

    def _find(self, q: int) -> Floats:
        rows = slice(int(self.tables.start[q]), int(self.tables.start[q + 1]))
        if rows.stop == rows.start:
            return np.zeros((1, 1))
        left = self.left[rows].T
        if self.tables.same_inside[q]:
            return left
        least, most = self.ends[::-1] if q in self.divisors else self.ends
        found: Floats = np.maximum(left, 0) @ least[rows]
        if left.min(initial=0) < 0:
            found += np.minimum(left, 0) @ most[rows]
        return np.maximum(found, 0, out=found)  # no count is less, and of two of them the product is a bound


class _Pairs(Remembered):
    """The quantities of pairs of outer and inner choices [1, B]."""

    def __init__(self, tables: Tables, left: Floats, row: Ints, col: Ints) -> None:
        super().__init__()
        self.tables, self.left, self.row, self.col = tables, left, row, col

    def put_together(self, q: int) -> Floats:
        total: Floats = np.zeros((1, 1))
        for u in range(int(self.tables.start[q]), int(self.tables.start[q + 1])):
            left = self.left[u][self.row]
            total = total + (left if self.tables.same_inside[q] else left * self.tables.right[u][self.col])
        return total.reshape(1, -1)


def _least_ends(rules: Rules, compute: Floats, quantities: Quantities) -> tuple[Floats, Floats]:
    """No more than `fold_ends` where there are at least so many folds, whatever they stream.

    Waits are no part of the latency but by the pace, which is the compute cycles at least.
    """
    zero = np.zeros((1, 1))
    if rules.folds == NONE:
        return zero, zero
    folds = np.ones((1, 1)) if rules.fold == "overlapped" else quantities[rules.folds]
    _, ends = fold_cycles(folds, rules.rows, rules.rows, rules.cols, rules.dataflow, rules.fold)
    return ends.astype(np.float64), zero
