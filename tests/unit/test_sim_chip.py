"""The chip by events against schedules that are worked out by hand, and against itself without skipping.

Times by hand: a channel of 1 byte a nanosecond (1e9 B/s), one tile a layer unless said otherwise.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.chips import chip, situations, work, works

from accelsim.sim.chip import ChipSimulation, simulate_cells, trace_cell
from accelsim.sim.chip_device import Device, DevicePass
from accelsim.sim.chip_period import minus
from accelsim.sim.chip_ports import Port, Servers, ticks
from accelsim.sim.chip_program import CAUSES, device_program
from accelsim.sim.chip_service import service_of
from accelsim.sim.chip_stations import Stations
from accelsim.tables.chip import STATIONS, Cells, Chip, Host, ReplicaWork

NS = 1e-9
Cell = tuple[int, int, int, int]


def ns(done: DevicePass) -> float:
    return done.ticks / 1000


def passed(made: Chip, layers: ReplicaWork, dp: int = 1, active: int = 1, tiles: int = 1) -> DevicePass:
    return Device(device_program(made, layers, dp, active, 1, tiles)).steady()


def causes(done: DevicePass) -> dict[str, float]:
    return {c: t / 1000 for c, t in zip(CAUSES, done.by_cause, strict=True) if t}


# --- queues


def test_a_port_serves_in_the_order_of_asking() -> None:
    port = Port()
    assert [port.reserve(0, 3), port.reserve(0, 4), port.reserve(10, 1)] == [3, 7, 11]
    assert port.busy == 8


def test_of_equal_servers_the_one_that_is_free_first_serves_next() -> None:
    servers = Servers(2)
    assert [servers.reserve(0, 5), servers.reserve(0, 2), servers.reserve(1, 5)] == [5, 2, 7]
    assert servers.state(3) == (2, 4)


def test_seconds_are_rounded_up_to_whole_ticks() -> None:
    assert [ticks(x) for x in (0.0, 1e-12, 1.1e-12, 3e-9)] == [0, 1, 2, 3000]


# --- one core


def test_one_tile_is_loaded_computed_and_stored_one_after_the_other() -> None:
    done = passed(chip(), work(1, [50 * NS], [30.0], [20.0]))
    assert ns(done) == 30 + 50 + 20
    assert causes(done) == pytest.approx({"compute": 50, "channel": 50})


def test_loads_of_further_tiles_hide_behind_compute() -> None:
    # 4 tiles: load 10, compute 20, store 5. Loads at 0-10, 10-20; tile n computes from 10 + 20 n; when one
    # is done it stores for 5, then the next but one loads for 10, in time. The end: 90, and a store of 5.
    assert ns(passed(chip(), work(1, [80 * NS], [40.0], [20.0]), tiles=4)) == 10 + 4 * 20 + 5


def test_where_the_channel_is_slower_the_core_waits_for_it() -> None:
    # 2 tiles: load 40, compute 10, store 20. Loads until 40 and 80; tile 0 stores at 80-100, behind the load;
    # tile 1 is done at 90 and stores at 100-120.
    done = passed(chip(), work(1, [20 * NS], [80.0], [40.0]), tiles=2)
    assert ns(done) == 120
    assert causes(done) == pytest.approx({"compute": 20, "channel": 100})


def test_a_layer_is_issued_when_the_one_before_is_stored() -> None:
    layers = work(1, [50 * NS, 10 * NS], [30.0, 20.0], [20.0, 5.0])
    assert ns(passed(chip(layer_s=7 * NS), layers)) == (7 + 100) + (7 + 35)


def test_weights_are_loaded_once_a_pass_and_shared_as_the_software_does() -> None:
    layers = work(1, [0.0], [8.0], [0.0], weight_bytes=[32.0])
    assert ns(passed(chip(weights_read="replica"), layers, dp=2)) == 8 + 32
    assert ns(passed(chip(weights_read="instance"), layers, dp=2)) == 8 + 32 / 2
    assert ns(passed(chip(weights_read="card"), layers, dp=2)) == 8 + 32 / 8
    batch = Device(device_program(chip(), layers, 1, 1, 3, 1)).steady()
    assert ns(batch) == 3 * 8 + 32


def test_kernels_that_reach_half_the_array_take_twice_as_long() -> None:
    layers = work(1, [50 * NS], [30.0], [20.0])
    assert ns(passed(chip(kernel_efficiency=0.5), layers)) == 30 + 100 + 20


# --- several cores, several replicas


def test_with_barriers_nothing_is_fetched_ahead() -> None:
    # 4 cores of one cluster: two doublings; load, compute, store, barrier, each layer
    layers = work(4, [50 * NS, 10 * NS], [30.0, 20.0], [20.0, 5.0])
    done = passed(chip(barrier_s=3 * NS, layer_s=NS), layers)
    assert ns(done) == (1 + 100 + 6) + (1 + 35 + 6)
    assert causes(done) == pytest.approx({"compute": 60, "channel": 75, "issue": 2, "barrier": 12})


def test_two_clusters_halve_the_time_on_the_channels_and_exchange_over_the_link() -> None:
    layers = work(8, [50 * NS], [30.0], [20.0], exchange_bytes=[12.0])
    done = passed(chip(link_bytes_per_s=0.5e9), layers)
    assert ns(done) == 15 + 24 + 50 + 10
    assert causes(done) == pytest.approx({"compute": 50, "channel": 25, "exchange": 24})


def test_more_cores_than_a_card_has_exchange_over_the_link_of_cards() -> None:
    layers = work(8, [50 * NS], [30.0], [20.0], exchange_bytes=[12.0])
    two_cards = chip(n_cards=2, cores_per_card=4, card_link_bytes_per_s=0.1e9)
    assert ns(passed(two_cards, layers)) == 15 + 120 + 50 + 10


def test_replicas_of_an_instance_start_one_after_the_other_and_are_done_together() -> None:
    # 2 clusters, 4 replicas: two at the channel, the 2nd and the 4th of the instance. The first of them has
    # 10 + 50 + 20 from 1 x 100 on, the last from 3 x 100 on.
    done = passed(chip(replica_s=100 * NS), work(1, [50 * NS], [10.0], [20.0]), dp=4)
    assert ns(done) == 300 + 80
    assert causes(done) == pytest.approx({"compute": 50, "channel": 30, "issue": 200, "barrier": 100})


def test_replicas_that_saturate_a_channel_share_it() -> None:
    # 4 replicas of 30 + 20 bytes at a channel, next to nothing to compute
    done = passed(chip(4), work(1, [NS], [30.0], [20.0]), active=4)
    assert ns(done) == pytest.approx(4 * 50, rel=0.02)
    assert done.channel_busy > 0.98


@pytest.mark.parametrize(
    ("mp", "dp", "active", "replicas"),
    [
        (1, 1, 1, [1]),
        (1, 1, 32, [1] * 8),  # every 4th instance
        (1, 4, 8, [1] * 8),  # a replica of each of 8 instances at each channel
        (1, 32, 1, [8]),
        (2, 1, 4, [1]),  # whole clusters: alone there
        (2, 4, 4, [4]),
        (2, 8, 2, [4]),  # 16 cores: two clusters
        (8, 2, 2, [1]),
        (16, 2, 1, [1]),
        (32, 1, 1, [1]),
    ],
)
def test_replicas_at_a_channel_of_four_clusters_of_eight_cores(
    mp: int, dp: int, active: int, replicas: list[int]
) -> None:
    made = chip(32, 8, whole_clusters=True)
    assert [len(there) for there in made.at_channel(mp, dp, active)] == replicas


# --- stations


def service(made: Chip, layers: ReplicaWork, threads: int, device_ns: int) -> Stations:
    return Stations(service_of(made, layers, 1, threads, 1, device_ns * 1000))


def cycle_ns(stations: Stations) -> tuple[float, float]:
    """Time between passes of one thread, and from taking a pass to its results."""
    steady = stations.steady()
    assert steady.exact
    cycle_ticks = steady.ticks * stations.service.threads / steady.n_passes
    return cycle_ticks / 1000, steady.latency_ticks / steady.n_passes / 1000


ONE = work(1, [50 * NS], [30.0], [20.0])
BUSY = {"pass_s": 70 * NS, "launch_s": 10 * NS}


def test_an_asynchronous_thread_prepares_while_the_device_computes() -> None:
    # preparation 80, device 100: a pass is taken when the one before goes to the device, and waits 20 for it
    assert cycle_ns(service(chip(**BUSY), ONE, 1, 100)) == (100, 80 + 20 + 100)
    assert cycle_ns(service(chip(**BUSY), ONE, 1, 60)) == (80, 80 + 60)


def test_a_synchronous_thread_does_one_thing_after_the_other() -> None:
    assert cycle_ns(service(chip(**BUSY, asynchronous=False), ONE, 1, 100)) == (180, 180)


def test_threads_share_host_cores() -> None:
    assert cycle_ns(service(chip(**BUSY), ONE, 6, 10))[0] == 6 / 2 * 70  # two host cores


def test_more_instances_than_slots_queue_for_the_device() -> None:
    assert cycle_ns(service(chip(4), ONE, 12, 100))[0] == 12 / 4 * 100


def test_launches_of_all_threads_go_through_one_queue() -> None:
    assert cycle_ns(service(chip(launch_s=50 * NS), ONE, 8, 100))[0] == 8 * 50


def test_copies_share_the_link_of_the_host() -> None:
    linked = chip(host=Host(2, 1.0, float("inf"), 1e9), copy_bytes_per_word=40.0)
    assert cycle_ns(service(linked, ONE, 8, 100))[0] == 8 * 40


def test_the_lock_costs_what_its_holder_loses_and_only_large_buffers_take_it() -> None:
    locked = chip(lock_s=60 * NS, lock_from_bytes=1.0)
    assert cycle_ns(service(locked, ONE, 8, 10))[0] == pytest.approx(8 * 60 * (1 - 2 / 8))
    assert cycle_ns(service(locked, ONE, 2, 10))[0] == 10
    assert cycle_ns(service(chip(lock_s=60 * NS, lock_from_bytes=2.0), ONE, 8, 10))[0] == 10


def test_conversion_beyond_the_cache_costs_more() -> None:
    # 8 words in flight at a byte each, of which the cache holds 2: six in eight miss
    small = chip(host=Host(8, 1.0, 2.0, float("inf")), convert_s_per_word=10 * NS)
    cold = chip(host=small.host, convert_s_per_word=10 * NS, convert_miss_s_per_word=40 * NS)
    assert cycle_ns(service(small, ONE, 8, 1))[0] == 10
    assert cycle_ns(service(cold, ONE, 8, 1))[0] == 10 + 40 * 6 / 8


def test_busy_host_cores_slow_one_another_down() -> None:
    boosted = chip(host=Host(3, 1.5, float("inf"), float("inf")), pass_s=90 * NS)
    threads = [cycle_ns(service(boosted, ONE, n, 1))[0] for n in (1, 2, 3)]
    assert threads == pytest.approx([90, 90 * 1.5 / 1.25, 90 * 1.5])


# --- cells


def test_a_cell_names_the_station_that_decides() -> None:
    layers = {1: ONE, 4: work(4, [5 * NS], [30.0], [20.0], input_words=1.0)}
    rows = [(1, 1, 1, 1), (1, 1, 8, 1), (4, 1, 1, 1)]
    made = chip(launch_s=30 * NS)
    found = simulate_cells(made, layers, Cells.of(rows))
    assert found.limit.tolist() == ["compute", "launch", "channel"]
    assert found.throughput_fps[1] == pytest.approx(1 / (30 * NS))
    assert found.utilisation[1, STATIONS.index("launch")] == pytest.approx(1.0)
    assert found.utilisation.max() <= 1 + 1e-12


def test_distinct_situations_of_the_device_are_simulated_once() -> None:
    simulation = ChipSimulation(chip(4), {1: ONE})
    simulation.cells(Cells.of([(1, 1, t, 2) for t in (4, 5, 6, 7)]))
    assert list(simulation.passes) == [(1, 1, 4, 2)]


def test_too_few_cores_are_refused() -> None:
    with pytest.raises(ValueError, match=r"4 x 3 cores of 8"):
        ChipSimulation(chip(8), {4: work(4, [NS], [1.0], [1.0])}).device_pass(4, 3, 1, 1)


def test_a_data_set_takes_its_start_and_its_passes() -> None:
    # 10 images, 2 a pass: 5 passes of 2 x 100 ns by one thread
    simulation = ChipSimulation(chip(start_s=1e-6), {1: ONE}, tiles=1)
    assert simulation.run_s(1, 1, 1, 2, 10) == pytest.approx(1e-6 + 5 * 200 * NS)
    assert simulation.run_s(1, 1, 64, 2, 10) >= 1e-6 + 200 * NS  # 5 threads, one pass each


def test_a_pass_executes_each_tile_step_once() -> None:
    device = Device(device_program(chip(4), work(1, [NS] * 3, [1.0] * 3, [1.0] * 3), 1, 1, 1, tiles=4))
    device.run(5)
    assert device.cluster.n_steps == 5 * 3 * 4
    assert (
        device.cluster.n_events == (5 * 3 * (4 + 1) + 5) + 1
    )  # an issue a layer, an end a pass, the next one


def test_intervals_of_a_replica_do_not_overlap_and_fill_its_pass() -> None:
    layers = {1: work(1, [50 * NS] * 2, [30.0] * 2, [20.0] * 2)}
    _, record = trace_cell(chip(4), layers, (1, 1, 1, 1), 3)
    spans = sorted(zip(record.start, record.end, strict=True))
    assert all(end <= start for (_, end), (start, _) in pairwise(spans))
    length = ChipSimulation(chip(4), layers).device_pass(1, 1, 1, 1).ticks
    assert sum(end - start for start, end in spans) == 3 * length
    assert set(record.what) == {"compute", "channel"}


def test_intervals_of_stations_are_as_many_as_passes() -> None:
    record, _ = trace_cell(chip(4, launch_s=NS, pass_s=NS), {1: ONE}, (1, 1, 2, 1), 6)
    done = [what for what, end in zip(record.what, record.end, strict=True) if what == "device"]
    assert set(record.what) == {"host", "launch", "device"}
    assert len(done) in (6, 7, 8)  # those that go on when the last one is done


# --- whatever the numbers


@settings(max_examples=100, deadline=None)
@given(works(1), st.integers(1, 2), st.integers(2, 4), st.integers(1, 60))
def test_skipping_changes_no_number_of_the_device(
    layers: ReplicaWork, dp: int, active: int, replica_us: int
) -> None:
    made = chip(4, channel_bytes_per_s=3e6, replica_s=replica_us * 1e-6, layer_s=2e-6)
    program = device_program(made, layers, dp, active, 1)
    device = Device(program)
    period = device.settle(40)
    if not period.exact:
        return
    assert period.steady is not None
    at, rounds = device.account(), len(period.accounts) + 1  # the account of the round that came back
    length = rounds - 1 - period.accounts.index(minus(at, period.steady))
    later = Device(program).run(rounds + 3 * length)
    assert minus(later, at) == tuple(3 * x for x in period.steady)


@settings(max_examples=60, deadline=None)
@given(situations())
def test_skipping_changes_no_number_of_the_stations(given_: tuple[Chip, ReplicaWork, Cell]) -> None:
    made, layers, cell = given_
    simulation = ChipSimulation(made, {cell[0]: layers})
    for n_passes in (1, 7, 120):
        every = simulation.stations(cell, skip=False)
        skipped = simulation.stations(cell)
        assert skipped.run(n_passes) == every.run(n_passes)
        assert skipped.n_events <= every.n_events


@settings(max_examples=100, deadline=None)
@given(situations())
def test_what_a_pass_goes_to_sums_to_the_pass(given_: tuple[Chip, ReplicaWork, Cell]) -> None:
    made, layers, (mp, dp, threads, batch) = given_
    device = Device(device_program(made, layers, dp, min(threads, made.slots(mp, dp)), batch))
    done = device.steady()
    groups = {len(offsets) for offsets in device.program.offsets}
    if len(groups) == 1:  # otherwise replicas and instances are weighted differently
        assert sum(done.by_cause) == pytest.approx(done.ticks, abs=1.0)
    assert done.channel_busy <= 1 + 1e-12


@settings(max_examples=60, deadline=None)
@given(situations())
def test_a_faster_channel_is_never_slower_for_a_replica_alone(
    given_: tuple[Chip, ReplicaWork, Cell],
) -> None:
    made, layers, (_, _, _, batch) = given_
    found = [
        Device(device_program(replace(made, channel_bytes_per_s=rate), layers, 1, 1, batch)).steady().ticks
        for rate in (1e6, 2e6, 8e6, np.inf)
    ]
    assert found == sorted(found, reverse=True)


@settings(max_examples=60, deadline=None)
@given(situations())
def test_a_simulation_gives_the_same_numbers_again(given_: tuple[Chip, ReplicaWork, Cell]) -> None:
    made, layers, cell = given_
    first, second = (simulate_cells(made, {cell[0]: layers}, Cells.of([cell])) for _ in range(2))
    for name, value in vars(first).items():
        assert np.array_equal(value, getattr(second, name)), name
