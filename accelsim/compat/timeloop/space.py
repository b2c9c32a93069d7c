"""The mappings that Timeloop's constraints leave: how the loops inside and outside of the buffer are chosen.

A mapping is an *array* (all loops in space, and in time below the two outermost levels) and, for the two
outermost levels ("buffer" and "memory" here), a *tile*: how far each dim goes within the buffer, with an
order of the loops of each. Factors are perfect: the trips of a dim make exactly its extent.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import product

import numpy as np

from accelsim.base.errors import InputError, Problem
from accelsim.compat.timeloop.fetch import sides, slides
from accelsim.compat.timeloop.model import Bools, Ints, Rule, TimeloopInput
from accelsim.compat.timeloop.read_mapping import full_order

MAX_KEEPS = 64
MAX_ARRAYS = 2_000_000


@dataclass(frozen=True)
class Arrays:
    """K ways to fill the levels below the buffer."""

    time: Ints  # [L, D, K]; 1 in the two outermost levels
    space: Ints  # [L, D, K]

    @cached_property
    def extents(self) -> Ints:
        """How far each dim goes inside the buffer's own loops.  [D, K]"""
        extents: Ints = (self.time * self.space).prod(axis=0)
        return extents


@dataclass(frozen=True)
class Space:
    """One choice of what is kept, and the arrays and orders that go with it."""

    given: TimeloopInput
    keep: tuple[tuple[bool, ...], ...]

    @property
    def n_levels(self) -> int:
        return len(self.given.architecture.levels)

    @property
    def extents(self) -> Ints:
        return np.array(self.given.workload.extents, np.int64)

    def rule(self, level: int, *, space: bool = False) -> Rule:
        rules = self.given.constraints.space if space else self.given.constraints.time
        return rules.get(level, Rule())

    def allowed(self, level: int, dim: int, *, space: bool = False) -> list[int]:
        """Divisors of a dim's extent that a level's rule lets it run."""
        rule, extent = self.rule(level, space=space), self.given.workload.extents[dim]
        found = [n for n in range(1, extent + 1) if extent % n == 0]
        if dim in rule.exact:
            found = [n for n in found if n == rule.exact[dim]]
        least, most = rule.at_least.get(dim, 1), rule.at_most.get(dim, extent)
        return [n for n in found if least <= n <= most]

    @property
    def space_order(self) -> tuple[tuple[int, ...], ...]:
        n_dims = len(self.given.workload.dims)
        rules = [self.rule(level, space=True) for level in range(self.n_levels)]
        return tuple(full_order(rule.innermost, n_dims) for rule in rules)

    @property
    def split(self) -> tuple[int, ...]:
        n_dims = len(self.given.workload.dims)
        rules = [self.rule(level, space=True) for level in range(self.n_levels)]
        return tuple(n_dims if rule.split is None else min(rule.split, n_dims) for rule in rules)

    def inner_order(self, level: int) -> tuple[int, ...]:
        return full_order(self.rule(level).innermost, len(self.given.workload.dims))

    def fits(self, level: int, tile: Ints) -> Bools:
        """Whether the tensors that a level keeps fit it, for tiles [D, B].  [B], boolean"""
        size = self.given.architecture.levels[level].size_words
        kept = [t for t, keep in zip(self.given.workload.tensors, self.keep[level], strict=True) if keep]
        if size is None or not kept:
            return np.ones(tile.shape[1], bool)
        words = np.zeros(tile.shape[1], np.int64)
        for tensor in kept:
            words += sides(tensor, tile).prod(axis=0)
        return words <= size

    def arrays(self) -> Arrays:
        """Every way to fill the levels below the buffer that fits them; dim after dim, misfits dropped at
        once.

        Tiles and fan-outs only grow with each further dim, so what does not fit stays out for good.
        """
        n_levels, n_dims = self.n_levels, len(self.given.workload.dims)
        time = np.ones((n_levels, n_dims, 1), np.int64)
        space = time.copy()
        for dim in range(n_dims):
            times, spaces = self._choices(dim)
            k, n = time.shape[2], times.shape[1]
            if k * n > MAX_ARRAYS:
                raise InputError(_too_free(self.given, f"{k * n:,} ways to fill the array"))
            time, space = np.repeat(time, n, axis=2), np.repeat(space, n, axis=2)
            time[:, dim], space[:, dim] = np.tile(times, k), np.tile(spaces, k)
            ok = self._fit(time, space)
            time, space = time[:, :, ok], space[:, :, ok]
        return Arrays(time, space)

    def _choices(self, dim: int) -> tuple[Ints, Ints]:
        """Trips of one dim in time and space below the buffer.  [L, N] each"""
        n_levels, extent = self.n_levels, self.given.workload.extents[dim]
        slots = []
        for level in range(n_levels):
            fanned = self.given.architecture.fanout(level) != (1, 1)
            slots.append(self.allowed(level, dim) if level < n_levels - 2 else [1])
            slots.append(self.allowed(level, dim, space=True) if fanned else [1])
        found = list(_products(slots, extent))
        table = np.array(found, np.int64).reshape(len(found), n_levels, 2)
        return table[:, :, 0].T, table[:, :, 1].T

    def _fit(self, time: Ints, space: Ints) -> Bools:
        ok = np.ones(time.shape[2], bool)
        tile = np.cumprod(time * space, axis=0)
        for level in range(self.n_levels):
            if level < self.n_levels - 2:
                ok &= self.fits(level, tile[level])
            order, split = self.space_order[level], self.split[level]
            limits = self.given.architecture.fanout(level)
            for dims, limit in zip((order[:split], order[split:]), limits, strict=True):
                ok &= space[level, list(dims)].prod(axis=0) <= limit
        return ok

    def tiles(self) -> Ints:
        """How far each dim may go within the buffer, where that fits it.  [D, N]"""
        memory = self.n_levels - 1
        choices = [
            [extent // n for n in self.allowed(memory, dim)]
            for dim, extent in enumerate(self.given.workload.extents)
        ]
        tile = np.ones((len(choices), 1), np.int64)
        for dim, sizes in enumerate(choices):
            n, k = len(sizes), tile.shape[1]
            tile = np.repeat(tile, n, axis=1)
            tile[dim] = np.tile(np.array(sizes, np.int64), k)
            tile = tile[:, self.fits(memory - 1, tile)]
        return tile


def spaces(given: TimeloopInput) -> Iterator[Space]:
    """One space for each choice of what is kept where the constraints leave it open."""
    _check(given)
    levels, n_tensors = given.architecture.levels, len(given.workload.tensors)
    options = []
    for level, store in enumerate(levels):
        for t in range(n_tensors):
            default = [False] if store.is_dummy else [True, False]
            default = [True] if level == len(levels) - 1 else default
            fixed = given.constraints.keep.get((level, t))
            options.append(default if fixed is None else [fixed])
    n_keeps = int(np.prod([len(option) for option in options]))
    if n_keeps > MAX_KEEPS:
        raise InputError(_too_free(given, f"{n_keeps} choices of what is kept where"))
    for choice in product(*options):
        keep = tuple(tuple(choice[i : i + n_tensors]) for i in range(0, len(choice), n_tensors))
        if all(keep[-1]):
            yield Space(given, keep)


def _products(slots: list[list[int]], extent: int) -> Iterator[tuple[int, ...]]:
    """All choices of one trip count a slot whose product divides the extent."""
    if not slots:
        yield ()
        return
    for n in slots[0]:
        if extent % n == 0:
            for rest in _products(slots[1:], extent // n):
                yield (n, *rest)


def _check(given: TimeloopInput) -> None:
    """InputError where the file asks for more than the search covers."""
    n_levels = len(given.architecture.levels)
    if n_levels < 2 or given.architecture.fanout(n_levels - 1) != (1, 1):
        raise InputError(_too_free(given, "no single buffer under the outermost level"))
    if any(tensor.read_write and slides(tensor) for tensor in given.workload.tensors):
        raise InputError(_too_free(given, "an output whose axis is the sum of two dims"))
    whole = Space(given, ())
    for level in range(n_levels - 2):
        rule = whole.rule(level)
        free = [
            given.workload.dims[dim]
            for dim, extent in enumerate(given.workload.extents)
            if extent > 1 and dim not in rule.innermost and max(whole.allowed(level, dim), default=1) > 1
        ]
        if len(free) > 1:
            name = given.architecture.levels[level].name
            raise InputError(_too_free(given, f"{name} leaves the order of {', '.join(free)} open"))


def _too_free(given: TimeloopInput, what: str) -> Problem:
    return Problem(
        what,
        file=given.file,
        key="architecture_constraints",
        expected="one buffer under the memory, and a fixed permutation in every level below it",
        hint="constrain factors, permutation, keep or bypass of the level",
    )


def refuse_beyond_search(given: TimeloopInput) -> None:
    """InputError for what is counted for one mapping, but not bounded for all."""
    found = [
        (f"{level.name} has clusters of {level.cluster_size}", "clusters of 1")
        for level in given.architecture.levels
        if level.cluster_size > 1
    ]
    found += [
        (f"the network of {level.name} costs energy", "networks without energy")
        for level in given.architecture.levels
        if level.network.costs_energy
    ]
    found += [
        (f"{tensor.name} has no plain axes", "each dim once, at most two an axis")
        for tensor in given.workload.tensors
        if not tensor.is_plain
    ]
    found += [
        (f"the constraint {one}", "factors, permutation, keep, bypass")
        for one in given.constraints.unsearched
    ]
    if not given.links:
        found.append(("link transfers are switched off", "Timeloop's default"))
    if found:
        raise InputError(
            [
                Problem(message, given.file, expected=expected, hint="accelsim evaluate --timeloop counts it")
                for message, expected in found
            ]
        )
