"""The chip's events against its closed forms: never faster, and equal where nothing is shared."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from support.chips import chip, situations, work, works

from accelsim.cost.chip import cell_costs
from accelsim.cost.chip_stations import host_work
from accelsim.sim.chip import ChipSimulation, simulate_cells
from accelsim.tables.chip import STATIONS, Cells, Chip, ReplicaWork

Cell = tuple[int, int, int, int]
TICKS = 1e-9
"""Relative error of rounding up to ticks, and of sums in floating point."""


@settings(max_examples=60, deadline=None)
@given(situations())
def test_no_pass_is_faster_than_its_bound(case: tuple[Chip, ReplicaWork, Cell]) -> None:
    made, layers, cell = case
    works_, cells = {cell[0]: layers}, Cells.of([cell])
    found, bound = simulate_cells(made, works_, cells), cell_costs(made, works_, cells)
    assert bound.status.tolist() == ["ok"]
    if found.exact.all():
        assert found.pass_s[0] >= bound.pass_s[0] * (1 - TICKS)


@settings(max_examples=60, deadline=None)
@given(situations())
def test_no_throughput_is_above_its_bound(case: tuple[Chip, ReplicaWork, Cell]) -> None:
    made, layers, cell = case
    works_, cells = {cell[0]: layers}, Cells.of([cell])
    found, bound = simulate_cells(made, works_, cells), cell_costs(made, works_, cells)
    if found.exact.all():
        assert found.throughput_fps[0] <= bound.throughput_fps[0] * (1 + TICKS)
        assert found.latency_s[0] >= bound.pass_s[0] * (1 - TICKS)


@settings(max_examples=60, deadline=None)
@given(situations())
def test_given_the_time_of_a_pass_the_slowest_station_decides(case: tuple[Chip, ReplicaWork, Cell]) -> None:
    """Service times of a cell are equal and queues first come, first served: the bottleneck never idles."""
    made, layers, (mp, dp, threads, batch) = case
    made = replace(made, runtime=replace(made.runtime, asynchronous=True))
    works_, cells = {mp: layers}, Cells.of([(mp, dp, threads, batch)])
    found, bound = simulate_cells(made, works_, cells), cell_costs(made, works_, cells)
    host = bound.stations_s[0, [s != "device" for s in STATIONS]]
    device = found.pass_s[0] * max(1.0, threads / made.slots(mp, dp))
    thread = host_work(made, cells, layers.input_words).thread[0]
    cycle = threads * dp * batch / found.throughput_fps[0]
    assert cycle == pytest.approx(max(*host, device, thread), rel=1e-6, abs=1e-11)


@settings(max_examples=40, deadline=None)
@given(works(1))
def test_without_limits_of_bandwidth_both_are_the_time_of_the_cores(layers: ReplicaWork) -> None:
    endless = chip(4, channel_bytes_per_s=np.inf, link_bytes_per_s=np.inf, layer_s=1e-6, replica_s=3e-6)
    cells = Cells.of([(1, dp, threads, 2) for dp in (1, 2, 4) for threads in (1, 2, 5)])
    found = ChipSimulation(endless, {1: layers}).cells(cells)
    bound = cell_costs(endless, {1: layers}, cells)
    by_hand = 2 * layers.compute_s.sum() + layers.n_layers * 1e-6 + (cells.dp - 1) * 3e-6
    assert found.pass_s == pytest.approx(by_hand, rel=1e-6)
    assert bound.pass_s == pytest.approx(by_hand, rel=1e-6)
    assert found.throughput_fps == pytest.approx(bound.throughput_fps, rel=1e-6)


def test_a_replica_of_several_cores_alone_takes_exactly_its_bound() -> None:
    layers = work(4, [3e-6, 5e-6], [400.0, 200.0], [100.0, 300.0], weight_bytes=[50.0, 0.0])
    alone = chip(8, barrier_s=1e-6, layer_s=2e-6)
    cells = Cells.of([(4, 1, 1, 3)])
    found, bound = simulate_cells(alone, {4: layers}, cells), cell_costs(alone, {4: layers}, cells)
    assert found.pass_s == pytest.approx(bound.pass_s, rel=1e-6)
    assert found.pass_s[0] == pytest.approx(2 * (2e-6 + 2e-6) + 3 * 8e-6 + (3 * 1000 + 50) * 1e-9)


def test_the_cause_that_decides_is_the_same_where_one_stands_out() -> None:
    layers = {1: work(1, [1e-3], [10.0], [10.0])}
    cells = Cells.of([(1, 1, 1, 1), (1, 4, 2, 8)])
    made = chip(8)
    for slower, limit in (({}, "compute"), ({"channel_bytes_per_s": 1e3}, "channel")):
        one = replace(made, **slower)
        assert set(simulate_cells(one, layers, cells).limit.tolist()) == {limit}
        assert set(cell_costs(one, layers, cells).limit.tolist()) == {limit}
