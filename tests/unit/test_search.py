"""The search: against an exhaustive one, on ties, between dataflows, and where nothing fits."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from support.layers import problem

import accelsim
from accelsim.base.errors import InfeasibleError
from accelsim.cost.evaluate import evaluate
from accelsim.mapper.search import OBJECTIVES, Found, search
from accelsim.mapping.dataflows import DATAFLOWS
from accelsim.mapping.legality import legal
from accelsim.tables.machine import Machine
from accelsim.tables.nest import Problem

ALL = 10**9
"""As many exact points: the screen decides nothing."""


LAYERS = {
    "3x3": problem(pad=1, K=12, C=6, P=7, Q=7, R=3, S=3),
    "strided": problem(stride=2, pad=1, K=10, C=5, P=6, Q=6, R=3, S=3),
    "depthwise": problem(G=16, P=9, Q=9, R=3, S=3),
    "fully connected": problem(N=3, K=40, C=50),
    "matmul": problem(batched=True, G=2, N=2, P=12, K=12, C=16),
    "1x1": problem(N=2, K=24, C=20, P=5, Q=5),
    "first": problem(K=64, C=3, P=14, Q=14, R=5, S=5),
}
MACHINES = [
    ("eyeriss", "rs"),
    ("systolic_32x32", "ws"),
    ("systolic_32x32", "os"),
    ("systolic_32x32", "is"),
    ("gemmini_16x16", "ws"),
    ("tpu_v1", "ws"),
    ("eyeriss_isca16_256", "nlr"),
    ("mlu100", "nlr"),
]


@cache
def machine(name: str, flow: str) -> Machine:
    return accelsim.arch(name, (), flow).machine()


def found(name: str, flow: str, layer: str, objective: str, exact_points: int | None = None) -> Found:
    at = machine(name, flow)
    top = at.n_levels - 1
    points = {} if exact_points is None else {"exact_points": exact_points, "within": math.inf}
    return search(LAYERS[layer], at, DATAFLOWS[flow], (top, top, top), objective, layer, **points)


@cache
def best_of_all(name: str, flow: str, layer: str) -> dict[str, float]:
    """The least of every legal candidate, all of them counted exactly."""
    at = machine(name, flow)
    dataflow, top = DATAFLOWS[flow], at.n_levels - 1
    least = dict.fromkeys(OBJECTIVES, np.inf)
    for nest in dataflow.candidates(LAYERS[layer], at, dataflow.keep(at, (top, top, top))):
        fits = np.flatnonzero(legal(LAYERS[layer], nest, at, dataflow))
        if len(fits):
            cost = evaluate(LAYERS[layer], nest.take(fits), at, dataflow.name)
            for name_of in OBJECTIVES:
                least[name_of] = min(least[name_of], float(cost.objective(name_of).min()))
    return least


@pytest.mark.parametrize("layer", LAYERS)
@pytest.mark.parametrize(("name", "flow"), MACHINES, ids=[f"{n}-{f}" for n, f in MACHINES])
def test_nothing_among_all_candidates_is_better_than_what_is_found(name: str, flow: str, layer: str) -> None:
    """Within 1 % where the screen picks the candidates; exactly where all of them are counted."""
    for objective, least in best_of_all(name, flow, layer).items():
        assert least <= found(name, flow, layer, objective).value <= 1.01 * least
    assert found(name, flow, layer, "edp", ALL).value == least


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_value_is_the_objective_of_the_mapping_that_is_given_back(objective: str) -> None:
    best = found("systolic_32x32", "ws", "3x3", objective)
    cost = evaluate(LAYERS["3x3"], best.nest, machine("systolic_32x32", "ws"), "ws")
    assert best.nest.n_points == 1
    assert cost.objective(objective).tolist() == [best.value]
    assert best.cost.latency_cycles == cost.latency_cycles[0]
    assert best.cost.energy_pj == pytest.approx(cost.energy_pj[0], rel=1e-12)


def test_each_objective_is_best_at_its_own() -> None:
    of = {objective: found("eyeriss", "rs", "first", objective, ALL).cost for objective in OBJECTIVES}
    assert of["latency"].latency_cycles == min(cost.latency_cycles for cost in of.values())
    assert of["energy"].energy_pj == min(cost.energy_pj for cost in of.values())
    assert of["edp"].energy_pj * of["edp"].latency_cycles == min(
        cost.energy_pj * cost.latency_cycles for cost in of.values()
    )


def test_ties_go_to_the_first_candidate_every_time() -> None:
    """Compute cycles alone: with endless bandwidth and no skew most candidates tie."""
    at = machine("systolic_32x32", "ws")
    endless = np.full(at.n_levels, np.inf)
    at = replace(at, read_bytes_per_cycle=endless, write_bytes_per_cycle=endless, fold="broadcast")
    flow, layer, top = DATAFLOWS["ws"], LAYERS["3x3"], at.n_levels - 1
    runs = [search(layer, at, flow, (top, top, top), "latency", "3x3", ALL) for _ in range(3)]
    assert all((run.nest.trips == runs[0].nest.trips).all() for run in runs)
    assert all(run.nest.dims == runs[0].nest.dims for run in runs)
    n_ties = 0
    first = None
    for nest in flow.candidates(layer, at, flow.keep(at, (top, top, top))):
        nest = nest.without_single_trips()
        nest = nest.take(np.flatnonzero(legal(layer, nest, at, flow)))
        for i in np.flatnonzero(evaluate(layer, nest, at, "ws").latency_cycles == runs[0].value):
            n_ties += 1
            first = nest.take(np.array([i])) if first is None else first
    assert n_ties > 1
    assert first is not None
    assert (first.dims, first.trips.tolist()) == (runs[0].nest.dims, runs[0].nest.trips.tolist())


def test_counts_of_candidates_add_up() -> None:
    best = found("eyeriss", "rs", "3x3", "edp")
    assert best.n_candidates >= best.n_legal >= best.n_exact >= 1
    assert found("eyeriss", "rs", "3x3", "edp", ALL).n_exact == best.n_legal


ANY_OF = {
    "eyeriss_isca16_256": ("rs", "ws", "os", "nlr"),
    "systolic_32x32": ("ws", "os", "is"),
    "gemmini_16x16": ("ws", "os"),
    "mlu100": ("nlr",),
}


@pytest.mark.parametrize("layer", LAYERS)
@pytest.mark.parametrize("name", ANY_OF)
def test_no_dataflow_beats_the_free_choice_among_all(name: str, layer: str) -> None:
    """On one machine, within the 1 % of the screen; `--dataflow any` is never a worse idea."""
    at = machine(name, "any")
    top = at.n_levels - 1
    for objective in OBJECTIVES:
        free = found(name, "any", layer, objective).value
        for flow in ANY_OF[name]:
            own = replace(at, dataflow=flow)
            bound = search(LAYERS[layer], own, DATAFLOWS[flow], (top, top, top), objective, layer).value
            assert free <= 1.01 * bound, (objective, flow)


# --- where nothing fits


def too_small(settings: tuple[str, ...], arch: str = "eyeriss", net: str = "alexnet") -> list[str]:
    with pytest.raises(InfeasibleError) as caught:
        accelsim.run(accelsim.load(net), accelsim.arch(arch, settings))
    assert caught.value.exit_code == 3
    return [str(problem) for problem in caught.value.problems]


def test_layer_that_fits_no_buffer_gives_demand_limit_and_remedy() -> None:
    """At least one row of outputs of one channel and one filter: 11 x 227 inputs, 55 sums, 2 B each."""
    (problem,) = too_small(("glb.size='1 KiB'",))
    demand = 2 * (11 * 227 + 55)
    assert f"glb needs at least {demand:,} B of 1,024 B for layer conv1" in problem
    assert f"--set glb.size='{demand} B'" in problem


def test_layer_that_fits_only_with_sets_left_idle_is_mapped() -> None:
    """14 sets of one output row fit the chip; a buffer for the sums of one filter can feed one of them."""
    least = 2 * (11 * 227 + 55)
    at = accelsim.arch("eyeriss", (f"glb.size={least} B",)).machine()
    assert search(problem_of_alexnet_conv1(), at, DATAFLOWS["rs"], (4, 4, 4), "edp", "conv1").n_legal >= 1


def test_remedy_works() -> None:
    """The size that the message asks for is enough for that layer."""
    (problem,) = too_small(("glb.size='1 KiB'",))
    size = problem.partition("glb.size='")[2].partition("'")[0]
    arch = accelsim.arch("eyeriss", (f"glb.size={size}",))
    at = arch.machine()
    top = at.n_levels - 1
    conv1 = problem_of_alexnet_conv1()
    assert search(conv1, at, DATAFLOWS["rs"], (top, top, top), "edp", "conv1").n_legal >= 1


def problem_of_alexnet_conv1() -> Problem:
    return problem(stride=4, K=96, C=3, P=55, Q=55, R=11, S=11)


def test_array_without_room_for_a_tile_names_the_layer() -> None:
    problems = too_small(("sram.size='16 B'",), "systolic_32x32", "lenet")
    assert all("conv1" in problem for problem in problems)
    assert any("sram needs at least" in problem and "of 16 B" in problem for problem in problems)
