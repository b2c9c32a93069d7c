"""The words of all tile steps together are those that a walk of the loops moves, one by one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.sim_cases import check, machine_of, nest_of, problem_of

from accelsim.cost.evaluate import links_of
from accelsim.cost.traffic import count_traffic
from accelsim.sim import loops as loops_module
from accelsim.sim.tile_steps import TileSteps
from accelsim.sim.totals import step_totals
from accelsim.testing.loop_case import Case
from accelsim.testing.loop_walk import walk
from accelsim.testing.strategies import cases


@check
@given(cases(max_macs=150), st.integers(0, 3))
def test_words_of_all_tile_steps_are_those_of_the_walk(case: Case, fanout_level: int) -> None:
    counts = walk(case)
    machine = machine_of(case, fanout_level)
    found = step_totals(TileSteps(problem_of(case), nest_of(case), machine))
    assert found.reads.tolist() == counts.reads
    assert found.writes.tolist() == counts.writes
    assert found.steps == counts.steps


@check
@given(cases(max_macs=150), st.integers(1, 7))
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
