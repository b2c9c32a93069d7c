"""Answers from what workers saw of their parts are those of the points that lie on the disk."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from accelsim.explore.sweep.answering import answer, objectives_of, tally_of
from accelsim.explore.sweep.evaluate import evaluator_of
from accelsim.explore.sweep.read import read_space
from accelsim.explore.sweep.run import sweep
from accelsim.explore.sweep.space import Sample, Space
from accelsim.explore.sweep.stored import Stored, read_columns
from accelsim.explore.sweep.summary import Summing, Tally
from accelsim.explore.sweep.variables import Variable

SPACE = """schema: accelsim.space/1
name: summed
arch: systolic_32x32
networks: [lenet]
vary:
  array.rows: 8..128 step 8
  array.cols: 8..128 step 8
  dataflow: [ws, os, is]
  dram.bandwidth.value: [1 GB/s, 4 GB/s, 16 GB/s, 64 GB/s]
where:
  - array.rows * array.cols >= 256
  - area <= 3 mm2
  - latency <= 1 ms
answers: {minimise: [latency_s, energy_j], maximise: [utilization_frac]}
"""


@pytest.fixture
def space(tmp_path: Path) -> Space:
    file = tmp_path / "space.yaml"
    file.write_text(SPACE)
    return read_space(file)


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("drawn", [None, Sample("lhs", 700, 3)])
def test_the_answer_is_that_of_the_points_read_back(
    space: Space, tmp_path: Path, workers: int, drawn: Sample | None
) -> None:
    space = replace(space, sample=drawn)
    tally = tally_of(space)
    assert tally is not None
    done = sweep(
        space, evaluator_of(space), tmp_path / "out", workers=workers, format="csv", chunk=97, tally=tally
    )
    assert (tally.n_parts, tally.waiting) == (done.n_parts, {})
    assert tally.total.counts[0] == done.n_ok
    assert 0 < done.n_ok < done.rows < space.n_raw or drawn
    seen = answer(space, tmp_path / "out", options={}, keep=False, summary=tally.total)
    assert seen == answer(space, tmp_path / "out", options={}, keep=False)


def test_only_parts_with_points_that_the_answer_names_are_read(
    space: Space, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tally = tally_of(space)
    assert tally is not None
    done = sweep(space, evaluator_of(space), tmp_path / "out", format="csv", chunk=64, tally=tally)
    read: list[int] = []
    table = Stored.table

    def counted(self: Stored, at: int, columns: Any) -> Any:
        read.append(at)
        return table(self, at, columns)

    monkeypatch.setattr(Stored, "table", counted)
    found = answer(space, tmp_path / "out", options={}, keep=False, summary=tally.total)
    named = {point["index"] for point in found["points"]}
    assert len(read) == len(set(read)) < done.n_parts / 2
    assert len(read) <= len(named) + 2 * len(space.variables)


def test_a_resumed_sweep_has_no_summary_of_what_it_did_not_do(space: Space, tmp_path: Path) -> None:
    sweep(space, evaluator_of(space), tmp_path / "out", format="csv", chunk=64)
    tally = tally_of(space)
    assert tally is not None
    done = sweep(space, evaluator_of(space), tmp_path / "out", resume=True, tally=tally)
    assert done.n_evaluated == tally.n_parts == 0 < done.n_parts


def test_parts_are_merged_in_their_order_whatever_order_they_come_in(space: Space) -> None:
    summing = Summing(space.variables, objectives_of(space))
    random = np.random.default_rng(0)
    parts = []
    for start in range(0, 600, 100):
        columns = {
            "index": np.arange(start, start + 100),
            "status": random.choice(["ok", "excluded", "infeasible"], 100),
            **{name: random.lognormal(size=100) for name in ("latency_s", "energy_j", "utilization_frac")},
        }
        parts.append(summing.of_part(columns))
    totals = []
    for order in (range(6), (5, 3, 0, 1, 4, 2)):
        tally = Tally(summing)
        for number in order:
            tally.add(number, parts[number])
        assert (tally.n_parts, tally.waiting) == (6, {})
        totals.append(tally.total)
    one, other = (total.seen[0] for total in totals)
    assert one.cells.mean.tolist() == other.cells.mean.tolist()  # to the last digit
    assert one.front.numbers.tolist() == other.front.numbers.tolist()
    for axes, table in one.cells.tables.items():
        assert table.sums.tolist() == other.cells.tables[axes].sums.tolist()


def test_where_a_machine_s_networks_may_lie_in_several_parts_the_points_are_read(space: Space) -> None:
    several = [one for one in space.variables if one.name != "network"]
    network = replace(
        next(one for one in space.variables if one.name == "network"), values=("lenet", "vgg16")
    )
    assert tally_of(replace(space, variables=(network, *several))) is None
    assert tally_of(replace(space, method="dataflow")) is None


def test_a_summary_that_is_larger_than_its_part_is_not_sent(space: Space) -> None:
    many = [
        Variable(f"v{at}", tuple(range(120)), "", f"core.v{at}") for at in range(8)
    ]  # 28 pairs of 14,400 cells, 10 doubles each
    assert tally_of(replace(space, variables=(*space.variables, *many))) is None


def test_a_constraint_on_metrics_is_not_taken_for_what_a_variable_does(space: Space, tmp_path: Path) -> None:
    """Machines that keep a latency at a low bandwidth are others than those that keep it at a high one."""
    free = replace(space, constraints=tuple(one for one in space.constraints if not one.on_metrics))
    answers = []
    for one in (space, free):
        sweep(one, evaluator_of(one), tmp_path / f"{len(one.constraints)}", format="csv")
        answers.append(answer(one, tmp_path / f"{len(one.constraints)}", options={}, keep=False))
    found, wanted = answers
    assert found["totals"]["n_excluded"] > 0 == wanted["totals"]["n_excluded"]
    assert found["pareto"][0]["effects"] == wanted["pareto"][0]["effects"]
    best = min(point["energy_j"] for point in found["points"])
    columns = read_columns(tmp_path / "3", ["energy_j", "latency_s", "area_mm2", "status"])
    ok = columns["status"] == "ok"
    assert best == columns["energy_j"][ok].min() > columns["energy_j"].min()
    assert (ok == (columns["latency_s"] <= 1e-3) & (columns["area_mm2"] <= 3)).all()
