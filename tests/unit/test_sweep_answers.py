"""Views of a sweep: each network alone, and every machine over all of them, as points pass part by part."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from accelsim.explore.sweep.answers import View
from accelsim.explore.sweep.numbering import Numbering
from accelsim.explore.sweep.pareto import Objective
from accelsim.explore.sweep.source import Sifted, blocks, geometric
from tests.support import sweep_brute as brute
from tests.support.sweeps import Axis, Held, seen

GOALS = (Objective("latency_s"), Objective("energy_j"))
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


def views_of(columns: dict[str, np.ndarray]) -> list[View]:
    return seen(columns, AXES, GOALS).views


def test_each_network_has_a_view_and_machines_have_one_over_all() -> None:
    views = views_of(table())
    assert [view.network for view in views] == [None, "a", "b"]
    assert [view.n_points for view in views] == [6, 6, 6]
    assert {factor.name for factor in views[0].factors} == {"rows", "dataflow"}


def test_machines_have_the_geometric_mean_over_networks() -> None:
    machines = views_of(table())[0].rows
    assert machines["latency_s"].tolist() == pytest.approx((10**0.5 / machines["rows"]).tolist())
    assert machines["energy_j"].tolist() == pytest.approx((2.0 * machines["rows"]).tolist())
    assert machines["cols"].tolist() == (64 / machines["rows"]).tolist()


def test_the_better_dataflow_alone_is_on_every_front() -> None:
    for view in views_of(table()):
        assert set(view.rows["dataflow"]) == {"ws"}
        assert len(view.costs) == 3
        assert view.rows["rows"][view.bests["latency_s"]] == 32
        assert view.rows["rows"][view.bests["energy_j"]] == 8
        assert view.rows["rows"][view.knee] == 16


def test_a_machine_that_fails_for_one_network_has_failed() -> None:
    columns = table()
    columns["status"][9] = "infeasible"  # 32 rows, ws, network b
    machines, a, b = views_of(columns)
    assert (machines.n_points, machines.n_ok) == (6, 5)
    assert machines.rows["rows"][machines.bests["latency_s"]] == 32  # with os
    assert machines.rows["dataflow"][machines.bests["latency_s"]] == "os"
    assert a.rows["dataflow"][a.bests["latency_s"]] == "ws"
    assert b.rows["dataflow"][b.bests["latency_s"]] == "os"


def test_a_machine_that_was_not_asked_for_every_network_is_no_machine() -> None:
    columns = {name: values[:-1] for name, values in table().items()}
    assert views_of(columns)[0].n_points == 5


def test_steps_lead_from_the_knee_and_effects_are_of_each_objective() -> None:
    view = views_of(table())[1]
    assert {(step.variable, step.direction, step.level, step.point) for step in view.steps} == {
        ("rows", -1, 8, 0),
        ("rows", 1, 32, 8),
        ("dataflow", 1, "os", 6),
    }
    assert [one.objective for one in view.effects] == ["latency_s", "energy_j"]
    assert view.effects[0].effects[0].variables == ("rows",)
    assert view.effects[0].effects[0].share_frac == pytest.approx(1.0)


def test_steps_lead_from_a_chosen_point_with_its_network_and_over_all() -> None:
    columns = table()
    plain = seen(columns, AXES, GOALS)
    own, every = seen(columns, AXES, GOALS, around=11).around  # 32 rows, os, network b
    assert (own.network, every.network) == ("b", None)
    assert own.rows["index"].tolist() == [11]
    assert every.rows["latency_s"].tolist() == pytest.approx([10**0.5 / 32])
    steps = {(step.variable, step.direction, step.point): step.ratios for step in own.steps}
    assert steps == {
        ("rows", -1, 7): pytest.approx({"latency_s": 2.0, "energy_j": 0.5}),
        ("dataflow", -1, 9): pytest.approx({"latency_s": 1.0, "energy_j": 0.5}),
    }
    assert [(step.variable, step.point) for step in every.steps] == [("rows", 6), ("dataflow", 8)]
    assert plain.around == ()
    columns["status"][10] = "error"  # the same machine with network a
    assert [one.network for one in seen(columns, AXES, GOALS, around=11).around] == ["b"]
    assert seen(columns, AXES, GOALS, around=10).around == ()


def test_a_step_to_a_point_that_is_not_in_the_table_says_so_and_one_that_fails_has_no_ratio() -> None:
    columns = table()
    columns["status"][8] = "error"  # 32 rows, ws, network a
    columns = {name: np.delete(values, 6) for name, values in columns.items()}  # 16 rows, os, network a
    columns["latency_s"][0] *= 1.1  # so that 16 rows stay the knee of two
    view = views_of(columns)[1]
    steps = {(step.variable, step.direction): step for step in view.steps}
    here = int(view.rows["rows"][view.knee])
    gone = steps["dataflow", 1] if here == 16 else None
    failed = steps["rows", 1] if here == 16 else None
    assert here in (8, 16)
    if gone is not None and failed is not None:
        assert gone.point is None
        assert failed.point == 8
        assert gone.ratios == failed.ratios == {"latency_s": None, "energy_j": None}


def test_a_sweep_in_which_all_failed_has_empty_answers() -> None:
    columns = table()
    columns["status"][:] = "error"
    for view in views_of(columns):
        assert len(view.costs) == 0
        assert view.knee is None
        assert view.bests == {}
        assert view.steps == ()


def space(at: int, seed: int, kept: float) -> tuple[tuple[Axis, ...], dict[str, np.ndarray]]:
    """A random table over three variables and three networks, the network the variable `at`; some fail."""
    random = np.random.default_rng(seed)
    axes = [Axis("rows", (8, 16, 24, 32)), Axis("flow", ("ws", "os", "is")), Axis("size", (1.5, 3.0))]
    axes.insert(at, Axis("network", ("a", "b", "c")))
    codes = np.indices([len(one.values) for one in axes]).reshape(4, -1)
    n = codes.shape[1]
    columns = {one.name: np.asarray(one.values)[code] for one, code in zip(axes, codes, strict=True)}
    columns["index"] = np.arange(n)
    for name in ("latency_s", "energy_j", "area_mm2"):
        columns[name] = np.exp(
            random.integers(0, 5, n) + codes[0] * 0.5 + random.integers(0, 3, n) * codes[2]
        )
    columns["status"] = np.where(random.random(n) < 0.9, "ok", "infeasible")
    there = np.flatnonzero(random.random(n) < kept)
    return tuple(axes), {name: values[there] for name, values in columns.items()}


@pytest.mark.parametrize("at", [0, 1, 3])
@pytest.mark.parametrize(("kept", "in_order", "size"), [(1.0, True, 7), (0.8, True, 10), (0.8, False, 7)])
def test_answers_of_passing_parts_are_those_of_the_whole_table(
    at: int, kept: float, in_order: bool, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("accelsim.explore.sweep.source.WINDOW", 16)
    axes, columns = space(at, 7 * at + size, kept)
    if not in_order:
        order = np.random.default_rng(1).permutation(len(columns["index"]))
        columns = {name: values[order] for name, values in columns.items()}
    goals = (Objective("latency_s"), Objective("energy_j"), Objective("area_mm2", maximise=True))
    signs = {"latency_s": 1.0, "energy_j": 1.0, "area_mm2": -1.0}
    names = [one.name for one in axes if one.name != "network"]
    points = brute.points_of(columns)
    sets: dict[Any, list[brute.Point]] = {None: brute.machines_of(points, names, list(signs), 3)}
    sets |= {name: [one for one in points if one["network"] == name] for name in ("a", "b", "c")}
    answers = seen(columns, axes, goals, size, in_order)
    assert answers.totals["n_points"] == len(points)
    assert answers.totals["n_ok"] == sum(one["status"] == "ok" for one in points)
    assert [view.network for view in answers.views] == list(sets)
    for view in answers.views:
        wanted = sets[view.network]
        front = brute.front_of(wanted, signs)
        assert (view.n_points, view.n_ok) == (len(wanted), sum(one["status"] == "ok" for one in wanted))
        assert [[view.rows[name][row] for name in names] for row in range(len(front))] == [
            [one[name] for name in names] for one in front
        ]
        for goal in signs:
            assert view.rows[goal].tolist() == pytest.approx([one[goal] for one in front], rel=1e-12)
        for found in view.effects:
            shares = brute.shares_of(wanted, found.objective, names)
            ours = {tuple(effect.variables): effect.share_frac for effect in found.effects}
            assert ours == pytest.approx(shares, abs=1e-9)
        assert view.knee is not None
        for step in view.steps:
            there = brute.step_of(wanted, front[view.knee], names, step.variable, step.level)
            assert (step.point is None) == (there is None)
            for goal, ratio in step.ratios.items():
                if there is None or there["status"] != "ok":
                    assert ratio is None
                else:
                    assert ratio == pytest.approx(there[goal] / front[view.knee][goal], rel=1e-12)


def test_a_machine_s_networks_are_together_wherever_the_network_stands_among_the_variables(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("accelsim.explore.sweep.source.WINDOW", 12)
    for at in range(4):
        axes, columns = space(at, at, 1.0)
        numbering = Numbering(axes)
        source = Held(columns, 8)
        found = list(blocks(Sifted(source), numbering, ["latency_s"]))
        assert sorted(m for block in found for m in block.machine.tolist()) == list(range(24))
        values = np.concatenate([block.values["latency_s"] for block in found])
        for machine in range(24):
            for network in range(3):
                index = int(numbering.point(np.array([machine]), network)[0])
                assert values[machine, network] == columns["latency_s"][index]
                assert [int(x[0]) for x in numbering.split(np.array([index]))] == [machine, network]


def test_each_part_is_read_once_however_the_networks_of_a_machine_are_spread() -> None:
    axes, columns = space(0, 3, 1.0)

    class Counted(Held):
        read: list[int] = []  # noqa: RUF012

        def table(self, at: int, columns: Any) -> dict[str, Any]:
            self.read.append(at)
            return super().table(at, columns)

    source = Counted(columns, 9)
    assert len(list(blocks(Sifted(source), Numbering(axes), ["latency_s"]))) > 0
    assert sorted(source.read) == list(range(len(source.spans)))


def test_what_is_equal_for_all_networks_stays_as_it_is() -> None:
    values = np.array([[0.1, 0.1, 0.1], [1.0, 2.0, 4.0]])
    assert geometric(values).tolist() == [0.1, pytest.approx(2.0)]
