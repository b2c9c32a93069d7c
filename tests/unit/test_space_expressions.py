"""Expressions: units, names, and that nothing but arithmetic gets through."""

from __future__ import annotations

import re

import numpy as np
import pytest

from accelsim.explore.sweep.dimensions import dimension_of, name_of
from accelsim.explore.sweep.expressions import Node, compute, number
from accelsim.explore.sweep.grammar import ExpressionError, parse, typed
from accelsim.explore.sweep.names import leaf

TERMS = {
    "rows": leaf("rows", (), (), 256.0),
    "glb.size": leaf("glb.size", (), dimension_of("data"), 2.0**20),
    "clock": leaf("clock", (), dimension_of("frequency"), None),
    "dataflow": leaf("dataflow", ("ws", "os", "is"), (), None),
    "huge": leaf("huge", (), (), 2.0**52),
    "spad.size": number(224, dimension_of("data")),
}
COLUMNS = {
    "rows": np.array([8, 16, 0]),
    "glb.size": np.array([64, 65536, 2**20]),
    "clock": np.array([1e9, 2e9, 5e8]),
    "dataflow": np.array([0, 1, 2]),
    "huge": np.array([2**52, 3, 2**51]),
}


def tree(text: str) -> Node:
    return typed(parse(text), TERMS)


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("64 KiB + glb.size", [65600, 131072, 2**20 + 65536]),
        ("glb.size >= 2 * 32 KiB", [False, True, True]),
        ("glb.size >= 2 * spad.size", [False, True, True]),
        ("glb.size % 64 KiB == 0", [False, True, True]),
        ("glb.size / 64 B", [1, 1024, 16384]),
        ("rows * 50% + 1", [5, 9, 1]),
        ("100 % (rows + 1)", [1, 15, 0]),
        ("8 <= rows < 16", [True, False, False]),
        ("rows == 8 or 8 // rows >= 0.5", [True, False, False]),
        ("8 // rows > 0 or rows == 0", [True, False, True]),
        ("min(rows, 12, 10) - max(1, 2)", [6, 8, -2]),
        ("ceil(rows / 3) + floor(rows / 3)", [5, 11, 0]),
        ("dataflow == 'ws'", [True, False, False]),
        ("dataflow not in ['ws', \"os\"]", [False, False, True]),
        ("4 if dataflow == 'os' else rows", [8, 4, 0]),
        ("clock >= 1 GHz", [True, True, False]),
        ("64 B/cycle * clock >= 64 GB/s", [True, True, False]),
        ("huge * huge > 0", [True, True, True]),
        ("huge * huge", [2.0**104, 9, 2.0**102]),
    ],
)
def test_expressions_compute_on_columns(text: str, values: list[float]) -> None:
    assert np.asarray(compute(tree(text), COLUMNS)).tolist() == values


def test_a_choice_of_texts_is_a_column_of_codes() -> None:
    node = tree("'65nm' if rows > 8 else '45nm' if dataflow == 'ws' else 'none'")
    assert [node.labels[code] for code in compute(node, COLUMNS)] == ["45nm", "65nm", "none"]


def test_texts_of_stored_tables_compare_like_codes() -> None:
    texts = {"dataflow": np.array(["ws", "is"])}
    assert compute(tree("dataflow in ['is']"), texts).tolist() == [False, True]


@pytest.mark.parametrize(
    "text",
    ["2 * rows", "rows // 3", "rows % 7", "min(rows, 4)", "-rows", "2 * glb.size", "rows if rows > 8 else 4"],
)
def test_whole_numbers_stay_whole(text: str) -> None:
    without_zero = {name: column[:2] for name, column in COLUMNS.items()}
    assert np.asarray(compute(tree(text), without_zero)).dtype.kind == "i"


@pytest.mark.parametrize(
    ("text", "dimension"),
    [
        ("2 * glb.size", "data"),
        ("glb.size / 1 cycle", "data/cycle"),
        ("glb.size / 1 cycle * clock", "data/time"),
        ("64 KiB / 1 ms", "data/time"),
        ("glb.size / spad.size", ""),
        ("1 cycle / 1 ns", "frequency"),
    ],
)
def test_units_follow_the_arithmetic(text: str, dimension: str) -> None:
    assert name_of(tree(text).dimension) == dimension


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("__import__('os')", "no function"),
        ("().__class__", "can't stand"),
        ("rows.__class__(1)", "no function"),
        ("(lambda: 1)()", "can't stand"),
        ("[x for x in rows]", "is no expression"),
        ("rows ** 99999", "can't stand"),
        ("rows[0]", "is no expression between"),
        ("rows := 3", "can't stand"),
        ("rows = 3", "can't stand"),
        ("min(*rows)", "is no expression"),
        ("min(rows)", "min of 1"),
        ("rows; rows", "can't stand"),
        ("rows, rows", "is no expression between"),
        ("rows and clock", "of a number"),
        ("not rows", "of a number"),
        ("(rows > 1) + 1", "of true or false"),
        ("rows + dataflow", "of text"),
        ("dataflow == 'wss'", "never 'wss'"),
        ("dataflow < 'ws'", "between text and text"),
        ("dataflow == rows", "between text and a number"),
        ("rows + 1 KiB", "between a plain number and a number in B"),
        ("(" * 300 + "1" + ")" * 300, "characters|no expression"),
        ("-" * 400 + "1", "nested"),
        ("1 +" * 160 + "1", "nested"),
        ("9" * 501, "characters"),
        ("", "no expression"),
    ],
)
def test_nothing_else_gets_through(text: str, message: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        tree(text)
    assert re.search(message, caught.value.message), caught.value.message
