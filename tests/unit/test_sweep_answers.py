"""Views of a sweep: each network alone, and every machine over all of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from accelsim.explore.sweep.answers import views_of
from accelsim.explore.sweep.pareto import Objective

GOALS = (Objective("latency_s"), Objective("energy_j"))


@dataclass
class Axis:
    name: str
    values: tuple[Any, ...]


AXES = (Axis("rows", (8, 16, 32)), Axis("dataflow", ("ws", "os")), Axis("network", ("a", "b")))


def table() -> dict[str, np.ndarray]:
    """Three sizes, two dataflows, two networks: the second takes ten times as long."""
    rows, flow, net = (axis.reshape(-1) for axis in np.meshgrid([8, 16, 32], [0, 1], [0, 1], indexing="ij"))
    return {
        "index": np.arange(12),
        "rows": rows,
        "dataflow": np.array(["ws", "os"])[flow],
        "network": np.array(["a", "b"])[net],
        "cols": 64 // rows,
        "latency_s": 1.0 / rows * 10.0**net,
        "energy_j": rows * (1.0 + flow) * 4.0**net,
        "status": np.full(12, "ok"),
        "reason": np.full(12, ""),
    }


def test_each_network_has_a_view_and_machines_have_one_over_all() -> None:
    views = views_of(table(), AXES, GOALS)
    assert [view.network for view in views] == [None, "a", "b"]
    assert [len(view.columns["index"]) for view in views] == [6, 6, 6]
    assert {factor.name for factor in views[0].factors} == {"rows", "dataflow"}


def test_machines_have_the_geometric_mean_over_networks() -> None:
    machines = views_of(table(), AXES, GOALS)[0].columns
    assert machines["latency_s"].tolist() == pytest.approx((10**0.5 / machines["rows"]).tolist())
    assert machines["energy_j"][:2].tolist() == pytest.approx([16.0, 32.0])
    assert machines["cols"].tolist() == pytest.approx((64 / machines["rows"]).tolist())


def test_the_better_dataflow_alone_is_on_every_front() -> None:
    for view in views_of(table(), AXES, GOALS):
        assert set(view.columns["dataflow"][view.front]) == {"ws"}
        assert len(view.front) == 3
        assert view.columns["rows"][view.bests["latency_s"]] == 32
        assert view.columns["rows"][view.bests["energy_j"]] == 8
        assert view.columns["rows"][view.knee] == 16


def test_a_machine_that_fails_for_one_network_has_failed() -> None:
    columns = table()
    columns["status"][9] = "infeasible"  # 32 rows, ws, network b
    machines, a, b = views_of(columns, AXES, GOALS)
    assert machines.columns["status"].tolist().count("infeasible") == 1
    assert machines.columns["rows"][machines.bests["latency_s"]] == 32  # with os
    assert machines.columns["dataflow"][machines.bests["latency_s"]] == "os"
    assert a.columns["dataflow"][a.bests["latency_s"]] == "ws"
    assert b.columns["dataflow"][b.bests["latency_s"]] == "os"


def test_a_machine_that_was_not_asked_for_every_network_is_no_machine() -> None:
    columns = {name: values[:-1] for name, values in table().items()}
    assert len(views_of(columns, AXES, GOALS)[0].columns["index"]) == 5


def test_steps_lead_from_the_knee_and_effects_are_of_each_objective() -> None:
    view = views_of(table(), AXES, GOALS)[1]
    assert {(step.variable, step.direction) for step in view.steps} == {
        ("rows", -1),
        ("rows", 1),
        ("dataflow", 1),
    }
    assert [one.objective for one in view.effects] == ["latency_s", "energy_j"]
    assert view.effects[0].effects[0].variables == ("rows",)
    assert view.effects[0].effects[0].share_frac == pytest.approx(1.0)


def test_a_sweep_in_which_all_failed_has_empty_answers() -> None:
    columns = table()
    columns["status"][:] = "error"
    for view in views_of(columns, AXES, GOALS):
        assert len(view.front) == 0
        assert view.knee is None
        assert view.bests == {}
        assert view.steps == ()
