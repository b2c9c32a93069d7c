"""Bounds of many mappings of a grid at once: what they leave out, and that they are bounds."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import accelsim
from accelsim.cost.grid_kernel import GridCost, index_of
from accelsim.cost.grid_worth import Selection, WorthBlocks, only, whole
from accelsim.mapping.dataflows import DATAFLOWS
from accelsim.mapping.dataflows.base import ParameterSpace
from accelsim.tables.dims import DIMS, K
from accelsim.tables.machine import Machine
from accelsim.tables.nest import Problem

Floats = np.ndarray


def problem(stride: int = 1, pad: int = 0, **extents: int) -> Problem:
    x = dict.fromkeys(DIMS, 1) | extents
    windows = [(stride, 1, pad, (x[p] - 1) * stride + x[r] - 2 * pad) for p, r in ("PR", "QS")]
    return Problem(tuple(x.values()), (*windows, (1, 1, 0, 1)))


LAYERS = {
    "7x7": problem(stride=2, pad=3, K=12, C=3, P=6, Q=6, R=7, S=7),
    "3x3": problem(pad=1, K=6, C=4, P=5, Q=5, R=3, S=3),
    "1x1": problem(K=20, C=8, P=4, Q=3),
}
MACHINES = [
    ("eyeriss", "rs", ("array.rows=8", "spad_ifmap.size='12 words'")),
    ("systolic_32x32", "ws", ("array.rows=4", "array.cols=3", "sram.size='120 B'")),
    ("systolic_32x32", "os", ("array.rows=4", "array.cols=3", "array.fold=sequential")),
    ("gemmini_16x16", "ws", ("array.rows=2", "array.cols=3", "array.fold=overlapped")),
    ("mlu100", "nlr", ("array.rows=2", "array.cols=2")),
]
cases = pytest.mark.parametrize(
    ("name", "flow", "settings", "layer"),
    [(*machine, layer) for machine in MACHINES for layer in LAYERS],
    ids=[f"{name}-{flow}-{layer}" for name, flow, _ in MACHINES for layer in LAYERS],
)


def random_prices(at: Machine, r: np.random.Generator) -> Machine:
    n = at.n_levels
    return replace(
        at,
        read_pj_per_byte=r.uniform(0, 9, n),
        write_pj_per_byte=r.uniform(0, 9, n),
        read_bytes_per_cycle=r.uniform(0.01, 9, n),
        write_bytes_per_cycle=r.uniform(0.01, 9, n),
        idle_pj_per_cycle=float(r.uniform(0, 9)),
    )


def spaces(
    name: str, flow: str, settings: tuple[str, ...], layer: str
) -> list[tuple[Machine, ParameterSpace]]:
    at = random_prices(accelsim.arch(name, settings, flow).machine(), np.random.default_rng(len(layer)))
    dataflow = DATAFLOWS[flow]
    homes = (at.n_levels - 1,) * 3
    return [(at, space) for space in dataflow.spaces(LAYERS[layer], at, dataflow.keep(at, homes))]


def everything(energy: Floats, cycles: Floats, first: object) -> Floats:
    return np.ones(len(energy), np.bool_)


@cases
def test_where_all_is_wanted_every_legal_mapping_comes_once(
    name: str, flow: str, settings: tuple[str, ...], layer: str
) -> None:
    for at, space in spaces(name, flow, settings, layer):
        cost = GridCost(LAYERS[layer], space.grid, at, flow)
        energy, cycles, legal = cost.at(cost.grid.index(np.arange(cost.grid.n_points)))
        seen = np.zeros(cost.grid.n_points, np.int64)
        for block in WorthBlocks(cost, everything).blocks(whole(cost)):
            number = cost.number(block.index(np.arange(len(block.legal))))
            seen[number] += 1
            assert np.array_equal(block.legal, legal[number])
            assert np.array_equal(block.energy_pj, energy[number])
            assert np.array_equal(block.latency, cycles[number])
        assert (seen[legal] == 1).all()


@cases
def test_no_mapping_costs_less_than_a_bound_that_it_is_asked_for_by(
    name: str, flow: str, settings: tuple[str, ...], layer: str
) -> None:
    """Energy, cycles and their product of each outer choice, each group, and of all families' selections."""
    for at, space in spaces(name, flow, settings, layer):
        cost = GridCost(LAYERS[layer], space.grid, at, flow)
        selections = whole(cost)
        if space.bound is not None:
            every = {d: np.ones(table.shape[1], np.bool_) for d, table in space.grid.choices.items()}
            selections = [*selections, *only(cost, {K: every[K]}, space.bound.d, space.bound.first[:-1])]
        for selection in selections:
            check_bounds(cost, selection)


def check_bounds(cost: GridCost, selection: Selection) -> None:
    """`worth` is asked for each outer choice, then for each of its groups, then the mappings come."""
    asked: list[tuple[Floats, Floats, Floats]] = []

    def worth(energy: Floats, cycles: Floats, first: object) -> Floats:
        asked.append((energy, cycles, first(np.arange(len(energy)))))  # type: ignore[operator]
        return np.ones(len(energy), np.bool_)

    least: dict[int, list[float]] = {}
    for block in WorthBlocks(cost, worth).blocks([selection]):
        few = np.flatnonzero(block.legal)
        outer = block.place(few) // selection.n_inner
        for o in np.unique(outer).tolist():
            own = few[outer == o]
            energy, cycles = block.energy_pj[own], block.latency[own]
            found = [energy.min(), cycles.min(), (energy * cycles).min()]
            least[o] = [min(pair) for pair in zip(found, least.get(o, found), strict=True)]
    rows = {int(cost.number(one)[0]): o for o, one in firsts(cost, selection)}
    if not asked:
        assert not least
        return
    energy, cycles, first = asked[0]
    assert (energy >= 0).all()
    assert (cycles >= 0).all()
    assert set(least) <= {rows[number] for number in first.tolist()}
    for e, c, number in zip(energy.tolist(), cycles.tolist(), first.tolist(), strict=True):
        if rows[number] in least:
            known = least[rows[number]]
            assert e <= known[0]
            assert c <= known[1]
            assert e * c <= known[2]


def firsts(cost: GridCost, selection: Selection) -> list[tuple[int, list[np.ndarray]]]:
    """Each outer choice with the places of its first mapping."""
    found = []
    for row in selection.rows.tolist():
        place = selection.place(np.array([row]), np.zeros(1, np.int64))
        found.append((row, index_of(selection.grid, selection.order, place)))
    return found


@pytest.mark.parametrize("layer", LAYERS)
def test_mappings_apart_and_the_others_are_all(layer: str) -> None:
    for at, space in spaces("eyeriss", "rs", ("spad_ifmap.size='6 words'",), layer):
        cost = GridCost(LAYERS[layer], space.grid, at, "rs")
        if space.bound is None or not space.bound.exempt:
            assert layer == "1x1"
            continue
        selections = [*whole(cost, space.bound.exempt)]
        n_others = sum(len(one.rows) * len(one.cols) for one in selections)
        apart = only(cost, space.bound.exempt, space.bound.d, space.bound.first[:-1])
        n_apart = sum(len(one.rows) * len(one.cols) for one in apart)
        assert n_apart > 0
        assert n_others + n_apart == cost.grid.n_points
