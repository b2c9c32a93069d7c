"""Rules of Timeloop's model on nests that are small enough to count by hand."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import pytest
from support.timeloop import read_changed, words

from accelsim.base.errors import InfeasibleError, InputError
from accelsim.compat.timeloop.account import account
from accelsim.compat.timeloop.answer import evaluate_timeloop
from accelsim.compat.timeloop.read import read_timeloop
from accelsim.compat.timeloop.search import search_timeloop

TEXT = """
architecture:
  subtree:
  - name: system
    local:
    - {name: DRAM, class: DRAM, attributes: {width: 64, datawidth: 8}}
    - {name: GLB, class: SRAM, attributes: {depth: 4096, width: 64, datawidth: 8}}
    - {name: 'RF[1..8]', class: regfile, attributes: {depth: 64, width: 8, datawidth: 8}}
    - {name: 'mac[1..8]', class: intmac}
problem:
  instance: {M: 8, N: 4, K: 6}
  shape:
    dimensions: [M, N, K]
    data_spaces:
    - {name: A, projection: [[[M]], [[K]]]}
    - {name: B, projection: [[[K]], [[N]]]}
    - {name: Z, projection: [[[M]], [[N]]], read_write: true}
mapping:
- {target: DRAM, type: temporal, factors: K=3}
- {target: GLB, type: temporal, factors: 'N=4,K=2', permutation: NK}
- {target: GLB, type: spatial, factors: M=8}
ERT: {tables: [{name: DRAM, actions: [{name: read, energy: 100}, {name: write, energy: 100}]},
  {name: GLB, actions: [{name: read, energy: 10}, {name: write, energy: 8}]},
  {name: RF, actions: [{name: read, energy: 1}, {name: write, energy: 2}, {name: update, energy: 4}]},
  {name: mac, actions: [{name: compute, energy: 1}]}]}
"""


@pytest.fixture
def read(tmp_path: Path) -> Any:
    return partial(read_changed, tmp_path, TEXT)


def test_sums_come_back_but_for_their_first_visit(read: Any) -> None:
    """Each RF has one of its 4 sums at a time, for 6 steps of K: 24 visits, 4 of them first. The buffer holds
    all sums until they are done.
    """
    given = read()
    rf = words(given, "RF", "Z")
    assert (rf.updates, rf.reads, rf.fills) == (24, 24 - 4, 24 - 4)
    glb = words(given, "GLB", "Z")
    assert (glb.updates, glb.reads, glb.fills) == (192, 192 - 32, 0)
    assert (words(given, "DRAM", "Z").updates, words(given, "DRAM", "Z").reads) == (32, 0)


def test_rmw_first_update_reads_the_first_visit_at_its_level_alone(read: Any) -> None:
    given = read(("factors: 'N=4,K=2', permutation: NK}", "factors: 'N=4,K=2', rmw_first_update: [Z]}"))
    assert words(given, "GLB", "Z").reads == words(read(), "GLB", "Z").reads + 32
    assert words(given, "RF", "Z") == words(read(), "RF", "Z")
    all_of_them = read(
        ("ERT:", "globals: {environment_variables: {TIMELOOP_ENABLE_FIRST_READ_ELISION: 0}}\nERT:")
    )
    assert words(all_of_them, "RF", "Z").reads == 24


def test_no_multicast_reads_once_for_each_child_and_no_reduction_updates(read: Any) -> None:
    plain = read()
    apart = read(
        ("type: spatial, factors: M=8", "type: spatial, no_multicast_no_reduction: [B], factors: M=8")
    )
    assert words(apart, "GLB", "B").reads == 8 * words(plain, "GLB", "B").reads
    assert words(apart, "GLB", "A") == words(plain, "GLB", "A")


def test_no_temporal_reuse_fetches_a_tile_that_stays(read: Any) -> None:
    kept = "type: temporal, factors: 'N=4,K=2', permutation: NK}"
    plain = read()
    assert words(plain, "RF", "A").fills == 6  # N innermost leaves it
    every = read((kept, kept + "\n- {target: RF, type: temporal, no_temporal_reuse: [A]}"))
    assert words(every, "RF", "A").fills == 24


def test_blocks_are_whole_and_no_coalesce_pays_for_each_word(read: Any) -> None:
    a = account(read())
    at = (1, 0)  # GLB, A
    assert (a.tally[at].reads, a.tally[at].fills) == (48, 48)
    assert a.tensor_pj[at] == 48 / 8 * 10 + 48 / 8 * 8
    given = read(("mapping:", "mapping:\n- {target: GLB, type: dataspace, no_coalesce: [A]}"))
    assert account(given).tensor_pj[at] == 48 * 10 + 48 * 8


def test_one_access_serves_the_instances_of_a_cluster(read: Any) -> None:
    alone, shared = (
        account(read(("{depth: 64, width: 8,", f"{{depth: 64, width: {8 * n}, cluster_size: {n},")))
        for n in (1, 4)
    )
    assert alone.tally == shared.tally
    assert shared.tensor_pj[0, 0] == alone.tensor_pj[0, 0] / 4


def test_an_update_without_an_energy_of_its_own_costs_a_write(read: Any) -> None:
    a = account(read())
    z = a.tally[0, 2]
    assert a.tensor_pj[0, 2] == 8 * (z.reads * 1 + z.fills * 2 + z.updates * 4)
    given = read((", {name: update, energy: 4}", ""))
    assert account(given).tensor_pj[0, 2] == 8 * (z.reads * 1 + (z.fills + z.updates) * 2)


@pytest.mark.parametrize(
    ("limit", "cycles"),
    [
        ("read_bandwidth: 4", (48 + 24 + 160) / 4),
        ("shared_bandwidth: 8, per_dataspace_bandwidth_consumption_scale: {A: 0, B: 0}", (160 + 192) / 8),
        ("bandwidth: 8", (48 + 24 + 192) / 4),  # half of it for writes: fills and updates
    ],
)
def test_the_slowest_level_sets_the_cycles_and_latencies_come_once(
    read: Any, limit: str, cycles: float
) -> None:
    more = f"{limit}, network_fill_latency: 5, network_drain_latency: 2"
    a = account(read(("{depth: 4096,", f"{{depth: 4096, {more},")))
    glb = [a.tally[1, t] for t in range(3)]
    assert [one.reads for one in glb] == [48, 24, 160]
    assert [one.fills + one.updates for one in glb] == [48, 24, 192]
    assert a.compute_cycles == 24
    # Timeloop divides twice in doubles and rounds up: a whole quotient may come out one higher, here too
    assert a.cycles - 7 in (cycles, cycles + 1)


def test_an_imperfect_factor_has_a_shorter_last_step(read: Any) -> None:
    """M = 7 on 8 registers' worth of 4: two steps in time, four in space, three at the last."""
    given = read(
        ("M: 8", "M: 7"),
        ("factors: 'N=4,K=2', permutation: NK", "factors: 'N=4,K=2,M=2', permutation: NKM"),
        ("type: spatial, factors: M=8", "type: spatial, factors: 'M=4,3'"),
    )
    a = account(given)
    assert a.compute_cycles == 3 * 4 * 2 * 2  # steps of all loops, the last one included
    assert words(given, "GLB", "A").reads == 7 * 6
    with pytest.raises(InputError, match="the factors of M make 8, expected 7"):
        read(("M: 8", "M: 7"))


def test_what_does_not_fit_is_told_with_its_demand(tmp_path: Path) -> None:
    file = tmp_path / "input.yaml"
    file.write_text(TEXT.replace("depth: 4096", "depth: 4"), encoding="utf-8")
    with pytest.raises(InfeasibleError, match="GLB needs 56 words of 32"):
        evaluate_timeloop(file)


def test_a_search_refuses_by_name_what_it_does_not_bound(read: Any) -> None:
    given = read(("{depth: 64, width: 8,", "{depth: 64, width: 16, cluster_size: 2, router_energy: 1,"))
    with pytest.raises(InputError) as failure:
        search_timeloop(given)
    told = "\n".join(map(str, failure.value.problems))
    assert "RF has clusters of 2" in told
    assert "the network of RF costs energy" in told


def test_nodes_of_version_0_4_are_flattened(tmp_path: Path) -> None:
    nodes = """
architecture:
  version: 0.4
  nodes:
  - !Container # the chip
    name: system
    attributes: {datawidth: 8}
  - !Component
    name: DRAM
    class: DRAM
    attributes: {width: 64}
  - !Component
    name: GLB
    class: SRAM
    attributes: {depth: 4096, width: 64}
  - !Container
    name: PE
    spatial: {meshX: 4, meshY: 2}
    constraints:
      spatial: {permutation: [M, N, K], factors: [N=1, K=1]}
  - !Component
    name: RF
    class: storage
    subclass: regfile
    attributes: {depth: 64, width: 8}
  - !Component
    name: mac
    class: compute
    subclass: intmac
"""
    file = tmp_path / "input.yaml"
    rest = TEXT[TEXT.index("problem:") :].replace(
        "{target: GLB, type: spatial", "{target: inter_PE_spatial, type: spatial"
    )
    file.write_text(nodes + rest, encoding="utf-8")
    given = read_timeloop(file)
    found = [(one.name, one.n_instances, one.mesh_x, one.is_dummy) for one in given.architecture.levels]
    assert found == [
        ("RF", 8, 4, False),
        ("inter_PE_spatial", 1, 1, True),
        ("GLB", 1, 1, False),
        ("DRAM", 1, 1, False),
    ]
    assert given.constraints.space[1].exact == {1: 1, 2: 1}
    flat = tmp_path / "flat.yaml"
    flat.write_text(TEXT, encoding="utf-8")
    nodes_report, flat_report = (evaluate_timeloop(one).to_dict() for one in (file, flat))
    assert nodes_report["levels"] == flat_report["levels"]
    file.write_text(
        nodes.replace("- !Container\n    name: PE", "- !Parallel\n    name: PE") + rest, encoding="utf-8"
    )
    with pytest.raises(InputError, match="a node 'Parallel'"):
        read_timeloop(file)


def test_what_only_an_energy_model_reads_is_passed_over_and_named(read: Any) -> None:
    given = read(("{depth: 4096,", "{depth: 4096, quantization_scheme: linear,"))
    assert given.passed_over == ("GLB.quantization_scheme",)
