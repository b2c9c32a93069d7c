"""`validate`: what its rules make of errors, and what it says of tables that can't be read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from accelsim.base.errors import InputError
from accelsim.evidence import read as reading
from accelsim.evidence.case import Check, Value
from accelsim.evidence.measure import Pair, balanced_accuracy, outcome, spearman
from accelsim.evidence.read import case_names, read_case
from accelsim.evidence.validate import validate


def check(rule: str, tolerance: float | None = None) -> Check:
    return Check("time_ms", "time", "ms", rule, "because", tolerance=tolerance)  # type: ignore[arg-type]


def pairs(*both: tuple[str | None, Value]) -> list[Pair]:
    return [Pair(theirs, ours) for theirs, ours in both]


OFF = pairs(("10", 11.0), ("10", 8.0), ("10", 10.0), (None, 3.0))  # errors of 10, 20 and 0 %


@pytest.mark.parametrize(
    ("rule", "tolerance", "value", "passed"),
    [
        ("mean", 0.11, 0.1, True),
        ("mean", 0.09, 0.1, False),
        ("median", 0.11, 0.1, True),
        ("max", 0.21, 0.2, True),
        ("max", 0.19, 0.2, False),
        ("within", 1.26, 0.2, True),
        ("within", 1.24, 0.2, False),
        ("shown", None, 0.1, None),
        ("at_least", None, 0.2, False),
        ("at_most", None, 0.2, False),
        ("exact", None, 0.2, False),
    ],
)
def test_each_rule_judges_the_errors_of_the_rows_that_have_a_published_value(
    rule: str, tolerance: float | None, value: float, passed: bool | None
) -> None:
    found = outcome(check(rule, tolerance), OFF)
    assert (found.n_rows, found.n_equal) == (3, 1)
    assert found.value(check(rule, tolerance)) == pytest.approx(value)
    assert found.passed is passed


def test_bounds_hold_where_every_row_is_on_the_right_side() -> None:
    assert outcome(check("at_least"), pairs(("1", 1.0), ("1", 1.4))).passed
    assert outcome(check("at_most"), pairs(("1", 1.0), ("1", 0.4))).passed


@pytest.mark.parametrize(
    ("theirs", "ours", "equal"),
    [
        ("18.5", 18.52, True),  # one digit is given
        ("18.5", 18.56, False),
        ("18.50", 18.52, False),
        ("4096", 4096, True),
        ("4096", 4097, False),
        ("4096", 4096.4, True),
        ("1e3", 1400.0, True),  # so printed, its last digit is a thousand
        ("oom", "oom", True),
        ("oom", "ok", False),
        ("oom", None, False),
    ],
)
def test_equal_means_to_the_last_digit_that_they_print(theirs: str, ours: Value, equal: bool) -> None:
    assert Pair(theirs, ours).equal is equal


@pytest.mark.parametrize("rule", ["exact", "mean", "max", "at_least", "within"])
def test_a_published_value_without_one_of_ours_fails_every_gate(rule: str) -> None:
    tolerance = 100.0 if rule in ("mean", "max", "within") else None
    assert outcome(check(rule, tolerance), pairs(("1", 1.0), ("1", None))).passed is False


def test_zero_is_only_equal_to_zero() -> None:
    assert Pair("0", 0.0).error_frac == 0.0
    assert Pair("0", 2.0).error_frac is None
    assert outcome(check("mean", 9.0), pairs(("0", 2.0))).passed is False


def test_rank_correlation_is_one_for_any_rising_curve_and_shares_the_ranks_of_equals() -> None:
    assert spearman([1, 4, 9, 100], [1, 2, 3, 4]) == pytest.approx(1.0)
    assert spearman([4, 3, 2, 1], [1, 2, 3, 4]) == pytest.approx(-1.0)
    # worked by hand: ranks 0, 1.5, 1.5, 3 and 0, 1, 2, 3; covariance 4.5, variances 4.5 and 5
    assert spearman([1, 2, 2, 3], [1, 2, 3, 4]) == pytest.approx(4.5 / (4.5 * 5) ** 0.5)
    assert spearman([1, 1], [1, 2]) is None


def test_balanced_accuracy_gives_a_rare_class_the_same_weight() -> None:
    said = [("yes", "yes")] * 98 + [("blank", "yes"), ("blank", "blank")]
    assert balanced_accuracy(said) == pytest.approx(0.75)


# --- files


def test_every_case_that_ships_can_be_read_and_names_columns_that_its_table_has() -> None:
    assert len(case_names()) >= 3
    for name in case_names():
        case = read_case(name)
        assert case.rows, name
        for one in case.checks:
            assert one.quantity in case.rows[0], (name, one.quantity)
            assert any(one.takes(row) and row[one.quantity] for row in case.rows), (name, one.name)
        labels = [case.label(row) for row in case.rows]
        assert len(labels) == len(set(labels)), f"{name}: key does not name a row"


def test_a_case_with_fitted_values_lists_what_was_fitted() -> None:
    fitted = [read_case(name) for name in case_names()]
    silent = [c.name for c in fitted if not c.fitted and any(k.basis == "fitted" for k in c.checks)]
    assert silent == []


def test_an_error_without_a_constant_is_of_the_kind_that_stands_beside_it() -> None:
    (case,) = validate(["energy_per_op"]).more["cases"]
    (exponent,) = case["fitted"]
    untouched = ("MAC of a chip", "SRAM of other sources", "DRAM")
    found = {check["name"]: check["value"] for check in case["checks"]}
    without = {part["name"]: part["value"] for part in exponent["without"]}
    assert {name: without[name] for name in untouched[1:]} == {name: found[name] for name in untouched[1:]}
    assert without["arithmetic"] > 5 * found["arithmetic"]


def test_an_unknown_case_is_told_with_the_nearest_one() -> None:
    with pytest.raises(InputError, match=r"no case 'mlu100_heatmop'.*mlu100_heatmap"):
        validate(["mlu100_heatmop"])


def test_values_want_one_case() -> None:
    with pytest.raises(InputError, match="name that case"):
        validate([], values="x.csv")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is empty"),
        ("# only\n", "holds no table"),
        ("mp,dp,threads\n1,1,1\n", ":1: lacks batch"),
        ("# a\nmp,dp,threads,batch\n1,1,1,1\n1,1,1\n", ":4: more or fewer cells"),
        ("mp,dp,threads,batch\n1,1,1,1,7\n", ":2: more or fewer cells"),
    ],
)
def test_a_table_that_does_not_fit_is_refused_with_its_line(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "own.csv"
    file.write_text(text)
    with pytest.raises(InputError, match=said):
        validate(["mlu100_heatmap"], values=file)


def write_case(folder: Path, **changes: Any) -> None:
    """A case of one check, as text, with keys changed or (None) left out."""
    data = {
        "title": "t", "kind": "silicon", "source": "s", "about": "a", "key": "[row]", "given": "[]",
        "checks": "[{quantity: x, name: x, unit: s, rule: exact, reason: r}]", "fitted": "[]",
    } | changes  # fmt: skip
    (folder / "one").mkdir()
    text = "".join(f"{key}: {value}\n" for key, value in data.items() if value is not None)
    (folder / "one" / "case.yaml").write_text(text)
    (folder / "one" / "values.csv").write_text("row,x\na,1\n")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"kind": "guess"}, ":2: 'guess', expected silicon"),
        ({"source": None}, "lacks source"),
        ({"sauce": "s"}, "unknown key 'sauce'"),
        (
            {"checks": "[{quantity: x, name: x, unit: s, rule: mean, reason: r}]"},
            "rule mean and tolerance None",
        ),
        ({"checks": "[{quantity: x, name: x, unit: s, rule: near, reason: r}]"}, "'near', expected exact"),
        ({"checks": "[{quantity: x, nmae: x}]"}, "unknown key 'nmae'"),
    ],
)
def test_a_case_that_is_written_wrongly_is_refused_with_its_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changes: dict[str, Any], said: str
) -> None:
    write_case(tmp_path, **changes)
    monkeypatch.setattr(reading, "FOLDER", tmp_path)
    with pytest.raises(InputError, match=said):
        read_case("one")


def own_table(folder: Path, text: str | bytes) -> Path:
    file = folder / "own.csv"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return file


@pytest.mark.parametrize(
    ("case", "text", "said"),
    [
        ("gemmini", "M,K,N,rtl_cycles\n64,abc,64,5\n", r":2: K: found 'abc', expected a number above zero"),
        ("gemmini", "M,K,N,rtl_cycles\n64,64,64,5\n64,0,64,5\n", ":3: K: found '0'"),
        ("gemmini", "M,K,N,rtl_cycles\n64,,64,5\n", "row 64  64: the model can't take it"),
        ("gemmini", "M,K,N,rtl_cycles\n64,64,64,inf\n", ":2: rtl_cycles: found 'inf'"),
        ("gemmini", "M,K,N,rtl_cycles\n64,64,64,many\n", ":2: rtl_cycles: found 'many', expected a number"),
        ("gemmini", "M,K,N,rtl_cycles\n64,2.5,64,5\n", "row 64 2.5 64: the model can't take it"),
        ("gemmini", "M,K,N,rtl_cycles\n", ":1: has no rows"),
        ("gemmini", "M,K,N,M\n1,1,1,1\n", ":1: has M twice"),
        ("gemmini", b"\xff\xfeM,K,N\n", "is no text"),
        ("area_isca16", "item,bytes\nstorage,-4\n", ":2: bytes: found '-4', expected a number of at least 0"),
        ("networks", "network,quantity,unit,source,tolerance,reason\nlenet,macs,T,s,0,r\n", "unknown 'T'"),
    ],
)
def test_a_users_cell_that_is_no_sensible_number_is_refused_with_its_line(
    tmp_path: Path, case: str, text: str | bytes, said: str
) -> None:
    with pytest.raises(InputError, match=said):
        validate([case], values=own_table(tmp_path, text))


def test_a_users_rows_may_lack_published_values_in_any_spelling(tmp_path: Path) -> None:
    result = validate(["gemmini"], values=own_table(tmp_path, "M,K,N,rtl_cycles\n64,64,32,\n64,64,48,nan\n"))
    assert [row["theirs"] for row in result.rows] == [None, None]
    assert result.totals["n_failed"] == 0
    without_the_column = validate(["gemmini"], values=own_table(tmp_path, "M,K,N\n64,64,32\n"))
    assert without_the_column.rows[0]["ours"] == result.rows[0]["ours"]


def test_a_case_named_twice_runs_once() -> None:
    assert validate(["gemmini", "gemmini"]).totals["n_cases"] == 1


def test_except_leaves_out_the_rows_that_have_all_it_names() -> None:
    one = Check("x", "x", "s", "mean", "r", tolerance=0.1, but={"M": ("64",), "N": ("64",)})
    assert [one.takes({"M": m, "N": n}) for m, n in (("64", "64"), ("64", "8"), ("8", "64"))] == [
        False,
        True,
        True,
    ]
