"""The closed forms of `cost.traffic` against the walk that moves every word: equal in every count.

The walk (`testing.loop_walk`) is written from the design's words and checks its own product against numpy.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

from accelsim.cost.traffic import Links, Traffic, count_traffic
from accelsim.tables.dims import DIMS, I, O, W
from accelsim.tables.nest import Nest, Problem
from accelsim.testing.loop_walk import Case, walk
from accelsim.testing.strategies import cases

check = settings(
    max_examples=400,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


def problem_of(case: Case) -> Problem:
    return Problem(tuple(case.extents[d] for d in DIMS), case.windows, case.weight_has_batch)


def nest_of(case: Case, trips: list[list[int]] | None = None) -> Nest:
    """The case's loops as a nest; `trips` [J][B] for several mappings at once."""
    columns = trips or [[loop[2]] for loop in case.loops]
    n_points = len(columns[0]) if columns else 1
    return Nest(
        tuple(DIMS.index(dim) for _, dim, _, _ in case.loops),
        tuple(level for level, *_ in case.loops),
        tuple("cols" if spatial else "" for *_, spatial in case.loops),
        np.array(columns, np.int64).reshape(len(case.loops), n_points),
        np.array(case.keep, np.bool_),
    )


def links_of(case: Case) -> Links:
    multicast = np.array([*case.multicast, False])
    padding, box = np.array(case.padding_stored), np.array(case.fetch_box)
    return Links(multicast, case.reduce, case.diagonal, padding, box, fanout_level=case.n_levels)


def traffic_of(case: Case) -> Traffic:
    return count_traffic(problem_of(case), nest_of(case), links_of(case))


def assert_equal(case: Case, traffic: Traffic, point: int = 0) -> None:
    counts = walk(case)
    assert traffic.reads[:, :, point].tolist() == counts.reads
    assert traffic.writes[:, :, point].tolist() == counts.writes
    assert int(traffic.steps[point]) == counts.steps


def nest(*loops: str, rows=(1, 1, 0, 99), columns=(1, 1, 0, 99), extents=None, **changes) -> Case:
    """A case from loops like "1 P 4" and, in space, "1 P 4 x"; all operands are kept unless said."""
    parts = [loop.split() for loop in loops]
    parsed = tuple((int(level), dim, int(trips), bool(space)) for level, dim, trips, *space in parts)
    n_levels = max(level for level, *_ in parsed) + 1
    covered = {dim: math.prod(x[2] for x in parsed if x[1] == dim) for dim in DIMS}
    case = Case(
        extents=covered | (extents or {}),
        windows=(rows, columns, (1, 1, 0, 1)),
        weight_has_batch=False,
        loops=parsed,
        n_levels=n_levels,
        keep=((True, True, True),) * n_levels,
        multicast=(True, True),
        reduce=True,
        diagonal=False,
        padding_stored=(False,) * n_levels,
        fetch_box=(False,) * n_levels,
    )
    return replace(case, **changes)


@check
@given(cases(max_macs=250))
def test_every_count_is_that_of_the_walk(case: Case) -> None:
    assert_equal(case, traffic_of(case))
