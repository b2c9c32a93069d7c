"""A network on cores: layer after layer as inputs are ready, branches side by side where cores are free.

A core takes the first layer, in the order of the graph, whose inputs are complete. When all loads of a layer
are asked for, the first tile of the next one's weights follows on the channel, if there is room for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from simpy import Environment
from simpy.events import Timeout

from accelsim.sim.core import Core, Run
from accelsim.sim.layout import Layout
from accelsim.sim.program import Program
from accelsim.sim.record import Recorder


@dataclass(frozen=True, eq=False)
class Job:
    """One layer: its program (None: it takes no time), whose outputs it reads, and how often it runs."""

    name: str
    program: Program | None
    after: tuple[int, ...] = ()
    runs: int = 1
    free_bytes: tuple[float, ...] = ()
    """Room that is left at each level while it runs."""
    core: int | None = None
    """The core that it must run on; None: the first that is free."""


@dataclass(frozen=True)
class JobTimes:
    """When a layer ran and how its core's array spent the time; ticks."""

    core: int
    start: int
    end: int
    compute: int
    fill: int
    """Filling, draining and waiting for the array's own next weights."""
    stalls: dict[str, int]
    waited: int = 0
    """Before the start: how long a core that it must run on was free and its inputs were not there."""


@dataclass(frozen=True)
class Simulated:
    """What a network took; `jobs` in the order given, None for those that take no time."""

    end: int
    jobs: tuple[JobTimes | None, ...]
    busy: dict[str, int]
    """Ticks of each port of all cores, by name."""
    n_steps: int
    n_skipped: int
    n_events: int
    records: tuple[Recorder, ...]


def simulate(
    jobs: Sequence[Job],
    layout: Layout,
    cycle: int,
    n_cores: int = 1,
    skip: bool = True,
    trace: bool = False,
    channel_of: Sequence[int] | None = None,
) -> Simulated:
    """Runs the jobs on equal cores; `cycle` is the ticks of a cycle.

    The cores share one memory channel, or those that `channel_of` gives the same number share one.
    """
    return _Network(jobs, layout, cycle, channel_of or [0] * n_cores, skip, trace).run()


class _Network:
    def __init__(
        self,
        jobs: Sequence[Job],
        layout: Layout,
        cycle: int,
        channel_of: Sequence[int],
        skip: bool,
        trace: bool,
    ) -> None:
        n_cores = len(channel_of)
        self.env = Environment(initial_time=0)
        self.jobs, self.skip = jobs, skip
        groups = sorted(set(channel_of))
        channels = {
            group: layout.new_channels(f"channel{group} " if len(groups) > 1 else "") for group in groups
        }
        self.records = tuple(Recorder(core) for core in range(n_cores)) if trace else ()
        self.cores: list[Core] = []
        self.cores += [
            Core(
                self.env,
                layout.ports(channels[group], f"core{i} " if n_cores > 1 else ""),
                layout.channels,
                self.records[i] if trace else None,
                skip,
                cycle,
                self.cores,
            )
            for i, group in enumerate(channel_of)
        ]
        self.idle = list(range(n_cores))
        self.idle_since = [0] * n_cores
        self.waited: dict[int, int] = {}
        self.waits = [set(job.after) for job in jobs]
        self.started = [False] * len(jobs)
        self.times: list[JobTimes | None] = [None] * len(jobs)
        # the job whose weights are loaded ahead, and when they are there
        self.early: tuple[int, int] | None = None
        self.parts: dict[int, list[Run]] = {}
        self.n_started = 0
        # of a job's last run its number, if it began with nothing else going on
        self.quiet: dict[int, int] = {}

    def run(self) -> Simulated:
        self._dispatch()
        self.env.run()
        assert all(self.started), "every layer had its turn"
        busy = {port.name: port.busy for core in self.cores for port in core.ports}
        return Simulated(
            max((times.end for times in self.times if times is not None), default=0),
            tuple(self.times),
            busy,
            sum(core.n_steps for core in self.cores),
            sum(core.n_skipped for core in self.cores),
            sum(core.n_events for core in self.cores),
            self.records,
        )

    def _dispatch(self) -> None:
        """Gives free cores the first layers that are ready."""
        at = 0
        while at < len(self.jobs):
            job = self.jobs[at]
            if self.started[at] or self.waits[at]:
                at += 1
            elif job.program is None:
                self.started[at] = True
                at = self._complete(at)
            elif self.idle and job.core in (None, *self.idle):
                self.started[at] = True
                core = self.idle[0] if job.core is None else job.core
                self.idle.remove(core)
                self._start(at, core)
                at += 1
            else:
                at += 1

    def _complete(self, at: int) -> int:
        """The outputs of a job are there; gives the first job that may be ready now."""
        for waits in self.waits:
            waits.discard(at)
        return 0

    def _start(self, at: int, core: int) -> None:
        self.parts[at] = []
        pinned = self.jobs[at].core is not None
        self.waited[at] = int(self.env.now) - self.idle_since[core] if pinned else 0
        self._again(at, core)

    def _again(self, at: int, core: int) -> None:
        job, done = self.jobs[at], len(self.parts[at])
        assert job.program is not None
        preloaded = None
        if self.early is not None and self.early[0] == at and not done:
            preloaded, self.early = self.early[1], None
        last = done == job.runs - 1
        self.n_started += 1
        quiet = preloaded is None and self.env.peek() == float("inf")
        self.quiet[at] = self.n_started if quiet else 0
        self.cores[core].run(
            job.program,
            partial(self._ended, at, core),
            job.name,
            preloaded,
            partial(self._load_next, at, core) if last and len(self.cores) == 1 else None,
        )

    def _ended(self, at: int, core: int, run: Run) -> None:
        job, parts = self.jobs[at], self.parts[at]
        parts.append(run)
        if len(parts) < job.runs:
            self._after_run(at, core)
            return
        self.times[at] = JobTimes(
            core,
            parts[0].start,
            run.end,
            sum(part.compute for part in parts),
            sum(part.fill + part.wait for part in parts),
            {cause: sum(part.stalls[cause] for part in parts) for cause in run.stalls},
            self.waited.pop(at),
        )
        del self.parts[at]
        self.idle.append(core)
        self.idle_since[core] = int(self.env.now)
        self.idle.sort()
        self._complete(at)
        self._dispatch()

    def _after_run(self, at: int, core: int) -> None:
        """The next of several runs; where one was alone from start to end, those after it are like it."""
        job, parts = self.jobs[at], self.parts[at]
        left = job.runs - len(parts) - 1  # the last one may load what comes after it
        alone = self.quiet[at] == self.n_started and self.env.peek() == float("inf")
        if self.skip and left > 0 and alone:
            again = parts[-1]
            parts.extend([again] * left)
            self.cores[core].repeat(again, left)
            later = Timeout(self.env, (again.end - again.start) * left)
            later.callbacks.append(lambda _: self._again(at, core))
            return
        self._again(at, core)

    def _load_next(self, at: int, core: int) -> None:
        """Weights of the next layer come in behind the loads of this one."""
        following = next((i for i in range(at + 1, len(self.jobs)) if self.jobs[i].program is not None), None)
        if following is None:
            return
        program = self.jobs[following].program
        assert program is not None
        if program.weights is None:
            return
        stage = program.stages[program.weights]
        free = self.jobs[at].free_bytes
        if free and stage.tile_bytes <= free[stage.level]:
            there = self.cores[core].load_first(program)
            if there is not None:
                self.early = following, there
