"""What an architecture file says of the chip around its cores, and what it means where it says nothing."""

import math
from dataclasses import fields, replace
from pathlib import Path

import pytest
import yaml

from accelsim.base.errors import InputError
from accelsim.base.files import find_shipped, list_shipped
from accelsim.hardware import load_arch
from accelsim.tables.chip import Chip, Host, Runtime

STACKS = ("mlu100", "mlu100_offline", "mlu100_resnet101")


def chip(name: str, *sets: str) -> Chip:
    return load_arch(name, sets).chip()


def refused(name: str, *sets: str) -> str:
    with pytest.raises(InputError) as caught:
        load_arch(name, sets)
    return str(caught.value)


def test_mlu100_is_the_card_of_the_papers() -> None:
    """WikiChip and the two papers of Bench 2019: 4 channels of DDR4-3200 with 8 cores each, 8 GB, 1 GHz."""
    card = chip("mlu100", "channel.efficiency=100%")
    assert (card.n_cores, card.cores_per_cluster, card.n_clusters, card.n_cards) == (32, 8, 4, 1)
    assert card.n_clusters * card.channel_bytes_per_s == 102.4e9
    assert card.memory_bytes == 8e9
    assert card.clock_hz == 1e9
    assert (card.host.n_cores, card.host.cache_bytes) == (8, 20 * 2**20)  # Xeon E5-2620 v4


def test_constants_of_the_runtime_come_in_seconds_and_bytes() -> None:
    runtime = chip(
        "mlu100",
        "runtime.layer=2 us",
        "convert=40 ns/word",
        "in_cache=24 b/word",
        "lock_from=1 KiB",
        "kernel_efficiency=50%",
    ).runtime
    assert runtime.layer_s == pytest.approx(2e-6)
    assert runtime.convert_s_per_word == pytest.approx(4e-8)
    assert runtime.host_bytes_per_word == 3
    assert runtime.lock_from_bytes == 1024
    assert runtime.kernel_efficiency == 0.5


def test_channels_sustain_their_efficiency_and_together_no_more_than_the_memory_has() -> None:
    assert chip("mlu100", "channel.efficiency=50%").channel_bytes_per_s == 12.8e9
    assert chip("mlu100", "channel.efficiency=null").channel_bytes_per_s == 25.6e9
    slow = ["dram.bandwidth.value=51.2 GB/s", "channel.efficiency=50%"]
    assert chip("mlu100", *slow).channel_bytes_per_s == 6.4e9


def test_a_chip_without_clusters_host_and_runtime_is_one_cluster_without_costs_around_it() -> None:
    one = chip("eyeriss", "core.count=16")
    assert (one.n_cores, one.n_clusters, one.cores_per_cluster) == (16, 1, 16)
    assert one.channel_bytes_per_s == 480e6  # 64 bits at 60 MHz, as the chip's one link to DRAM
    assert one.host == Host(1, 1.0, math.inf, math.inf)
    times = [getattr(one.runtime, field.name) for field in fields(Runtime) if field.name.find("_s") > 0]
    assert times
    assert not any(time for time in times if isinstance(time, float))
    assert one.runtime.kernel_efficiency == 1
    assert (one.runtime.weights_stored, one.runtime.weights_read) == ("card", "replica")


def test_a_link_that_is_not_given_is_as_fast_as_the_channel_and_free() -> None:
    silent = chip("mlu100", "clusters.link=null")
    assert silent.link_bytes_per_s == silent.channel_bytes_per_s
    assert silent.link_pj_per_byte == 0


@pytest.mark.parametrize("name", list_shipped("arch_configs"))
def test_every_machine_that_ships_is_a_chip(name: str) -> None:
    one = chip(name)
    assert one.n_clusters * one.cores_per_cluster == one.n_cores
    assert 0 < one.channel_bytes_per_s < math.inf


def test_chips_of_4_to_1024_cores_are_a_matter_of_configuration() -> None:
    names = {"mlu270": (16, 4), "simba_like": (36, 4), "mlu100": (32, 4), "tpu_pod_like": (1024, 256)}
    assert {name: (chip(name).n_cores, chip(name).n_clusters) for name in names} == names
    assert chip("mlu270", "core.count=4").cores_per_cluster == 1
    assert chip("mlu100", "core.count=1024", "clusters.count=64").cores_per_cluster == 16
    assert chip("mlu100", "core.count=16").cores_per_cluster == 4


def test_mlu270_has_the_peak_that_is_published() -> None:
    """Cambricon: 128 TOPS int8 in 4 clusters of 4 cores."""
    machine = load_arch("mlu270").machine()
    assert 2 * machine.macs_per_cycle * machine.clock_hz * machine.n_cores == pytest.approx(128e12, rel=0.03)


def test_cards_multiply_the_cores_and_each_has_its_own_memory() -> None:
    link = (
        "cards.link={bandwidth: {value: 10 GB/s, source: by hand}, energy: {value: 80 pJ/B, source: by hand}}"
    )
    two = chip("mlu100", "cards.count=2", link)
    assert (two.n_cores, two.cores_per_card, two.n_clusters) == (64, 32, 8)
    assert (two.card_link_bytes_per_s, two.card_link_pj_per_byte) == (10e9, 80)
    assert two.memory_bytes == 8e9


def test_the_stacks_of_software_share_the_hardware() -> None:
    ours, *others = (chip(name) for name in STACKS)
    for other in others:
        assert replace(other, name=ours.name, runtime=ours.runtime) == ours
        assert other.runtime != ours.runtime


def test_online_mode_adds_the_framework_and_takes_the_overlap_away() -> None:
    offline, online = (chip("mlu100_offline", f"runtime.mode={m}").runtime for m in ("offline", "online"))
    assert (offline.asynchronous, online.asynchronous) == (True, False)
    assert online.pass_s - offline.pass_s == pytest.approx(81e-6)


def test_images_that_lie_as_the_card_wants_them_are_not_converted() -> None:
    match = chip("mlu100", "layout=match", "runtime.load=5 ns/word").runtime
    assert (match.convert_s_per_word, match.convert_miss_s_per_word) == (0, 0)
    assert match.load_s_per_word == pytest.approx(5e-9)


def test_a_stack_can_leave_out_what_the_one_that_it_extends_has() -> None:
    stack = chip("mlu100_offline").runtime
    assert (stack.lock_s, stack.lock_from_bytes, stack.convert_miss_s_per_word) == (0, math.inf, 0)


def test_eight_bit_weights_are_a_byte_in_the_card() -> None:
    assert chip("mlu100").runtime.weight_bytes == 2
    assert chip("mlu100_resnet101").runtime.weight_bytes == 1
    assert load_arch("mlu100_resnet101").machine().bits.tolist() == [16, 8, 16]


@pytest.mark.parametrize("name", STACKS)
def test_what_is_calibrated_says_on_what_and_what_would_be_plausible(name: str) -> None:
    runtime = yaml.safe_load(find_shipped("arch_configs", name).read_text(encoding="utf-8"))["runtime"]
    sources = [value["source"] for value in runtime.values() if isinstance(value, dict) and "source" in value]
    calibrated = [source for source in sources if source.startswith("calibrated on the given ")]
    assert calibrated or name == "mlu100_resnet101"
    assert all("plausible" in source for source in calibrated)
    assert all(source.startswith(("calibrated", "assumption", "derived", "mlu100_")) for source in sources)


def test_a_constant_of_the_runtime_is_replaced_with_its_source_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("extends: mlu100\nname: mine\nruntime:\n  launch: {value: 9 us}\n")
    assert f"{path}:4:11: runtime.launch.source: is missing" in refused(str(path))
    path.write_text("extends: mlu100\nname: mine\nruntime:\n  pass: {value: 9 us, source: mine}\n")
    assert chip(str(path)).runtime.pass_s == pytest.approx(9e-6)


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("host=null", "runtime.convert_miss: has no effect without host.cache"),
        ("lock_from=null", "runtime.lock: has no effect without runtime.lock_from"),
        ("host.link=null", "runtime.copy: has no effect without host.link"),
        ("boost=0.9", "host.boost.value: 0.9 does not fit, expected at least 1"),
        ("boost=true", "expected a number"),
        ("channel.efficiency=0%", "is zero, expected a share such as '25%', above zero"),
        ("convert=3 ns", "is a time, expected a time per word such as '35 ns/word'"),
        ("in_cache=3 B", "is a size, expected bytes per word such as '3 B/word'"),
        ("runtime.mode=onlin", "did you mean 'online'?"),
        ("weights.read=thread", "expected 'card', 'instance' or 'replica'"),
        (
            "clusters.link.bandwidth.read=1 GB/s",
            "has value and read, expected either value, or read and write",
        ),
    ],
)
def test_what_contradicts_itself_is_refused_with_what_belongs_there(setting: str, said: str) -> None:
    assert said in refused("mlu100", setting)
