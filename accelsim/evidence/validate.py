"""`validate`: every model beside what others measured, from one pipeline.

Read the case, predict its rows, compare, judge. Each constant that was fitted is left out once, so that the
error without it stands beside the error with it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from accelsim import flow
from accelsim.base.errors import InputError, Problem
from accelsim.evidence.case import KINDS, Case, Check, Row, Value
from accelsim.evidence.measure import Outcome, Pair, outcome
from accelsim.evidence.read import Predict, case_names, model_of, read_case
from accelsim.results.result import Result

Found = list[dict[str, Value]]


def validate(
    cases: Sequence[str] = (),
    *,
    values: str | Path | None = None,
    progress: Callable[[str, int, int], None] | None = None,
) -> Result:
    """The cases named (all that ship where none is), each published value beside ours.

    `values` is a table of the columns of the one case named: its model is held against these rows.
    InputError for unknown cases and tables that can't be read.
    """
    if values is not None and len(set(cases)) != 1:
        raise InputError("--values is a table of one case: name that case, and no other")
    names = tuple(dict.fromkeys(cases)) or case_names()
    read = [read_case(name, Path(values) if values is not None else None) for name in names]
    rows: list[dict[str, Any]] = []
    judged: list[dict[str, Any]] = []
    seconds = {}
    for at, case in enumerate(read):
        if progress is not None:
            progress(case.name, at, len(read))
        start = time.process_time()
        found = _predicted(case)
        rows += _comparisons(case, found)
        judged.append(_judged(case, found))
        seconds[case.name] = time.process_time() - start
    n_passed = sum(case["passed"] is True for case in judged)
    n_failed = sum(case["passed"] is False for case in judged)
    return Result(
        schema="accelsim.validate/1",
        inputs={
            "model": None,
            "arch": None,
            "options": {"cases": list(cases) or None, "values": _text(values)},
        },
        totals={"n_cases": len(judged), "n_passed": n_passed, "n_failed": n_failed},
        rows=rows,
        rows_name="comparisons",
        more={"cases": judged},
        plotter=flow.plots,
        run={"cpu_seconds": seconds},
    )


def _text(values: str | Path | None) -> str | None:
    return None if values is None else str(values)


def _predicted(case: Case, without: str | None = None) -> Found:
    predict = model_of(case)
    try:
        found = predict([dict(row) for row in case.rows], without)
    except (ValueError, ArithmeticError, LookupError) as error:
        if not case.of_user:
            raise
        raise _refused(case, predict, error) from error
    if len(found) != len(case.rows):
        raise ValueError(f"{case.name}: {len(found)} predictions of {len(case.rows)} rows")
    return found


def _refused(case: Case, predict: Predict, error: Exception) -> InputError:
    """A user's row that the model can't take: the first that fails alone, or all of them together."""
    for row in case.rows:
        try:
            predict([dict(row)])
        except InputError as said:
            return said
        except (ValueError, ArithmeticError, LookupError) as own:
            label = f"row {case.label(row)}"
            return InputError(Problem(f"{label}: the model can't take it: {_said(own)}", case.values_file))
    return InputError(Problem(f"the model can't take these rows: {_said(error)}", case.values_file))


def _said(error: Exception) -> str:
    return f"unknown {error}" if isinstance(error, KeyError) else str(error)


def _pairs(case: Case, check: Check, found: Found) -> list[tuple[Row, Pair]]:
    return [
        (row, Pair(row.get(check.quantity) or None, ours.get(check.quantity)))
        for row, ours in zip(case.rows, found, strict=True)
        if check.takes(row)
    ]


def _comparisons(case: Case, found: Found) -> list[dict[str, Any]]:
    """A row of the answer for each row of each check; what several checks look at is listed once."""
    seen: dict[tuple[int, str], dict[str, Any]] = {}
    for check in case.checks:
        for row, pair in _pairs(case, check, found):
            if pair.theirs is None and pair.ours is None:
                continue
            theirs = pair.theirs if pair.number is None else _numeric(pair)
            seen.setdefault(
                (id(row), check.quantity),
                {
                    "case": case.name,
                    "row": case.label(row),
                    "quantity": check.quantity,
                    "check": check.name,
                    "unit": check.unit,
                    "theirs": theirs,
                    "ours": pair.ours,
                    "error_frac": pair.error_frac,
                    "basis": check.basis,
                },
            )
    return list(seen.values())


def _numeric(pair: Pair) -> float | int | None:
    number = pair.number
    return int(number) if number is not None and number.is_integer() and abs(number) < 2**53 else number


def _judged(case: Case, found: Found) -> dict[str, Any]:
    outcomes = [_outcome(case, check, found) for check in case.checks]
    gates = [one.passed for one in outcomes if one.passed is not None]
    return {
        "case": case.name,
        "title": case.title,
        "kind": case.kind,
        "against": KINDS[case.kind],
        "source": case.source,
        "about": case.about,
        "key": list(case.key),
        "given": list(case.given),
        "passed": all(gates) if gates else None,
        "checks": [_check(check, one) for check, one in zip(case.checks, outcomes, strict=True)],
        "fitted": [_fitted(case, at) for at in range(len(case.fitted))],
    }


def _outcome(case: Case, check: Check, found: Found) -> Outcome:
    return outcome(check, [pair for _, pair in _pairs(case, check, found)])


def _check(check: Check, found: Outcome) -> dict[str, Any]:
    return {
        "quantity": check.quantity,
        "name": check.name,
        "unit": check.unit,
        "rule": check.rule,
        "tolerance": check.tolerance,
        "reason": check.reason,
        "basis": check.basis,
        "value": found.value(check),
        **{name: getattr(found, name) for name in found.__slots__},
    }


def _fitted(case: Case, at: int) -> dict[str, Any]:
    """A fitted constant, and what every check comes to without it."""
    constant = case.fitted[at]
    found = _predicted(case, constant.name)
    return {
        **{name: getattr(constant, name) for name in constant.__slots__},
        "without": [
            {"name": check.name, "rule": check.rule, "value": _outcome(case, check, found).value(check)}
            for check in case.checks
        ],
    }
