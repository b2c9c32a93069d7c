"""The row-stationary array makes the right convolution, and moves the words of the equivalent loop nest.

Array and loop walk are two oracles that share no code; they must agree on every count.
"""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.sim_cases import nest_of, problem_of
from support.small_machine import small_machine

from accelsim.cost.evaluate import evaluate
from accelsim.testing.loop_walk import Case, walk
from accelsim.testing.row_stationary import ArrayCounts, RowStationary, run_row_stationary

SHAPE = ("N", "M", "C", "E", "F", "R", "S")


def run(shape: tuple[int, ...], stride: int, mapping: RowStationary) -> ArrayCounts:
    """Run on random integers and compare with a convolution by numpy."""
    N, M, C, E, F, R, S = shape
    rng = np.random.default_rng(sum(shape))
    inputs = rng.integers(1, 10, (N, C, (E - 1) * stride + R, (F - 1) * stride + S))
    weights = rng.integers(1, 10, (M, C, R, S))
    windows = np.lib.stride_tricks.sliding_window_view(inputs, (R, S), axis=(2, 3))[:, :, ::stride, ::stride]
    result = run_row_stationary(inputs, weights, stride, mapping)
    assert np.array_equal(result.outputs, np.einsum("ncefrs,mcrs->nmef", windows, weights))
    assert result.macs == math.prod(shape)
    return result


def loop_nest(shape: tuple[int, ...], stride: int, x: RowStationary) -> Case:
    """The same mapping as loops: level 0 the scratch pads, 1 the GLB (which has no weights), 2 DRAM."""
    N, M, C, E, F, R, S = shape

    def over(extent: int, block: int) -> int:
        return -(-extent // block)

    loops = [
        (2, "N", over(N, x.n), False),
        (2, "K", over(M, x.m), False),
        (2, "P", over(E, x.e), False),
        (1, "C", over(C, x.q * x.r), False),
        (1, "K", x.m // (x.p * x.t), False),
        (1, "N", x.n, False),
        (1, "Q", F, False),
        (1, "C", x.r, True),
        (1, "K", x.t, True),
        (1, "R", R, True),
        (1, "P", x.e, True),
        (0, "K", x.p, False),
        (0, "C", x.q, False),
        (0, "S", S, False),
    ]
    extents = {"N": N, "G": 1, "K": M, "C": C, "P": E, "Q": F, "R": R, "S": S, "Z": 1, "V": 1}
    return Case(
        extents=extents,
        windows=(
            (stride, 1, 0, (E - 1) * stride + R),
            (stride, 1, 0, (F - 1) * stride + S),
            (1, 1, 0, 1),
        ),
        weight_has_batch=False,
        loops=tuple(loops),
        n_levels=3,
        keep=((True, True, True), (True, False, True), (True, True, True)),
        multicast=(True, True),
        reduce=True,
        diagonal=True,
        padding_stored=(False,) * 3,
        fetch_box=(False,) * 3,
    )


@st.composite
def problems(draw):
    """Small layers with parameters that need not divide them; m is a whole number of p t."""
    shape = tuple(draw(st.integers(1, most)) for most in (3, 5, 5, 5, 4, 3, 3))
    limits = dict(zip(SHAPE, shape, strict=True))
    n, e = draw(st.integers(1, limits["N"])), draw(st.integers(1, limits["E"]))
    p = draw(st.integers(1, limits["M"]))
    t = draw(st.integers(1, -(-limits["M"] // p)))
    q = draw(st.integers(1, limits["C"]))
    r = draw(st.integers(1, -(-limits["C"] // q)))
    m = p * t * draw(st.integers(1, -(-limits["M"] // (p * t))))
    return shape, draw(st.integers(1, 3)), RowStationary(n, m, e, p, q, r, t)


@settings(max_examples=60, deadline=None, derandomize=True, database=None)
@given(problems())
def test_array_moves_the_words_of_its_loop_nest(problem):
    array, nest = run(*problem), walk(loop_nest(*problem))
    words, events = array.words, nest.events
    assert array.steps == nest.steps
    assert words["spad I fill"] == events[0, "I", "fill"]
    assert words["spad W fill"] == events[0, "W", "fill"]
    assert words["glb I read"] == events[1, "I", "child"]
    assert words["dram W read"] == events[2, "W", "child"]
    for operand in "IW":
        assert words[f"spad {operand} mac"] == events[0, operand, "mac"]
    for level, memory in enumerate(("spad", "glb")):
        for cause in ("accumulate", "drain", "return", "returned", "update"):
            assert words[f"{memory} O {cause}"] == events[level, "O", cause], (memory, cause)


@settings(max_examples=60, deadline=None, derandomize=True, database=None)
@given(problems(), st.sampled_from([0.0, 7.0]), st.sampled_from([math.inf, 2.0, 8.0]))
def test_passes_cost_control_and_the_loading_of_their_weights(problem, control, bandwidth):
    """7 cycles for each pass that takes new weights; words of a byte over the links' bandwidth."""
    array, case = run(*problem), loop_nest(*problem)
    machine = small_machine(
        capacity_bytes=np.full(3, 1e6), pass_cycles=control, pass_bytes_per_cycle=bandwidth
    )
    cost = evaluate(problem_of(case), nest_of(case), machine, "rs")
    assert cost.compute_cycles[0] == array.steps
    assert cost.fill_drain_cycles[0] == control * array.loads + math.ceil(
        array.words["dram W read"] / bandwidth
    )


@pytest.mark.parametrize(
    ("stride", "rows", "mapping", "active_pes"),
    [
        (4, 11, RowStationary(1, 32, 7, 16, 1, 1, 2), 154),
        (1, 5, RowStationary(1, 16, 27, 16, 2, 1, 1), 135),
        (1, 3, RowStationary(1, 64, 13, 16, 4, 1, 4), 156),
        (1, 3, RowStationary(1, 32, 13, 16, 3, 2, 2), 156),
    ],
)
def test_alexnet_passes_keep_as_many_pes_busy_as_the_chip(stride, rows, mapping, active_pes):
    """Active PEs of CONV1, CONV2, CONV3 and CONV4 = CONV5: Eyeriss, JSSC 2017, tables III and V."""
    shape = (1, mapping.p * mapping.t, mapping.q * mapping.r, mapping.e, 1, rows, 1)
    result = run(shape, stride, mapping)
    assert result.passes == 1
    assert result.most_active_pes == active_pes == rows * mapping.e * mapping.r * mapping.t
    assert result.steps == mapping.p * mapping.q  # one column, one tap, all PEs in lock step


def test_one_set_reads_each_input_row_once_for_its_diagonal():
    """3 x 4 PEs, rows of 5 words: 6 input rows leave the GLB once, and 12 PEs get one of them each."""
    words = run((1, 1, 1, 4, 3, 3, 3), 1, RowStationary(1, 1, 4, 1, 1, 1, 1)).words
    assert words["glb I read"] == 6 * 5
    assert words["spad I fill"] == 12 * 5
    assert words["dram W read"] == 3 * 3
    assert words["spad W fill"] == 12 * 3
    assert words["array O hop"] == 2 * 4 * 3
    assert words["glb O update"] == 4 * 3


def test_sums_meet_the_glb_twice_a_pass_over_channels():
    """Three passes: 3 updates, 2 returns and the drain of each sum, 2 x passes as in the chip's GLB."""
    words = run((1, 2, 6, 2, 3, 2, 2), 1, RowStationary(1, 2, 2, 2, 1, 2, 1)).words
    accesses = words["glb O update"] + words["glb O return"] + words["glb O drain"]
    assert accesses == 2 * 3 * (2 * 2 * 3)
