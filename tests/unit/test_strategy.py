"""Plans of a pass: every assignment enumerated, poorer strategies contained, events against closed forms."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.chips import chip as neutral
from support.layers import problem as layer
from support.networks import network, networks
from support.small_machine import small_machine

from accelsim.cost.chip import cell_costs
from accelsim.explore.cells import OBJECTIVES, decide
from accelsim.explore.chain import Chain, energy, seconds
from accelsim.explore.hybrid import hybrids, least
from accelsim.explore.path import shortest
from accelsim.explore.pipeline import pipelines, stage_places
from accelsim.explore.plan import Stage, make_plan, sharing, slots, stretches
from accelsim.explore.states import Place
from accelsim.explore.strategy import Planner
from accelsim.explore.work import Works
from accelsim.mapper.solve import Solver
from accelsim.mapping.exchange import crossing, inputs_needed, made_by, moved
from accelsim.mapping.partition import Grid, Partition
from accelsim.results.grid import loss
from accelsim.sim.chip import ChipSimulation
from accelsim.sim.chip_device import Device
from accelsim.sim.chip_plan import PlanSimulation, stretch_program
from accelsim.sim.chip_ports import Pipeline
from accelsim.tables.chip import Cells, Chip
from accelsim.workload.graph import LayerGraph

SOLVER = Solver()
"""Remembers searches over all tests."""


def chip(n_cores: int = 4, per_cluster: int = 2, **given: Any) -> Chip:
    rates = {"channel_bytes_per_s": 2e9, "link_bytes_per_s": 1e9, "link_pj_per_byte": 50.0}
    software = {"layer_s": 1e-8, "barrier_s": 2e-8, "replica_s": 3e-8}
    return neutral(n_cores, per_cluster, **(rates | software | given))


def works(graph: LayerGraph, on: Chip, **machine: Any) -> Works:
    return Works(graph, small_machine(**machine), on, SOLVER)


SMALL = network([(4, 3), (2, 1), (4, 1)], size=4)


# --- exact on chains


@pytest.mark.parametrize("which", [False, True], ids=["seconds", "joules"])
@pytest.mark.parametrize("images", [1, 4])
def test_the_hybrid_of_a_chain_is_the_best_of_all_assignments(which: bool, images: int) -> None:
    chain = Chain(works(SMALL, chip()), Place(4, images))
    best = np.inf
    for path in product(*(range(len(node.options)) for node in chain.nodes)):
        if all(
            np.isfinite(link.seconds[before, at])
            for link, before, at in zip(chain.links[1:], path, path[1:], strict=False)
        ):
            steps = chain.cost_of(path)
            best = min(best, energy(steps, chain.leakage_w) if which else seconds(steps))
    found, path = shortest(chain.node_costs(which), chain.link_costs(which))
    assert chain.is_chain
    assert found == pytest.approx(best, rel=1e-12)
    steps = chain.cost_of(path)
    assert (energy(steps, chain.leakage_w) if which else seconds(steps)) == pytest.approx(best, rel=1e-12)


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_the_best_of_both_sums_is_found_for_every_objective(objective: str) -> None:
    """Against all assignments, on one layer fewer."""
    chain = Chain(works(network([(4, 3), (2, 1)]), chip(core_leakage_w=0.01)), Place(4, 4))

    def value(path: tuple[int, ...]) -> float:
        steps = chain.cost_of(path)
        time, joules = seconds(steps), energy(steps, chain.leakage_w)
        return {"energy": joules, "edp": joules * time}.get(objective, time)

    every = min(
        value(p)
        for p in product(*(range(len(node.options)) for node in chain.nodes))
        if np.isfinite(chain.links[1].seconds[p[0], p[1]])
    )
    plans, exact = hybrids(chain, objective)
    found = min(
        {"energy": p.run.energy_j * 4, "edp": p.run.energy_j * 4 * p.run.pass_s}.get(objective, p.run.pass_s)
        for p in plans
    )
    assert exact
    assert found == pytest.approx(every, rel=1e-9)


def test_with_a_shortcut_the_path_without_it_is_a_bound_from_below() -> None:
    chain = Chain(works(network([(4, 3), (2, 3)], shortcut=True), chip()), Place(4, 4))
    assert chain.is_chain  # the network's input is copied to where it is needed
    deep = network([(2, 3), (2, 3), (2, 3)], relu_after=0)
    layers = (*deep.layers[:-1], replace(deep.layers[-1], fused_inputs=("relu",)))
    chain = Chain(works(replace(deep, layers=layers), chip()), Place(4, 4))
    relaxed, _ = shortest(chain.node_costs(False), chain.link_costs(False))
    plans, exact = hybrids(chain, "latency")
    assert not chain.is_chain
    assert not exact
    assert min(plan.run.pass_s for plan in plans) >= relaxed * (1 - 1e-12)


# --- never worse


def grids(on: Chip, graph: LayerGraph, objective: str, events: bool) -> dict[str, list[dict[str, Any]]]:
    """The rows of a small grid by each strategy."""
    w = works(graph, on)
    cells = Cells.of((mp, dp, t, b) for mp in (1, 2) for dp in (1, 2) for t in (1, 3) for b in (1, 2))
    replicas = {mp: w.of(mp) for mp in (1, 2)}
    costs = cell_costs(on, replicas, cells)
    found = {}
    for strategy in ("uniform", "hybrid", "pipeline"):
        simulation = ChipSimulation(on, replicas)
        decided = decide(cells, costs, simulation, objective, None if events else 0)
        rows = [decided.row(b) for b in range(len(cells))]
        if strategy != "uniform":
            Planner(w, decided, objective, strategy).improve(rows)
        found[strategy] = rows
    return found


@settings(deadline=None, max_examples=8)
@given(
    networks(),
    st.sampled_from(OBJECTIVES),
    st.sampled_from((1, 2)),
    st.sampled_from((1e8, 1e10)),
    st.sampled_from(("replica", "instance", "card")),
    st.booleans(),
    st.booleans(),
)
def test_a_richer_strategy_is_never_worse_in_any_cell(
    graph: LayerGraph, objective: str, per_cluster: int, link: float, reads: str, whole: bool, events: bool
) -> None:
    on = chip(4, per_cluster, link_bytes_per_s=link, weights_read=reads, whole_clusters=whole)
    found = grids(on, graph, objective, events)
    for uniform, hybrid, pipeline in zip(*found.values(), strict=True):
        poor, rich, richest = (loss(row, objective) for row in (uniform, hybrid, pipeline))
        assert richest <= rich * (1 + 1e-9)
        assert rich <= poor * (1 + 1e-9)
        assert hybrid["decided_by"] == ("simulation" if events else "analytic")


def test_the_bound_is_below_every_plan_and_above_nothing() -> None:
    on = chip(4, 1)
    w = works(SMALL, on)
    place = Place(4, 4)
    chains = [Chain(w, p) for p in (place, *stage_places(on, place))]
    bound_s, interval_s, joules = least(chains, place)
    plans = [*hybrids(chains[0], "latency")[0], *pipelines(chains[1:], place, "throughput")]
    assert len(plans) > 1
    for plan in plans:
        assert plan.run.pass_s >= bound_s * (1 - 1e-12) > 0
        assert plan.run.interval_s >= interval_s * (1 - 1e-12) > 0
        assert plan.run.energy_j * 4 >= joules * (1 - 1e-12) > 0


# --- pipelines


def test_work_goes_through_a_pipeline_at_the_pace_of_its_slowest_stage() -> None:
    """Stages of 2, 5 and 3: out at 10, then every 5; a second pipeline takes every other piece."""
    line = Pipeline(1, (2, 5, 3))
    assert [line.reserve(0, 5) for _ in range(3)] == [10, 15, 20]
    assert line.reserve(100, 5) == 110
    both = Pipeline(2, (2, 5, 3))
    assert [both.reserve(0, 5) for _ in range(4)] == [10, 10, 15, 15]


def test_stages_take_passes_one_behind_the_other_and_a_pass_takes_them_all() -> None:
    on = chip(4, 1)
    w, place = works(SMALL, on), Place(4, 4)
    chains = [Chain(w, p) for p in stage_places(on, place)]
    plan = next(p for p in pipelines(chains, place, "throughput") if len(p.stages) == 2)
    simulation = PlanSimulation(on)
    times = [simulation.stage(stage).ticks * 1e-12 for stage in plan.run.stages]
    alone, many = (simulation.cell(plan.run, threads, 1.0) for threads in (1, 4))
    assert alone.throughput_fps == pytest.approx(4 / sum(times), rel=1e-6)
    assert many.throughput_fps == pytest.approx(4 / max(times), rel=1e-6)
    assert sum(stage.place.n_cores for stage in plan.stages) <= 4
    names = [step.layer.name for stage in plan.stages for step in stage.steps]
    assert names == [layer.name for layer in SMALL.layers]


def test_a_pipeline_beats_all_splits_where_barriers_are_dear() -> None:
    """Four equal layers on cores that wait long for each other; four threads keep stages of one core busy."""
    graph = network([(2, 1)] * 4, size=8)
    on = chip(4, 1, barrier_s=1e-5, replica_s=1e-4, channel_bytes_per_s=1e9, link_bytes_per_s=1e12)
    w = works(graph, on)
    cells = Cells.of([(4, 1, 4, 1)])
    replicas = {4: w.of(4)}
    decided = decide(cells, cell_costs(on, replicas, cells), ChipSimulation(on, replicas), "throughput")
    rows = [decided.row(0)]
    before = rows[0]["throughput_fps"]
    Planner(w, decided, "throughput", "pipeline").improve(rows)
    assert rows[0]["strategy"] == "pipeline"
    assert rows[0]["throughput_fps"] > 1.5 * before


# --- by events


@pytest.mark.parametrize(("mp", "images"), [(2, 4), (1, 4), (4, 3)])
def test_a_stretch_runs_as_the_replicas_of_one_split_do(mp: int, images: int) -> None:
    """The same partition in all layers: programs of `sim.chip` and of plans are equal."""
    on = chip(4, 4)
    w = works(network([(4, 3), (4, 3)]), on)
    chain = Chain(w, Place(4, images * 4 // mp))
    path = []
    replica = w.of(mp)
    for node, cut in zip(chain.nodes, replica.partition, strict=True):
        want = Grid(n=4 // mp, **{x[0].lower(): int(x[2:]) for x in cut.split(" x ") if " " in x})
        (part,) = (i for i, p in enumerate(node.partitions) if p.cores == want)
        path.append(
            next(i for i, o in enumerate(node.options) if o.part == part and not o.kept_in | o.kept_out)
        )
    plan = make_plan(chain.place, [Stage.of(chain, tuple(path))])
    (stretch,) = plan.run.stages[0].stretches
    ours = stretch_program(on, stretch, 1)
    theirs = ChipSimulation(on, {mp: replica}).device_pass(mp, 4 // mp, 1, images)
    assert abs(Device(ours).steady().ticks - theirs.ticks) <= 8 * len(path)  # ticks are rounded up


@settings(deadline=None, max_examples=15)
@given(networks(), st.sampled_from((1, 2, 4)), st.integers(1, 4), st.sampled_from((1e8, 1e10)))
def test_events_are_no_faster_than_what_each_layer_takes_alone(
    graph: LayerGraph, per_cluster: int, images: int, channel: float
) -> None:
    on = chip(4, per_cluster, channel_bytes_per_s=channel)
    chain = Chain(works(graph, on), Place(4, images))
    for plan in hybrids(chain, "latency")[0]:
        done = PlanSimulation(on).cell(plan.run, 1, 1.0)
        alone = sum(step.figures.alone_s + on.runtime.layer_s for step in plan.stages[0].steps)
        assert done.pass_s >= alone * (1 - 1e-9)


# --- on chip


def test_activations_that_stay_in_the_cores_are_neither_stored_nor_loaded() -> None:
    """1 x 1 filters on images of their own: 4 x 16 words between the two layers need not leave a core."""
    graph = network([(4, 1), (2, 1)], size=4)
    chain = Chain(works(graph, chip(4, 4)), Place(4, 4))
    before, after = chain.nodes
    whole = [i for i, p in enumerate(before.partitions) if p.cores == Grid(n=4)]
    kept = [i for i, o in enumerate(before.options) if o.part in whole and o.kept_out]
    left = [i for i, o in enumerate(before.options) if o.part in whole and not o.kept_out]
    assert before.figures[kept[0]].store_s == 0.0
    assert before.figures[left[0]].store_s == pytest.approx(4 * 16 / 2e9)
    # an option that keeps is only followed by one that finds it there, and the other way round
    for i, one in enumerate(before.options):
        for j, other in enumerate(after.options):
            if np.isfinite(chain.links[1].seconds[i, j]):
                assert one.kept_out == other.kept_in
                assert not one.kept_out or before.partitions[one.part] == after.partitions[other.part]
    plan = min(hybrids(chain, "energy")[0], key=lambda p: p.run.energy_j)
    assert [row["fused_with"] for row in plan.rows()] == [None, "conv0"]


def test_nothing_stays_where_the_cores_have_no_room_or_neighbours_need_it() -> None:
    graph = network([(4, 1), (2, 3)], size=4)
    full = Chain(works(graph, chip(4, 4), capacity_bytes=np.array([3.0, 60.0, np.inf])), Place(4, 4))
    assert not any(o.kept_out for o in full.nodes[0].options)  # 64 words of a map
    rows = Chain(works(graph, chip(4, 4)), Place(4, 1))
    for i, one in enumerate(rows.nodes[0].options):
        for j in np.flatnonzero(np.isfinite(rows.links[1].seconds[i])):
            if one.kept_out:  # cut in rows, the 3 x 3 filter reads its neighbours' rows
                assert rows.nodes[1].partitions[rows.nodes[1].options[j].part].n_cores == 1


# --- cards, slots, words


@settings(deadline=None, max_examples=60)
@given(st.data())
def test_crossing_is_what_moved_counts_for_every_home(data: st.DataObject) -> None:
    """`moved` is compared with a walk of all words in test_partition."""

    def grid() -> Grid:
        draw = data.draw
        return Grid(*(draw(st.integers(1, n)) for n in (2, 2, 2, 3)))

    problem = layer(N=2, K=4, C=4, P=6, R=3, pad=1)
    before = layer(N=2, K=4, C=4, P=6)
    partition, homes = Partition(grid()), [made_by(before, Partition(grid())) for _ in range(3)]
    found = crossing(problem, partition, homes, 10**6)
    for home, words in zip(homes, found[0], strict=True):
        assert words.tolist() == moved(problem, partition, home).inputs_crossing.tolist()
    assert not found[1].any()
    each = crossing(problem, partition, homes, 1)
    assert (each[0] == found[0]).all()
    assert (each[1] == each[0]).all()
    two = crossing(problem, partition, homes, 2)
    assert (two[1] <= two[0]).all()
    assert inputs_needed(problem, partition).sum() == moved(problem, partition).inputs


def test_what_crosses_cards_takes_the_cards_link_and_its_energy() -> None:
    graph = network([(4, 3), (4, 3)], size=4)
    slow = {"n_cards": 2, "cores_per_card": 2, "card_link_bytes_per_s": 1e7, "card_link_pj_per_byte": 900.0}
    one, two = (Chain(works(graph, chip(4, 1, **more)), Place(4, 1)) for more in ({}, slow))
    assert (two.links[1].exchange_s >= one.links[1].exchange_s).all()
    assert (two.links[1].energy >= one.links[1].energy).all()
    rows = next(i for i, p in enumerate(two.nodes[0].partitions) if p.clusters == Grid(p=4))
    options = [
        next(i for i, o in enumerate(node.options) if o.part == rows and not o.kept_in | o.kept_out)
        for node in two.nodes
    ]
    # row 2 for the cluster of row 1 and the other way round: 4 words of 4 maps each, from the other card
    near, far = (chain.links[1] for chain in (one, two))
    at = options[0], options[1]
    assert far.energy[at] - near.energy[at] == pytest.approx(2 * 16 * (900 - 50) * 1e-12)
    assert far.exchange_s[at] == pytest.approx(16 / 1e7)


@pytest.mark.parametrize("stored", ["card", "instance", "replica"])
def test_memory_is_that_of_the_fullest_card(stored: str) -> None:
    """Two threads of a replica of one core: each card of one core has one of them, a single card has both."""
    graph, software = network([(4, 3)], size=4), {"weights_stored": stored, "barrier_s": 0.0}
    n_bytes = 2 * 4 * 9 + (2 + 4) * 16  # weights and both maps, a byte each
    two = chip(2, 1, n_cards=2, cores_per_card=1, memory_bytes=float(n_bytes), **software)
    one = chip(2, 1, memory_bytes=float(n_bytes), **software)
    for on, fits in ((two, True), (one, False)):
        w = works(graph, on)
        costs = cell_costs(on, {1: w.of(1)}, Cells.of([(1, 1, 1, 1), (1, 1, 2, 1)]))
        assert costs.ok.tolist() == [True, fits]
        (plan, *_), _ = hybrids(Chain(w, Place(1, 1)), "latency")
        assert [plan.fits(on, threads) for threads in (1, 2)] == [True, fits]
        assert plan.memory(on, 1) == costs.memory_bytes[0]


def test_instances_are_packed_into_clusters() -> None:
    on = chip(8, 4)
    assert [slots(on, n) for n in (1, 2, 3, 4, 5, 8, 9)] == [8, 4, 2, 2, 1, 1, 0]
    assert [sharing(on, 2, threads) for threads in (1, 2, 3, 4, 9)] == [1, 1, 2, 2, 2]
    whole = chip(8, 4, whole_clusters=True)
    assert [slots(whole, n) for n in (1, 4, 8)] == [2, 2, 1]
    assert sharing(whole, 2, 9) == 1


def test_stretches_begin_where_other_replicas_go_on() -> None:
    chain = Chain(works(SMALL, chip(4, 4)), Place(4, 4))
    for plan in hybrids(chain, "edp")[0]:
        steps = plan.stages[0].steps
        cuts = stretches(plan.stages[0])
        assert sum(stretch.n_layers for stretch in cuts) == len(steps)
        assert sum(stretch.meet_s > 0 for stretch in cuts) == sum(step.meets for step in steps)
