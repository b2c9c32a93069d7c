"""Area, leakage and peak power of a chip by component."""

from __future__ import annotations

import json

import pytest

import accelsim
from accelsim.base.files import list_shipped
from accelsim.cli.app import execute
from accelsim.hardware.power import draws


def test_a_multiplier_at_work_in_every_cycle_draws_its_energy_times_the_clock() -> None:
    parts = {part.name: part for part in draws(accelsim.arch("eyeriss").spec)}
    assert parts["mac"].peak_w == pytest.approx(168 * 2e-12 * 200e6)  # 168 PEs, 2 pJ, 200 MHz
    assert parts["spad_psum"].peak_w == pytest.approx(168 * 2 * 1e-12 * 200e6)  # a sum is read and written
    assert parts["spad_filter"].peak_w == pytest.approx(168 * 1e-12 * 200e6)
    assert parts["dram"].peak_w == pytest.approx(480e6 / 2 * 460e-12)  # 480 MB/s at 460 pJ a 16-bit word
    assert parts["leakage"].leakage_w == pytest.approx(0.030)
    assert parts["clock tree"].peak_w == pytest.approx(0.135)


def test_leakage_of_the_file_stands_for_the_whole_chip() -> None:
    parts = draws(accelsim.arch("tpu_v1").spec)
    assert sum(part.leakage_w or 0 for part in parts) == pytest.approx(28.0)  # Jouppi, ISCA 2017: idle


@pytest.mark.parametrize("name", list_shipped("arch_configs"))
def test_no_run_draws_more_than_the_peak(name: str) -> None:
    machine = accelsim.arch(name)
    totals = accelsim.run(accelsim.load("lenet"), machine, cache=False).totals
    parts = draws(machine.spec)
    peak = sum((part.peak_w or 0.0) + (part.leakage_w or 0.0) for part in parts) / machine.spec.core.count
    dram = next(part.peak_w or 0.0 for part in parts if part.name == "dram")
    assert totals["energy_pj"] * 1e-12 / totals["latency_s"] < peak + dram


def test_the_command_shows_the_parts_and_their_sum(capsys: pytest.CaptureFixture[str]) -> None:
    assert execute(["area", "eyeriss", "--json"]) == 0
    (item,) = json.loads(capsys.readouterr().out)["items"]
    areas = [part["area_mm2"] for part in item["parts"] if part["area_mm2"] is not None]
    assert item["area_mm2"] == pytest.approx(sum(areas))
    assert execute(["area"]) == 0
    shown = capsys.readouterr().out
    assert all(name in shown for name in list_shipped("arch_configs"))


def test_a_larger_buffer_takes_more_area(capsys: pytest.CaptureFixture[str]) -> None:
    def area(size: str) -> float:
        assert execute(["area", "systolic_32x32", "--json", "--set", f"sram.size={size}"]) == 0
        return float(json.loads(capsys.readouterr().out)["items"][0]["area_mm2"])

    assert area("1 MiB") > area("256 KiB")
