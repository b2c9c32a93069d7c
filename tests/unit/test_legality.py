"""What fits: room that tiles take, worked out by hand, and the reasons that a refusal gives."""

from __future__ import annotations

import numpy as np
import pytest
from support.layers import problem
from support.small_machine import small_machine

from accelsim.mapping.dataflows import DATAFLOWS
from accelsim.mapping.footprint import level_bytes, partial_bytes, tile_words, word_bytes
from accelsim.mapping.legality import capacity_problem, legal, limited_levels, reasons
from accelsim.mapping.mapping import LevelLoops, Loop, Mapping
from accelsim.tables.dims import I, O, W
from accelsim.tables.machine import Machine
from accelsim.tables.nest import Nest, Problem

REG, SRAM, DRAM = range(3)
WS, ANY = DATAFLOWS["ws"], DATAFLOWS["any"]


def nest(dram: str = "", sram: str = "", rows: str = "", cols: str = "", reg: str = "W", **kept: str) -> Nest:
    """Loops like "K 2, P 3"; DRAM and sram keep everything, reg what is said."""

    def loops(text: str, axis: str = "") -> tuple[Loop, ...]:
        return tuple(Loop(part.split()[0], int(part.split()[1]), axis) for part in text.split(",") if part)

    inside = loops(sram) + loops(rows, "rows") + loops(cols, "cols")
    levels = (
        LevelLoops("dram", ("I", "W", "O"), loops(dram)),
        LevelLoops("sram", tuple(kept.get("keep", "IWO")), inside),
        LevelLoops("reg", tuple(reg), ()),
    )
    return Mapping(levels).to_nest(("reg", "sram", "dram"))


def words(layer: Problem, mapping: Nest, operand: int, padded: bool = False, box: bool = False) -> int:
    return int(tile_words(layer, mapping, operand, SRAM, padded, box)[0])


# --- room that a tile takes


def test_tile_of_a_sliding_window_is_its_span() -> None:
    """5 x 6 outputs under a 3 x 3 filter read 7 x 8 inputs of two channels; four filters of 2 x 3 x 3."""
    layer = problem(K=4, C=2, P=5, Q=6, R=3, S=3)
    mapping = nest(sram="K 4, C 2, P 5, Q 6, R 3, S 3")
    assert [words(layer, mapping, t) for t in (I, W, O)] == [2 * 7 * 8, 4 * 2 * 9, 4 * 5 * 6]


def test_loops_outside_the_level_do_not_count() -> None:
    layer = problem(K=4, C=2, P=6)
    mapping = nest(dram="K 2, P 3", sram="K 2, C 2, P 2")
    assert [words(layer, mapping, t) for t in (I, W, O)] == [2 * 2, 2 * 2, 2 * 2]


def test_strided_tile_leaves_out_what_it_skips_unless_the_box_is_fetched() -> None:
    """Stride 3 under two taps: rows 0 1, 3 4, 6 7 of a span of eight; along Q three words of seven."""
    layer = problem(stride=3, P=3, R=2, Q=3)
    mapping = nest(sram="P 3, R 2, Q 3")
    assert words(layer, mapping, I) == 6 * 3
    assert words(layer, mapping, I, box=True) == 8 * 7


def test_stored_padding_takes_room() -> None:
    """Three rows and columns padded by one: five where padding is stored."""
    layer = problem(pad=1, P=3, Q=3, R=3, S=3)
    mapping = nest(sram="P 3, Q 3, R 3, S 3")
    assert words(layer, mapping, I) == 3 * 3
    assert words(layer, mapping, I, padded=True) == 5 * 5


def test_ragged_tile_takes_no_more_than_the_layer_has() -> None:
    layer = problem(K=5)
    assert words(layer, nest(dram="K 2", sram="K 8"), O) == 5


def test_all_operands_of_a_level_share_its_room() -> None:
    """4 inputs, 12 weights, 3 outputs of a matrix product, a byte each; the reg keeps one weight."""
    layer = problem(K=3, C=4)
    mapping = nest(sram="K 3, C 4")
    assert level_bytes(layer, mapping, small_machine(), SRAM).tolist() == [4 + 12 + 3]
    assert level_bytes(layer, mapping, small_machine(), REG).tolist() == [1]


def test_double_buffering_takes_twice_the_room() -> None:
    machine = small_machine(double_buffered=np.array([False, True, False]))
    assert level_bytes(problem(K=3, C=4), nest(sram="K 3, C 4"), machine, SRAM).tolist() == [38]


def test_level_that_does_not_keep_an_operand_has_no_room_for_it() -> None:
    assert level_bytes(
        problem(K=3, C=4), nest(sram="K 3, C 4", keep="I"), small_machine(), SRAM
    ).tolist() == [4]


def test_operand_at_home_is_no_tile() -> None:
    """Liveness counts what lives at a level; here sram is the home of the inputs."""
    mapping = nest(sram="K 3, C 4")
    mapping.keep[DRAM, I] = False
    assert level_bytes(problem(K=3, C=4), mapping, small_machine(), SRAM).tolist() == [12 + 3]


WIDE = small_machine(bits=np.array([8, 8, 8]), accumulate_bits=32)


def test_finished_outputs_are_narrow_and_partial_sums_wide() -> None:
    """Sums of 32 bits: all in sram where it is the innermost of O or channels run outside its child."""
    layer = problem(K=3, C=4)
    innermost = nest(sram="K 3, C 4", keep="O")
    spilled = nest(dram="C 4", sram="K 3", keep="O", reg="O")
    assert level_bytes(layer, innermost, WIDE, SRAM).tolist() == [3 * 4]
    assert level_bytes(layer, spilled, WIDE, SRAM).tolist() == [3 * 4]
    assert level_bytes(problem(K=3), nest(sram="K 3", keep="O", reg="O"), WIDE, SRAM).tolist() == [3]


def test_memory_with_a_width_of_its_own_stores_everything_at_it() -> None:
    machine = small_machine(word_bits=np.array([0, 64, 0]), accumulate_bits=32)
    assert (word_bytes(machine, SRAM, I), partial_bytes(machine, SRAM)) == (8, 8)
    assert (word_bytes(machine, DRAM, I), partial_bytes(machine, DRAM)) == (1, 4)


# --- limits


def sized(sram: float) -> Machine:
    return small_machine(capacity_bytes=np.array([3.0, sram, np.inf]))


def test_mapping_fits_up_to_the_last_byte() -> None:
    layer, mapping = problem(K=3, C=4), nest(sram="K 3, C 4")
    assert legal(layer, mapping, sized(19), WS).tolist() == [True]
    assert legal(layer, mapping, sized(18), WS).tolist() == [False]


def test_each_mapping_of_a_nest_is_judged_by_itself() -> None:
    many = nest(sram="K 3, C 4")
    many = Nest(many.dims, many.levels, many.axis, np.array([[3, 3, 1], [4, 1, 4]]), many.keep)
    # 4 + 12 + 3, 1 + 3 + 3, 4 + 4 + 1
    assert legal(problem(K=3, C=4), many, sized(8), WS).tolist() == [False, True, False]


def test_levels_without_a_size_are_never_full() -> None:
    assert limited_levels(sized(10)) == [REG, SRAM]
    assert limited_levels(small_machine(capacity_bytes=np.array([np.inf, 1.0, 8.0]))) == [SRAM]


@pytest.mark.parametrize(
    ("rows", "cols", "fits"),
    [
        ("C 4", "K 4", True),
        ("C 5", "K 4", False),
        ("C 4", "K 5", False),
        ("C 2, R 2", "K 4", True),
        ("C 2, R 3", "K 1", False),
    ],
)
def test_loops_side_by_side_fit_rows_and_columns(rows: str, cols: str, fits: bool) -> None:
    layer = problem(K=8, C=8, R=3)
    assert legal(layer, nest(rows=rows, cols=cols), sized(1e9), WS).tolist() == [fits]


def texts(layer: Problem, mapping: Nest, machine: Machine, flow: str = "ws") -> list[str]:
    return [str(m) for m in reasons(layer, mapping, machine, DATAFLOWS[flow], "conv")]


def test_mapping_that_can_run_has_no_reason_against_it() -> None:
    assert texts(problem(K=3, C=4), nest(sram="K 3", rows="C 4"), sized(19)) == []


def test_full_level_gives_demand_limit_and_remedy() -> None:
    (reason,) = texts(problem(K=3, C=4), nest(sram="K 3, C 4"), sized(18))
    assert (
        reason == "conv: sram needs 19 B of 18 B for layer conv (a smaller tile, or --set sram.size='19 B')"
    )


def test_least_demand_of_several_mappings_is_the_one_to_mend() -> None:
    many = nest(sram="K 3")
    many = Nest(many.dims, many.levels, many.axis, np.array([[3, 2]]), many.keep)
    (reason,) = capacity_problem(problem(K=3), many, sized(4), SRAM, "conv")
    assert "sram needs 5 B of 4 B" in reason.message


def test_loops_that_do_not_cover_a_dimension_say_so() -> None:
    assert texts(problem(K=3, C=5), nest(sram="K 3, C 4"), sized(99)) == [
        "conv: the loops of C cover 4 of 5 (raise their trips)"
    ]


def test_array_that_is_too_small_gives_both_sides() -> None:
    (reason,) = texts(problem(C=8, K=4), nest(rows="C 8", cols="K 4"), sized(99))
    assert reason.startswith("conv: 8 x 4 processing elements on rows x cols, 32 in all, for layer conv, ")
    assert "expected at most 4 x 4" in reason


def test_dataflow_refuses_what_it_cannot_unroll_or_keep() -> None:
    """ws unrolls channels and taps on rows, filters on columns, and keeps weights only."""
    assert texts(problem(P=4), nest(rows="P 4", reg="O"), sized(99)) == [
        "conv: ws unrolls C S R on rows, not P",
        "conv: ws keeps no O inside the array (reg)",
    ]
    assert texts(problem(P=4), nest(rows="P 4", reg="O"), sized(99), "any") == []


def test_level_refuses_operands_that_it_does_not_hold() -> None:
    holds = np.array([[0, 1, 0], [1, 0, 1], [1, 1, 1]], np.bool_)
    machine = small_machine(holds=holds)
    assert texts(problem(K=3), nest(sram="K 3"), machine) == [
        "conv: sram does not hold W (take it out of sram's keep)"
    ]


def test_every_reason_is_given_at_once() -> None:
    assert len(texts(problem(K=9, P=9), nest(sram="K 3, P 8", rows="P 2"), sized(1))) == 3
