"""The closed form: many machines at once are each machine alone, and what has none is refused by name."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import accelsim
from accelsim.base.errors import InfeasibleError, InputError
from accelsim.cost import network_form as module
from accelsim.cost.closed_machines import columns_of, joined
from accelsim.cost.network_form import network_form
from accelsim.costing import network_work
from accelsim.workload.passes import drop_noops, fuse


@pytest.mark.parametrize("name", ["mobilenet_v2", "resnet50", "shufflenet_v1"])
def test_many_machines_have_the_bits_of_each_alone(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(1)
    graph = accelsim.load(name)
    settings = [
        [
            f"array.rows={rng.integers(1, 300)}",
            f"array.cols={rng.integers(1, 300)}",
            f"sram.size={rng.integers(16, 4000)} KiB",
            f"sram.bandwidth.read={rng.integers(1, 2000)} B/cycle",
            f"mac.bits={rng.choice([4, 8, 16])}",
            f"vector.lanes={rng.integers(1, 64)}",
        ]
        for _ in range(12)
    ]
    machines = [accelsim.arch("systolic_128x128", sets, "ws") for sets in settings]
    reduced = fuse(drop_noops(graph), frozenset(machines[0].fuses))
    work = network_work(reduced, machines[0].machine())
    monkeypatch.setattr(module, "CHUNK", 5)
    form = network_form(work, joined([columns_of(machine.machine()) for machine in machines]))
    for i, machine in enumerate(machines):
        totals = accelsim.run(graph, machine, closed_form=True).totals
        assert totals["latency_cycles"] == form.latency_cycles[i]
        assert totals["energy_pj"] == form.energy_pj[i]
        assert totals["dram_read_bytes"] == form.dram_read_bytes[i]
        assert totals["dram_write_bytes"] == form.dram_write_bytes[i]


def test_totals_are_the_sum_of_the_layers() -> None:
    result = accelsim.run(accelsim.load("resnet50"), accelsim.arch("systolic_128x128"), closed_form=True)
    assert result.totals["energy_pj"] == pytest.approx(
        sum(row["energy_pj"] for row in result.rows), rel=1e-12
    )
    by_level = result.totals["energy_pj_by_level"]
    assert result.totals["energy_pj"] == pytest.approx(sum(by_level.values()), rel=1e-12)
    for row in result.rows:
        parts = row["compute_cycles"] + row["fill_drain_cycles"] + row["stall_cycles"]
        assert row["latency_cycles"] == parts
        assert row["stall_cycles"] >= 0


def test_a_fused_shortcut_is_read_beside_its_layer() -> None:
    graph = accelsim.load("resnet50")
    apart = accelsim.run(graph, accelsim.arch("systolic_128x128"), closed_form=True)
    machine = accelsim.arch("systolic_128x128")
    fused = replace(
        machine, spec=machine.spec.model_copy(update={"fuses": ("batch_norm", "activation", "add")})
    )
    together = accelsim.run(graph, fused, closed_form=True)
    adds = [row for row in apart.rows if row["op"] == "add"]
    moved = sum(row["dram_read_bytes"] + row["dram_write_bytes"] for row in adds)
    # an addition apart reads two maps and writes one; fused, it reads one beside
    saved = [apart.totals[n] - together.totals[n] for n in ("dram_read_bytes", "dram_write_bytes")]
    assert sum(saved) == moved * 2 // 3


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("eyeriss", "core.dataflow"),
        ("eyeriss", "core.pe.memories"),
        ("gemmini_16x16", "accumulator and scratchpad"),
        ("tpu_v1", "activations"),
    ],
)
def test_what_has_no_closed_form_is_refused_by_name(name: str, said: str) -> None:
    with pytest.raises(InputError) as error:
        accelsim.run(accelsim.load("alexnet"), accelsim.arch(name), closed_form=True)
    assert said in str(error.value)


def test_an_sram_without_room_for_the_array_is_infeasible() -> None:
    with pytest.raises(InfeasibleError, match="sram needs 3,072 B of 1,024 B"):
        accelsim.run(
            accelsim.load("alexnet"),
            accelsim.arch("systolic_128x128", ["sram.size=1 KiB"]),
            closed_form=True,
        )


def test_counts_that_overflow_are_refused() -> None:
    machine = accelsim.arch("systolic_128x128")
    with pytest.raises(InputError, match="overflow"):
        accelsim.run(accelsim.load("resnet50", batch=2**22), machine, closed_form=True)


def test_other_rules_beside_the_closed_form_are_refused() -> None:
    with pytest.raises(InputError, match="compat"):
        accelsim.run(
            accelsim.load("alexnet"), accelsim.arch("systolic_128x128"), closed_form=True, compat="scalesim"
        )
