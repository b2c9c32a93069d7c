"""Complete mappings as loop nests: the loops of every level in an order that lets the chosen operand stay."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import permutations, product

import numpy as np
from numpy.typing import NDArray

from accelsim.mapper.general.partial import BROKEN, Partials
from accelsim.mapper.general.variant import Variant
from accelsim.tables.dims import INPUT_SIMPLE, N_OPERANDS, WINDOWS, I
from accelsim.tables.nest import Nest

Ints = NDArray[np.int64]
Order = tuple[tuple[int, ...], ...]
"""Dimensions of each level, outer to inner; levels from the innermost."""


def trips_of(variant: Variant, leaves: Partials) -> tuple[Ints, Ints]:  # [L, D, B], [D, B]
    """Trips in time at every level, and on the array, of the lattice's dimensions."""
    lattice, fan = variant.space.lattice, variant.space.machine.fanout_level
    n = len(leaves)
    time = np.ones((variant.n_levels, len(lattice.dims), n), np.int64)
    for level in range(variant.n_levels):
        below = leaves.tiles[level - 1] if level else np.zeros(n, np.int64)
        if level == fan:
            below = leaves.start
        for k, d in enumerate(lattice.dims):
            time[level, k] = lattice.size(leaves.tiles[level], d) // lattice.size(below, d)
    space = np.array([lattice.size(leaves.spread, d) for d in lattice.dims]).reshape(len(lattice.dims), n)
    return time, space


def usual_order(variant: Variant, leaves: Partials, time: Ints, i: int) -> Order:
    """The class that stays innermost, in an order by which inputs gain: loops of N, G and C outermost.

    Of the loops of windows the one goes first along which a tile shares most with the next; then K, which
    leaves the inputs where they are.
    """
    dims, classes = variant.space.lattice.dims, variant.space.classes
    order = []
    for level in range(variant.n_levels):
        present = [d for k, d in enumerate(dims) if time[level, k, i] > 1]
        a = int(leaves.stays[level, i]) % BROKEN
        inner = [d for d in present if a < N_OPERANDS and d in classes[a]]
        outer = [d for d in present if d not in inner]
        new = {d: _new_part(variant, leaves, level, d, i) for d in present}
        for part in (inner, outer):
            part.sort(key=lambda d: (d not in INPUT_SIMPLE, d in classes[I], -new[d]))
        if a == I and outer:  # what moves the inputs first stands right around K
            outer.sort(key=lambda d: (d not in INPUT_SIMPLE, -new[d]))
        order.append((*outer, *inner))
    return tuple(order)


def _new_part(variant: Variant, leaves: Partials, level: int, d: int, i: int) -> float:
    """The part of an input tile that is new when a loop of a window moves it by one step; 1 for others."""
    kept = [int(k) for k in np.flatnonzero(variant.keep[:level, I])]
    number = next((n for n, pair in enumerate(WINDOWS) if d in pair), None)
    if not kept or number is None:
        return 1.0
    lattice, fan = variant.space.lattice, variant.space.machine.fanout_level
    p, r = WINDOWS[number]
    stride, dilation, _, _ = variant.space.problem.windows[number]
    below = leaves.start if level == fan else leaves.tiles[level - 1]
    size = {e: int(lattice.size(leaves.tiles[kept[-1], i : i + 1], e)[0]) for e in (p, r)}
    step = int(lattice.size(below[i : i + 1], d)[0]) * (stride if d == p else dilation)
    return min(1.0, step / ((size[p] - 1) * stride + (size[r] - 1) * dilation + 1))


def other_orders(variant: Variant, leaves: Partials, time: Ints, i: int) -> Iterator[Order]:
    """Every order, of those with the class that stays innermost, that can count otherwise.

    The words of weights and sums follow from how much of the class runs inside all else; those of inputs
    depend on the loops from inside up to the first one of N, G or C, which makes every tile a new one.
    """
    dims, classes = variant.space.lattice.dims, variant.space.classes
    innermost = int(np.flatnonzero(variant.keep[:, I])[0])
    choices = []
    for level in range(variant.n_levels):
        present = [d for k, d in enumerate(dims) if time[level, k, i] > 1]
        stays = int(leaves.stays[level, i])
        a = stays % BROKEN
        inner = tuple(d for d in present if a < N_OPERANDS and d in classes[a])
        outer = tuple(d for d in present if d not in inner)
        if level <= innermost:
            choices.append([(*outer, *inner)])
        elif stays < BROKEN:
            choices.append([order[::-1] for order in _from_inside(inner, outer)])
        else:
            broken = [(d, *order) for d in inner for order in _rest(d, inner, outer)]
            choices.append([order[::-1] for order in broken])
    yield from product(*choices)


def every_order(variant: Variant, leaves: Partials, time: Ints, i: int) -> Iterator[Order]:
    """All orders whose innermost loop is of the class that stays."""
    dims, classes = variant.space.lattice.dims, variant.space.classes
    choices = []
    for level in range(variant.n_levels):
        present = [d for k, d in enumerate(dims) if time[level, k, i] > 1]
        a = int(leaves.stays[level, i]) % BROKEN
        inner = classes[a] if a < N_OPERANDS else ()
        choices.append([order for order in permutations(present) if not inner or order[-1] in inner])
    yield from product(*choices)


def fold_orders(variant: Variant, time: Ints, i: int, operand: int) -> Iterator[Order]:
    """All orders, those first that leave a systolic array's stationary operand longest: its class innermost.

    The number of folds depends on the whole order, also where it changes no words.
    """
    dims, own = variant.space.lattice.dims, variant.space.classes[operand]
    choices = []
    for level in range(variant.n_levels):
        present = sorted((d for k, d in enumerate(dims) if time[level, k, i] > 1), key=lambda d: d in own)
        choices.append(list(permutations(present)))
    yield from product(*choices)


def _rest(d: int, inner: tuple[int, ...], outer: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
    """Orders, inner to outer, of what follows a first loop, its class mixed with all others."""
    rest = tuple(e for e in inner if e != d)
    if d in INPUT_SIMPLE:
        yield (*rest, *outer)
    else:
        yield from _from_inside((*rest, *outer), ())


def _from_inside(inner: tuple[int, ...], outer: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
    """Orders, inner to outer, that differ before their first loop of N, G or C."""
    if not inner and not outer:
        yield ()
        return
    if not inner:
        inner, outer = outer, ()
    for d in inner:
        rest = tuple(e for e in inner if e != d)
        if d in INPUT_SIMPLE:
            yield (d, *rest, *outer)
        else:
            for order in _from_inside(rest, outer) if rest else _from_inside(outer, ()):
                yield (d, *order)


def nest_of(variant: Variant, order: Order, time: Ints, rows: Ints, cols: Ints) -> Nest:
    """Mappings that share an order as one nest; time [L, D, B], rows and cols [D, B]."""
    lattice, fan = variant.space.lattice, variant.space.machine.fanout_level
    loops: list[tuple[int, int, str, Ints]] = []
    for level in range(variant.n_levels - 1, -1, -1):
        loops += [(d, level, "", time[level, lattice.axis_of[d]]) for d in order[level]]
        if level == fan:
            for name, trips in (("rows", rows), ("cols", cols)):
                loops += [
                    (d, level, name, n) for d, n in zip(lattice.dims, trips, strict=True) if np.any(n > 1)
                ]
    if not loops:
        return Nest((), (), (), np.ones((0, time.shape[2]), np.int64), variant.keep)
    dims, levels, axis, trips_of_loops = zip(*loops, strict=True)
    return Nest(dims, levels, axis, np.stack(trips_of_loops), variant.keep)


def on_axes(variant: Variant, time: Ints, sizes: Ints) -> tuple[Ints, Ints, list[int]]:
    """Trips on rows and on columns of the loops on the array, and which mappings can be laid out so.

    sizes [D, B]. Ragged ones can't where a loop could have a trip less and all would still cover the layer.
    """
    machine = variant.space.machine
    rows = np.ones_like(sizes)
    good = []
    for i in range(sizes.shape[1]):
        if variant.space.ragged:
            chosen = _ragged_rows(variant, time[:, :, i], sizes[:, i])
        else:
            chosen = _divided_rows(sizes[:, i], machine.rows, machine.cols)
        if chosen is not None:
            rows[:, i] = chosen
            good.append(i)
    return rows, sizes // rows, good


def _divided_rows(sizes: Ints, n_rows: int, n_cols: int) -> Ints:  # [D]
    """The most rows that leave no more columns than there are; primes lie where they like."""
    n = int(np.prod(sizes, dtype=np.int64))
    left = max(r for r in range(1, min(n, n_rows) + 1) if n % r == 0 and n // r <= n_cols)
    rows = np.ones_like(sizes)
    for k, size in enumerate(sizes.tolist()):
        rows[k] = np.gcd(left, size)
        left //= int(rows[k])
    return rows


def _ragged_rows(variant: Variant, time: Ints, sizes: Ints) -> Ints | None:  # [D] of [L, D], [D]
    """The first layout that fits and has no trip too many; None if there is none."""
    machine, x = variant.space.machine, variant.space.problem.extents
    choices = []
    for k, d in enumerate(variant.space.lattice.dims):
        n = int(sizes[k])
        fitting = []
        for r in range(n, 0, -1):
            trips = np.array([*time[:, k], r, n // r])
            if n % r == 0 and (trips.prod() // trips * (trips - 1) < x[d]).all():
                fitting.append(r)
        choices.append(fitting)
    for rows in product(*choices):
        n = int(np.prod(rows, dtype=np.int64))
        if n <= machine.rows and int(np.prod(sizes, dtype=np.int64)) // n <= machine.cols:
            return np.array(rows, np.int64)
    return None
