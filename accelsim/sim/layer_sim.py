"""One layer alone on one core: the smallest simulation, and what the tests look at."""

from __future__ import annotations

from dataclasses import dataclass

from simpy import Environment

from accelsim.sim.core import Core, Run
from accelsim.sim.layout import Layout
from accelsim.sim.program import Program
from accelsim.sim.record import Recorder


@dataclass(frozen=True)
class LayerTimes:
    """What a program took, in ticks; `busy` of each port."""

    latency: int
    compute: int
    fill: int
    wait: int
    stalls: dict[str, int]
    busy: tuple[int, ...]
    n_steps: int
    n_skipped: int
    n_events: int


def simulate_alone(
    program: Program, layout: Layout, skip: bool = True, recorder: Recorder | None = None
) -> LayerTimes:
    """Runs a program on a core of its own with empty memories."""
    env = Environment(initial_time=0)
    core = Core(env, layout.ports(), layout.channels, recorder, skip)
    ended: list[Run] = []
    run = core.run(program, ended.append)
    env.run()
    assert ended == [run], "the program came to its end"
    return LayerTimes(
        run.end,
        run.compute,
        run.fill,
        run.wait,
        dict(run.stalls),
        tuple(port.busy for port in core.ports),
        core.n_steps,
        core.n_skipped,
        core.n_events,
    )
