"""Steady states: where a program repeats itself and so does all that it left behind, time is multiplied.

Between two looks at the same place of a loop, one iteration apart, the program did the same steps. If all
that the future depends on (ports, buffers, what is still on its way) is then the same, seen from the clock,
the next iteration takes the same time and the same transfers; so do all that follow while the steps stay
equal. Ports and buffers that an iteration does not touch keep their own dates: no skip passes the next
event of anyone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from accelsim.sim.program import MIN_STEPS, Program

if TYPE_CHECKING:
    from accelsim.sim.buffers import Buffer
    from accelsim.sim.core import Run

MAX_BACKOFF = 6


@dataclass(frozen=True, slots=True)
class Look:
    """The state when a step has ended and the next is about to get ready, with absolute dates."""

    at: int
    now: int
    ports: tuple[tuple[int, int, int], ...]  # free, debt, busy
    buffers: tuple[tuple[int, int, int], ...]  # issued, begun, ended
    relative: tuple[tuple[object, ...], ...]  # of each buffer, what it waits for, seen from the clock
    trail: int
    last_store: int
    times: tuple[int, ...]  # compute, fill, wait, then stalls by cause
    n_foreign: int  # events of other cores so far


class Steady:
    """Looks for repetition in one run: once an iteration of each loop, less often where it is not found."""

    def __init__(self, program: Program) -> None:
        self.periods, self.repeats, self.marks = program.repeats
        self.looks: list[Look | None] = [None] * len(self.periods)
        self.next_try = [0] * len(self.periods)
        self.failures = [0] * len(self.periods)

    def skip(self, run: Run) -> int:
        """Moves the run ahead by as many whole iterations as it can; by how many ticks."""
        here: Look | None = None
        for j, period in enumerate(self.periods):
            if run.at % period or not self.marks[run.at] >> j & 1:
                continue
            before = self.looks[j]
            if before is not None and before.at + period == run.at:
                here = here or look(run)
                shift = self._jump(run, before, here, int(self.repeats[j][before.at]))
                self.looks[j] = None
                if shift:
                    self.failures[j] = 0
                    return shift
                self.failures[j] = min(self.failures[j] + 1, MAX_BACKOFF)
                self.next_try[j] = run.at + period * 2 ** self.failures[j]
            elif run.at >= self.next_try[j]:
                here = here or look(run)
                self.looks[j] = here
        return 0

    def _jump(self, run: Run, a: Look, b: Look, equal: int) -> int:
        if not _same(a, b):
            return 0
        period, time = b.at - a.at, b.now - a.now
        ahead, times = 1, len(run.steps)
        for buffer, old, new in zip(run.buffers, a.buffers, b.buffers, strict=True):
            if old == new:
                continue
            if buffer.pending or (buffer.feeds and buffer.done < buffer.issued - 1):
                return 0  # its events are on their way
            ahead = max(ahead, buffer.first[buffer.issued - 1] + 1 - b.at)
            if (
                new[0] > old[0] and buffer.issued < buffer.last
            ):  # the last load is asked for in its own time: others may wait for it
                times = min(times, (buffer.last - 1 - buffer.issued) // (new[0] - old[0]))
        times = min(times, (equal - ahead) // period)
        until = run.env.peek()
        if time and until != float("inf"):
            times = min(times, (int(until) - b.now - 1) // time)
        if times * period < MIN_STEPS:
            return 0
        _shift(run, a, b, times)
        return times * time


def look(run: Run) -> Look:
    """The state of a run and of its core's ports."""
    now = run.now
    relative: list[tuple[object, ...]] = []
    for x in run.buffers:
        held = [(max(x.ends[v % x.slots] - now, 0), x.blame[v % x.slots]) for v in range(x.ended, x.issued)]
        free = [
            (max(x.free[v % x.slots] - now, 0), x.before[v % x.slots])
            for v in range(max(x.issued, x.ended), x.ended + x.slots)
        ]
        on_way = x.issued - x.done if x.feeds else 0
        relative.append((x.issued - x.begun, x.begun - x.ended, on_way, *held, *free))
    return Look(
        run.at,
        now,
        tuple((port.free, port.debt, port.busy) for port in run.core.ports),
        tuple((x.issued, x.begun, x.ended) for x in run.buffers),
        tuple(relative),
        run.trail,
        run.last_store,
        (run.compute, run.fill, run.wait, *run.stalls.values()),
        run.core.n_foreign,
    )


def _same(a: Look, b: Look) -> bool:
    """Whether the future is the same from both, seen from the clock, in all that changed between them."""
    if a.n_foreign != b.n_foreign:
        return False  # somebody else was at work between them
    for x, y in zip(a.ports, b.ports, strict=True):
        if x == y:
            continue
        past = (
            0 if not x[1] else -x[0] - y[0] - a.now - b.now
        )  # idle time pays debts, however long ago it began
        if max(x[0] - a.now, past) != max(y[0] - b.now, past) or x[1] != y[1]:
            return False
    for i, (old, new) in enumerate(zip(a.buffers, b.buffers, strict=True)):
        if old != new and a.relative[i] != b.relative[i]:
            return False
    return max(a.trail - a.now, 0) == max(b.trail - b.now, 0) and (
        a.last_store == b.last_store or max(a.last_store - a.now, 0) == max(b.last_store - b.now, 0)
    )


def _shift(run: Run, a: Look, b: Look, times: int) -> None:
    """What so many more iterations change: counts grow, and what an iteration touched has later dates."""
    later = times * (b.now - a.now)
    steps = times * (b.at - a.at)
    for port, x, y in zip(run.core.ports, a.ports, b.ports, strict=True):
        if x == y:
            continue
        busy = times * (y[2] - x[2])
        if run.record is not None and busy:
            start = max(port.free, b.now)
            run.record.add(port.name, f"{steps:,} tile steps like those before", start, start + later, busy)
        port.free += later
        port.busy += busy
    for buffer, old, new in zip(run.buffers, a.buffers, b.buffers, strict=True):
        if old != new:
            _shift_buffer(buffer, times * (new[0] - old[0]), later)
    if a.last_store != b.last_store:
        run.last_store += later
    run.trail += later
    run.idle += later
    more = [times * (y - x) for x, y in zip(a.times, b.times, strict=True)]
    run.compute, run.fill, run.wait = run.compute + more[0], run.fill + more[1], run.wait + more[2]
    for cause, ticks in zip(run.stalls, more[3:], strict=True):
        run.stalls[cause] += ticks
    if run.record is not None:
        what = f"{run.name}: {steps:,} tile steps like those before"
        run.record.add("array", what, b.now, b.now + later, more[0])
    run.at += steps
    run.core.n_skipped += steps


def _shift_buffer(buffer: Buffer, tiles: int, later: int) -> None:
    buffer.issued += tiles
    buffer.begun += tiles
    buffer.ended += tiles
    if buffer.done >= 0:
        buffer.done += tiles
    turn = -tiles % buffer.slots
    for name in ("ends", "free", "asked", "blame", "before"):
        ring = getattr(buffer, name)
        ring = [x + later for x in ring] if name in ("ends", "free", "asked") else ring
        setattr(buffer, name, [ring[(i + turn) % buffer.slots] for i in range(buffer.slots)])
