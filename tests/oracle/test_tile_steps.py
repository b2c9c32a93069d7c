"""The words of all tile steps together are those that a walk of the loops moves, one by one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.small_machine import small_machine

from accelsim.cost.evaluate import links_of
from accelsim.cost.traffic import count_traffic
from accelsim.sim import loops as loops_module
from accelsim.sim.tile_steps import TileSteps
from accelsim.sim.totals import step_totals
from accelsim.tables.dims import DIMS
from accelsim.tables.machine import Machine
from accelsim.tables.nest import Nest, Problem
from accelsim.testing.loop_case import Case
from accelsim.testing.loop_walk import walk
from accelsim.testing.strategies import cases

check = settings(
    max_examples=250,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


def problem_of(case: Case) -> Problem:
    return Problem(tuple(case.extents[d] for d in DIMS), case.windows, case.weight_has_batch)


def nest_of(case: Case) -> Nest:
    return Nest(
        tuple(DIMS.index(dim) for _, dim, _, _ in case.loops),
        tuple(level for level, *_ in case.loops),
        tuple("cols" if spatial else "" for *_, spatial in case.loops),
        np.array([[loop[2]] for loop in case.loops], np.int64).reshape(len(case.loops), 1),
        np.array(case.keep, np.bool_),
    )


def machine_of(case: Case, fanout_level: int) -> Machine:
    n = case.n_levels
    wide = np.full(n, np.inf)
    return small_machine(
        level_names=tuple(f"level{i}" for i in range(n)),
        capacity_bytes=wide,
        holds=np.ones((n, 3), np.bool_),
        word_bits=np.zeros(n, np.int64),
        read_pj_per_byte=np.ones(n),
        write_pj_per_byte=np.ones(n),
        read_bytes_per_cycle=wide,
        write_bytes_per_cycle=wide,
        shared_port=np.zeros(n, np.bool_),
        double_buffered=np.zeros(n, np.bool_),
        overlap=np.ones(n, np.bool_),
        padding_stored=np.array(case.padding_stored),
        fetch_box=np.array(case.fetch_box),
        fanout_level=fanout_level,
        multicast=np.array([*case.multicast, False]),
        reduce=case.reduce,
        diagonal=case.diagonal,
        vector_level=0,
        activation_home=n - 1,
    )


@check
@given(cases(max_macs=250), st.integers(0, 3))
def test_words_of_all_tile_steps_are_those_of_the_walk(case: Case, fanout_level: int) -> None:
    counts = walk(case)
    machine = machine_of(case, min(fanout_level, case.n_levels - 1))
    found = step_totals(TileSteps(problem_of(case), nest_of(case), machine))
    assert found.reads.tolist() == counts.reads
    assert found.writes.tolist() == counts.writes
    assert found.steps == counts.steps


@check
@given(cases(max_macs=250), st.integers(1, 7))
def test_rows_looked_at_a_few_at_a_time_add_up_to_the_same(case: Case, rows: int) -> None:
    machine = machine_of(case, 1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loops_module, "MAX_ROWS", rows)
        patch.setattr("accelsim.sim.tile_steps.MAX_ROWS", rows)
        found = step_totals(TileSteps(problem_of(case), nest_of(case), machine))
    traffic = count_traffic(problem_of(case), nest_of(case), links_of(machine))
    assert (found.reads == traffic.reads[:, :, 0]).all()
    assert (found.writes == traffic.writes[:, :, 0]).all()
    assert (found.partial_reads == traffic.partial_reads[:, 0]).all()
    assert (found.partial_writes == traffic.partial_writes[:, 0]).all()
