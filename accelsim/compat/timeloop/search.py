"""The best mapping inside Timeloop's constraints, proven: best first over arrays and tiles.

What is open is a pair of an array (with x, the loop that stands innermost outside of it) and a tile with an
order of the memory's loops. Each pair has a bound (see `bounds`). Arrays are taken in the order of their
least bound; of each, the tiles that fit it and whose bound is below the best so far are counted exactly, for
every order of the buffer's loops that begins with x. The search ends when the next array's bound reaches the
best.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from accelsim.base.errors import InfeasibleError, Problem
from accelsim.compat.timeloop.bounds import Bounds, TileCost
from accelsim.compat.timeloop.evaluate import evaluate
from accelsim.compat.timeloop.model import Floats, Ints, Mappings, TimeloopInput
from accelsim.compat.timeloop.orders import Order, orders, unfolded
from accelsim.compat.timeloop.space import Space, refuse_beyond_search, spaces
from accelsim.tables.certificate import Certificate

CHUNK = 8192
"""Mappings that are counted at once."""
FIRST_GROWTH = 0.01
"""The first round opens what lies within 1 % of the least bound; each next one twice as far again."""
ROUNDING = 1e-9
"""Bounds are sums in another order than the counts: they agree to rounding."""

Value = tuple[float, float]
"""What is minimised, then what breaks ties: latency is followed by energy, the others by nothing."""


@dataclass(frozen=True)
class TimeloopFound:
    """The best mapping (B = 1) and what the search knows of it."""

    mapping: Mappings
    certificate: Certificate


@dataclass(frozen=True)
class _Tiles:
    """Every tile with every order of the memory's loops, for arrays of one kind, least bound first."""

    extents: Ints  # [D, E]
    order: Ints  # [E], index into `orders`
    orders: tuple[Order, ...]
    first: Ints  # [E]
    """The innermost of the memory's loops, -1 where it has none."""
    stays: tuple[int, ...]
    """The tensors that x does not move."""
    cost: TileCost
    pj: Floats  # [E]
    """The least that they add to an array's own side."""


@dataclass
class _Best:
    """The best so far, and the account of the search."""

    objective: str
    value: Value = (np.inf, np.inf)
    mapping: Mappings | None = None
    n_evaluated: int = 0
    n_pruned: Counter[str] = field(default_factory=Counter)

    def take(self, given: TimeloopInput, mappings: Mappings) -> None:
        """Count mappings exactly and keep the best."""
        counts = evaluate(given, mappings)
        self.n_evaluated += len(mappings)
        cycles, pj = counts.cycles.astype(np.float64), counts.energy_pj
        if self.objective == "latency":
            at = int(np.lexsort((pj, cycles))[0])
            value = (float(cycles[at]), float(pj[at]))
        else:
            values = counts.objective(self.objective)
            at = int(np.argmin(values))
            value = (float(values[at]), 0.0)
        if value < self.value:
            self.value = value
            self.mapping = pick(mappings, at)


def pick(mappings: Mappings, at: int) -> Mappings:
    """One of B mappings."""
    wide = mappings.order.shape[2] > 1
    return replace(
        mappings,
        time=mappings.time[:, :, at : at + 1],
        space=mappings.space[:, :, at : at + 1],
        order=mappings.order[:, :, at : at + 1] if wide else mappings.order,
    )


def search_timeloop(given: TimeloopInput, objective: str = "energy") -> TimeloopFound:
    """The best mapping for "energy", "edp" or "latency" (of equal latency the one of least energy).

    Over perfect factors, all permutations and all bypasses that the file's constraints leave open.
    InfeasibleError where no mapping fits, InputError where the constraints leave more open than is covered.
    """
    start = time.perf_counter()
    refuse_beyond_search(given)
    best = _Best(objective)
    for space in spaces(given):
        _Search(space, best).run()
    if best.mapping is None:
        raise InfeasibleError(
            Problem(
                f"no mapping of {given.workload.name} fits",
                file=given.file,
                key="architecture_constraints",
                expected="factors that divide the extents and tiles that fit the depths",
                hint="allow smaller factors, or make the levels below the buffer deeper",
            )
        )
    value = best.value[0]
    return TimeloopFound(
        best.mapping,
        Certificate(
            objective=objective,
            space="Timeloop's constraints, perfect factors, all permutations, Timeloop's counts",
            best=value,
            lower_bound=value,
            n_evaluated=best.n_evaluated,
            n_pruned_by=dict(sorted(best.n_pruned.items())),
            seconds=time.perf_counter() - start,
        ),
    )


@dataclass(frozen=True)
class _Rows:
    """N pairs of an array and x, the loop innermost outside of it."""

    array: Ints  # [N]
    x: Ints  # [N]
    pj: Floats  # [N]
    """Least energy of the array's own side."""
    cycles: Floats  # [N]

    def of(self, which: Ints) -> _Rows:
        return _Rows(self.array[which], self.x[which], self.pj[which], self.cycles[which])


@dataclass(frozen=True)
class _Pairs:
    """Arrays joined with tiles and an order of the memory's loops, N of each."""

    array: Ints  # [N]
    x: Ints  # [N]
    extents: Ints  # [D, N]
    outer: list[Order]
    pj: Floats  # [N]


class _Search:
    """One space, searched."""

    def __init__(self, space: Space, best: _Best) -> None:
        self.space, self.best = space, best
        self.given = space.given
        self.bounds = Bounds(space, space.arrays())
        self.buffer, self.memory = space.n_levels - 2, space.n_levels - 1
        self.tensors = space.given.workload.tensors
        self.n_dims = len(space.extents)
        self.links = [self.bounds.links(x) for x in range(self.n_dims)]
        self.tiles = space.tiles()
        self._tables: dict[frozenset[int], _Tiles] = {}

    def run(self) -> None:
        """Rounds of a growing limit: each opens the pairs whose bound lies below it and below the best."""
        if not self.bounds.left.shape[1] or not self.tiles.shape[1]:
            return
        self._without_loops()
        rows = self._rows()
        if self.best.objective == "latency":
            for cycles in np.unique(rows.cycles):
                if cycles <= self.best.value[0]:
                    self._rounds(rows.of(np.flatnonzero(rows.cycles == cycles)))
        elif len(rows.array):
            self._rounds(rows)

    def _rows(self) -> _Rows:
        """Every array with every x that it leaves open."""
        found = [(x, np.flatnonzero(self.bounds.left[x] > 1)) for x in range(self.n_dims)]
        array = np.concatenate([of for _, of in found])
        return _Rows(
            array,
            np.concatenate([np.full(len(of), x) for x, of in found]),
            np.concatenate([self.bounds.of_array(x)[of] for x, of in found]),
            self.bounds.compute_cycles[array].astype(np.float64),
        )

    def _rounds(self, rows: _Rows) -> None:
        weight = rows.cycles if self.best.objective == "edp" else np.ones(len(rows.array))
        tables = [self._table(int(x)) for x in range(self.n_dims)]
        least = (rows.pj + np.array([table.pj[0] for table in tables])[rows.x]) * weight
        done = np.zeros(len(rows.array), np.int64)
        ends = np.array([len(table.pj) for table in tables])[rows.x]
        limit, growth = float(least.min()), FIRST_GROWTH
        while True:
            limit *= 1 + growth
            growth *= 2
            goal = min(limit, self._to_beat(rows.cycles[0]))
            batch: list[_Pairs] = []
            for at in np.flatnonzero((least < goal) & (done < ends)).tolist():
                table = tables[rows.x[at]]
                until = int(np.searchsorted(table.pj, goal / weight[at] - rows.pj[at]))
                if until > done[at]:
                    batch.append(self._join(rows, at, table, int(done[at]), until))
                    done[at] = until
            self._count(_joined(batch))
            if limit >= self._to_beat(rows.cycles[0]) or (done == ends).all():
                self.best.n_pruned["bound"] += int((ends - done).sum())
                return

    def _to_beat(self, cycles: float) -> float:
        """The value that a bound must stay below: energy, or energy x cycles."""
        first, second = self.best.value
        if self.best.objective == "latency":
            return (second if first == cycles else np.inf) * (1 - ROUNDING)
        return first * (1 - ROUNDING)

    def _table(self, x: int) -> _Tiles:
        """Tiles and orders of the memory's loops, by what the tile's table bounds where x stands
        innermost.
        """
        stays = self.bounds.stays(x)
        if stays not in self._tables:
            of = sorted(stays)
            extents, index, known, cost = self._of_tiles
            pj = cost.between + (cost.inside[of] / cost.lead[of]).sum(axis=0)
            ranked = np.argsort(pj, kind="stable")
            first = np.array([order[0] if order else -1 for order in known])[index]
            self._tables[stays] = _Tiles(
                extents[:, ranked],
                index[ranked],
                known,
                first[ranked],
                tuple(of),
                TileCost(cost.between[ranked], cost.inside[:, ranked], cost.lead[:, ranked]),
                pj[ranked],
            )
        return self._tables[stays]

    @cached_property
    def _of_tiles(self) -> tuple[Ints, Ints, tuple[Order, ...], TileCost]:
        """Tiles [D, E], their order [E] among the orders, the orders, and what they cost."""
        outside = self.space.extents[:, None] // self.tiles > 1
        prefix = self.space.rule(self.memory).innermost
        tiles, known, costs = [], [], []
        groups, which = np.unique(outside, axis=1, return_inverse=True)
        for g in range(groups.shape[1]):
            tile = self.tiles[:, which.ravel() == g]
            dims = frozenset(np.flatnonzero(groups[:, g]).tolist())
            for order in orders(dims, prefix, self.tensors, False):
                tiles.append(tile)
                known.append(order)
                costs.append(self.bounds.of_tile(tile, order))
        return (
            np.concatenate(tiles, axis=1),
            np.repeat(np.arange(len(known)), [tile.shape[1] for tile in tiles]),
            tuple(known),
            TileCost(
                np.concatenate([cost.between for cost in costs]),
                np.concatenate([cost.inside for cost in costs], axis=1),
                np.concatenate([cost.lead for cost in costs], axis=1),
            ),
        )

    def _join(self, rows: _Rows, row: int, table: _Tiles, first: int, until: int) -> _Pairs:
        """The tiles of a stretch of the table that an array can stand in, with x innermost, bounded anew."""
        array, x, cycles = int(rows.array[row]), int(rows.x[row]), float(rows.cycles[row])
        inner = self.bounds.arrays.extents[:, array]
        loops, rest = np.divmod(table.extents[:, first:until], inner[:, None])
        # x stands innermost in the buffer, or in the memory where the buffer has no loops
        here = (loops[x] > 1) | ((loops == 1).all(axis=0) & (table.first[first:until] == x))
        ok = here & (rest == 0).all(axis=0)
        for dim, allowed in self._narrow:
            ok &= np.isin(loops[dim], allowed)
        chosen = np.flatnonzero(ok)
        self.best.n_pruned["does not divide"] += until - first - len(chosen)
        at = chosen + first
        pj = rows.pj[row] + table.cost.between[at]
        for t in table.stays:
            moved = (loops[self.bounds.moving[t]][:, chosen] > 1).any(axis=0)
            pj += table.cost.inside[t, at] / np.where(moved, 1, table.cost.lead[t, at])
        below = pj * (cycles if self.best.objective == "edp" else 1) < self._to_beat(cycles)
        self.best.n_pruned["bound"] += int((~below).sum())
        at = at[below]
        return _Pairs(
            np.full(len(at), array),
            np.full(len(at), x),
            table.extents[:, at],
            [table.orders[o] for o in table.order[at]],
            pj[below],
        )

    @cached_property
    def _narrow(self) -> list[tuple[int, list[int]]]:
        """Dims that the buffer's rule does not let run any number of times, with what it allows."""
        found = []
        for dim, extent in enumerate(self.given.workload.extents):
            allowed = self.space.allowed(self.buffer, dim)
            if len(allowed) < sum(extent % n == 0 for n in range(1, extent + 1)):
                found.append((dim, allowed))
        return found

    def _without_loops(self) -> None:
        """The arrays that hold the whole layer, where the buffer holds it too."""
        whole = np.flatnonzero((self.bounds.left == 1).all(axis=0))
        if not (self.tiles == self.space.extents[:, None]).all(axis=0).any() or any(
            1 not in self.space.allowed(self.buffer, dim) for dim in range(self.n_dims)
        ):
            return
        extents = np.repeat(self.space.extents[:, None], len(whole), axis=1)
        self._count(_Pairs(whole, np.full(len(whole), -1), extents, [()] * len(whole), np.zeros(len(whole))))

    def _count(self, pairs: _Pairs) -> None:
        """Count pairs exactly, with every order of the buffer's loops, those of the least bound first."""
        weight = self.bounds.compute_cycles[pairs.array] if self.best.objective == "edp" else 1
        bound = pairs.pj * weight
        chosen: list[tuple[int, Order, Order]] = []
        for n in np.argsort(bound, kind="stable").tolist():
            if len(chosen) >= CHUNK:
                self.best.take(self.given, self._mappings(pairs, chosen))
                chosen = []
            if bound[n] < self._to_beat(float(self.bounds.compute_cycles[pairs.array[n]])):
                chosen += [(n, inner, outer) for inner, outer in self._orders(pairs, n)]
            else:
                self.best.n_pruned["bound"] += 1
        if chosen:
            self.best.take(self.given, self._mappings(pairs, chosen))

    def _orders(self, pairs: _Pairs, n: int) -> Iterator[tuple[Order, Order]]:
        """Orders of the buffer's loops that begin with x, and those that the memory's order stands for."""
        array, x, outer = int(pairs.array[n]), int(pairs.x[n]), pairs.outer[n]
        many = pairs.extents[:, n] > self.bounds.arrays.extents[:, array]
        links = x >= 0 and bool(self.links[x][array])
        prefix = self.space.rule(self.memory).innermost
        outers = unfolded(outer, prefix, self.tensors) if links else (outer,)
        prefix = self.space.rule(self.buffer).innermost
        dims = frozenset(np.flatnonzero(many).tolist())
        for inner in orders(dims, prefix, self.tensors, links):
            if not inner or inner[0] == x:
                yield from ((inner, outer) for outer in outers if inner or not outer or outer[0] == x)

    def _mappings(self, pairs: _Pairs, chosen: list[tuple[int, Order, Order]]) -> Mappings:
        at = np.array([n for n, _, _ in chosen], np.int64)
        arrays, array, extents = self.bounds.arrays, pairs.array[at], pairs.extents[:, at]
        trips = arrays.time[:, :, array]
        trips[self.buffer] = extents // arrays.extents[:, array]
        trips[self.memory] = self.space.extents[:, None] // extents
        order = np.empty((self.space.n_levels, self.n_dims, len(at)), np.int64)
        for level in range(self.buffer):
            order[level] = np.array(self.space.inner_order(level))[:, None]
        inner, outer = ([choice[1] for choice in chosen], [choice[2] for choice in chosen])
        for level, which in ((self.buffer, inner), (self.memory, outer)):
            prefix = self.space.rule(level).innermost
            full = {o: _full(prefix, o, self.n_dims) for o in set(which)}
            order[level] = np.array([full[o] for o in which]).T
        return Mappings(
            trips, arrays.space[:, :, array], order, self.space.space_order, self.space.split, self.space.keep
        )


def _joined(parts: list[_Pairs]) -> _Pairs:
    if not parts:
        none = np.zeros(0, np.int64)
        return _Pairs(none, none, none[None], [], np.zeros(0))
    return _Pairs(
        np.concatenate([part.array for part in parts]),
        np.concatenate([part.x for part in parts]),
        np.concatenate([part.extents for part in parts], axis=1),
        [order for part in parts for order in part.outer],
        np.concatenate([part.pj for part in parts]),
    )


def _full(prefix: Order, order: Order, n_dims: int) -> Order:
    """All dims: the constraint's first, then those of more than one trip in their order, then the others."""
    named = tuple(dict.fromkeys((*(d for d in prefix if d not in order), *order)))
    return (*named, *(dim for dim in range(n_dims) if dim not in named))
