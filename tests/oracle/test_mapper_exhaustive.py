"""The search against every mapping there is: equal optimum, certificate, front and best few on small layers.

`testing.all_mappings` writes the mappings out from the words of the space and knows nothing of the search;
thousands of cases more are tried by benchmarks/bench_exhaustive.py.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.exhaustive import (
    AllMappings,
    assert_best_few,
    assert_bound,
    assert_front,
    assert_mappings_are_real,
    assert_optimum,
    at_most,
    close,
    least,
    least_named,
)
from support.layers import problem
from support.small_machine import small_machine

from accelsim.base.errors import InfeasibleError
from accelsim.mapper.found import OBJECTIVES, Found, SearchOptions
from accelsim.mapper.general import search_all
from accelsim.mapper.search import search
from accelsim.mapping.dataflows import ANY, DATAFLOWS
from accelsim.tables.machine import Machine
from accelsim.testing.search_cases import SearchCase, search_cases

check = settings(
    max_examples=30,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
objectives = st.sampled_from(OBJECTIVES)


def whole(case: SearchCase) -> bool:
    return not case.ragged


def ragged(case: SearchCase) -> bool:
    return case.ragged


cases = search_cases().filter(whole)
single_cases = search_cases(1).filter(whole)
ragged_cases = search_cases(1, 120).filter(ragged)  # bounded less tightly: small ones only


def everything(case: SearchCase) -> AllMappings:
    return AllMappings(case.problem, case.machines[0], case.homes, case.ragged)


def found_by(case: SearchCase, machine: Machine, options: SearchOptions) -> Found:
    found = search_all(case.problem, machine, case.homes, options)
    assert found is not None  # a mapping that keeps nothing below the homes fits everywhere
    assert_mappings_are_real(found, case.problem, machine, case.homes, options)
    return found


def assert_best(case: SearchCase) -> None:
    every = everything(case)
    for machine in case.machines:
        costs = every.costs(machine)
        for objective in OBJECTIVES:
            options = SearchOptions(objective, ragged=case.ragged)
            assert_optimum(found_by(case, machine, options), costs, options)


@check
@given(cases)
def test_the_search_finds_the_best_of_all_mappings_and_proves_it(case: SearchCase) -> None:
    assert_best(case)


@settings(check, max_examples=10)
@given(ragged_cases)
def test_the_search_finds_the_best_of_all_ragged_mappings_and_proves_it(case: SearchCase) -> None:
    assert_best(case)


@settings(check, max_examples=15)
@given(cases)
def test_the_front_is_that_of_all_mappings(case: SearchCase) -> None:
    every = everything(case)
    for machine in case.machines:
        found = found_by(case, machine, SearchOptions(ragged=case.ragged, front=True))
        assert_front(found, every.costs(machine))


@settings(check, max_examples=15)
@given(cases, objectives, st.sampled_from((1, 2, 3, 7, 20)))
def test_the_best_few_are_those_of_all_mappings(case: SearchCase, objective: str, n_best: int) -> None:
    every = everything(case)
    for machine in case.machines:
        options = SearchOptions(objective, case.ragged, n_best)
        found = found_by(case, machine, options)
        assert_best_few(found, every.costs(machine), options)
        assert_optimum(found, every.costs(machine), options)


@settings(check, max_examples=12)
@given(cases, objectives, st.sampled_from((0.01, 0.1, 0.5)))
def test_a_search_that_may_leave_a_gap_leaves_no_larger_one(
    case: SearchCase, objective: str, gap_frac: float
) -> None:
    every = everything(case)
    for machine in case.machines:
        options = SearchOptions(objective, case.ragged, gap_frac=gap_frac)
        found, costs = found_by(case, machine, options), every.costs(machine)
        assert_bound(found, costs, options)
        assert at_most(found.certificate.gap_frac, gap_frac)
        assert at_most(found.best.value * (1 - gap_frac), costs.least(objective))


@settings(check, max_examples=12)
@given(cases, objectives)
def test_a_search_that_is_stopped_at_once_still_tells_the_truth(case: SearchCase, objective: str) -> None:
    every = everything(case)
    for machine in case.machines:
        options = SearchOptions(objective, case.ragged, time_limit_s=0.0)
        assert_bound(found_by(case, machine, options), every.costs(machine), options)


@settings(check, max_examples=12)
@given(single_cases, objectives)
def test_the_free_choice_is_the_best_of_all_mappings_and_of_those_of_every_dataflow(
    case: SearchCase, objective: str
) -> None:
    """Named dataflows have ragged tiles of their own, which may beat every mapping in whole factors."""
    (machine,) = case.machines
    options = SearchOptions(objective, case.ragged)
    values = [everything(case).costs(machine).least(objective)]
    for name in machine.dataflows:
        if name != ANY.name:
            with suppress(InfeasibleError):
                own = replace(machine, dataflow=name)
                found = search(case.problem, own, DATAFLOWS[name], case.homes, options, "layer")
                values.append(found.best.value)
    found = search(case.problem, machine, ANY, case.homes, options, "layer")
    assert close(found.best.value, min(values)), (found.best.value, values)
    assert at_most(found.best.value, least_named(case.problem, machine, case.homes, objective))
    assert found.certificate.proven
    assert at_most(found.certificate.lower_bound, min(values))


def test_partial_costs_below_nothing_are_no_bound_of_a_product() -> None:
    """Two words of a 2 x 2 convolution in its padding: here energy and cycles of what was not yet closed were
    both negative, so that their product cut mappings of 5,789 pJ x cycles, the second best."""
    layer = problem(N=2, K=2, P=2, R=2, pad=1)
    machine = small_machine(
        holds=np.array([[True] * 3, [True, False, False], [True] * 3]),
        capacity_bytes=np.full(3, 1e6),
        read_pj_per_byte=np.array([1.0, 1.0, 33.3]),
        write_pj_per_byte=np.ones(3),
        read_bytes_per_cycle=np.array([np.inf, np.inf, 1.0]),
        write_bytes_per_cycle=np.array([np.inf, np.inf, 1.0]),
        shared_port=np.zeros(3, np.bool_),
        overlap=np.repeat([[True], [True], [False]], 3, axis=1),
        mac_pj=0.0,
        idle_pj_per_cycle=0.0,
        fanout_level=0,
        rows=1,
        cols=2,
        diagonal=True,
        reduce=False,
        accumulate_bits=32,
    )
    homes = (2, 2, 2)
    options = SearchOptions(n_best=5)
    found = search_all(layer, machine, homes, options)
    assert_best_few(found, AllMappings(layer, machine, homes, False).costs(machine), options)


EDGES = {
    "one multiplication": problem(),
    "stride and dilation without a common divisor": problem(stride=3, dilation=2, P=4, R=3),
    "stride past the filter": problem(stride=3, C=2, P=4, R=2),
    "kernel in the padding": problem(pad=2, P=3, R=3, C=2),
    "weights for each image": problem(batched=True, N=3, K=2, P=4),
    "one PE too few": problem(K=5, C=5),
}


@pytest.mark.parametrize("ragged", [False, True])
@pytest.mark.parametrize("layer", EDGES)
def test_the_best_of_all_mappings_is_found_at_the_edges(layer: str, ragged: bool) -> None:
    machine, top = small_machine(holds=HOLDS), (2, 2, 2)
    costs = AllMappings(EDGES[layer], machine, top, ragged).costs(machine)
    for objective in OBJECTIVES:
        options = SearchOptions(objective, ragged, n_best=1 if ragged else 3)
        found = search_all(EDGES[layer], machine, top, options)
        assert found is not None
        assert_mappings_are_real(found, EDGES[layer], machine, top, options)
        assert_optimum(found, costs, options)
        assert_best_few(found, costs, options)


HOLDS = np.array([[False, True, True], [True, False, True], [True, True, True]])


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_equal_searches_give_equal_mappings(objective: str) -> None:
    """Many mappings tie without energies and with endless bandwidth: the same one comes back every time."""
    layer = problem(K=6, C=4, P=4, R=3)
    at = small_machine()
    free = replace(at, read_pj_per_byte=0 * at.read_pj_per_byte, write_pj_per_byte=0 * at.write_pj_per_byte)
    for machine in (at, free):
        first, again = (search_all(layer, machine, (2, 2, 2), SearchOptions(objective)) for _ in range(2))
        assert first is not None
        assert again is not None
        assert first.best.nest.dims == again.best.nest.dims
        assert first.best.nest.trips.tolist() == again.best.nest.trips.tolist()
        assert first.best.nest.keep.tolist() == again.best.nest.keep.tolist()
        assert first.best.value == again.best.value


def test_least_energy_of_a_dot_product_is_what_it_must_move() -> None:
    """Sixteen products of I and W summed to one O, a byte each, on one PE of the small machine.

    DRAM 16 + 16 reads at 100 pJ and the write of O at 200; sums in the register cost 15 x 1 + 16 x 2 and
    the final read 1; inputs and weights come past every buffer. 16 MACs at 5 pJ; leakage is switched off.
    """
    machine = small_machine(rows=1, cols=1, idle_pj_per_cycle=0.0)
    expected = 32 * 100 + 200 + (15 * 1 + 16 * 2 + 1) + 16 * 5
    assert least(problem(C=16), machine, (2, 2, 2), "energy") == expected
