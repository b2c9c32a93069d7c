"""A replica's way through the layers of a pass, as events at its cluster.

A layer is issued when the stores of the one before are out. One core: a layer is a few tiles, loaded into two
slots while the core computes; stores queue behind loads. Several cores: what other cores made is only there
after the barrier, so that nothing is fetched ahead: load, exchange between clusters, compute, store, barrier.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

from simpy import Environment
from simpy.events import Timeout

from accelsim.sim.chip_ports import Port
from accelsim.sim.chip_program import (
    BARRIER,
    CAUSES,
    CHANNEL,
    COMPUTE,
    EXCHANGE,
    ISSUE,
    DeviceProgram,
    LayerTicks,
)
from accelsim.sim.chip_record import ChipRecord

LAYER, TILE, FETCHED, LAST, ENDED = range(5)
"""What a replica's next event is; nothing where it has ended."""


class Cluster:
    """What replicas share: clock, channel, link; and what they count."""

    def __init__(self, program: DeviceProgram, record: ChipRecord | None) -> None:
        self.env, self.program, self.record = Environment(), program, record
        self.channel, self.link = Port(), Port()
        self.by_cause = [0] * len(CAUSES)
        self.n_replica_passes = self.n_steps = self.n_events = 0


class Replica(ABC):
    """A replica on its way through the layers of a pass."""

    __slots__ = (
        "at",
        "cluster",
        "done",
        "due",
        "ended",
        "loads",
        "mark",
        "name",
        "order",
        "spent",
        "tile",
    )

    def __init__(self, cluster: Cluster, name: str, done: Callable[[], None]) -> None:
        self.cluster, self.name, self.done = cluster, name, done
        self.spent = [0] * len(CAUSES)  # of this pass: accounted when its instance is done
        self.at = self.tile = self.due = self.order = self.ended = self.mark = 0
        self.loads = [0, 0]  # when what is in each slot is there

    def state(self, now: int) -> tuple[Any, ...]:
        loads = tuple(max(0, end - now) for end in self.loads)
        return self.at, self.tile, self.mark, self.due - now, loads, tuple(self.spent)

    def spend(self, cause: int, time: int) -> None:
        self.spent[cause] += time

    def close(self) -> None:
        total = self.cluster.by_cause
        for cause, time in enumerate(self.spent):
            total[cause] += time
        self.spent = [0] * len(CAUSES)
        self.cluster.n_replica_passes += 1

    def after(self, delay: int, call: Callable[[Any], None], mark: int) -> None:
        """Calls back after so many ticks; the mark says what for."""
        cluster = self.cluster
        cluster.n_events += 1
        self.due, self.order, self.mark = int(cluster.env.now) + delay, cluster.n_events, mark
        Timeout(cluster.env, delay).callbacks.append(call)

    def begin(self, delay: int, offset: int) -> None:
        self.at = 0
        self.spend(ISSUE, offset + self.cluster.program.issue)
        self.after(delay + offset + self.cluster.program.issue, self.layer, LAYER)

    @abstractmethod
    def layer(self, _: Any) -> None:
        """The layer that comes next has been issued."""

    def next_layer(self, delay: int) -> None:
        """The core goes on with the next layer after a delay, or ends."""
        program = self.cluster.program
        self.at += 1
        if self.at < len(program.layers):
            self.spend(ISSUE, program.issue)
            self.after(delay + program.issue, self.layer, LAYER)
        else:
            self.after(delay, self.end, LAST)

    def end(self, _: Any) -> None:
        self.ended = int(self.cluster.env.now)
        self.mark = ENDED
        self.done()

    def note(self, what: str, start: int, end: int) -> None:
        record = self.cluster.record
        if record is not None:
            record.add(f"replica {self.name}", what, self.cluster.program.layers[self.at].name, start, end)


class Streaming(Replica):
    """One core: tiles arrive in two slots while it computes."""

    __slots__ = ()

    def layer(self, _: Any) -> None:
        now, channel = int(self.cluster.env.now), self.cluster.channel
        layer = self.cluster.program.layers[self.at]
        self.tile = 0
        for slot in range(min(2, layer.n_tiles)):
            self.loads[slot] = channel.reserve(now, layer.load)
        self.compute(layer, now)

    def compute(self, layer: LayerTicks, now: int) -> None:
        """The tile that comes next, when it is there."""
        ready = self.loads[self.tile & 1]
        wait = ready - now if ready > now else 0
        spent = self.spent
        spent[CHANNEL] += wait
        spent[COMPUTE] += layer.compute
        if self.cluster.record is not None:
            self.note("channel", now, now + wait)
            self.note("compute", now + wait, now + wait + layer.compute)
        self.after(wait + layer.compute, self.computed, TILE)

    def computed(self, _: Any) -> None:
        """A tile is done: it is stored, and its slot loads the tile after the next."""
        cluster = self.cluster
        now, channel = int(cluster.env.now), cluster.channel
        layer = cluster.program.layers[self.at]
        cluster.n_steps += 1
        stored = channel.reserve(now, layer.store)
        if self.tile + 2 < layer.n_tiles:
            self.loads[self.tile & 1] = channel.reserve(now, layer.load)
        self.tile += 1
        if self.tile < layer.n_tiles:
            self.compute(layer, now)
            return
        self.spend(CHANNEL, stored - now)
        self.note("channel", now, stored)
        self.next_layer(stored - now)


class LockStep(Replica):
    """Several cores, a barrier after each layer: nothing overlaps within a replica."""

    __slots__ = ()

    def layer(self, _: Any) -> None:
        now = int(self.cluster.env.now)
        layer = self.cluster.program.layers[self.at]
        loaded = self.cluster.channel.reserve(now, layer.load)
        self.spend(CHANNEL, loaded - now)
        self.note("channel", now, loaded)
        if layer.exchange:
            self.after(loaded - now, self.exchange, FETCHED)
        else:
            self.compute(layer, now, loaded)

    def exchange(self, _: Any) -> None:
        now = int(self.cluster.env.now)
        layer = self.cluster.program.layers[self.at]
        there = self.cluster.link.reserve(now, layer.exchange)
        self.spend(EXCHANGE, there - now)
        self.note("exchange", now, there)
        self.compute(layer, now, there)

    def compute(self, layer: LayerTicks, now: int, ready: int) -> None:
        self.spend(COMPUTE, layer.compute)
        self.note("compute", ready, ready + layer.compute)
        self.after(ready - now + layer.compute, self.computed, TILE)

    def computed(self, _: Any) -> None:
        cluster = self.cluster
        now = int(cluster.env.now)
        layer, barrier = cluster.program.layers[self.at], cluster.program.barrier
        cluster.n_steps += 1
        stored = cluster.channel.reserve(now, layer.store)
        self.spend(CHANNEL, stored - now)
        self.spend(BARRIER, barrier)
        self.note("channel", now, stored)
        self.note("barrier", stored, stored + barrier)
        self.next_layer(stored - now + barrier)
