"""Dataflows: what their mappings have in common, tile sizes that matter, Eyeriss' sets of PEs."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from support.layers import problem
from support.small_machine import small_machine
from support.spaces import legal_mappings, mappings

import accelsim
from accelsim.cost.evaluate import evaluate
from accelsim.mapping.dataflows import DATAFLOWS, RS
from accelsim.mapping.dataflows.base import ladder, spatial_trips
from accelsim.mapping.dataflows.row_spaces import n_sets
from accelsim.tables import machine as machine_table
from accelsim.tables.dims import DIMS, I, K, O, R, W
from accelsim.tables.machine import Machine
from accelsim.tables.nest import Nest

LAYERS = {
    "convolution": problem(K=12, C=6, P=7, Q=7, R=3, S=3),
    "strided": problem(2, N=2, K=10, C=5, P=6, Q=5, R=5, S=5),
    "depthwise": problem(G=16, P=9, Q=9, R=3, S=3),
    "fully connected": problem(N=3, K=40, C=50),
    "three dimensions": problem(K=4, C=3, P=5, Q=5, R=3, S=3, Z=4, V=3),
    "one row": problem(K=6, C=4, Q=20, S=7),
}
MACHINES = [
    ("eyeriss", "rs"),
    ("systolic_32x32", "ws"),
    ("systolic_32x32", "os"),
    ("systolic_32x32", "is"),
    ("gemmini_16x16", "ws"),
    ("tpu_v1", "ws"),
    ("eyeriss_isca16_256", "nlr"),
    ("mlu100", "nlr"),
    ("nvdla_small", "dc"),
]


@cache
def machine(name: str, flow: str) -> Machine:
    return accelsim.arch(name, (), flow).machine()


@cache
def some_mappings(name: str, flow: str, layer: str) -> tuple[Nest, ...]:
    """Of the parameters, evenly spread where there are many."""
    return tuple(mappings(LAYERS[layer], machine(name, flow), DATAFLOWS[flow], most=4000))


every = pytest.mark.parametrize(("name", "flow"), MACHINES, ids=[f"{n}-{f}" for n, f in MACHINES])


# --- all dataflows


def test_dataflows_are_those_that_an_architecture_may_name() -> None:
    assert tuple(sorted(DATAFLOWS)) == tuple(sorted(machine_table.DATAFLOWS))
    assert all(flow.name == name and flow.title for name, flow in DATAFLOWS.items())


@every
@pytest.mark.parametrize("layer", LAYERS)
def test_every_mapping_covers_the_layer(name: str, flow: str, layer: str) -> None:
    found = some_mappings(name, flow, layer)
    assert found
    for nest in found:
        for d, extent in enumerate(LAYERS[layer].extents):
            assert (nest.tile(d, len(nest.keep)) >= extent).all()


@every
@pytest.mark.parametrize("layer", LAYERS)
def test_no_mapping_is_refused_by_its_own_dataflow(name: str, flow: str, layer: str) -> None:
    at = machine(name, flow)
    for nest in some_mappings(name, flow, layer):
        assert DATAFLOWS[flow].refusals(nest, at) == []


@every
@pytest.mark.parametrize("layer", LAYERS)
def test_some_mapping_fits_every_layer(name: str, flow: str, layer: str) -> None:
    at = machine(name, flow)
    assert any(legal_mappings(LAYERS[layer], at, DATAFLOWS[flow]))


@every
def test_operands_are_kept_only_where_a_level_holds_them(name: str, flow: str) -> None:
    at = machine(name, flow)
    for nest in some_mappings(name, flow, "convolution"):
        assert not (nest.keep & ~at.holds).any()
        assert nest.keep[-1].all()


def test_operand_at_home_further_in_is_kept_no_further_out() -> None:
    keep = DATAFLOWS["ws"].keep(small_machine(), (1, 2, 1))
    assert keep.tolist() == [[False, True, False], [True, True, True], [False, True, False]]


def test_tile_sizes_are_the_smallest_for_each_number_of_tiles() -> None:
    """By trial: of all sizes that give the same number of tiles only the smallest is worth trying."""
    for extent in range(1, 130):
        smallest = {-(-extent // size): size for size in range(extent, 0, -1)}
        assert ladder(extent).tolist() == sorted(smallest.values())
        assert ladder(extent, 7).tolist() == [size for size in sorted(smallest.values()) if size <= 7]


# --- what stays

STAYS = {"ws": W, "os": O, "is": I}


@pytest.mark.parametrize(("flow", "operand"), STAYS.items())
def test_stationary_operand_alone_is_kept_in_the_array(flow: str, operand: int) -> None:
    for nest in some_mappings("systolic_32x32", flow, "convolution"):
        assert [t for t in (I, W, O) if nest.keep[0, t]] == [operand]


def test_weights_that_stay_enter_the_array_once_where_one_tile_is_the_layer() -> None:
    """12 x 6 x 3 x 3 weights, all else streams past them: one fill each."""
    layer = LAYERS["convolution"]
    at = machine("systolic_32x32", "ws")
    nests = some_mappings("systolic_32x32", "ws", "convolution")
    assert min(evaluate(layer, nest, at, "ws").traffic.writes[0, W].min() for nest in nests) == 12 * 6 * 3 * 3


def test_sums_that_stay_leave_the_array_once() -> None:
    """Where one tile is the layer each of the 12 x 7 x 7 sums is written to the buffer once, finished."""
    layer = LAYERS["convolution"]
    at = machine("systolic_32x32", "os")
    nests = some_mappings("systolic_32x32", "os", "convolution")
    assert min(evaluate(layer, nest, at, "os").traffic.writes[1, O].min() for nest in nests) == 12 * 7 * 7


# --- row-stationary

CHIP = [
    # R, e, r, t and the sets that fit 12 x 14 PEs, of the cases of evidence (Table III of the JSSC paper)
    (11, 7, 1, 2),
    (5, 27, 1, 1),
    (3, 13, 1, 4),
    (3, 13, 2, 2),
]


@pytest.mark.parametrize(("rows", "e", "r", "t"), CHIP)
def test_chips_sets_fill_its_array_exactly(rows: int, e: int, r: int, t: int) -> None:
    """As many sets as the paper used and not one more: 2, 1, 4 and 4."""
    assert n_sets(np.array(rows), np.array([e]), machine("eyeriss", "rs")).tolist() == [r * t]


def test_set_wider_than_the_array_is_cut_into_strips() -> None:
    """5 x 27 lies as two strips of 5 rows; 5 x 29 would need three, of which 12 rows hold two."""
    at = machine("eyeriss", "rs")
    assert n_sets(np.array(5), np.array([14, 28, 29]), at).tolist() == [2, 1, 0]


def test_sets_stand_side_by_side_where_they_are_narrow() -> None:
    """Four rows of three, each two sets of seven columns wide."""
    assert n_sets(np.array(3), np.array([7]), machine("eyeriss", "rs")).tolist() == [8]


def test_parameters_make_the_loops_of_the_paper() -> None:
    """CONV2 of AlexNet, one group: 48 channels two at a time, 128 filters 64 a pass, 16 in a PE."""
    layer = problem(K=128, C=48, P=27, Q=27, R=5, S=5)
    at = machine("eyeriss", "rs")
    chosen = {
        k: np.array([v]) for k, v in {"m": 64, "n": 1, "e": 27, "p": 16, "q": 2, "r": 1, "t": 1}.items()
    }
    nest = RS.nest(layer, at, RS.keep(at, (4, 4, 4)), chosen).without_single_trips()
    loops = [
        (at.level_names[level], DIMS[d], axis, int(trips))
        for d, level, axis, (trips,) in zip(nest.dims, nest.levels, nest.axis, nest.trips, strict=True)
    ]
    assert loops == [
        ("dram", "K", "", 2),
        ("dram", "C", "", 24),
        ("glb", "K", "", 4),
        ("glb", "Q", "", 27),
        ("glb", "R", "rows", 5),
        ("glb", "P", "cols", 27),
        ("spad_psum", "C", "", 2),
        ("spad_psum", "S", "", 5),
        ("spad_psum", "K", "", 16),
    ]
    assert spatial_trips(nest, None).tolist() == [135]


def test_filters_that_do_not_fill_a_pass_round_it_up() -> None:
    layer = problem(K=10, C=1, P=3, R=3)
    at = machine("eyeriss", "rs")
    chosen = {k: np.array([v]) for k, v in {"m": 5, "n": 1, "e": 3, "p": 4, "q": 1, "r": 1, "t": 1}.items()}
    nest = RS.nest(layer, at, RS.keep(at, (4, 4, 4)), chosen)
    assert nest.tile(K, 3).tolist() == [8]  # two passes of p t = 4 for m = 5


def test_kernel_with_more_rows_than_the_array_is_folded() -> None:
    """20 filter rows on 12: two turns."""
    at = machine("eyeriss", "rs")
    layer = problem(K=2, C=1, P=4, Q=4, R=20, S=3)
    nests = list(mappings(layer, at, RS))
    assert nests
    for nest in nests:
        on_rows = [j for j, d in enumerate(nest.dims) if d == R and nest.axis[j] == "rows"]
        assert (nest.trips[on_rows] <= 12).all()
        assert (nest.tile(R, 4) >= 20).all()


# --- direct convolution


def test_a_trace_of_nvdla_takes_its_atomic_operations() -> None:
    """24x44x14 by 41 kernels of 5x3: 1,170 pixels, 15 taps, 2 groups of channels, 6 of kernels."""
    layer = problem(K=41, C=14, P=45, Q=26, R=3, S=5)
    at = machine("nvdla_small", "dc")
    steps = [
        int(evaluate(layer, nest, at, "dc").compute_cycles.min())
        for nest in legal_mappings(layer, at, DATAFLOWS["dc"])
    ]
    assert min(steps) == 1170 * 15 * 2 * 6


def test_rows_shorter_than_a_stripe_share_one() -> None:
    """Seven pixels a row: stripes of 14 pixels keep weights for longer than their 8 cycles of loading."""
    layer = problem(K=8, C=8, P=8, Q=7, R=3, S=3)
    at = machine("nvdla_small", "dc")
    waits = [
        wait
        for nest in legal_mappings(layer, at, DATAFLOWS["dc"])
        for wait in evaluate(layer, nest, at, "dc").wait_cycles.tolist()
    ]
    assert min(waits) == 0
    assert max(waits) == 8 * 9 - 1  # a row at a time: 72 stripes of 7
