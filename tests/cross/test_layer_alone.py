"""A layer alone, simulated, against the analytic model: same words, never faster, equal if unlimited."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from support.sim_cases import Drawn, check, simulated

from accelsim.cost.evaluate import evaluate
from accelsim.sim.array_program import array_program
from accelsim.sim.layer_sim import simulate_alone
from accelsim.sim.layout import layout_of
from accelsim.sim.ticks import READ, ticks_of


@check
@given(simulated())
def test_a_layer_alone_is_never_faster_than_the_analytic_model_says(drawn: Drawn) -> None:
    problem, nest, machine, dataflow = drawn
    cost = evaluate(problem, nest, machine, dataflow)
    times = simulate_alone(array_program("layer", *drawn).program, layout_of(machine))
    ticks = ticks_of(machine)
    assert ticks.cycles(times.latency) >= int(cost.latency_cycles[0])


@check
@given(simulated(finite=False))
def test_without_limits_of_bandwidth_a_layer_takes_its_compute_fill_and_drain(drawn: Drawn) -> None:
    problem, nest, machine, dataflow = drawn
    cost = evaluate(problem, nest, machine, dataflow)
    times = simulate_alone(array_program("layer", *drawn).program, layout_of(machine))
    ticks = ticks_of(machine)
    assert times.compute == ticks.per_cycle * int(cost.compute_cycles[0])
    assert times.fill + times.wait == int(cost.fill_drain_cycles[0]) * ticks.per_cycle
    assert sum(times.stalls.values()) == 0
    assert ticks.cycles(times.latency) == int(cost.latency_cycles[0])


@check
@given(simulated())
def test_the_array_either_computes_fills_or_stalls(drawn: Drawn) -> None:
    times = simulate_alone(array_program("layer", *drawn).program, layout_of(drawn[2]))
    assert times.latency == times.compute + times.fill + times.wait + sum(times.stalls.values())


@check
@given(simulated())
def test_ports_are_busy_with_the_bytes_that_the_analytic_model_counts(drawn: Drawn) -> None:
    problem, nest, machine, dataflow = drawn
    cost = evaluate(problem, nest, machine, dataflow)
    layout, ticks = layout_of(machine), ticks_of(machine)
    times = simulate_alone(array_program("layer", *drawn).program, layout)
    n_moves = 8 * times.n_steps + 8  # each is rounded up to a tick where instances share words
    for level in range(machine.n_levels):
        instances = np.prod(
            [nest.trips[j, 0] for j in range(len(nest.dims)) if nest.spatial[j] and nest.levels[j] > level]
        )
        for way, by in enumerate((cost.read_bytes, cost.write_bytes)):
            rate = (machine.read_bytes_per_cycle if way == READ else machine.write_bytes_per_cycle)[level]
            if not np.isfinite(rate) or machine.shared_port[level]:
                continue
            expected = by[level, :, 0].sum() / rate / instances * ticks.per_cycle
            for number in layout.at[level, way]:
                slack = n_moves if instances > 1 else 1e-6 * expected + 1e-6
                assert expected - 1e-6 * expected <= times.busy[number] <= expected + slack


@check
@given(simulated(max_macs=400))
def test_skipping_changes_no_number(drawn: Drawn) -> None:
    program, layout = array_program("layer", *drawn).program, layout_of(drawn[2])
    fast, slow = simulate_alone(program, layout), simulate_alone(program, layout, skip=False)
    assert (fast.latency, fast.compute, fast.fill, fast.wait) == (
        slow.latency,
        slow.compute,
        slow.fill,
        slow.wait,
    )
    assert (fast.stalls, fast.busy) == (slow.stalls, slow.busy)
    assert fast.n_steps + fast.n_skipped == slow.n_steps
