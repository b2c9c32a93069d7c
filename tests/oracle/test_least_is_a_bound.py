"""No mapping of any layer on any machine costs less than the least that is known before it is searched.

Every legal mapping of a dataflow's space (or some hundreds of them), and every one of all mappings, is
counted by the cost model; layers and machines are random and small.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from support.spaces import legal_mappings

from accelsim.cost.evaluate import evaluate
from accelsim.cost.least import ArrayWork, Least, least_array
from accelsim.costing import compulsory_words
from accelsim.mapping.dataflows import ANY, DATAFLOWS, followed
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


def test_a_small_chip_moves_words_again() -> None:
    """Of a large product in a small buffer DRAM moves more than each word once, by the bound, too."""
    problem, machine = room_case(256, 256.0)
    work = ArrayWork(problem, compulsory_words(problem)[0], 1, (2, 2, 2))
    least = least_array(work, stacked([machine]))
    bound = (least.read_bytes + least.write_bytes)[0, 2].sum()
    assert bound > 3 * 256**2
    nests = legal_mappings(problem, machine, DATAFLOWS["ws"], (2, 2, 2), most=2000)
    found = min(
        float((cost.read_bytes + cost.write_bytes)[2].sum(0).min())
        for cost in (evaluate(problem, nest, machine, "ws") for nest in nests)
    )
    assert bound <= found


def test_machines_of_different_structures_are_no_table() -> None:
    _, machine = room_case(4, 64.0)
    with pytest.raises(ValueError, match="structures"):
        stacked([machine, replace(machine, dataflow="os")])
    assert ANY.name in DATAFLOWS
