"""The search on shipped machines: against all mappings, on ties, between dataflows, where nothing fits."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from support.layers import problem
from support.spaces import legal_mappings, mappings

import accelsim
from accelsim.base.errors import InfeasibleError
from accelsim.cost.evaluate import evaluate
from accelsim.mapper.found import OBJECTIVES, Found, SearchOptions
from accelsim.mapper.search import search
from accelsim.mapping.dataflows import DATAFLOWS
from accelsim.tables.machine import Machine
from accelsim.tables.nest import Problem

MOST = 4000
"""Mappings of a layer and dataflow that are counted one by one; where there are more, evenly spread ones."""

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


def find(layer: Problem, at: Machine, objective: str) -> Found:
    homes = (at.n_levels - 1,) * 3
    return search(layer, at, DATAFLOWS[at.dataflow], homes, SearchOptions(objective), "layer")


@cache
def found(name: str, flow: str, layer: str, objective: str) -> Found:
    return find(LAYERS[layer], machine(name, flow), objective)


def counted_one_by_one(name: str, flow: str, layer: str) -> dict[str, float]:
    """The least of the dataflow's legal mappings by `evaluate`."""
    at = machine(name, flow)
    least = dict.fromkeys(OBJECTIVES, np.inf)
    for nest in legal_mappings(LAYERS[layer], at, DATAFLOWS[flow], most=MOST):
        cost = evaluate(LAYERS[layer], nest, at, flow)
        for objective in OBJECTIVES:
            least[objective] = min(least[objective], float(cost.objective(objective).min()))
    return least


@pytest.mark.parametrize("layer", LAYERS)
@pytest.mark.parametrize(("name", "flow"), MACHINES, ids=[f"{n}-{f}" for n, f in MACHINES])
def test_no_mapping_of_the_dataflow_is_better_than_what_is_found(name: str, flow: str, layer: str) -> None:
    """And the best of them is found where all are counted one by one."""
    every = mappings(LAYERS[layer], machine(name, flow), DATAFLOWS[flow])
    n_mappings = sum(nest.n_points for nest in every)
    for objective, least in counted_one_by_one(name, flow, layer).items():
        best = found(name, flow, layer, objective)
        assert best.certificate.proven
        assert best.certificate.best == best.best.value <= least * (1 + 1e-12)
        if n_mappings <= MOST:
            assert best.best.value == pytest.approx(least, rel=1e-12)


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_value_is_the_objective_of_the_mapping_that_is_given_back(objective: str) -> None:
    (best,) = found("systolic_32x32", "ws", "3x3", objective).points
    cost = evaluate(LAYERS["3x3"], best.nest, machine("systolic_32x32", "ws"), "ws")
    assert best.nest.n_points == 1
    assert cost.objective(objective).tolist() == pytest.approx([best.value], rel=1e-12)
    assert best.cost.latency_cycles == cost.latency_cycles[0]
    assert best.cost.energy_pj == pytest.approx(cost.energy_pj[0], rel=1e-12)


def test_each_objective_is_best_at_its_own() -> None:
    of = {objective: found("eyeriss", "rs", "first", objective).best.cost for objective in OBJECTIVES}
    assert of["latency"].latency_cycles == min(cost.latency_cycles for cost in of.values())
    assert of["energy"].energy_pj == min(cost.energy_pj for cost in of.values())
    assert of["edp"].energy_pj * of["edp"].latency_cycles == min(
        cost.energy_pj * cost.latency_cycles for cost in of.values()
    )


def test_ties_go_to_the_same_mapping_every_time() -> None:
    """Compute cycles alone: with endless bandwidth and no skew many mappings tie."""
    at = machine("systolic_32x32", "ws")
    endless = np.full(at.n_levels, np.inf)
    at = replace(at, read_bytes_per_cycle=endless, write_bytes_per_cycle=endless, fold="broadcast")
    layer = LAYERS["3x3"]
    runs = [find(layer, at, "latency").best for _ in range(3)]
    assert all((run.nest.trips == runs[0].nest.trips).all() for run in runs)
    assert all(run.nest.dims == runs[0].nest.dims for run in runs)
    cycles = [
        evaluate(layer, nest, at, "ws").latency_cycles for nest in legal_mappings(layer, at, DATAFLOWS["ws"])
    ]
    assert np.count_nonzero(np.concatenate(cycles) == runs[0].value) > 1


@pytest.mark.parametrize(("name", "flow"), [("systolic_32x32", "is"), ("gemmini_16x16", "ws")])
def test_mappings_counted_and_pruned_are_all_that_there_are(name: str, flow: str) -> None:
    """A mapping that a bound cuts may be one that does not fit, and of those some are looked at by no one."""
    certificate = found(name, flow, "3x3", "edp").certificate
    every = mappings(LAYERS["3x3"], machine(name, flow), DATAFLOWS[flow])
    n_legal = sum(
        nest.n_points for nest in legal_mappings(LAYERS["3x3"], machine(name, flow), DATAFLOWS[flow])
    )
    pruned = certificate.n_pruned_by
    assert certificate.n_evaluated <= n_legal <= certificate.n_evaluated + pruned["bound"]
    assert certificate.n_evaluated + sum(pruned.values()) <= sum(nest.n_points for nest in every)


ANY_OF = {
    "eyeriss_isca16_256": ("rs", "ws", "os", "nlr"),
    "systolic_32x32": ("ws", "os", "is"),
    "gemmini_16x16": ("ws", "os"),
    "mlu100": ("nlr",),
}


@pytest.mark.parametrize("layer", ["3x3", "fully connected", "matmul"])
@pytest.mark.parametrize("name", ANY_OF)
def test_no_dataflow_beats_the_free_choice_among_all(name: str, layer: str) -> None:
    """On one machine; `--dataflow any` is never a worse idea."""
    at = machine(name, "any")
    for objective in OBJECTIVES:
        free = found(name, "any", layer, objective).best.value
        for flow in ANY_OF[name]:
            bound = find(LAYERS[layer], replace(at, dataflow=flow), objective).best.value
            assert free <= bound * (1 + 1e-12), (objective, flow)


# --- where nothing fits


def too_small(settings: tuple[str, ...], arch: str = "eyeriss", net: str = "alexnet") -> list[str]:
    with pytest.raises(InfeasibleError) as caught:
        accelsim.run(accelsim.load(net), accelsim.arch(arch, settings))
    assert caught.value.exit_code == 3
    return [str(problem) for problem in caught.value.problems]


def test_layer_that_fits_no_buffer_gives_demand_limit_and_remedy() -> None:
    """At least a row of sums of one channel, filter and filter column: 55 beside 11 x 55 inputs, 2 B each."""
    (problem,) = too_small(("glb.size='1 KiB'",))
    demand = 2 * (11 * 55 + 55)
    assert f"glb needs at least {demand:,} B of 1,024 B for layer conv1" in problem
    assert f"--set glb.size='{demand} B'" in problem


def test_layer_that_fits_only_with_sets_left_idle_is_mapped() -> None:
    """14 sets of one output row fit the chip; a buffer for the sums of one filter can feed one of them."""
    least = 2 * (11 * 55 + 55)
    at = accelsim.arch("eyeriss", (f"glb.size={least} B",)).machine()
    assert find(problem_of_alexnet_conv1(), at, "edp").certificate.n_evaluated >= 1


def test_remedy_works() -> None:
    """The size that the message asks for is enough for that layer."""
    (problem,) = too_small(("glb.size='1 KiB'",))
    size = problem.partition("glb.size='")[2].partition("'")[0]
    arch = accelsim.arch("eyeriss", (f"glb.size={size}",))
    assert find(problem_of_alexnet_conv1(), arch.machine(), "edp").certificate.n_evaluated >= 1


def problem_of_alexnet_conv1() -> Problem:
    return problem(stride=4, K=96, C=3, P=55, Q=55, R=11, S=11)


def test_array_without_room_for_a_tile_names_the_layer() -> None:
    problems = too_small(("sram.size='16 B'",), "systolic_32x32", "lenet")
    assert all("conv1" in problem for problem in problems)
    assert any("sram needs at least" in problem and "of 16 B" in problem for problem in problems)


def test_a_front_that_time_cut_short_is_not_complete() -> None:
    layer, at = LAYERS["3x3"], machine("eyeriss", "any")
    homes = (at.n_levels - 1,) * 3
    whole = search(layer, at, DATAFLOWS["any"], homes, SearchOptions(front=True), "3x3")
    cut = search(layer, at, DATAFLOWS["any"], homes, SearchOptions(front=True, time_limit_s=0.0), "3x3")
    assert whole.certificate.complete
    assert not cut.certificate.complete
