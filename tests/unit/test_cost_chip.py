"""Closed forms of a chip of cores: values worked out by hand, and bounds that hold for any chip."""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.chips import chip as quiet_chip
from support.chips import work

from accelsim.cost.chip import CellCosts, cell_costs, data_set_seconds, footprint
from accelsim.cost.chip_device import layer_seconds, n_sharing, pass_parts
from accelsim.cost.chip_stations import host_work, missing_frac, slowdown
from accelsim.tables.chip import STATIONS, Cells, Chip, Host, ReplicaWork


def small_chip(host: dict[str, Any] | None = None, runtime: dict[str, Any] | None = None, **own: Any) -> Chip:
    """8 cores in 2 clusters, a channel moves 100 B/s, a link 50 B/s; nothing else costs time."""
    own = {"memory_bytes": math.inf, "channel_bytes_per_s": 100.0, "link_bytes_per_s": 50.0, **own}
    computer = replace(Host(4, 1.0, math.inf, math.inf), **(host or {}))
    return quiet_chip(8, own.pop("cores_per_cluster", 4), computer, **(runtime or {}), **own)


def small_work(
    mp: int = 1,
    compute: Sequence[float] = (3, 1),
    load: Sequence[float] = (100, 100),
    store: Sequence[float] = (100, 200),
    exchange: Sequence[float] = (0, 0),
    weights: Sequence[float] = (0, 0),
    **own: Any,
) -> ReplicaWork:
    """Two layers of 3 and 1 s of compute, 200 and 300 B; images of 6 words that keep 10 B, 1 J a layer."""
    columns = [list(map(float, column)) for column in (compute, load, store, exchange, weights)]
    made = work(mp, *columns, input_words=6.0)
    return replace(made, **{"energy_j": np.ones(len(columns[0])), "live_bytes": 10.0, **own})


def costs(
    chip: Chip, *cells: tuple[int, int, int, int], works: dict[int, ReplicaWork] | None = None
) -> CellCosts:
    return cell_costs(chip, works or {mp: small_work(mp) for mp in (1, 2, 4, 8)}, Cells.of(cells))


def test_a_layer_of_one_core_takes_the_longer_of_compute_and_channel() -> None:
    """Compute 3 and 1 s, channel 2 and 3 s: 6 s, of which the core waits 2; an issue takes 0.5 s."""
    chip = small_chip(runtime={"layer_s": 0.5})
    assert pass_parts(chip, small_work(), 1, 1, 1).tolist() == [4.0, 2.0, 0.0, 0.0, 1.0]


def test_several_cores_load_exchange_compute_and_store_one_after_the_other() -> None:
    """Two clusters: 500 B over two channels of 100 B/s, 50 + 0 B of exchange at 50 B/s, 4 s of compute."""
    chip = small_chip(runtime={"barrier_s": 0.25, "layer_s": 0.5})
    parts = pass_parts(chip, small_work(8, exchange=(50, 0)), 1, 1, 1)
    assert parts.tolist() == [4.0, 2.5, 1.0, 0.25 * 3 * 2, 0.5 * 2]  # three doublings, two layers


def test_activations_scale_with_the_batch_and_weights_do_not() -> None:
    work = small_work(4, weights=(300, 0))
    one, ten = (layer_seconds(small_chip(), work, 1, batch) for batch in (1, 10))
    assert ten.compute.tolist() == (10 * one.compute).tolist()
    assert (one.channel.tolist(), ten.channel.tolist()) == ([5.0, 3.0], [23.0, 30.0])


@pytest.mark.parametrize(("read", "loads"), [("replica", 8.0), ("instance", 4.0), ("card", 1.0)])
def test_weights_are_read_by_each_replica_once_an_instance_or_once_the_card(read: Any, loads: float) -> None:
    """800 B by two replicas of eight cores in all."""
    layers = layer_seconds(small_chip(runtime={"weights_read": read}), small_work(weights=(800, 0)), 2, 1)
    assert layers.channel[0] == 2.0 + loads


def test_kernels_reach_a_share_of_the_array() -> None:
    chip = small_chip(runtime={"kernel_efficiency": 0.5})
    assert layer_seconds(chip, small_work(), 1, 1).compute.tolist() == [6.0, 2.0]


def test_a_channel_is_no_faster_than_the_bytes_of_all_its_replicas() -> None:
    """5 s of channel a pass; four replicas need 20 s, one 6 s with its compute."""
    work = small_work()
    assert pass_parts(small_chip(), work, 1, 1, 1).sum() == 6.0
    assert pass_parts(small_chip(), work, 1, 1, 4).tolist() == [4.0, 16.0, 0.0, 0.0, 0.0]


def test_each_further_replica_is_dispatched_after_the_one_before() -> None:
    chip = small_chip(runtime={"replica_s": 2.0})
    assert pass_parts(chip, small_work(), 4, 1, 1).sum() == 6.0 + 3 * 2.0


def test_replicas_are_spread_over_the_channels_unless_an_instance_takes_whole_clusters() -> None:
    """Eight cores in two clusters."""
    spread, whole = small_chip(), small_chip(runtime={"whole_clusters": True})
    assert [n_sharing(spread, 1, 1, active) for active in (1, 2, 8)] == [1, 1, 4]
    assert n_sharing(spread, 1, 4, 2) == 4
    assert n_sharing(whole, 2, 2, 1) == 2  # both in one cluster
    assert n_sharing(whole, 4, 2, 1) == 1
    assert [whole.slots(mp, 1) for mp in (1, 2, 4, 8)] == [8, 2, 2, 1]
    assert [spread.slots(mp, 1) for mp in (1, 2, 4, 8)] == [8, 4, 2, 1]


def test_the_slowest_station_decides_and_threads_share_it() -> None:
    """6 s on one of 8 cores: ten threads wait for cores; 20 s on one of 4 host cores: eight threads do."""
    device = costs(small_chip(), (1, 1, 1, 1), (1, 1, 2, 1), (1, 1, 10, 1))
    assert device.throughput_fps[:2].tolist() == [1 / 6, 2 / 6]
    assert device.throughput_fps[2] == pytest.approx(10 / (20.0 * 10 / 8))  # four replicas a channel: 20 s
    assert device.limit.tolist() == ["compute", "compute", "channel"]
    host = costs(small_chip(runtime={"pass_s": 20.0}), (1, 1, 2, 1), (1, 1, 8, 1))
    assert host.throughput_fps.tolist() == [2 / 20, 8 / 40]
    assert host.limit.tolist() == ["host", "host"]


@pytest.mark.parametrize("station", ["lock", "copy", "launch"])
def test_a_station_of_which_there_is_one_serves_threads_in_turn(station: str) -> None:
    """30 s of a pass; eight threads need 240 s for one each. A lock needs threads beyond the 4 host cores."""
    runtime = {
        "lock": {"lock_s": 60.0, "lock_from_bytes": 6.0, "buffer_bytes_per_word": 1.0},
        "copy": {"copy_bytes_per_word": 5.0},
        "launch": {"launch_s": 30.0},
    }[station]
    chip = small_chip(host={"link_bytes_per_s": 1.0}, runtime=runtime)
    result = costs(chip, (1, 1, 8, 1))
    assert result.throughput_fps.tolist() == [8 / 240]
    assert result.limit.tolist() == [station]
    assert result.stations_s[0, STATIONS.index(station)] == 240


def test_small_buffers_and_few_threads_take_no_lock() -> None:
    runtime = {"lock_s": 60.0, "lock_from_bytes": 12.0, "buffer_bytes_per_word": 1.0}
    cells = Cells.of([(1, 1, 8, 1), (1, 1, 8, 2), (1, 1, 4, 2), (1, 1, 16, 2)])
    assert host_work(small_chip(runtime=runtime), cells, 6.0).lock.tolist() == [0.0, 30.0, 0.0, 45.0]


def test_images_beyond_the_hosts_cache_cost_more() -> None:
    """6 words of 2 B an image, a cache of 24 B: four images in flight miss half."""
    chip = small_chip(
        host={"cache_bytes": 24.0},
        runtime={"host_bytes_per_word": 2.0, "convert_s_per_word": 1.0, "convert_miss_s_per_word": 3.0},
    )
    assert missing_frac(chip, np.array([6.0, 12.0, 24.0])).tolist() == [0.0, 0.0, 0.5]
    work = host_work(chip, Cells.of([(1, 1, 1, 1), (1, 2, 2, 1)]), 6.0)
    assert work.host.tolist() == [6.0, 12 * (1 + 3 * 0.5)]


def test_busy_host_cores_lose_clock_one_by_one() -> None:
    chip = small_chip(host={"boost": 1.5})
    clocks = 1 / slowdown(chip.host, np.array([1.0, 2.0, 4.0, 9.0]))
    assert clocks.tolist() == pytest.approx([1.0, 1 - 1 / 9, 1 / 1.5, 1 / 1.5])
    assert slowdown(replace(chip.host, n_cores=1), np.array([1.0, 5.0])).tolist() == [1.0, 1.0]


def test_a_synchronous_thread_does_one_stage_after_the_other() -> None:
    runtime = {"pass_s": 2.0, "launch_s": 1.0}
    apart = costs(small_chip(runtime={**runtime, "asynchronous": False}), (1, 1, 1, 1))
    beside = costs(small_chip(runtime=runtime), (1, 1, 1, 1))
    assert (apart.cycle_s[0], apart.latency_s[0]) == (9.0, 9.0)
    assert (beside.cycle_s[0], beside.latency_s[0]) == (6.0, 12.0)  # taken while the pass before computes


def test_an_asynchronous_pass_behind_a_slow_host_is_out_once_the_device_is_done() -> None:
    """10 s of host work, then 6 s of device that nobody waits for."""
    result = costs(small_chip(runtime={"pass_s": 10.0}), (1, 1, 1, 1))
    assert (result.cycle_s[0], result.latency_s[0]) == (10.0, 16.0)


@pytest.mark.parametrize(("stored", "copies"), [("card", 1), ("instance", 3), ("replica", 6)])
def test_weights_take_room_once_a_card_an_instance_or_a_replica(stored: Any, copies: int) -> None:
    """500 weights of 2 B; 3 threads, 2 replicas, 4 images of 10 B each."""
    chip = small_chip(runtime={"weights_stored": stored, "weight_bytes": 2.0})
    cells = Cells.of([(1, 2, 3, 4)])
    assert footprint(chip, small_work(weights=(500, 0)), cells).tolist() == [1000 * copies + 240]


def test_what_does_not_fit_is_told_with_its_bytes_and_the_rest_is_not_touched() -> None:
    chip = small_chip(memory_bytes=79.0)
    result = costs(chip, (1, 1, 1, 8), (1, 1, 1, 7), (8, 2, 1, 1))
    assert result.status.tolist() == ["oom", "ok", "infeasible"]
    assert result.limit.tolist() == ["memory", "compute", "cores"]
    assert result.memory_bytes[:2].tolist() == [80.0, 70.0]
    assert np.isnan(result.throughput_fps).tolist() == [True, False, True]
    assert np.isnan(result.latency_s).tolist() == [True, False, True]


def test_the_energy_of_bringing_weights_in_is_shared_by_the_images_of_a_pass() -> None:
    work = small_work(weight_energy_j=np.array([6.0, 2.0]))
    result = costs(small_chip(), (1, 1, 1, 1), (1, 1, 1, 4), works={1: work})
    assert result.energy_j.tolist() == [10.0, 4.0]


def test_weights_that_cores_hand_on_cross_a_link_instead() -> None:
    """An eighth of 8 J from memory, seven eighths of 800 B at 1 J/B over links."""
    work = small_work(weights=(800, 0), weight_energy_j=np.array([8.0, 0.0]))
    chip = small_chip(link_pj_per_byte=1e12, runtime={"weights_read": "card"})
    assert costs(chip, (1, 1, 1, 1), works={1: work}).energy_j.tolist() == [2.0 + 1.0 + 700.0]


def test_a_data_set_takes_its_start_and_whole_rounds_of_passes() -> None:
    """10 images, two a pass: 5 passes of 6 + 4 s (batch 2: 8 s compute), in 5, 3 and 1 rounds."""
    chip = small_chip(runtime={"start_s": 100.0})
    works = {1: small_work(load=(0, 0), store=(0, 0))}
    cells = Cells.of([(1, 1, 1, 2), (1, 1, 2, 2), (1, 1, 8, 2), (1, 9, 1, 1)])
    seconds = data_set_seconds(chip, works, cells, 10)
    assert seconds[:3].tolist() == [100 + 5 * 8, 100 + 3 * 8, 100 + 8]
    assert math.isnan(seconds[3])


positive = st.floats(0.01, 100.0)


@st.composite
def chips(draw: st.DrawFn) -> Chip:
    runtime = {
        **{key: draw(positive) for key in ("layer_s", "barrier_s", "replica_s", "launch_s", "pass_s")},
        **{key: draw(positive) for key in ("convert_s_per_word", "convert_miss_s_per_word", "lock_s")},
        "kernel_efficiency": draw(st.floats(0.1, 1.0)),
        "host_bytes_per_word": draw(positive),
        "buffer_bytes_per_word": draw(positive),
        "lock_from_bytes": draw(positive),
        "copy_bytes_per_word": draw(positive),
        "whole_clusters": draw(st.booleans()),
        "weights_read": draw(st.sampled_from(["card", "instance", "replica"])),
        "asynchronous": draw(st.booleans()),
    }
    host = {
        "n_cores": draw(st.integers(1, 8)),
        "boost": draw(st.floats(1.0, 2.0)),
        "cache_bytes": draw(positive),
        "link_bytes_per_s": draw(positive),
    }
    n_clusters = draw(st.sampled_from([1, 2, 4]))
    return small_chip(host, runtime, cores_per_cluster=8 // n_clusters, link_bytes_per_s=draw(positive))


@st.composite
def works(draw: st.DrawFn) -> dict[int, ReplicaWork]:
    layers = st.lists(positive, min_size=3, max_size=3)
    return {mp: small_work(mp, *(draw(layers) for _ in range(5))) for mp in (1, 2, 4, 8)}


CELLS = Cells.of(
    [(mp, dp, t, b) for mp in (1, 2, 4, 8) for dp in (1, 2, 3, 8) for t in (1, 5, 20) for b in (1, 4)]
)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(chips(), works())
def test_throughput_is_never_above_the_capacity_of_any_station(
    chip: Chip, works: dict[int, ReplicaWork]
) -> None:
    result = cell_costs(chip, works, CELLS)
    for i, (mp, dp, threads, batch) in enumerate(CELLS.rows()):
        if not result.ok[i]:
            assert mp * dp > chip.n_cores
            continue
        passes_per_s = result.throughput_fps[i] / (dp * batch) * (1 - 1e-9)
        one = host_work(chip, Cells.of([(mp, dp, threads, batch)]), works[mp].input_words)
        assert passes_per_s * one.host[0] <= min(threads, chip.host.n_cores)
        assert passes_per_s * max(one.lock[0], one.copy[0], one.launch[0]) <= 1
        assert passes_per_s * result.pass_s[i] <= min(threads, chip.slots(mp, dp))
        compute = works[mp].compute_s.sum() / chip.runtime.kernel_efficiency
        assert result.throughput_fps[i] * (1 - 1e-9) <= chip.n_cores / (mp * compute)
        assert result.latency_s[i] >= one.thread[0] + result.pass_s[i] - 1e-9 * result.latency_s[i]


@settings(max_examples=25, deadline=None, derandomize=True)
@given(chips(), works(), st.floats(1.0, 10.0))
def test_more_of_anything_that_serves_is_never_slower(
    chip: Chip, works: dict[int, ReplicaWork], more: float
) -> None:
    slow = cell_costs(chip, works, CELLS).throughput_fps
    host, runtime = chip.host, chip.runtime
    for better in (
        replace(chip, channel_bytes_per_s=chip.channel_bytes_per_s * more),
        replace(chip, link_bytes_per_s=chip.link_bytes_per_s * more),
        replace(chip, host=replace(host, cache_bytes=host.cache_bytes * more)),
        replace(chip, host=replace(host, link_bytes_per_s=host.link_bytes_per_s * more)),
        replace(chip, runtime=replace(runtime, layer_s=runtime.layer_s / more)),
        replace(chip, runtime=replace(runtime, barrier_s=0.0)),
        replace(chip, runtime=replace(runtime, asynchronous=True)),
    ):
        fast = cell_costs(better, works, CELLS).throughput_fps
        assert (np.isnan(fast) == np.isnan(slow)).all()
        assert (fast >= slow * (1 - 1e-9))[~np.isnan(slow)].all()


@settings(max_examples=40, deadline=None, derandomize=True)
@given(chips(), works())
def test_a_cell_costs_the_same_alone_and_among_others(chip: Chip, works: dict[int, ReplicaWork]) -> None:
    together = cell_costs(chip, works, CELLS)
    for i in (0, 17, 40, len(CELLS) - 1):
        alone = cell_costs(chip, works, Cells.of([CELLS.rows()[i]]))
        assert alone.status[0] == together.status[i]
        assert alone.limit[0] == together.limit[i]
        for name in ("throughput_fps", "latency_s", "energy_j", "memory_bytes", "cycle_s", "pass_s"):
            assert np.array_equal(getattr(alone, name)[0], getattr(together, name)[i], equal_nan=True)
