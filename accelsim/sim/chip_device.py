"""The device: replicas that share the busiest channel of a chip run passes, layer after layer, as events.

Equal clusters are simulated once, and the cores of one replica, which work in lock step, as one; a replica
that spans s clusters moves 1 / s of its bytes over each of their channels. Replicas are events of their own,
since the order in which they come to the channel staggers them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from simpy.core import StopSimulation

from accelsim.sim.chip_period import MAX_ROUNDS, Account, Period
from accelsim.sim.chip_ports import TICKS_PER_S
from accelsim.sim.chip_program import BARRIER, DeviceProgram
from accelsim.sim.chip_record import ChipRecord
from accelsim.sim.chip_replica import Cluster, LockStep, Replica, Streaming


@dataclass(frozen=True)
class DevicePass:
    """A pass of an instance in steady state, and what its time goes to."""

    ticks: int  # rounded up
    first_ticks: int
    by_cause: tuple[float, ...]  # ticks, one for each of CAUSES; sum to that of a pass
    channel_busy: float  # share of the time
    exact: bool  # the state came back; otherwise a mean over many passes
    n_steps: int  # tile steps executed
    n_events: int  # scheduled

    @property
    def seconds(self) -> float:
        return self.ticks / TICKS_PER_S


class Device:
    """Instances at one channel that start their next pass when one is done."""

    def __init__(self, program: DeviceProgram, record: ChipRecord | None = None) -> None:
        self.program, self.cluster = program, Cluster(program, record)
        self.env = self.cluster.env
        self.n_passes = self.pass_ticks = self.first_ticks = 0
        self.stop: Callable[[], bool] = lambda: True
        self.instances = [_Instance(self, i, offsets) for i, offsets in enumerate(program.offsets)]

    def account(self) -> Account:
        """Passes, ticks, ticks of all passes, replicas' passes, the channel's busy ticks, ticks by cause."""
        now, at = int(self.env.now), self.cluster
        return (self.n_passes, now, self.pass_ticks, at.n_replica_passes, at.channel.busy, *at.by_cause)

    def state(self) -> tuple[Any, ...]:
        """Everything that what comes next depends on, relative to now."""
        now, at = int(self.env.now), self.cluster
        replicas = [r for i in self.instances for r in i.replicas]
        rank = {r: n for n, r in enumerate(sorted(replicas, key=lambda r: (r.due, r.order)))}
        return (
            tuple((rank[r], *r.state(now)) for r in replicas),
            tuple((i.left, now - i.start) for i in self.instances),
            max(0, at.channel.free - now),
            max(0, at.link.free - now),
        )

    def settle(self, max_rounds: int = MAX_ROUNDS) -> Period:
        """Runs until the state comes back; a round is a pass of the first instance."""
        period = Period(max_rounds)
        self._start(lambda: period.look(self.state(), self.account()))
        return period

    def steady(self, max_rounds: int = MAX_ROUNDS) -> DevicePass:
        """A pass in steady state."""
        period = self.settle(max_rounds)
        assert period.steady is not None
        n_passes, gone, pass_ticks, replicas, channel, *by_cause = period.steady
        return DevicePass(
            ticks=max(1, -(-pass_ticks // n_passes)),
            first_ticks=self.first_ticks,
            by_cause=tuple(t / replicas for t in by_cause),
            channel_busy=channel / gone if gone else 0.0,
            exact=period.exact,
            n_steps=self.cluster.n_steps,
            n_events=self.cluster.n_events,
        )

    def run(self, n_rounds: int) -> Account:
        """Runs until the first instance has done so many passes, event after event."""
        left = iter(range(n_rounds - 1, -1, -1))
        self._start(lambda: next(left) == 0)
        return self.account()

    def _start(self, stop: Callable[[], bool]) -> None:
        """Instances start evenly spread over a pass, as threads do that have been at it for a while."""
        self.stop = stop
        for i, instance in enumerate(self.instances):
            instance.begin(i * self.program.alone // len(self.instances))
        self.env.run()

    def pass_done(self, took: int) -> None:
        if not self.n_passes:
            self.first_ticks = took
        self.n_passes += 1
        self.pass_ticks += took


class _Instance:
    """The replicas of one instance at this channel: dispatched one after the other, done when all are."""

    def __init__(self, device: Device, number: int, offsets: tuple[int, ...]) -> None:
        self.device, self.number, self.offsets = device, number, offsets
        kind = Streaming if device.program.streams else LockStep
        self.replicas: list[Replica] = [
            kind(device.cluster, f"{number}.{k}", self.replica_done) for k in range(len(offsets))
        ]
        self.start = self.left = 0

    def begin(self, delay: int = 0) -> None:
        self.start, self.left = int(self.device.env.now) + delay, len(self.replicas)
        for replica, offset in zip(self.replicas, self.offsets, strict=True):
            replica.begin(delay, offset)

    def replica_done(self) -> None:
        self.left -= 1
        if self.left:
            return
        device, now = self.device, int(self.device.env.now)
        device.pass_done(now - self.start)
        for replica in self.replicas:
            replica.spend(BARRIER, now - replica.ended)
            replica.close()
        self.begin()
        if self.number == 0 and device.stop():
            raise StopSimulation(None)
