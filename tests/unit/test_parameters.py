"""The search inside a named dataflow: against every mapping of its parameters, counted by `evaluate`."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from itertools import permutations

import numpy as np
import pytest
from support.spaces import legal_mappings, mappings

import accelsim
from accelsim.cost.evaluate import evaluate
from accelsim.cost.grid_kernel import GridCost
from accelsim.mapper.found import OBJECTIVES, SearchOptions
from accelsim.mapper.parameters import best_of_parameters, is_possible, least_bytes
from accelsim.mapping.dataflows import DATAFLOWS, RS
from accelsim.mapping.footprint import level_bytes
from accelsim.mapping.legality import legal
from accelsim.tables.dims import DIMS, C, K, P
from accelsim.tables.machine import Machine
from accelsim.tables.nest import Problem


def problem(stride: int = 1, pad: int = 0, batched: bool = False, **extents: int) -> Problem:
    x = dict.fromkeys(DIMS, 1) | extents
    windows = [(stride, 1, pad, (x[p] - 1) * stride + x[r] - 2 * pad) for p, r in ("PR", "QS")]
    return Problem(tuple(x.values()), (*windows, (1, 1, 0, 1)), batched)


LAYERS = {
    "3x3": problem(pad=1, K=6, C=4, P=5, Q=5, R=3, S=3),
    "strided": problem(stride=2, pad=1, K=5, C=3, P=4, Q=4, R=3, S=3),
    "depthwise": problem(G=6, P=5, Q=5, R=3, S=3),
    "fully connected": problem(N=2, K=10, C=12),
    "matmul": problem(batched=True, G=2, N=2, P=6, K=6, C=5),
    "1x1": problem(N=2, K=8, C=6, P=4, Q=3),
    "one channel": problem(K=5, P=4, Q=4, R=2, S=3),
    "one column": problem(pad=1, N=2, K=7, C=4, P=4, R=2, S=3),
    "many filters": problem(K=19, C=5, P=3),
    "few columns": problem(K=7, C=3, P=5, Q=2, R=2, S=4),
}
MACHINES = [
    ("eyeriss", "rs", ("glb.size='150 B'", "spad_ifmap.size='5 words'")),
    ("eyeriss", "rs", ()),
    ("eyeriss_isca16_256", "rs", ("glb.size='200 B'",)),
    ("systolic_32x32", "ws", ("array.rows=4", "array.cols=3", "sram.size='120 B'")),
    ("systolic_32x32", "os", ("array.rows=4", "array.cols=3", "sram.size='120 B'")),
    ("systolic_32x32", "is", ("array.rows=4", "array.cols=3", "sram.size='120 B'")),
    ("gemmini_16x16", "ws", ("array.rows=2", "array.cols=3", "scratchpad.size='200 B'")),
    ("tpu_v1", "ws", ("array.rows=3", "array.cols=2")),
    ("mlu100", "nlr", ("array.rows=2", "array.cols=2", "nram.size='400 B'")),
]
some_machines = pytest.mark.parametrize(
    ("name", "flow", "settings"), MACHINES, ids=[f"{n}-{f}-{len(s)}" for n, f, s in MACHINES]
)
Everything = tuple[np.ndarray, np.ndarray]


@cache
def machine(name: str, flow: str, settings: tuple[str, ...]) -> Machine:
    return accelsim.arch(name, settings, flow).machine()


def homes(at: Machine) -> tuple[int, int, int]:
    return (at.n_levels - 1,) * 3


@cache
def everything(name: str, flow: str, settings: tuple[str, ...], layer: str) -> Everything:
    """Energy and cycles of every legal mapping of the parameters, each counted by `evaluate`."""
    at, dataflow = machine(name, flow, settings), DATAFLOWS[flow]
    energy, cycles = [], []
    for nest in legal_mappings(LAYERS[layer], at, dataflow):
        cost = evaluate(LAYERS[layer], nest, at, flow)
        energy.append(cost.energy_pj)
        cycles.append(cost.latency_cycles.astype(np.float64))
    if not energy:
        return np.zeros(0), np.zeros(0)
    return np.concatenate(energy), np.concatenate(cycles)


def values(energy: np.ndarray, cycles: np.ndarray, objective: str) -> np.ndarray:
    return {"energy": energy, "latency": cycles, "edp": energy * cycles}[objective]


@some_machines
@pytest.mark.parametrize("layer", LAYERS)
def test_the_best_of_all_parameters_is_found_and_proven(
    name: str, flow: str, settings: tuple[str, ...], layer: str
) -> None:
    at = machine(name, flow, settings)
    energy, cycles = everything(name, flow, settings, layer)
    for objective in OBJECTIVES:
        options = SearchOptions(objective)
        found = best_of_parameters(LAYERS[layer], at, DATAFLOWS[flow], homes(at), options, layer)
        if not len(energy):
            assert found is None
            continue
        assert found is not None
        assert found.best.value == pytest.approx(values(energy, cycles, objective).min(), rel=1e-12)
        assert found.certificate.proven
        cost = evaluate(LAYERS[layer], found.best.nest, at, flow)
        assert cost.objective(objective).tolist() == pytest.approx([found.best.value], rel=1e-12)
        assert found.best.cost.latency_cycles == cost.latency_cycles[0]
        assert found.best.cost.reads.tolist() == cost.traffic.reads[:, :, 0].tolist()
        assert legal(LAYERS[layer], found.best.nest, at, DATAFLOWS[flow]).all()


@some_machines
def test_front_and_the_best_few_are_those_of_all_mappings(
    name: str, flow: str, settings: tuple[str, ...]
) -> None:
    at = machine(name, flow, settings)
    for layer in ("3x3", "1x1"):
        energy, cycles = everything(name, flow, settings, layer)
        if not len(energy):
            continue
        pairs = sorted({(float(f"{e:.9e}"), c) for e, c in zip(energy, cycles, strict=True)})
        front = [(e, c) for i, (e, c) in enumerate(pairs) if all(c < other for _, other in pairs[:i])]
        found = best_of_parameters(
            LAYERS[layer], at, DATAFLOWS[flow], homes(at), SearchOptions(front=True), layer
        )
        assert found is not None
        assert [(float(f"{p.cost.energy_pj:.9e}"), p.cost.latency_cycles) for p in found.points] == front
        best = sorted(e * c for e, c in pairs)[:5]
        found = best_of_parameters(
            LAYERS[layer], at, DATAFLOWS[flow], homes(at), SearchOptions(n_best=5), layer
        )
        assert found is not None
        assert [p.value for p in found.points] == pytest.approx(best, rel=1e-8)


@pytest.mark.parametrize("layer", LAYERS)
def test_no_member_of_a_family_of_row_stationary_costs_less_than_its_bound(layer: str) -> None:
    """Random prices and bandwidths, so that no count could be lower: of each m at the same p and t."""
    at = machine("eyeriss", "rs", ())
    r = np.random.default_rng(5)
    for _ in range(4):
        n = at.n_levels
        at = replace(
            at,
            read_pj_per_byte=r.uniform(0, 9, n),
            write_pj_per_byte=r.uniform(0, 9, n),
            read_bytes_per_cycle=r.uniform(0.01, 1, n),
            write_bytes_per_cycle=r.uniform(0.01, 1, n),
            hop_pj_per_byte=float(r.uniform(0, 9)),
            diagonal=bool(r.integers(0, 2)),
            multicast=np.array([*r.integers(0, 2, 2), 0], np.bool_),
            reduce=bool(r.integers(0, 2)),
        )
        for space in RS.spaces(LAYERS[layer], at, RS.keep(at, homes(at))):
            if space.bound is None:
                continue
            cost = GridCost(LAYERS[layer], space.grid, at, "rs")
            points = np.arange(cost.grid.n_points)
            index = cost.grid.index(points)
            energy, cycles, _ = cost.at(index)
            choice = cost.grid.choice_of(index)
            family = np.searchsorted(space.bound.first, choice[K], side="right") - 1
            cheapest = cost.grid.index_of({**choice, K: space.bound.first[family + 1] - 1})
            least_energy, least_cycles, _ = cost.at(cheapest)
            exempt = np.full(len(points), bool(space.bound.exempt))
            for d, few in space.bound.exempt.items():
                exempt &= few[choice.get(d, np.zeros(1, np.int64))]
            holds = ~exempt
            assert holds.any()
            assert (least_energy[holds] <= energy[holds] * (1 + 1e-12)).all()
            assert (least_cycles[holds] <= cycles[holds]).all()


@some_machines
@pytest.mark.parametrize("layer", ["3x3"])
def test_larger_buffers_and_more_bandwidth_never_make_it_worse(
    name: str, flow: str, settings: tuple[str, ...], layer: str
) -> None:
    at = machine(name, flow, settings)
    r = np.random.default_rng(7)

    def least(at: Machine, objective: str) -> float:
        found = best_of_parameters(
            LAYERS[layer], at, DATAFLOWS[flow], homes(at), SearchOptions(objective), layer
        )
        return np.inf if found is None else found.best.value

    for objective in OBJECTIVES:
        before = least(at, objective)
        for _ in range(2):
            grown = replace(
                at,
                capacity_bytes=at.capacity_bytes * r.uniform(1, 2, at.n_levels),
                read_bytes_per_cycle=at.read_bytes_per_cycle * r.uniform(1, 2, at.n_levels),
                write_bytes_per_cycle=at.write_bytes_per_cycle * r.uniform(1, 2, at.n_levels),
            )
            assert least(grown, objective) <= before * (1 + 1e-12)


def test_loops_around_the_buffer_stand_in_every_order() -> None:
    at = machine(*MACHINES[3])
    (space,) = DATAFLOWS["ws"].spaces(LAYERS["3x3"], at, DATAFLOWS["ws"].keep(at, homes(at)))
    nest = space.grid.nest(np.arange(space.grid.n_points))
    top = at.n_levels - 1
    around = [j for j, level in enumerate(nest.levels) if level == top]
    orders = {tuple(nest.dims[j] for j in around if nest.trips[j, i] > 1) for i in range(nest.n_points)}
    assert orders >= set(permutations((K, C, P)))


@some_machines
@pytest.mark.parametrize("layer", LAYERS)
def test_whether_any_mapping_is_legal_is_known_without_counting(
    name: str, flow: str, settings: tuple[str, ...], layer: str
) -> None:
    """For buffers as they are, and of every size around the least that is enough."""
    at = machine(name, flow, settings)
    assert is_possible(LAYERS[layer], at, DATAFLOWS[flow], homes(at)) == bool(
        len(everything(name, flow, settings, layer)[0])
    )
    for shrink in (0.1, 0.02):
        small = replace(at, capacity_bytes=at.capacity_bytes * shrink)
        found = best_of_parameters(
            LAYERS[layer], small, DATAFLOWS[flow], homes(at), SearchOptions("latency"), layer
        )
        assert is_possible(LAYERS[layer], small, DATAFLOWS[flow], homes(at)) == (found is not None)


@some_machines
@pytest.mark.parametrize("layer", LAYERS)
def test_fewest_bytes_of_a_level_are_those_of_the_smallest_mapping_that_fits_the_others(
    name: str, flow: str, settings: tuple[str, ...], layer: str
) -> None:
    at = machine(name, flow, settings)
    for level in range(at.n_levels - 1):
        capacity = at.capacity_bytes.copy()
        capacity[level] = np.inf
        roomy = replace(at, capacity_bytes=capacity)
        least = np.inf
        for nest in mappings(LAYERS[layer], at, DATAFLOWS[flow]):
            fits = legal(LAYERS[layer], nest, roomy, DATAFLOWS[flow])
            demand = level_bytes(LAYERS[layer], nest, at, level)
            least = min(least, float(np.min(demand, initial=np.inf, where=fits)))
        assert least_bytes(LAYERS[layer], at, DATAFLOWS[flow], homes(at), level) == least


def test_incumbent_that_is_not_beaten_leaves_nothing() -> None:
    at = machine(*MACHINES[1])
    options = SearchOptions("energy")
    found = best_of_parameters(LAYERS["3x3"], at, RS, homes(at), options, "3x3")
    assert found is not None
    value = found.best.value
    assert best_of_parameters(LAYERS["3x3"], at, RS, homes(at), options, "3x3", value) is None
    again = best_of_parameters(LAYERS["3x3"], at, RS, homes(at), options, "3x3", value * 1.001)
    assert again is not None
    assert again.best.value == value


def test_time_limit_gives_a_mapping_without_a_proof() -> None:
    at = machine("gemmini_16x16", "ws", ())
    layer = problem(pad=1, K=512, C=512, P=14, Q=14, R=3, S=3)
    options = SearchOptions(time_limit_s=0.0)
    found = best_of_parameters(layer, at, DATAFLOWS["ws"], homes(at), options, "large")
    assert found is not None
    assert not found.certificate.proven
    assert found.certificate.lower_bound < found.best.value
