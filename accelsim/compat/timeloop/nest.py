"""A mapping as Timeloop's list of loops: per storage level its temporal loops and those in space below it."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

from accelsim.compat.timeloop.model import Architecture, Mappings

Extents = tuple[int, ...]


@dataclass(frozen=True)
class Loop:
    """A loop of more than one trip."""

    dim: int
    trips: int
    last: int
    """Trips where all loops of the dim outside are at their last step: less for an imperfect factor."""
    step: int
    """How far one trip goes along the dim."""


@dataclass(frozen=True)
class NestLevel:
    """One storage level; loops outermost first."""

    time: tuple[Loop, ...]
    space: tuple[Loop, ...]
    tile: Extents
    """Extent of each dim in its tile."""
    last_tile: Extents
    """The same where all loops outside are at their last step."""
    spread: Extents
    """Extent of each dim in what its children hold together."""
    last_spread: Extents
    mesh: tuple[int, int]
    """Children along X and Y: physical or used, whichever are more."""

    @property
    def fanout(self) -> int:
        return prod(loop.trips for loop in self.space)


@dataclass(frozen=True)
class Nest:
    """The loops of one mapping, innermost level first."""

    levels: tuple[NestLevel, ...]
    n_dims: int
    imperfect: bool

    @property
    def n_steps(self) -> int:
        """Product of all temporal trips."""
        return prod(loop.trips for level in self.levels for loop in level.time)

    def n_visited(self, *, extrapolates: bool) -> int:
        """Steps that a walk takes."""
        most = (4 if self.imperfect else 2) if extrapolates else 1 << 62
        return prod(min(loop.trips, most) for level in self.levels for loop in level.time)

    @property
    def instances(self) -> list[int]:
        """Instances of each level in use."""
        found = [1]
        for level in reversed(self.levels[1:]):
            found.append(found[-1] * level.fanout)
        return found[::-1]


def nest_of(architecture: Architecture, mapping: Mappings) -> Nest:
    """The loops of the first of B mappings."""
    n_dims = mapping.time.shape[1]
    extent, last = [1] * n_dims, [1] * n_dims
    levels = []
    imperfect = False

    def loops(order: Extents, trips: Extents, lasts: Extents) -> tuple[Loop, ...]:
        nonlocal imperfect
        found = []
        for dim in order:
            n, m = trips[dim], lasts[dim]
            if n > 1:
                found.append(Loop(dim, n, m, extent[dim]))
                imperfect |= n != m
            last[dim] += extent[dim] * (m - 1)
            extent[dim] *= n
        return tuple(reversed(found))

    for index in range(len(architecture.levels)):
        spread, split = mapping.space_order[index], mapping.split[index]
        trips = tuple(mapping.space[index, :, 0].tolist())
        time = tuple(mapping.time[index, :, 0].tolist())
        last_space, last_time = mapping.last[index] if mapping.last else (trips, time)
        space = loops(spread, trips, last_space)
        held, last_held = tuple(extent), tuple(last)
        used = [prod(trips[dim] for dim in dims) for dims in (spread[:split], spread[split:])]
        x, y = (max(a, b) for a, b in zip(used, architecture.fanout(index), strict=True))
        order = tuple(mapping.order[index, :, 0].tolist())
        steps = loops(order, time, last_time)
        levels.append(NestLevel(steps, space, tuple(extent), tuple(last), held, last_held, (x, y)))
    return Nest(tuple(levels), n_dims, imperfect)
