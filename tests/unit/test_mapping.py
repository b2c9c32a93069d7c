"""The mapping as data: its print, its arrays and back, and what the arrays say about tiles."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accelsim.base.errors import InputError
from accelsim.mapping.lower import lower
from accelsim.mapping.mapping import LevelLoops, Loop, Mapping, from_nest
from accelsim.tables.dims import DIMS, OPERANDS, C, I, K, N, O, P, Q, R, S, W, relevant_dims
from accelsim.tables.nest import Nest, Problem
from accelsim.workload.layer import Layer, Window

LEVELS = ("reg", "sram", "dram")
EXAMPLE = Mapping(
    (
        LevelLoops("dram", ("I", "W", "O"), (Loop("K", 3), Loop("P", 1))),
        LevelLoops("sram", ("I", "O"), (Loop("P", 7), Loop("C", 4, "rows"), Loop("K", 2, "cols"))),
        LevelLoops("reg", (), (Loop("R", 5),)),
    )
)

loops = st.builds(Loop, st.sampled_from(DIMS), st.integers(2, 9))
kept = st.sets(st.sampled_from(OPERANDS)).map(lambda names: tuple(t for t in OPERANDS if t in names))


@st.composite
def mappings(draw: st.DrawFn) -> Mapping:
    """Mappings over LEVELS, temporal loops before spatial ones, as every level is written."""
    levels = []
    for name in reversed(LEVELS):
        own = list(draw(st.lists(loops, max_size=3)))
        for axis in ("rows", "cols", "array"):
            own += [Loop(loop.dim, loop.trips, axis) for loop in draw(st.lists(loops, max_size=2))]
        levels.append(LevelLoops(name, draw(kept), tuple(own)))
    return Mapping(tuple(levels))


def test_mapping_prints_as_a_loop_nest() -> None:
    """Loops of one trip are not loops; each level stands at the depth of its loops."""
    assert str(EXAMPLE) == "\n".join(
        [
            "dram keeps I W O",
            "  for K in 0:3",
            "    sram keeps I O",
            "      for P in 0:7",
            "        parallel for C in 0:4 on rows",
            "          parallel for K in 0:2 on cols",
            "            reg keeps nothing",
            "              for R in 0:5",
            "                multiply-accumulate",
        ]
    )


def test_active_elements_are_the_product_of_the_spatial_trips() -> None:
    assert EXAMPLE.spatial_trips() == 4 * 2


@settings(max_examples=200, deadline=None, derandomize=True, database=None)
@given(mappings())
def test_mapping_and_nest_say_the_same(mapping: Mapping) -> None:
    assert from_nest(mapping.to_nest(LEVELS), 0, LEVELS) == mapping


def test_single_trips_are_left_out_of_a_mapping_made_from_a_nest() -> None:
    back = from_nest(EXAMPLE.to_nest(LEVELS), 0, LEVELS)
    assert back.levels[0].loops == (Loop("K", 3),)
    assert str(back) == str(EXAMPLE)


def test_levels_that_a_mapping_does_not_name_keep_nothing() -> None:
    nest = Mapping(EXAMPLE.levels[:1]).to_nest(LEVELS)
    assert nest.keep.tolist() == [[False] * 3, [False] * 3, [True] * 3]


def test_level_that_the_machine_lacks_is_a_key_error() -> None:
    with pytest.raises(KeyError, match="sram"):
        EXAMPLE.to_nest(("reg", "dram"))


def test_step_of_a_loop_is_what_the_loops_of_its_dimension_cover_inside_it() -> None:
    nest = EXAMPLE.to_nest(LEVELS)
    steps = {(nest.dims[j], nest.levels[j]): int(nest.step[j, 0]) for j in range(len(nest.dims))}
    assert steps == {(K, 2): 2, (P, 2): 7, (P, 1): 1, (C, 1): 1, (K, 1): 1, (R, 0): 1}


def test_tile_of_a_level_is_what_its_loops_and_those_inside_it_cover() -> None:
    nest = EXAMPLE.to_nest(LEVELS)
    assert [int(nest.tile(K, level)[0]) for level in range(3)] == [1, 2, 6]
    assert [int(nest.tile(R, level)[0]) for level in range(3)] == [5, 5, 5]
    assert [int(nest.tile(S, level)[0]) for level in range(3)] == [1, 1, 1]


def test_home_is_the_outermost_level_that_keeps() -> None:
    nest = EXAMPLE.to_nest(LEVELS)
    assert (nest.kept_levels(I), nest.kept_levels(W), nest.kept_levels(O)) == ([1, 2], [2], [1, 2])


def test_points_taken_out_of_a_nest_keep_their_trips() -> None:
    nest = Nest((K, P), (1, 0), ("", ""), np.array([[1, 2, 1], [5, 1, 1]]), np.ones((2, 3), bool))
    assert nest.take(np.array([2, 1])).trips.tolist() == [[1, 2], [1, 1]]
    assert nest.without_single_trips().dims == (K, P)
    assert nest.take(np.array([0, 2])).without_single_trips().dims == (P,)


def test_relevant_dimensions_are_those_that_index_the_operand() -> None:
    """Design, section 2: O[n,g,k,p,q] += I[n,g,c,p+r,q+s] W[g,k,c,r,s]; a second activation has a batch."""
    assert K not in relevant_dims(I)
    assert {P, R, Q, S, C, N} <= set(relevant_dims(I))
    assert {C, R, S}.isdisjoint(relevant_dims(O))
    assert (N in relevant_dims(W), N in relevant_dims(W, weight_has_batch=True)) == (False, True)


def layer(**dims: int) -> Layer:
    return Layer(
        "conv", "conv", "array", dims=tuple(dims.get(d, 1) for d in DIMS), windows=(Window(2, 1, 3, 9),) * 3
    )


def test_layer_is_lowered_with_its_windows_in_order() -> None:
    problem = lower(layer(K=4, C=3, P=5))
    assert problem == Problem((1, 1, 4, 3, 5, 1, 1, 1, 1, 1), ((2, 1, 3, 9),) * 3)
    assert (problem.n_macs, problem.n_output_words) == (60, 20)


def test_product_of_extents_beyond_64_bits_is_refused_with_the_count() -> None:
    with pytest.raises(InputError, match="multiply-accumulates overflow a 64-bit count") as caught:
        lower(layer(N=2**20, K=2**20, C=2**20))
    (problem,) = caught.value.problems
    assert problem.key == "conv"
    assert f"{2**60:,}" in problem.message
    assert problem.hint
