"""Networks in the simulation against `run`: equal words, honest bounds, and skipping that changes nothing."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.sim_cases import check

import accelsim
from accelsim.costing import Costing
from accelsim.mapper.found import SearchOptions
from accelsim.mapper.solve import Solver
from accelsim.sim.layout import Layout
from accelsim.sim.network import Job, Simulated, simulate
from accelsim.sim.ports import MEMORY_CHANNEL, PORT
from accelsim.sim.program import Kind, Program, Stage
from accelsim.simulating import Simulation
from accelsim.workload.passes import drop_noops, fuse

ARCHITECTURES = sorted(
    path.stem for path in (Path(__file__).resolve().parents[2] / "arch_configs").glob("*.yaml")
)


@cache
def costing(network: str, arch: str) -> Costing:
    """Mapped once: `run` costs these mappings, `simulate` runs them."""
    machine = accelsim.arch(arch)
    graph = fuse(drop_noops(accelsim.load(network)), frozenset(machine.fuses))
    return Costing(graph, machine.machine(), SearchOptions("edp")).solve(Solver(1, None))


@cache
def simulated(network: str, arch: str, skip: bool = True) -> Simulation:
    return Simulation(costing(network, arch), skip)


def costed(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [row for row in rows if row.get("latency_cycles") is not None]


EVERY = [(network, arch) for network in ("lenet", "alexnet") for arch in ARCHITECTURES]


@pytest.mark.parametrize(("network", "arch"), EVERY)
def test_words_at_every_level_are_those_of_run(network: str, arch: str) -> None:
    made = costing(network, arch)
    expected = [made.row(step) for step in range(len(made.graph.layers))]
    for found, row in zip(simulated(network, arch).rows(), expected, strict=True):
        for column in ("accesses", "dram_read_bytes", "dram_write_bytes"):
            assert found.get(column) == row.get(column), row["layer"]


@pytest.mark.parametrize(("network", "arch"), EVERY)
def test_skipping_changes_no_number_of_a_network(network: str, arch: str) -> None:
    fast, slow = simulated(network, arch), simulated(network, arch, skip=False)
    assert fast.rows() == slow.rows()
    assert (fast.simulated.end, fast.simulated.busy) == (slow.simulated.end, slow.simulated.busy)
    assert fast.simulated.n_steps + fast.simulated.n_skipped == slow.simulated.n_steps


@pytest.mark.parametrize(("network", "arch"), EVERY)
def test_a_network_takes_at_least_its_compute_and_its_bytes_over_the_channel(network: str, arch: str) -> None:
    """On one core the critical path is the sum of compute, fill and drain of all layers."""
    found = Simulation(costing(network, arch), cores=1)
    rows = costed(found.rows())
    latency = found.ticks.cycles(found.simulated.end)
    assert latency == sum(row["latency_cycles"] for row in rows)
    assert latency >= sum(row["compute_cycles"] + row["fill_drain_cycles"] for row in rows)
    assert latency >= sum(row["transfer_cycles_by_level"]["dram"] - 1 for row in rows)
    for row in rows:
        assert sum(row["stall_cycles_by_cause"].values()) == row["stall_cycles"]
        assert row["compute_cycles"] + row["fill_drain_cycles"] + row["stall_cycles"] == row["latency_cycles"]


@pytest.mark.parametrize(("network", "arch"), EVERY)
def test_a_layer_whose_weights_were_not_there_before_is_never_faster_than_run_says(
    network: str, arch: str
) -> None:
    """Nothing is loaded before the first layer begins; its successors may find their first weights there."""
    first = costed(simulated(network, arch).rows())[0]
    assert first["latency_cycles"] >= first["analytic_latency_cycles"]


@pytest.mark.parametrize(
    ("arch", "steps", "events"),
    [
        ("eyeriss", 59_302, 1_624),
        ("gemmini_16x16", 12_306, 3_186),
        ("mlu100", 1_183, 233),
        ("systolic_128x128", 377, 290),
        ("tpu_v1", 146, 125),
    ],
)
def test_alexnet_takes_so_many_events(arch: str, steps: int, events: int) -> None:
    """Tile steps are those of the mapping; the events that skipping leaves may become fewer, not more."""
    found = simulated("alexnet", arch).simulated
    assert found.n_steps + found.n_skipped == steps
    assert found.n_events <= events
    assert simulated("alexnet", arch, skip=False).simulated.n_events <= 3 * steps  # six a step are allowed


def test_equal_simulations_give_equal_answers() -> None:
    one, two = (accelsim.simulate(accelsim.load("lenet"), accelsim.arch("eyeriss")) for _ in range(2))
    assert {**one.to_dict(), "run": None} == {**two.to_dict(), "run": None}


CHANNEL = Layout(
    ("dram", "dram link", "port"), (MEMORY_CHANNEL, MEMORY_CHANNEL, PORT), (1, 1, 0), (0,), {}, frozenset()
)


@st.composite
def graphs(draw: st.DrawFn) -> tuple[list[Job], int]:
    """Small programs in a random graph, and cores to run them on."""
    jobs: list[Job] = []
    for at in range(draw(st.integers(1, 6))):
        load, compute, store = (draw(st.integers(0, 9)) for _ in range(3))
        n, slots = draw(st.integers(1, 60)), draw(st.integers(1, 2))
        first = Kind(compute, begins=(0, 1), loads=(((0, load), (1, load)), ()), drains=((), ()))
        out = ((0, store), (1, store), (2, draw(st.integers(0, 9))))
        again = Kind(compute, begins=(0, 1), loads=first.loads, drains=((), out))
        end = Kind(begins=(1,), loads=((),), drains=(out,))
        stages = (Stage("in", slots, tile_bytes=1, level=0), Stage("out", 2))
        steps = np.array([0] + [1] * (n - 1) + [2], np.int32)
        program = Program(f"{at}", stages, (first, again, end), steps, (1,), weights=0)
        after = draw(st.sets(st.integers(0, at - 1))) if at else set()
        free = (float(draw(st.integers(0, 1))),)
        jobs.append(Job(f"{at}", program, tuple(sorted(after)), draw(st.integers(1, 4)), free))
    return jobs, draw(st.integers(1, 3))


def run_jobs(jobs: list[Job], cores: int, skip: bool) -> Simulated:
    return simulate(jobs, CHANNEL, 1, cores, skip)


@check
@given(graphs())
def test_a_graph_of_layers_keeps_its_order_and_its_bounds(drawn: tuple[list[Job], int]) -> None:
    jobs, cores = drawn
    found = run_jobs(jobs, cores, True)
    path: list[int] = []  # the longest chain of compute that ends with each job
    for job, times in zip(jobs, found.jobs, strict=True):
        assert times is not None
        assert job.program is not None
        assert all(times.start >= found.jobs[at].end for at in job.after)  # type: ignore[union-attr]
        compute = job.runs * job.program.n_steps * job.program.kinds[0].compute
        assert times.compute == compute
        path.append(compute + max((path[at] for at in job.after), default=0))
    assert found.end >= max(path)
    assert found.end >= found.busy["dram"]


@check
@given(graphs())
def test_skipping_changes_no_number_of_a_graph_of_layers(drawn: tuple[list[Job], int]) -> None:
    jobs, cores = drawn
    fast, slow = run_jobs(jobs, cores, True), run_jobs(jobs, cores, False)
    assert (fast.end, fast.jobs, fast.busy) == (slow.end, slow.jobs, slow.busy)
    assert fast.n_steps + fast.n_skipped == slow.n_steps
