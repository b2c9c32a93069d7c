"""Every place where Timeloop counts differently from our own walk, each shown on one small nest.

The same nest is walked with real buffers (`testing.loop_walk`, which checks its own product) and counted in
Timeloop's semantics. docs/timeloop.md lists these places; where none of them is touched both are equal.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import prod

import numpy as np
import pytest
from support.nests import nest

from accelsim.compat.timeloop.account import Account, account
from accelsim.compat.timeloop.model import Architecture, Level, Mappings, Tensor, TimeloopInput, Workload
from accelsim.compat.timeloop.model import Constraints as NoConstraints
from accelsim.testing.loop_walk import walk

DIMS = "NKCPQRS"
I, W, O = 0, 1, 2
CHILDREN = 1024


def tensors(stride: int = 1) -> tuple[Tensor, ...]:
    at = DIMS.index
    rows, columns = ((at("P"), stride), (at("R"), 1)), ((at("Q"), stride), (at("S"), 1))
    plain = {dim: ((at(dim), 1),) for dim in DIMS}
    return (
        Tensor("I", (plain["N"], plain["C"], rows, columns)),
        Tensor("W", (plain["K"], plain["C"], plain["R"], plain["S"])),
        Tensor("O", (plain["N"], plain["K"], plain["P"], plain["Q"]), read_write=True),
    )


def timeloop(*loops: str, stride: int = 1) -> TimeloopInput:
    """The nest in Timeloop's terms; words as `support.nests.nest` takes them, outermost loop first."""
    n_levels = 1 + max(int(loop.split()[0]) for loop in loops)
    time, space = (np.ones((n_levels, len(DIMS), 1), np.int64) for _ in range(2))
    orders = [{"t": [], "s": []} for _ in range(n_levels)]  # type: ignore[var-annotated]
    for loop in loops:
        level, dim, trips, *spatial = loop.split()
        (space if spatial else time)[int(level), DIMS.index(dim)] = int(trips)
        orders[int(level)]["s" if spatial else "t"].insert(0, DIMS.index(dim))
    full = [{k: (*v, *(d for d in range(len(DIMS)) if d not in v)) for k, v in one.items()} for one in orders]
    mapping = Mappings(
        time,
        space,
        np.array([one["t"] for one in full])[:, :, None],
        tuple(one["s"] for one in full),
        (len(DIMS),) * n_levels,
        ((True,) * 3,) * n_levels,
    )
    levels = (*(Level(f"L{n}", CHILDREN, CHILDREN) for n in range(n_levels - 1)), Level("M"))
    extents = tuple((time * space).prod(axis=0)[:, 0].tolist())
    return TimeloopInput(
        "nest", Workload("nest", tuple(DIMS), extents, tensors(stride)),
        Architecture(levels, CHILDREN, CHILDREN, 0.0), NoConstraints(), mapping,
    )  # fmt: skip


@dataclass(frozen=True)
class Both:
    """Words over all instances: [level][tensor]."""

    ours_reads: list[list[int]]
    ours_writes: list[list[int]]
    theirs: Account

    def reads(self, level: int, t: int) -> int:
        return self.theirs.tally[level, t].reads * self.theirs.instances[level]

    def writes(self, level: int, t: int) -> int:
        words = self.theirs.tally[level, t]
        return (words.fills + words.updates) * self.theirs.instances[level]


def both(*loops: str, exact: bool = False, **options: object) -> Both:
    counts = walk(nest(*loops, **options))  # type: ignore[arg-type]
    given = replace(timeloop(*loops), extrapolates=not exact)
    return Both(counts.reads, counts.writes, account(given))


@pytest.mark.parametrize(
    "loops",
    [
        ("1 K 4", "1 C 3", "0 P 4", "0 R 2"),
        ("1 C 3", "1 K 4 x", "0 P 4"),
        ("1 P 4", "0 P 2", "0 R 3", "0 C 2"),
        ("1 Q 3", "1 C 2 x", "1 P 2 x", "0 K 2", "0 R 3"),
    ],
)
def test_elsewhere_factors_are_counted_alike(loops: tuple[str, ...]) -> None:
    found = both(*loops)
    for t in (I, W):
        assert [found.ours_reads[level][t] for level in (0, 1)] == [found.reads(level, t) for level in (0, 1)]
        assert found.ours_writes[0][t] == found.writes(0, t)


def test_two_steps_a_loop_miss_a_jump_of_zero() -> None:
    """R inside P: a pass ends at p + 2, the next begins at p + 1; Timeloop runs r to 1 only: 17 of 24."""
    loops = ("1 P 8", "1 R 3", "0 N 1")
    assert both(*loops).ours_writes[0][I] == 24
    assert both(*loops).writes(0, I) == 17
    assert both(*loops, exact=True).writes(0, I) == 24


def test_a_tile_is_fetched_whole_where_its_stride_changes() -> None:
    """3 x 3 filter, tile 1 x 4, four rows by two columns of tiles: 108 words; 120 where overlap is lost."""
    loops = ("1 P 4", "1 Q 2", "0 Q 4", "0 R 3", "0 S 3")
    assert both(*loops).ours_writes[0][I] == 108
    assert both(*loops).writes(0, I) == both(*loops, exact=True).writes(0, I) == 120


def test_the_drain_of_a_sum_is_no_read() -> None:
    """Two channels outside three outputs: six drains, which Timeloop leaves out of the child's reads."""
    found = both("1 C 2", "1 P 3", "0 R 2")
    assert found.ours_reads[0][O] - found.reads(0, O) == 6
    assert found.ours_writes[0][O] == found.writes(0, O)  # updates, and sums that come back
    assert (found.ours_reads[1][O], found.ours_writes[1][O]) == (found.reads(1, O), found.writes(1, O))


def test_equal_words_on_a_diagonal_are_one_read_within_a_fan_out() -> None:
    """R and P on one array: 12 children, 6 rows. Ours shares them where the link is diagonal."""
    loops = ("1 R 3 x", "1 P 4 x", "0 N 1")
    assert both(*loops).reads(1, I) == both(*loops, diagonal=True).ours_reads[1][I] == 6
    assert both(*loops).ours_reads[1][I] == 12
    assert both("2 R 3 x", "1 P 4 x", "0 N 1").theirs.tally[2, I].reads == 12  # each fan-out is its own


def test_windows_that_overlap_in_part_share_nothing_in_timeloop() -> None:
    loops = ("1 P 4 x", "0 R 3")
    assert both(*loops).reads(1, I) == both(*loops).ours_reads[1][I] == 12
    assert both(*loops, diagonal=True).ours_reads[1][I] == 6


def test_neighbours_hand_words_over_in_timeloop() -> None:
    """P across, R in time: each child wants what its neighbour had; 8 + 2 words are read instead of 24."""
    loops = ("1 R 3", "1 P 8 x", "0 N 1")
    found = both(*loops)
    assert found.ours_reads[1][I] == 24
    assert found.reads(1, I) == 10
    assert account(replace(timeloop(*loops), links=False)).tally[1, I].reads == 24


def test_a_multiplier_below_a_fan_out_latches_its_words_in_timeloop() -> None:
    """Three multipliers at one register file: the weights of a step are those of the step before."""
    found = both("1 N 1", "0 P 4", "0 K 3 x")
    assert found.ours_reads[0][W] == 12
    assert found.reads(0, W) == 3
    alone = both("1 N 1", "0 P 4", "0 K 3")
    assert alone.ours_reads[0][W] == alone.reads(0, W) == 12


def test_strides_that_skip_words_fetch_the_box_in_timeloop() -> None:
    """A 1 x 1 convolution of stride 2 touches 784 words of a box of 3,025."""
    loops = ("1 N 1", "0 P 28", "0 Q 28")
    window = (2, 1, 0, 56)
    ours = walk(nest(*loops, rows=window, columns=window))
    theirs = account(timeloop(*loops, stride=2))
    assert ours.writes[0][I] == 784
    assert theirs.tally[0, I].fills == prod((55, 55))
