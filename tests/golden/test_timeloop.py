"""Counts, cycles and energy equal Timeloop's own report of the same mapping.

Typed in: accelsim/evidence/timeloop (Timeloop, commit 4cf6d4c, and its exercises). Where the reference folder
with more cases is at hand (env ACCELSIM_SHARED or ../shared), every number of theirs too.
"""

from __future__ import annotations

import csv
import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from support.timeloop import read_changed, words

import accelsim
import accelsim.compat.timeloop.account as account_module
from accelsim.base.errors import InfeasibleError
from accelsim.compat.timeloop.account import account
from accelsim.compat.timeloop.answer import evaluate_timeloop
from accelsim.compat.timeloop.evaluate import evaluate, fits
from accelsim.compat.timeloop.read import read_timeloop

REPO = Path(__file__).resolve().parents[2]
EVIDENCE = Path(accelsim.__file__).parent / "evidence" / "timeloop"
SHARED = Path(os.environ.get("ACCELSIM_SHARED", REPO.parent / "shared")) / "reference" / "timeloop_cases"
CASES = sorted(SHARED.glob("*/expected.json"))

with (EVIDENCE / "values.csv").open(encoding="utf-8") as _file:
    ROWS = list(csv.DictReader(line for line in _file if not line.startswith("#")))

FIELDS = ("reads", "fills", "updates", "partition", "capacity", "instances")


def file(case: str) -> Path:
    return EVIDENCE / f"{case}.yaml"


@pytest.mark.parametrize("case", sorted({row["case"] for row in ROWS}))
def test_every_number_of_a_typed_case_is_timeloops(case: str) -> None:
    report = evaluate_timeloop(file(case)).to_dict()
    rows = [row for row in ROWS if row["case"] == case]
    for row in rows:
        found = report["levels"][row["level"]][row["data_space"]]
        assert {name: found[name] for name in FIELDS} == {name: int(row[name]) for name in FIELDS}
        if row["energy_pj"]:  # of one reference output only the counts are ours to compare
            assert found["energy_total_pJ"] == float(row["energy_pj"])
    assert len(rows) == sum(len(spaces) for spaces in report["levels"].values())
    assert report["cycles"] == int(rows[0]["cycles"])
    if rows[0]["fj_per_compute"]:
        assert report["fJ_per_compute"]["Total"] == float(rows[0]["fj_per_compute"])
        assert float(report["utilization"].rstrip("%")) == float(rows[0]["utilization_pct"])


@pytest.mark.parametrize("case", sorted({row["case"] for row in ROWS}))
def test_the_closed_form_of_the_search_counts_the_same(case: str) -> None:
    given = read_timeloop(file(case))
    assert given.mapping is not None
    assert fits(given.architecture, given.workload.tensors, given.mapping).all()
    for one in (given, replace(given, links=False)):
        closed, walked = evaluate(one, given.mapping), account(one)
        for (i, t), tally in walked.tally.items():
            found = [getattr(closed, name)[i, t, 0] for name in ("reads", "fills", "updates", "partition")]
            assert found == [tally.reads, tally.fills, tally.updates, tally.partition]
        assert closed.cycles[0] == walked.cycles
        assert closed.energy_pj[0] == pytest.approx(walked.energy_pj, rel=1e-12)


def test_where_a_walk_is_long_the_closed_form_answers(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    walked = evaluate_timeloop(file("alexnet_conv3")).to_dict()
    monkeypatch.setattr(account_module, "MAX_STEPS", 1)
    assert evaluate_timeloop(file("alexnet_conv3")).to_dict() == walked
    with pytest.raises(InfeasibleError, match="with networks that cost energy"):
        account(read_changed(tmp_path, NETWORK))


@pytest.mark.skipif(not CASES, reason="no reference cases at hand")
@pytest.mark.parametrize("expected", CASES, ids=lambda path: path.parent.name)
def test_the_report_of_a_reference_case_is_timeloops_to_the_digit(expected: Path) -> None:
    want: dict[str, Any] = json.loads(expected.read_text(encoding="utf-8"))
    want.pop("source")
    report = evaluate_timeloop(expected.parent).to_dict()
    assert {key: report[key] for key in want} == want


def test_without_extrapolation_the_quirk_goes_away(tmp_path: Path) -> None:
    """R inside P on one axis: Timeloop's two steps a loop see a jump of zero, 17 words; a full walk 24."""
    given = read_timeloop(file("extrapolation"))
    assert words(given, "RF", "Inputs").fills == 17
    exact = evaluate_timeloop(file("extrapolation"), exact_walk=True).to_dict()
    assert exact["levels"]["RF"]["Inputs"]["fills"] == 24
    text = file("extrapolation").read_text(encoding="utf-8")
    asked = "globals: {environment_variables: {TIMELOOP_DISABLE_TEMPORAL_EXTRAPOLATION: 1}}\n"
    assert words(read_changed(tmp_path, text + asked), "RF", "Inputs").fills == 24


NETWORK = """
architecture:
  subtree:
  - name: system
    local:
    - {name: DRAM, class: DRAM, attributes: {width: 64, datawidth: 8, network_fill_latency: 7}}
    - {name: GLB, class: SRAM, attributes: {depth: 9999, width: 64, datawidth: 8, energy_per_hop: 1.0}}
    - {name: 'RF[1..16]', class: regfile, attributes: {depth: 99, width: 8, datawidth: 8, meshX: 4}}
    - {name: 'mac[1..16]', class: intmac, attributes: {meshX: 4}}
problem:
  instance: {M: 32, N: 64, K: 32}
  shape:
    dimensions: [M, N, K]
    data_spaces:
    - {name: A, projection: [[[M]], [[K]]]}
    - {name: B, projection: [[[K]], [[N]]]}
    - {name: Z, projection: [[[M]], [[N]]], read_write: true}
mapping:
- {target: GLB, type: temporal, factors: 'M=32,N=16,K=8', permutation: NMK}
- {target: GLB, type: spatial, factors: 'N=4,K=4', permutation: KNM, split: 1}
ERT: {tables: [{name: DRAM, actions: [{name: read, energy: 0}, {name: write, energy: 0}]},
  {name: GLB, actions: [{name: read, energy: 0}, {name: write, energy: 0}]},
  {name: RF, actions: [{name: read, energy: 0}, {name: write, energy: 0}]},
  {name: mac, actions: [{name: compute, energy: 0}]}]}
"""


def test_hops_are_those_of_the_legacy_network(tmp_path: Path) -> None:
    """4 x 4 children, K along X, N along Y: a word to one column goes 4.5 hops on average, to one child 2.5,
    a sum over one row 7.0 (timeloop_semantics, case c11: A 4.5, B 2.5, Z 7.0).
    """
    given = read_changed(tmp_path, NETWORK)
    counted = account(given)
    glb = [one.name for one in given.architecture.levels].index("GLB")
    sent = {space: words(given, "GLB", space) for space in "ABZ"}
    hops = {"A": 4.5, "B": 2.5, "Z": 7.0}
    total = sum(hops[s] * (sent[s].updates if s == "Z" else sent[s].reads) for s in "ABZ")
    assert counted.network_pj[glb] == pytest.approx(total)
    assert counted.network_pj[glb] == pytest.approx(counted.energy_pj)
    # fill and drain of the networks come once, after the slowest level
    assert counted.cycles == 32 * 64 * 32 // 16 + 7


def test_a_router_more_than_whole_hops_and_no_sum_in_a_memory_that_cannot_add(tmp_path: Path) -> None:
    change = ("energy_per_hop: 1.0", "router_energy: 1.0, reduction_supported: false")
    given = read_changed(tmp_path, NETWORK, change)
    sent = {space: words(given, "GLB", space) for space in "ABZ"}
    sums = 2 * sent["Z"].updates - sent["Z"].partition
    total = (1 + 4) * sent["A"].reads + (1 + 2) * sent["B"].reads + (1 + 7) * sums
    assert account(given).energy_pj == pytest.approx(total)
