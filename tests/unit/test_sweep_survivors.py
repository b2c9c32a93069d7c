"""A screening's choice of points: fronts are exact without a budget, and what it says of a budget holds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from numpy.typing import NDArray

from accelsim.explore.sweep.pareto import Objective, front
from accelsim.explore.sweep.survivors import DONE, FAILED, LEAST_ROUND, OPEN, Survivors, views_of

Floats = NDArray[np.float64]
NAMES = ("latency_s", "throughput_fps", "area_mm2")
OBJECTIVES = (Objective("latency_s"), Objective("throughput_fps", maximise=True), Objective("area_mm2"))
NETWORKS = ("a", "b", "c")


@dataclass
class World:
    """Machines x networks with true values, bounds that are below (or above) them, and points that fail."""

    true: Floats  # [n, k]
    bounds: Floats
    ok: NDArray[np.bool_]
    columns: dict[str, NDArray[np.int64]]
    asked: int = 0
    k: int = 3
    rounds: int = 0

    def evaluate(self, chosen: NDArray[np.int64]) -> tuple[Floats, NDArray[np.bool_]]:
        self.asked += len(chosen)
        self.rounds += 1
        return self.true[chosen, : self.k], self.ok[chosen]

    def survivors(self, k: int, n_networks: int) -> Survivors:
        self.k = k
        views = views_of(self.columns, ["network", "machine"], NETWORKS[:n_networks])
        state = np.full(len(self.true), OPEN, np.int8)
        return Survivors(OBJECTIVES[:k], self.bounds[:, :k].copy(), state, views)

    def front_of(self, survivors: Survivors, view: int) -> set[int]:
        """Items of a view that are on the front of all points, by their true values alone."""
        whole = Survivors(
            survivors.objectives,
            self.true[:, : len(survivors.objectives)],
            np.where(self.ok, DONE, FAILED).astype(np.int8),
            survivors.views,
        )
        costs, state = whole.costs(survivors.views[view])
        items = np.flatnonzero(state == DONE)
        return set(items[front(costs[items])].tolist())


def world(seed: int, n_networks: int, n_machines: int = 60, loose: float = 0.3) -> World:
    """Few distinct values, so that many tie; some bounds are what they bound."""
    rng = np.random.default_rng(seed)
    machine, network = np.divmod(np.arange(n_machines * n_networks), n_networks)
    size = rng.choice([1.0, 2.0, 4.0, 8.0, 16.0], n_machines)
    latency = np.round(rng.uniform(1, 3, len(machine)) * (1 + network) / size[machine], 1) + 0.1
    true = np.stack([latency, np.round(1 / latency, 1) + 0.1, size[machine]], axis=1)
    slack = 1 - loose * rng.random(len(machine)) * rng.choice([0, 1], len(machine))
    bounds = np.stack([latency * slack, true[:, 1] / slack, true[:, 2]], axis=1)
    ok = rng.random(len(machine)) > 0.1
    return World(true, bounds, ok, {"network": network, "machine": machine})


@pytest.mark.parametrize("n_networks", [1, 3])
@pytest.mark.parametrize("k", [1, 2, 3])
@pytest.mark.parametrize("seed", range(8))
def test_without_a_budget_every_front_is_that_of_all_points(seed: int, k: int, n_networks: int) -> None:
    made = world(seed, n_networks)
    survivors = made.survivors(k, n_networks)
    survivors.evaluate(made.evaluate)
    assert not survivors.needed().any()
    for at, view in enumerate(survivors.views):
        costs, state = survivors.costs(view)
        done = np.flatnonzero(state == DONE)
        assert set(done[front(costs[done])].tolist()) == made.front_of(survivors, at)
    assert all(view["front_frac"] == 0 for view in survivors.missed())


@pytest.mark.parametrize("seed", range(4))
def test_few_points_are_evaluated_that_the_fronts_bounds_could_have_spared(seed: int) -> None:
    made = world(seed, 1, n_machines=400)
    survivors = made.survivors(2, 1)
    survivors.evaluate(made.evaluate)
    again = made.survivors(2, 1)  # all that is known at the end, to judge each point by its bounds
    known = survivors.state == DONE
    costs, _ = survivors.costs(survivors.views[0])
    best = np.flatnonzero(known)[front(costs[known])]
    again.values[best], again.state[best] = made.true[best, :2], DONE
    spared = (survivors.state != OPEN) & (again.state == OPEN) & ~again.needed()
    assert spared.sum() <= made.rounds * (LEAST_ROUND - 1)
    assert made.asked < 0.5 * len(made.true)


def shares(rival: Floats, value: Floats) -> Floats:
    """By what share of the rival each value is better, maximised ones as the share that the rival lacks."""
    found = [
        1 - rival[at] / value[at] if one.maximise else 1 - value[at] / rival[at]
        for at, one in enumerate(OBJECTIVES[: len(value)])
    ]
    return np.array(found)


@pytest.mark.parametrize(("gap", "budget"), [(0.0, 10), (0.0, 25), (0.1, None), (0.3, None), (0.1, 12)])
@pytest.mark.parametrize("seed", range(4))
def test_what_may_have_been_missed_is_no_less_than_what_was(
    seed: int, gap: float, budget: int | None
) -> None:
    made = world(seed, 1, loose=0.5)
    survivors = made.survivors(2, 1)
    survivors.evaluate(made.evaluate, gap, budget)
    assert budget is None or made.asked <= budget
    told = survivors.missed()[0]
    if budget is None:
        assert told["front_frac"] <= gap + 1e-8
    done = np.flatnonzero(survivors.state == DONE)
    costs = np.stack([one.cost(made.true[done, NAMES.index(one.name)]) for one in OBJECTIVES[:2]], axis=1)
    best = made.true[done[front(costs)]]
    for at in np.flatnonzero((survivors.state == OPEN) & made.ok):
        better = min(shares(rival[:2], made.true[at, :2]).max() for rival in best)
        assert better <= told["front_frac"] + 1e-8
        assert 1 - made.true[at, 0] / best[:, 0].min() <= told["best_frac"]["latency_s"] + 1e-8


def test_points_that_tie_are_all_evaluated() -> None:
    n = 9
    columns = {"network": np.zeros(n, np.int64), "machine": np.arange(n)}
    made = World(np.ones((n, 3)), np.ones((n, 3)), np.ones(n, bool), columns)
    survivors = made.survivors(2, 1)
    survivors.evaluate(made.evaluate)
    assert made.asked == n


def test_a_point_that_fails_beats_nothing() -> None:
    columns = {"network": np.zeros(8, np.int64), "machine": np.arange(8)}
    values = np.arange(1.0, 9.0)[:, None] * np.ones(3)
    made = World(values, values, np.arange(8) > 3, columns)
    survivors = made.survivors(1, 1)
    survivors.evaluate(made.evaluate)
    assert survivors.state[4] == DONE
    assert made.front_of(survivors, 0) == {4}


def test_a_machine_that_fails_for_a_network_is_not_searched_for_all_of_them() -> None:
    """Machine 0 would be the best over all networks and fails for b; machine 1 has each network's worst."""
    columns = {"network": np.array([0, 1, 0, 1]), "machine": np.array([0, 0, 1, 1])}
    true = np.array([[1.0, 1, 1], [1, 1, 1], [2, 1, 1], [2, 1, 1]])
    made = World(true, true * [0.9, 1, 1], np.array([True, False, True, True]), columns)
    survivors = made.survivors(1, 2)
    survivors.evaluate(made.evaluate)
    costs, state = survivors.costs(survivors.views[0])
    assert state.tolist() == [FAILED, DONE]
    assert costs[1, 0] == 2
