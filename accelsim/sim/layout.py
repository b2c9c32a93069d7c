"""The ports of one core: which servers its memories have, by number, as programs name them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from accelsim.sim.ports import MEMORY_CHANNEL, PORT, Port
from accelsim.sim.ticks import READ, WRITE
from accelsim.tables.machine import Machine


@dataclass(frozen=True)
class Layout:
    """Ports by number. The outermost memory has a channel, shared by cores, and each core a port to it."""

    names: tuple[str, ...]
    causes: tuple[str, ...]
    level: tuple[int, ...]
    channels: tuple[int, ...]
    """Numbers of those that cores share: the same servers for all cores on a channel."""
    at: dict[tuple[int, int], tuple[int, ...]]
    """Numbers of the ports that a read or a write at a level takes; none where bandwidth has no limit."""
    apart: frozenset[tuple[int, int]]
    """(level, operand) of transfers that take time and do not run beside compute."""

    def ports(self, channels: tuple[Port, ...] | None = None, prefix: str = "") -> tuple[Port, ...]:
        """Servers of one core; its channels are those given, or new ones."""
        given = dict(zip(self.channels, channels or (), strict=channels is not None))
        return tuple(
            given.get(i) or Port(prefix + name, cause)
            for i, (name, cause) in enumerate(zip(self.names, self.causes, strict=True))
        )

    def new_channels(self, prefix: str = "") -> tuple[Port, ...]:
        return tuple(Port(prefix + self.names[i], self.causes[i]) for i in self.channels)


def layout_of(machine: Machine) -> Layout:
    """A port for reads and one for writes at each level with a bandwidth, or one for both that share it."""
    names: list[str] = []
    causes: list[str] = []
    levels: list[int] = []
    channels: list[int] = []
    at: dict[tuple[int, int], tuple[int, ...]] = {}
    top = machine.n_levels - 1
    for level, name in enumerate(machine.level_names):
        rates = machine.read_bytes_per_cycle[level], machine.write_bytes_per_cycle[level]
        ways = [way for way in (READ, WRITE) if np.isfinite(rates[way])]
        groups = [ways] if machine.shared_port[level] and ways else [[way] for way in ways]
        for group in groups:
            suffix = "" if len(group) > 1 else (" read", " write")[group[0]]
            numbers = []
            for kind in ("channel", "link") if level == top else ("port",):
                if kind == "channel":
                    channels.append(len(names))
                numbers.append(len(names))
                names.append(name + suffix + (" link" if kind == "link" else ""))
                causes.append(MEMORY_CHANNEL if level == top else PORT)
                levels.append(level)
            for way in group:
                at[level, way] = tuple(numbers)
    limited = {level for level, _ in at}
    alone = ((int(level), int(t)) for level, t in np.argwhere(~machine.overlap))
    apart = frozenset(each for each in alone if each[0] in limited)
    return Layout(tuple(names), tuple(causes), tuple(levels), tuple(channels), at, apart)
