"""No mapping of any layer on any machine costs less than the least that is known before it is searched.

Every legal mapping of a dataflow's space (or some hundreds of them), and every one of all mappings, is
counted by the cost model; layers and machines are random and small.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import permutations
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from support.spaces import legal_mappings

from accelsim.cost.evaluate import evaluate
from accelsim.cost.least import ArrayWork, Least, least_array
from accelsim.costing import compulsory_words
from accelsim.mapping.dataflows import ANY, DATAFLOWS, followed
from accelsim.mapping.legality import legal
from accelsim.tables.dims import C, K, P, Q, R, S
from accelsim.tables.machine import Machine
from accelsim.tables.machines import stacked
from accelsim.tables.nest import Nest, Problem
from accelsim.testing.all_mappings import all_mappings
from accelsim.testing.search_cases import SearchCase, search_cases

SLACK = 1 + 1e-9
MANY: Any = {
    "max_examples": 14,
    "deadline": None,
    "derandomize": True,
    "suppress_health_check": list(HealthCheck),
}


def nests_of(case: SearchCase, machine: Machine) -> Iterator[Nest]:
    if machine.dataflow == "any":
        return all_mappings(case.problem, machine, case.homes, case.ragged)
    return legal_mappings(case.problem, machine, DATAFLOWS[machine.dataflow], case.homes, most=400)


def assert_bound(case: SearchCase, machines: list[Machine]) -> None:
    """Machines of one case differ in prices and room only, so that they are columns of one table."""
    work = ArrayWork(case.problem, compulsory_words(case.problem)[0], 1, case.homes)
    least = least_array(work, stacked(machines))
    for at, machine in enumerate(machines):
        for nest in nests_of(case, machine):
            check(case.problem, machine, nest, least, at)


def check(problem: Problem, machine: Machine, nest: Nest, least: Least, at: int) -> None:
    flow = followed(nest, machine, DATAFLOWS[machine.dataflow])
    cost = evaluate(problem, nest, machine, flow.name)
    assert cost.latency_cycles.min() >= least.cycles[at]
    assert cost.energy_pj.min() * SLACK + 1e-9 >= least.pj[at]
    moved = (cost.read_bytes + cost.write_bytes).sum(1).min(1)  # [L]
    bound = (least.read_bytes + least.write_bytes)[at].sum(1)
    assert (moved * SLACK + 1e-9 >= bound).all()


@pytest.mark.parametrize("dataflow", ["ws", "os", "is", "nlr", "rs", "dc"])
@settings(**MANY)
@given(search_cases(2))
def test_no_mapping_of_a_dataflow_costs_less(dataflow: str, case: SearchCase) -> None:
    folds = {"fold": "broadcast"} if dataflow in ("nlr", "rs", "dc") else {}
    machines = [replace(one, dataflow=dataflow, moved_bits=None, **folds) for one in case.machines]
    machines = [replace(one, fold=machines[0].fold) for one in machines]
    assert_bound(case, machines)


@settings(**(MANY | {"max_examples": 12}))
@given(search_cases(1, max_splits=200))
def test_no_mapping_at_all_costs_less(case: SearchCase) -> None:
    assert_bound(case, [replace(case.machines[0], moved_bits=None)])


def room_case(side: int, room: float) -> tuple[Problem, Machine]:
    """A product of side x side matrices beside a buffer of `room` bytes."""
    from support.small_machine import small_machine

    extents = (1, 1, side, side, side, 1, 1, 1, 1, 1)
    windows = ((1, 1, 0, side), (1, 1, 0, 1), (1, 1, 0, 1))
    machine = small_machine(
        capacity_bytes=np.array([1.0, room, np.inf]), rows=1, cols=1, dataflow="ws", fold="broadcast"
    )
    return Problem(extents, windows), machine


CONVOLUTION = (1, 1, 64, 64, 24, 24, 3, 3, 1, 1)


def tiled(problem: Problem, machine: Machine) -> Iterator[Nest]:
    """Tiles of some thousand sizes in the buffer, in all orders of the loops around it, that fit."""
    keep = np.array([[False] * 3, [True] * 3, [True] * 3])
    rng, dims = np.random.default_rng(1), [K, C, P, Q]
    sizes = np.array([rng.choice([1, 2, 3, 4, 6, 8, 12, 24], 2000) for _ in dims])
    extents = np.array([problem.extents[d] for d in dims])[:, None]
    sizes = np.minimum(sizes, extents)
    taps = np.array([problem.extents[d] for d in (R, S)])[:, None] * np.ones((1, 2000), np.int64)
    for order in permutations(range(4)):
        around = [-(-extents[i] // sizes[i]) for i in order]
        trips = np.stack([*around, *sizes, *taps])
        names = (*(dims[i] for i in order), *dims, R, S)
        nest = Nest(names, (2,) * 4 + (1,) * 6, ("",) * 10, trips, keep)
        yield nest.take(np.flatnonzero(legal(problem, nest, machine, ANY)))


@pytest.mark.parametrize(
    ("extents", "windows", "room"),
    [
        ((1, 1, 256, 256, 256, 1, 1, 1, 1, 1), ((1, 1, 0, 256), (1, 1, 0, 1), (1, 1, 0, 1)), 256.0),
        (CONVOLUTION, ((1, 1, 1, 24), (1, 1, 1, 24), (1, 1, 0, 1)), 64.0),
        (CONVOLUTION, ((2, 1, 1, 48), (2, 1, 1, 48), (1, 1, 0, 1)), 96.0),
    ],
)
def test_a_small_chip_moves_words_again(extents: tuple[int, ...], windows: Any, room: float) -> None:
    """Of a large layer in a small buffer DRAM moves more than each word once, by the bound, too."""
    problem, machine = Problem(extents, windows), replace(room_case(4, room)[1], dataflow="any")
    machine = replace(machine, holds=np.array([[False] * 3, [True] * 3, [True] * 3]))
    work = ArrayWork(problem, compulsory_words(problem)[0], 1, (2, 2, 2))
    least = least_array(work, stacked([machine]))
    bound = (least.read_bytes + least.write_bytes)[0, 2].sum()
    assert bound > 1.05 * sum(compulsory_words(problem))
    costs = [evaluate(problem, nest, machine, "nlr") for nest in tiled(problem, machine) if nest.n_points]
    found = min(float((cost.read_bytes + cost.write_bytes)[2].sum(0).min()) for cost in costs)
    assert 0.2 * found < bound <= found
    assert least.pj[0] <= min(cost.energy_pj.min() for cost in costs)


def test_words_that_are_moved_again_are_not_counted_beside_a_way_without_any_memory() -> None:
    """Where memories on the chip cost more than DRAM, the best mapping keeps nothing in them."""
    problem, machine = room_case(256, 256.0)
    machine = replace(
        machine,
        dataflow="any",
        read_pj_per_byte=np.array([1e4, 1e4, 1.0]),
        write_pj_per_byte=np.array([1e4, 1e4, 1.0]),
        hop_pj_per_byte=0.5,
        idle_pj_per_cycle=0.0,
    )
    keep = np.zeros((3, 3), bool)
    keep[2] = True
    dims = (C, K, P)
    nest = Nest(dims, (2, 2, 2), ("", "", ""), np.full((3, 1), 256), keep)
    cost = evaluate(problem, nest, machine, "nlr")
    least = least_array(ArrayWork(problem, compulsory_words(problem)[0], 1, (2, 2, 2)), stacked([machine]))
    assert least.pj[0] <= cost.energy_pj[0] * SLACK
    assert least.pj[0] > 0.5 * cost.energy_pj[0]
    assert least.cycles[0] <= cost.latency_cycles[0]


def test_machines_of_different_structures_are_no_table() -> None:
    _, machine = room_case(4, 64.0)
    with pytest.raises(ValueError, match="structures"):
        stacked([machine, replace(machine, dataflow="os")])
    assert ANY.name in DATAFLOWS
