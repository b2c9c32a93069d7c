"""What passes and tiles queue for: equal servers behind one queue, first come first served."""

from __future__ import annotations

from heapq import heapreplace
from typing import Final

TICKS_PER_S: Final = 10**12
"""Time is whole picoseconds, so that equal states are equal numbers."""


def ticks(seconds: float) -> int:
    """Whole ticks, rounded up: a simulated time is never below the seconds it stands for.

    What floating point puts a millionth of a tick above a whole one is that whole one.
    """
    exact = seconds * TICKS_PER_S
    return -int(-(exact - 1e-6) // 1) if exact > 0 else 0


class Port:
    """One server by reservation: who asks first is served first."""

    __slots__ = ("busy", "free")

    def __init__(self) -> None:
        self.free = self.busy = 0  # ticks: when all that was asked is done, and the work so far

    def reserve(self, now: int, work: int) -> int:
        """When work that asks now, at this very tick, is done."""
        end = (now if now > self.free else self.free) + work
        self.free = end
        self.busy += work
        return end


class Servers:
    """`count` equal servers by reservation: who asks first is served first, by the one that is free first."""

    __slots__ = ("busy", "count", "free")

    def __init__(self, count: int) -> None:
        self.count = count
        self.free = [0] * count  # a heap: when each has done all that was asked of it
        self.busy = 0  # ticks of work so far

    def reserve(self, now: int, work: int) -> int:
        """When work that asks now, at this very tick, is done."""
        start = self.free[0]
        if start < now:
            start = now
        end = start + work
        heapreplace(self.free, end)
        self.busy += work
        return end

    def state(self, now: int) -> tuple[int, ...]:
        """For how much longer each is taken."""
        return tuple(sorted(max(0, free - now) for free in self.free))
