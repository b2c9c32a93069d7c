"""Reads a case from its folder: `case.yaml` (what is compared), `values.csv` (theirs), `model.py` (ours)."""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, Final, cast, get_args

from accelsim.base.errors import InputError, Problem, did_you_mean
from accelsim.base.files import read_limited
from accelsim.base.yaml_lines import Document, Key, load_yaml_file
from accelsim.evidence.case import ERRORS, SCORES, Case, Check, Fitted, Kind, Row, Rule, Value
from accelsim.evidence.cells import Columns

FOLDER: Final = Path(__file__).resolve().parent
MAX_BYTES: Final = 10_000_000
MOST_PROBLEMS: Final = 20
"""Of a table that is wrong throughout, the first are said."""
TEXT: Final = ("title", "kind", "source", "about")
LISTS: Final = ("key", "given", "checks", "fitted")
CHECK: Final = ("quantity", "name", "unit", "rule", "tolerance", "reason", "basis", "only", "except")
FITTED: Final = ("name", "value", "unit", "where", "fitted_to")

Predict = Callable[..., list[dict[str, Value]]]


def case_names() -> tuple[str, ...]:
    """The cases that ship, sorted."""
    return tuple(sorted(file.parent.name for file in FOLDER.glob("*/case.yaml")))


def read_case(name: str, values: Path | None = None) -> Case:
    """A case that ships; `values` is a table of the same columns in place of its own.

    InputError for an unknown name, for keys that the format lacks, and for tables without the columns that
    the case names.
    """
    if name not in case_names():
        raise InputError(
            Problem(
                f"no case {name!r}",
                expected=", ".join(case_names()),
                hint=did_you_mean(name, case_names()),
            )
        )
    document = load_yaml_file(FOLDER / name / "case.yaml")
    data = _mapping(document, (), (*TEXT, *LISTS))
    own = FOLDER / name / "values.csv"
    checks = tuple(_check(document, ("checks", at)) for at in range(len(data["checks"])))
    fitted = tuple(_fitted(document, ("fitted", at)) for at in range(len(data["fitted"])))
    rows = read_values(own)
    if values is not None:
        asked = tuple(dict.fromkeys(check.quantity for check in checks))
        rows = read_values(values, Columns.of(rows, asked))
    return Case(
        name=name,
        title=data["title"],
        kind=cast(Kind, _one_of(document, ("kind",), get_args(Kind))),
        source=data["source"],
        about=data["about"].strip(),
        key=tuple(data["key"]),
        given=tuple(data["given"]),
        checks=checks,
        fitted=fitted,
        rows=rows,
        values_file=str(values or own),
        of_user=values is not None,
    )


def read_values(file: Path, columns: Columns | None = None) -> tuple[Row, ...]:
    """The rows of a table whose first lines may be comments; `columns` is what a user's table must have.

    InputError with the lines that are uneven, and with cells that are no number where one is wanted.
    """
    name = str(file)
    lines = _text(file).splitlines()
    first = next((at for at, line in enumerate(lines) if line and not line.startswith("#")), None)
    if first is None:
        raise InputError(Problem("holds no table", file=name, expected="a header and rows"))
    reader = csv.DictReader(lines[first:], strict=True)
    _check_header(reader.fieldnames or (), columns, name, first + 1)
    rows, problems = [], []
    try:
        for row in reader:
            line = first + reader.line_num
            if None in row or None in row.values():
                expected = f"{len(reader.fieldnames or ())} cells"
                problems.append(
                    Problem("more or fewer cells than the header has", name, line, expected=expected)
                )
            elif columns is not None:
                rows.append(columns.cleaned(row))
                problems += columns.problems(rows[-1], name, line)
            else:
                rows.append(row)
    except csv.Error as error:
        problems.append(Problem(f"no CSV: {error}", name, first + reader.line_num))
    if not rows and not problems:
        problems.append(Problem("has no rows below its header", name, first + 1, expected="a row a value"))
    if problems:
        raise InputError(problems[:MOST_PROBLEMS])
    return tuple(rows)


def _text(file: Path) -> str:
    try:
        return read_limited(file, MAX_BYTES, "a table of values").decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InputError(Problem("is no text", file=str(file), expected="a CSV file in UTF-8")) from None


def _check_header(names: Sequence[str], columns: Columns | None, file: str, line: int) -> None:
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InputError(Problem(f"has {', '.join(twice)} twice", file, line, expected="a name a column"))
    missing = [name for name in columns.needed if name not in names] if columns is not None else []
    if columns is not None and missing:
        expected = f"the columns {', '.join(columns.needed)}"
        raise InputError(Problem(f"lacks {', '.join(missing)}", file, line, expected=expected))


def model_of(case: Case) -> Predict:
    """`predict(rows, without=None)` of the case's model.py: one dict a row, ours for every quantity."""
    return cast(Predict, import_module(f"accelsim.evidence.{case.name}.model").predict)


def _check(document: Document, path: Key) -> Check:
    data = _mapping(document, path, CHECK, optional=("tolerance", "only", "except", "basis"))
    rule = cast(Rule, _one_of(document, (*path, "rule"), get_args(Rule)))
    if (data.get("tolerance") is None) == (rule in (*ERRORS, *SCORES, "within")):
        expected = "one with mean, median, max, spearman, accuracy and within, none with the others"
        raise _problem(document, path, f"rule {rule} and tolerance {data.get('tolerance')}", expected)
    return Check(
        data["quantity"],
        data["name"],
        data["unit"],
        rule,
        data["reason"],
        data.get("basis", "predicted"),
        data.get("tolerance"),
        _filter(data.get("only")),
        _filter(data.get("except")),
    )


def _filter(given: Mapping[str, Any] | None) -> dict[str, tuple[str, ...]] | None:
    if given is None:
        return None
    return {
        key: tuple(str(item) for item in (value if isinstance(value, list) else [value]))
        for key, value in given.items()
    }


def _fitted(document: Document, path: Key) -> Fitted:
    return Fitted(**_mapping(document, path, FITTED))


def _mapping(
    document: Document, path: Key, names: tuple[str, ...], optional: tuple[str, ...] = ()
) -> dict[str, Any]:
    data: Any = document.data
    for part in path:
        data = data[part]
    if not isinstance(data, dict):
        raise _problem(document, path, "is no mapping", f"keys {', '.join(names)}")
    for key in data:
        if key not in names:
            raise _problem(document, (*path, key), f"unknown key {key!r}", ", ".join(names))
    missing = [name for name in names if name not in data and name not in optional]
    if missing:
        raise _problem(document, path, f"lacks {', '.join(missing)}", ", ".join(names))
    return data


def _one_of(document: Document, path: Key, allowed: tuple[str, ...]) -> str:
    value: Any = document.data
    for part in path:
        value = value[part]
    if value not in allowed:
        raise _problem(document, path, f"{value!r}", ", ".join(allowed))
    return str(value)


def _problem(document: Document, path: Key, message: str, expected: str) -> InputError:
    mark = document.at(path)
    return InputError(Problem(message, file=mark.file, line=mark.line, expected=expected))
