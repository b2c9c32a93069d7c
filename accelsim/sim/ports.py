"""Ports and channels: servers that take one transfer after the other, by reservation."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

MEMORY_CHANNEL: Final = "memory_channel"
PORT: Final = "port"
BARRIER: Final = "barrier"
HOST: Final = "host"
DEPENDENCY: Final = "dependency"
CAUSES: Final = (MEMORY_CHANNEL, PORT, BARRIER, HOST, DEPENDENCY)
"""What an array waits for."""


class Port:
    """Takes transfers in the order in which they ask: each starts when the one before has ended.

    A debt is work without a date: words that came while all else was at rest, and take the port's idle time.
    """

    __slots__ = ("busy", "cause", "debt", "free", "name")

    def __init__(self, name: str, cause: str = PORT) -> None:
        self.name, self.cause = name, cause
        self.free = 0  # ticks: when all that has asked is done
        self.busy = 0  # ticks of work so far
        self.debt = 0

    def pause(self, now: int, ticks: int) -> None:
        """Serves nothing for so long, once what has asked before is done."""
        free = self.free
        if free < now:
            if self.debt:
                self.debt -= min(self.debt, now - free)
            free = now
        self.free = free + ticks

    def owe(self, ticks: int) -> None:
        self.debt += ticks
        self.busy += ticks

    def rest(self, until: int, paid: bool = False) -> None:
        """Nothing is served before then; what was owed may be paid by now."""
        if self.free < until:
            self.free = until
        if paid:
            self.debt = 0

    @property
    def settled(self) -> int:
        """When all that has asked and all that is owed can be done."""
        return self.free + self.debt


Moves = tuple[tuple[Port, int], ...]


def transfer(moves: Moves, now: int) -> tuple[int, Port | None]:
    """Reserves every port of a transfer; when the last of them is done, and which that is."""
    end, last = now, None
    for port, ticks in moves:  # the innermost loop
        free = port.free
        if free < now:
            if port.debt:
                port.debt -= min(port.debt, now - free)
            free = now
        free += ticks
        port.free = free
        port.busy += ticks
        if free > end:
            end, last = free, port
    return end, last


def settled(ports: Iterable[Port], now: int) -> tuple[int, Port | None]:
    """When all ports are at rest, and the one that takes longest."""
    end, last = now, None
    for port in ports:
        if port.settled > end:
            end, last = port.settled, port
    return end, last
