"""The grid kernel against `evaluate`, mapping by mapping: equal cycles and legality, energy to 1e-12.

`evaluate` counts each mapping by itself and is checked against a walk of every word
(test_traffic_equals_walk); the kernel multiplies factors that it counts once a choice.
"""

from __future__ import annotations

import importlib.util
import tracemalloc
from dataclasses import replace
from itertools import islice
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.small_machine import small_machine

from accelsim.base.errors import InputError
from accelsim.cost.evaluate import evaluate, links_of
from accelsim.cost.grid_kernel import BLOCK_POINTS, FEW_POINTS, grid_costs, grid_traffic
from accelsim.cost.traffic import count_traffic
from accelsim.mapping.dataflows import DATAFLOWS
from accelsim.mapping.legality import legal
from accelsim.tables.dims import DIMS, C, K, P, Q, R
from accelsim.tables.grid import Grid
from accelsim.tables.machine import FOLDS, Machine
from accelsim.tables.nest import Problem
from accelsim.testing.loop_case import Case
from accelsim.testing.strategies import cases

KERNELS = [
    "numpy",
    pytest.param(
        "numba",
        marks=pytest.mark.skipif(importlib.util.find_spec("numba") is None, reason="numba is not installed"),
    ),
]
check = settings(
    max_examples=100,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


def problem_of(case: Case) -> Problem:
    return Problem(tuple(case.extents[d] for d in DIMS), case.windows, case.weight_has_batch)


def grid_of(case: Case, most: int = 4) -> Grid:
    """The case's loops; of each dimension its trips, those turned round, and all in one loop."""
    dims = tuple(DIMS.index(dim) for _, dim, _, _ in case.loops)
    trips = np.array([loop[2] for loop in case.loops], np.int64)
    choices = {}
    for d in set(dims):
        own = trips[[j for j, dim in enumerate(dims) if dim == d]]
        turned = [np.roll(own, turn) for turn in range(len(own))]
        alone = [np.where(np.arange(len(own)) == j, own.prod(), 1) for j in range(len(own))]
        choices[d] = np.unique([*turned, *alone], axis=0).T[:, :most]
    return Grid(
        dims,
        tuple(level for level, *_ in case.loops),
        tuple("cols" if spatial else "" for *_, spatial in case.loops),
        np.array(case.keep, np.bool_),
        choices,
    )


@st.composite
def machines(draw: Any, case: Case) -> Machine:
    """Random numbers for all that a mapping's cost depends on; every switch on and off."""
    n = case.n_levels
    r = np.random.default_rng(draw(st.integers(0, 2**16)))

    def some() -> np.ndarray:
        return r.integers(0, 2, n).astype(np.bool_)

    def bandwidths() -> np.ndarray:
        return np.where(some(), np.inf, r.uniform(0.5, 9, n))

    return small_machine(
        level_names=tuple("abcde"[:n]),
        capacity_bytes=np.where(some(), np.inf, r.integers(1, 300, n).astype(np.float64)),
        holds=np.ones((n, 3), np.bool_),
        word_bits=np.where(some(), 0, r.integers(3, 40, n)),
        read_pj_per_byte=r.uniform(0, 9, n) * r.integers(0, 2, n),
        write_pj_per_byte=r.uniform(0, 9, n),
        read_bytes_per_cycle=bandwidths(),
        write_bytes_per_cycle=bandwidths(),
        shared_port=some(),
        double_buffered=some(),
        overlap=r.integers(0, 2, (n, 3)).astype(np.bool_),
        padding_stored=np.array(case.padding_stored),
        fetch_box=np.array(case.fetch_box),
        fanout_level=int(r.integers(0, n)),
        rows=int(r.integers(1, 8)),
        cols=int(r.integers(1, 20)),
        per_pe=int(r.integers(1, 4)),
        fold=draw(st.sampled_from(FOLDS)),
        multicast=np.array([*case.multicast, False]),
        reduce=case.reduce,
        diagonal=case.diagonal,
        bits=r.integers(3, 20, 3),
        accumulate_bits=int(r.integers(8, 40)),
        hop_pj_per_byte=float(r.integers(0, 2)) * 0.3,
        idle_pj_per_cycle=float(r.integers(0, 2)) * 7.0,
        pass_cycles=float(r.integers(0, 2) * r.integers(1, 50)),
        pass_bytes_per_cycle=float(r.choice([np.inf, 0.7, 2.0])),
        moved_bits=None if r.integers(0, 2) else r.integers(0, 2, (n, 3)) * r.integers(1, 999, (n, 3)) / 64,
    )


def assert_equal(problem: Problem, grid: Grid, machine: Machine, flow: str, kernel: str) -> int:
    """Compares every mapping of a grid, finds each once, and returns their number."""
    seen = []
    for block in grid_costs(problem, grid, machine, flow, kernel):
        points = np.arange(len(block.energy_pj))
        nest = block.nest(points)
        cost = evaluate(problem, nest, machine, flow)
        assert block.latency_cycles.tolist() == cost.latency_cycles.tolist()
        np.testing.assert_allclose(block.energy_pj, cost.energy_pj, rtol=1e-12)
        assert block.legal.tolist() == legal(problem, nest, machine, DATAFLOWS[flow]).tolist()
        seen.append(nest.trips)
    trips = np.concatenate(seen, axis=1)
    assert np.unique(trips, axis=1).shape[1] == trips.shape[1] == grid.n_points
    return grid.n_points


@pytest.mark.parametrize("kernel", KERNELS)
@check
@given(cases(max_macs=120), st.data())
def test_every_mapping_of_a_grid_costs_what_it_costs_by_itself(kernel: str, case: Case, data: Any) -> None:
    """Ragged, strided, padded, boxed; multicast, reduction and diagonals on and off; all fold rules."""
    machine = data.draw(machines(case))
    flow = data.draw(st.sampled_from(sorted(DATAFLOWS)))
    assert_equal(problem_of(case), grid_of(case), machine, flow, kernel)


@settings(check, max_examples=60)
@given(cases(max_macs=120))
def test_every_mapping_of_a_grid_moves_the_words_that_it_moves_by_itself(case: Case) -> None:
    grid = grid_of(case)
    links = replace(
        links_of(small_machine()),
        multicast=np.array([*case.multicast, False]),
        reduce=case.reduce,
        diagonal=case.diagonal,
        padding_stored=np.array(case.padding_stored),
        fetch_box=np.array(case.fetch_box),
    )
    machine = small_machine(
        level_names=tuple("abcde"[: case.n_levels]),
        multicast=links.multicast,
        reduce=links.reduce,
        diagonal=links.diagonal,
        padding_stored=links.padding_stored,
        fetch_box=links.fetch_box,
    )
    points = np.arange(grid.n_points)
    together = grid_traffic(problem_of(case), grid, machine, points)
    alone = count_traffic(problem_of(case), grid.nest(points), links_of(machine))
    for count in ("reads", "writes", "partial_reads", "partial_writes", "delivered", "steps"):
        assert (getattr(together, count) == getattr(alone, count)).all(), count


def splits(extent: int, n_places: int) -> list[tuple[int, ...]]:
    if n_places == 1:
        return [(extent,)]
    return [
        (i, *rest)
        for i in range(1, extent + 1)
        if extent % i == 0
        for rest in splits(extent // i, n_places - 1)
    ]


def convolution(k: int = 12, c: int = 6, side: int = 8) -> tuple[Problem, Grid]:
    """All perfect splits of a 3x3 convolution over two levels in time and the array."""
    extents = (1, 1, k, c, side, side, 3, 3, 1, 1)
    problem = Problem(extents, ((1, 1, 1, side), (1, 1, 1, side), (1, 1, 0, 1)))
    dims = (K, C, P, Q, R)
    loops = [(d, 2, "") for d in dims] + [(d, 1, "") for d in dims]
    loops += [(d, 1, "rows" if d == C else "cols") for d in (C, K, P)] + [(7, 0, "")]
    n_places = {d: sum(loop[0] == d for loop in loops) for d in (*dims, 7)}
    choices = {d: np.array(splits(extents[d], n), np.int64).T for d, n in n_places.items()}
    which, levels, axis = zip(*loops, strict=True)
    return problem, Grid(which, levels, axis, np.ones((3, 3), np.bool_), choices)


@pytest.mark.parametrize("kernel", KERNELS)
def test_a_grid_of_a_whole_convolution_is_equal_too(kernel: str) -> None:
    """Axes of many choices: 18 x 9 splits of the channels, 10 x 2 of the rows and 4 of the columns."""
    problem, grid = convolution()
    assert assert_equal(problem, grid, small_machine(), "nlr", kernel) == 18 * 9 * (10 * 2) * 4


@pytest.mark.parametrize("kernel", KERNELS)
def test_blocks_and_memory_stay_small_however_large_the_grid(kernel: str) -> None:
    """More than 10^15 mappings; a block is what it is for any of them, and all are some MB."""
    extents = (1, 1, 2**13, 2**13, 2**9, 2**9, 1, 1, 1, 1)
    problem = Problem(extents, ((1, 1, 0, 2**9), (1, 1, 0, 2**9), (1, 1, 0, 1)))
    dims = (K, C, P, Q)
    loops = [(d, level, "") for level in (2, 1) for d in dims] + [(d, 1, "cols") for d in dims]
    loops += [(d, 0, "") for d in dims for _ in range(5)]
    which, levels, axis = zip(*loops, strict=True)
    choices = {d: np.array(splits(extents[d], 8), np.int64).T for d in dims}
    grid = Grid(which, levels, axis, np.ones((3, 3), np.bool_), choices)
    assert grid.n_points > 10**15
    tracemalloc.start()
    for block in islice(grid_costs(problem, grid, small_machine(), "nlr", kernel), 5):
        assert len(block.energy_pj) <= BLOCK_POINTS
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 500e6


def test_counts_too_large_for_exact_floats_are_counted_one_by_one() -> None:
    """2^56 multiply-accumulates: their bits pass 2^53, so `evaluate` counts them, a few at a time."""
    extents = (1, 1, 2**26, 2**26, 2**4, 1, 1, 1, 1, 1)
    problem = Problem(extents, ((1, 1, 0, 2**4), (1, 1, 0, 1), (1, 1, 0, 1)))
    dims = (K, C, P)
    loops = [(d, level, "") for level in (2, 1) for d in dims]
    which, levels, axis = zip(*loops, strict=True)
    powers = {K: 26, C: 26, P: 4}
    choices = {d: 2 ** np.array([(i, n - i) for i in range(n + 1)], np.int64).T for d, n in powers.items()}
    grid = Grid(which, levels, axis, np.ones((3, 3), np.bool_), choices)
    blocks = list(grid_costs(problem, grid, small_machine(), "nlr"))
    assert sum(len(block.energy_pj) for block in blocks) == grid.n_points == 27 * 27 * 5
    assert all(len(block.energy_pj) <= FEW_POINTS for block in blocks)
    assert_equal(problem, grid, small_machine(), "nlr", "numpy")


def test_a_grid_without_loops_is_one_mapping() -> None:
    problem = Problem((1,) * 10, ((1, 1, 0, 1),) * 3)
    grid = Grid((K,), (1,), ("",), np.ones((3, 3), np.bool_), {K: np.ones((1, 1), np.int64)})
    (block,) = grid_costs(problem, grid, small_machine(), "nlr")
    assert (
        block.latency_cycles.tolist()
        == evaluate(problem, grid.template, small_machine(), "nlr").latency_cycles.tolist()
    )


def test_unknown_kernel_is_refused() -> None:
    problem, grid = convolution()
    with pytest.raises(InputError, match="no kernel 'fortran'"):
        next(grid_costs(problem, grid, small_machine(), "nlr", "fortran"))


def test_numba_where_it_is_absent_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    problem, grid = convolution()
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(InputError) as caught:
        next(grid_costs(problem, grid, small_machine(), "nlr", "numba"))
    assert "pip install 'accelsim[fast]'" in str(caught.value.problems[0])
