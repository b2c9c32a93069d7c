"""The stations of a pass: threads that drive their instances through host, lock, copy, launch and device.

A thread allocates (one lock), converts (host cores), copies in (the host's link), launches (the driver's one
queue); its instance takes a slot of the device, and results are out when the device is done. Asynchronous:
while an instance computes a pass its thread prepares the next one, and hands it over when the instance is
free. Every queue is first come, first served, so that to queue is to reserve.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from simpy import Environment
from simpy.core import StopSimulation
from simpy.events import Timeout

from accelsim.sim.chip_period import Account, Period
from accelsim.sim.chip_ports import Servers
from accelsim.sim.chip_record import ChipRecord
from accelsim.sim.chip_service import DEVICE, ORDER, Service
from accelsim.tables.chip import STATIONS

MAX_ROUNDS: Final = 32
"""Rounds of one pass a thread in which the queues' state must come back."""


@dataclass(frozen=True)
class StationsSteady:
    """A steady state: ticks between passes and of a pass, and how busy each station is."""

    n_passes: int
    ticks: int
    latency_ticks: int  # of all these passes together
    busy: tuple[int, ...]  # ticks of service at each of STATIONS
    exact: bool  # the state came back
    n_events: int


class Stations:
    """A chip with its host, one thread an instance."""

    def __init__(self, service: Service, record: ChipRecord | None = None, skip: bool = True) -> None:
        self.env, self.service, self.record, self.skip = Environment(), service, record, skip
        self.servers = tuple(Servers(n) for n in service.servers)
        self.way = tuple(s for s in ORDER if service.ticks[s])
        self.n_passes = self.latency = self.order = self.n_events = 0
        self.skipped: Account = (0,) * (3 + len(STATIONS))
        self.threads = [_Thread(self, i) for i in range(service.threads)]
        self.stop: Callable[[], bool] = lambda: True

    def account(self) -> Account:
        """Passes, ticks, latencies, busy ticks of each station so far; what was left out with it."""
        here = (self.n_passes, int(self.env.now), self.latency, *(s.busy for s in self.servers))
        return tuple(a + b for a, b in zip(here, self.skipped, strict=True))

    def state(self) -> tuple[Any, ...]:
        """All that what comes next depends on, relative to now; of equal threads only the order counts."""
        now = int(self.env.now)
        pending = sorted((due, order, t) for t in self.threads for due, order in t.pending())
        names: dict[int, int] = {}
        order = tuple((due - now, names.setdefault(t.number, len(names))) for due, _, t in pending)
        by_name = sorted(self.threads, key=lambda t: names[t.number])
        return order, tuple(t.state(now) for t in by_name), tuple(s.state(now) for s in self.servers)

    def steady(self) -> StationsSteady:
        """Runs until the state comes back; looks whenever as many passes are done as there are threads."""
        period = Period(MAX_ROUNDS)
        n_threads = len(self.threads)
        self._run(lambda: not self.n_passes % n_threads and period.look(self.state(), self.account()))
        assert period.steady is not None
        n_passes, gone, latency, *busy = period.steady
        return StationsSteady(n_passes, gone, latency, tuple(busy), period.exact, self.n_events)

    def run(self, n_passes: int) -> Account:
        """Runs until so many passes are done; whole periods are left out once the state has come back."""
        period, n_threads = Period(MAX_ROUNDS), len(self.threads)

        def stop() -> bool:
            looks = self.skip and period.steady is None and not self.n_passes % n_threads
            if looks and period.look(self.state(), self.account()) and period.steady is not None:
                n = period.periods_until(n_passes, self.account())
                self.skipped = tuple(n * x for x in period.steady)
            return self.n_passes + self.skipped[0] >= n_passes

        self._run(stop)
        return self.account()

    def _run(self, stop: Callable[[], bool]) -> None:
        self.stop = stop
        for thread in self.threads:
            thread.take()
        self.env.run()

    def done(self, latency: int) -> None:
        """A pass is done, and all that follows from it at once has been seen to."""
        self.n_passes += 1
        self.latency += latency
        if self.stop():
            raise StopSimulation(None)


class _Thread:
    """Takes passes, prepares them, and hands them to its instance."""

    __slots__ = ("computing", "due", "number", "order", "ready", "stations", "step", "taken")

    def __init__(self, stations: Stations, number: int) -> None:
        self.stations, self.number = stations, number
        self.step = -1  # station of the pass that is prepared; -1: none is
        self.ready = False  # a prepared pass waits for the instance
        self.computing = -1  # when the pass on the device was taken; -1: none is
        self.taken = 0  # when the pass in preparation was
        self.due = [0, 0]  # when preparation and device have their next event, and in which order
        self.order = [0, 0]

    def pending(self) -> list[tuple[int, int]]:
        preparing, computing = self.step >= 0 and not self.ready, self.computing >= 0
        return [(self.due[i], self.order[i]) for i, on in enumerate((preparing, computing)) if on]

    def state(self, now: int) -> tuple[Any, ...]:
        return (
            self.step,
            self.ready,
            now - self.taken if self.step >= 0 else -1,
            now - self.computing if self.computing >= 0 else -1,
            *(due - now for due, _ in self.pending()),
        )

    def after(self, which: int, end: int, call: Callable[[Any], None]) -> None:
        stations = self.stations
        stations.n_events += 1
        stations.order += 1
        self.due[which], self.order[which] = end, stations.order
        Timeout(stations.env, end - int(stations.env.now)).callbacks.append(call)

    def take(self) -> None:
        """A new pass."""
        self.taken, self.step = int(self.stations.env.now), 0
        self.enter()

    def enter(self) -> None:
        """Queues at the station that comes next."""
        stations = self.stations
        if self.step == len(stations.way):
            self.prepared()
            return
        station, now = stations.way[self.step], int(stations.env.now)
        end = stations.servers[station].reserve(now, stations.service.ticks[station])
        self.note(station, end)
        self.after(0, end, self.left)

    def left(self, _: Any) -> None:
        self.step += 1
        self.enter()

    def prepared(self) -> None:
        if self.computing >= 0:
            self.ready = True
        else:
            self.hand_over()

    def hand_over(self) -> None:
        """The pass goes to the device; asynchronous threads take the next one."""
        stations, now = self.stations, int(self.stations.env.now)
        self.computing, self.step, self.ready = self.taken, -1, False
        end = stations.servers[DEVICE].reserve(now, stations.service.ticks[DEVICE])
        self.note(DEVICE, end)
        self.after(1, end, self.computed)
        if stations.service.asynchronous:
            self.take()

    def computed(self, _: Any) -> None:
        """Results are out."""
        latency = int(self.stations.env.now) - self.computing
        self.computing = -1
        if self.ready:
            self.hand_over()
        elif self.step < 0:
            self.take()
        self.stations.done(latency)

    def note(self, station: int, end: int) -> None:
        record, service = self.stations.record, self.stations.service
        if record is not None:
            track = f"thread {self.number}" + (" device" if station == DEVICE else "")
            record.add(track, STATIONS[station], "pass", end - service.ticks[station], end)
