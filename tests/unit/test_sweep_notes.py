"""What an answer says of figures that it does not have."""

from __future__ import annotations

import numpy as np

from accelsim.explore.sweep.notes import failures, few_points, missing_pairs
from accelsim.explore.sweep.source import Sifted
from tests.support.sweeps import AXES, GOALS, Axis, Held, seen, table


def wide(*sizes: int, kept: int = 40) -> dict[str, np.ndarray]:
    """Points spread over a grid of variables a, b, ... with these numbers of values."""
    n = int(np.prod(sizes))
    index = np.unique(np.linspace(0, n - 1, kept).astype(np.int64))
    codes = np.unravel_index(index, sizes)
    columns = {chr(97 + i): code for i, code in enumerate(codes)}
    return columns | {
        "index": index,
        "latency_s": 1.0 + codes[0],
        "energy_j": 10.0 - codes[0] / 1e3,
        "status": np.full(len(index), "ok"),
    }


def axes(*sizes: int) -> tuple[Axis, ...]:
    return tuple(Axis(chr(97 + i), tuple(range(n))) for i, n in enumerate(sizes))


def test_pairs_of_too_many_cells_are_named_with_what_they_lack() -> None:
    sizes = (200, 100, 30, 2)
    notes = missing_pairs(seen(wide(*sizes), axes(*sizes), GOALS).views[0])
    assert notes == [
        "no heat map and no joint effect of a x b: more than 16,384 cells",
        "no joint effect of a x c: more than 4,000 cells",
    ]
    assert missing_pairs(seen(table(), AXES, GOALS).views[0]) == []


def test_more_variables_than_pairs_are_made_of_are_told() -> None:
    sizes = (2,) * 13
    (note,) = missing_pairs(seen(wide(*sizes), axes(*sizes), GOALS).views[0])
    assert note == "13 variables: heat maps and effects of two are made of up to 12 alone"


def test_effects_of_few_points_are_named() -> None:
    sizes = (2, 2, 30)
    (note,) = few_points(seen(wide(*sizes), axes(*sizes), GOALS).views[0])
    assert note == "40 points: too few points to tell what c, a x c and b x c explain"
    (note,) = few_points(seen(wide(*sizes, kept=9), axes(*sizes), GOALS).views[0])
    assert "9 points: too few points to tell what explains the variance" in note
    assert few_points(seen(table(), AXES, GOALS).views[0]) == []


def test_why_no_point_is_ok_is_counted_by_reason() -> None:
    columns = table()
    columns["status"] = np.array(["infeasible"] * 14 + ["error"] * 7 + ["excluded"] * 3)
    columns["reason"] = np.array([*["glb is too small"] * 14, *"abcdefg", *["breaks area <= 3 mm2"] * 3])
    notes = failures(Sifted(Held(columns)), 24)
    assert notes[:2] == [
        "14 of 24 points: glb is too small",
        "3 of 24 points: breaks area <= 3 mm2",
    ]
    assert notes[-1] == "5 of 24 points: other reasons"
    assert len(notes) == 5
    assert failures(Sifted(Held(columns)), 0) == ["no combination meets the constraints on variables"]
