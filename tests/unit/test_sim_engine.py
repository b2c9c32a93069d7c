"""The engine on programs of a few steps, whose timelines are worked out by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from accelsim.sim.layer_sim import LayerTimes, simulate_alone
from accelsim.sim.layout import Layout
from accelsim.sim.network import Job, Simulated, simulate
from accelsim.sim.ports import DEPENDENCY, MEMORY_CHANNEL, PORT
from accelsim.sim.program import Kind, Program, Stage

CHANNEL, LINK, READ, WRITE = range(4)
LAYOUT = Layout(
    names=("dram", "dram link", "buffer read", "buffer write"),
    causes=(MEMORY_CHANNEL, MEMORY_CHANNEL, PORT, PORT),
    level=(1, 1, 0, 0),
    channels=(CHANNEL,),
    at={},
    apart=frozenset(),
)


def over_channel(ticks: int) -> tuple[tuple[int, int], ...]:
    return ((CHANNEL, ticks), (LINK, ticks))


def program(n: int, load: int, compute: int, store: int = 0, slots: int = 2, **changes: object) -> Program:
    """n steps, each with a tile in and (from the second on) the one before out."""
    stages = (Stage("in", slots), Stage("out", 2))
    first = Kind(compute, begins=(0, 1), loads=(over_channel(load), ()), drains=((), ()))
    out = over_channel(store) if store else ()
    kind = replace(first, drains=((), out))
    last = Kind(begins=(1,), loads=((),), drains=(out,))
    steps = np.array([0] + [1] * (n - 1) + [2], np.int32)
    return replace(Program("layer", stages, (first, kind, last), steps, periods=(1,), weights=0), **changes)


def alone(made: Program, skip: bool = False) -> LayerTimes:
    return simulate_alone(made, LAYOUT, skip=skip)


def test_with_two_slots_the_next_tile_comes_in_beside_compute() -> None:
    """Load 3, compute 10, three times: only the first load is waited for."""
    times = alone(program(3, load=3, compute=10))
    assert times.latency == 3 + 3 * 10
    assert times.stalls == {MEMORY_CHANNEL: 3, PORT: 0, "barrier": 0, "host": 0, DEPENDENCY: 0}


def test_with_one_slot_load_and_compute_take_turns() -> None:
    assert alone(program(3, load=3, compute=10, slots=1)).latency == 3 * (3 + 10)


def test_a_slow_channel_sets_the_pace() -> None:
    """Loads of 10 for compute of 4: each step waits 6, the first 10."""
    times = alone(program(3, load=10, compute=4))
    assert times.latency == 3 * 10 + 4
    assert times.stalls[MEMORY_CHANNEL] == 10 + 6 + 6


def test_loads_and_stores_share_the_channel_in_the_order_in_which_they_ask() -> None:
    """In 4, compute 5, out 4: tiles 1, 2 come in at 4 and 8; the first is out at 13 and the third in at 17.

    Steps run 4-9, 9-14, 17-22; the second tile goes out 17-21, the third 22-26.
    """
    times = alone(program(3, load=4, compute=5, store=4))
    assert times.latency == 26
    assert times.stalls[MEMORY_CHANNEL] == 4 + 3 + 4


def test_what_moves_apart_stops_everything_else() -> None:
    """Five ticks at rest before each of three steps of ten, two to write what came in at any time after."""
    kind = Kind(10, apart=(over_channel(5),), owed=((WRITE, 2),))
    made = Program("layer", (), (kind, Kind()), np.array([0, 0, 0, 1], np.int32))
    times = alone(made)
    assert times.latency == 3 * (5 + 10)
    assert times.busy == (15, 15, 0, 6)


def test_what_is_owed_is_paid_before_the_next_rest() -> None:
    """A port that owes 12 has 10 ticks of compute for it: the next moves apart wait 2 more, and the end."""
    kind = Kind(10, apart=(over_channel(5),), owed=((WRITE, 12),))
    made = Program("layer", (), (kind, Kind()), np.array([0, 0, 1], np.int32))
    times = alone(made)
    assert times.latency == 2 * (5 + 12)
    assert times.stalls[PORT] == 4


def test_words_that_stream_beside_a_step_lengthen_it_only_where_they_take_longer() -> None:
    kinds = (Kind(10, streams=((READ, 7),)), Kind(10, streams=((READ, 14),)), Kind())
    times = alone(Program("layer", (), kinds, np.array([0, 1, 2], np.int32)))
    assert times.latency == 10 + 14
    assert times.stalls[PORT] == 4


def test_ports_rest_while_the_array_fills() -> None:
    """Fill 6, compute 4: streams of 9 start after the fill, so a step takes 15."""
    kind = Kind(4, fill=6, streams=((READ, 9),))
    times = alone(Program("layer", (), (kind, Kind()), np.array([0, 0, 1], np.int32), lead=3, tail=2))
    assert times.latency == 3 + 2 * 15 + 2
    assert (times.compute, times.fill) == (8, 12 + 5)


def test_a_buffer_loads_from_its_parent_once_that_has_the_tile() -> None:
    """The outer tile arrives at 10, the inner one of it 2 later."""
    stages = (Stage("outer", 2), Stage("inner", 2, parent=0))
    first = Kind(5, begins=(0, 1), loads=(over_channel(10), ((READ, 2),)), drains=((), ()))
    made = Program("layer", stages, (first, Kind()), np.array([0, 1], np.int32))
    times = alone(made)
    assert times.latency == 10 + 2 + 5
    assert (times.stalls[MEMORY_CHANNEL], times.stalls[PORT]) == (10, 2)


@pytest.mark.parametrize(("load", "compute", "store"), [(3, 10, 2), (10, 4, 0), (4, 5, 4), (7, 7, 3)])
def test_a_thousand_equal_steps_take_a_few_events_and_the_same_time(
    load: int, compute: int, store: int
) -> None:
    made = program(1000, load, compute, store)
    fast, slow = alone(made, skip=True), alone(made)
    assert fast.n_steps < 40
    assert fast.n_steps + fast.n_skipped == slow.n_steps == 1000
    assert slow.n_events <= 2 * 1000 + 2  # six are allowed
    assert (fast.latency, fast.stalls, fast.busy) == (slow.latency, slow.stalls, slow.busy)


def network(*jobs: Job, cores: int = 1, skip: bool = True) -> Simulated:
    return simulate(jobs, LAYOUT, 1, cores, skip)


def test_layers_follow_each_other_and_branches_run_side_by_side() -> None:
    """A, then B and C of it, then D of both: three steps of 10 in a row each; loads take no time."""
    a, b, c, d = (
        Job(name, program(3, 0, 10), after)
        for name, after in zip("abcd", [(), (0,), (0,), (1, 2)], strict=True)
    )
    assert network(a, b, c, d).end == 4 * 30
    both = network(a, b, c, d, cores=2)
    assert both.end == 3 * 30
    assert [times.core for times in both.jobs if times] == [0, 0, 1, 0]


def test_two_cores_on_one_channel_wait_for_each_other() -> None:
    """Ten loads of 10 on one channel of two cores: twenty take 200 ticks, and the last compute 4 more."""
    jobs = [Job(name, program(10, 10, 4)) for name in "ab"]
    assert network(*jobs, cores=2).end == 200 + 4
    assert network(jobs[0]).end == 100 + 4


def test_two_cores_on_two_channels_do_not_meet() -> None:
    jobs = [Job(name, program(10, 10, 4), core=core) for core, name in enumerate("ab")]
    found = simulate(jobs, LAYOUT, 1, channel_of=[0, 1])
    assert found.end == 100 + 4
    assert {"channel0 dram", "channel1 dram"} <= set(found.busy)


def test_a_layer_that_must_run_on_a_core_waits_for_its_inputs_there() -> None:
    """A barrier: both halves of the second layer need both halves of the first, of which one takes longer."""
    slow, fast = (
        Job(name, program(3, 0, n), core=core) for core, (name, n) in enumerate([("a", 10), ("b", 4)])
    )
    halves = [Job(name, program(3, 0, 5), (0, 1), core=core) for core, name in enumerate("cd")]
    found = network(slow, fast, *halves, cores=2)
    assert found.end == 30 + 15
    assert [times.waited for times in found.jobs if times] == [0, 0, 0, 30 - 12]
    assert [times.core for times in found.jobs if times] == [0, 1, 0, 1]


def test_the_first_weights_of_the_next_layer_come_in_early_where_there_is_room() -> None:
    """Layer b's first load of 3 runs beside a's last compute."""
    a, b = Job("a", program(3, 3, 10), (), free_bytes=(0.0,)), Job("b", program(3, 3, 10), (0,))
    b = replace(
        b, program=replace(b.program, stages=(Stage("in", 2, tile_bytes=100, level=0), Stage("out", 2)))
    )
    assert network(a, b).end == 33 + 33
    assert network(replace(a, free_bytes=(100.0,)), b).end == 33 + 30


@pytest.mark.parametrize("skip", [True, False])
def test_runs_of_a_layer_follow_each_other_and_share_nothing(skip: bool) -> None:
    found = network(Job("a", program(3, 3, 10), runs=50), skip=skip)
    assert found.end == 50 * 33
    assert found.busy == {"dram": 450, "dram link": 450, "buffer read": 0, "buffer write": 0}
    assert found.n_steps + found.n_skipped == 150
    assert (found.n_steps == 150) is not skip
