"""`validate` as Markdown: the page for a sceptic, and the table of the README, from one run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from accelsim.report.validate import VERDICT, asked, constant, distance, found, number, row_error, without
from accelsim.results.result import Result

MOST_ROWS: Final = 24
"""Of a case with more rows than this, those that are furthest off are in the page."""

Entry = Mapping[str, Any]


def render_table(result: Result, link: str) -> str:
    """A line a check: what is held against what, found, asked. `link` leads to the page."""
    lines = []
    for case in result.more["cases"]:
        title = f"[{case['title']}]({link}#{case['case'].replace('_', '-')})"
        for check in case["checks"]:
            fitted = " (fitted)" if check["basis"] == "fitted" else ""
            figures = (str(check["n_rows"]), _found(check), _asked(check), VERDICT[check["passed"]])
            lines.append((title, case["against"] if title else "", check["name"] + fitted, *figures))
            title = ""  # a case is named once, its further checks stand below it
    return _table(("model", "held against", "quantity", "values", "found", "asked", ""), lines)


def render_short(result: Result, link: str) -> str:
    """A line a case, for the README: equal counts together, errors beside what is asked, then the rest."""
    lines = []
    for case in result.more["cases"]:
        title = f"[{case['title']}]({link}#{case['case'].replace('_', '-')})"
        lines.append((title, case["against"], "; ".join(_said(case["checks"]))))
    return _table(("model", "held against", "measured error (asked)"), lines)


def _said(checks: Sequence[Entry]) -> Iterator[str]:
    """Of a case; checks without a gate by what stands behind the comma of their names, each with its mean."""
    equal = [check["name"] for check in checks if check["rule"] == "exact" and check["passed"]]
    if equal:
        yield f"equal in every value: {', '.join(equal)}"
    shown: dict[str, list[str]] = {}
    for check in checks:
        fitted = ["fitted"] if check["basis"] == "fitted" else []
        if check["rule"] == "shown":
            name, _, group = check["name"].partition(", ")
            shown.setdefault(group, []).append(f"{name} {found(check)}" + " (fitted)" * len(fitted))
        elif check["name"] not in equal:
            outside = ["OUTSIDE"] if check["passed"] is False else []
            yield f"{check['name']} {_found(check)} ({', '.join((*fitted, _asked(check), *outside))})"
    for group, figures in shown.items():
        yield f"no gate{f', {group}' if group else ''}: {', '.join(figures)}"


def render_cases(result: Result, pictures: Mapping[str, str]) -> str:
    """A chapter a case; `pictures` are the paths of those that have one."""
    return "\n".join(
        _chapter(
            case, [row for row in result.rows if row["case"] == case["case"]], pictures.get(case["case"])
        )
        for case in result.more["cases"]
    )


def _chapter(case: Entry, rows: Sequence[Entry], picture: str | None) -> str:
    parts = [
        f"## {case['case'].replace('_', ' ')}\n",
        f"**{case['title']}** ({case['against']}). Source: {case['source']}.\n",
        f"`accelsim validate {case['case']}`\n",
        f"{case['about']}\n",
    ]
    if case["given"]:
        parts.append("Given: " + "; ".join(case["given"]) + ".\n")
    parts.append(_fitted(case["fitted"], case["checks"]))
    checks = [
        (check["name"], str(check["n_rows"]), check["basis"], check["rule"], _found(check), _asked(check),
         VERDICT[check["passed"]], check["reason"])
        for check in case["checks"]
    ]  # fmt: skip
    parts.append(
        _table(("quantity", "values", "", "rule", "found", "asked", "", "why this tolerance"), checks)
    )
    if picture:
        parts.append(f"![{case['title']}: theirs and ours]({picture})\n")
    parts.append(_values(case, rows))
    return "\n".join(part for part in parts if part)


def _fitted(fitted: Sequence[Entry], checks: Sequence[Entry]) -> str:
    if not fitted:
        return "Fitted: nothing.\n"
    lines = [
        (f"`{one['name']}`", constant(one), one["fitted_to"], one["where"], _changed(one, checks))
        for one in fitted
    ]
    heads = ("constant", "value", "fitted to", "where", "errors without it, where others")
    return "Fitted:\n\n" + _table(heads, lines)


def _changed(fitted: Entry, checks: Sequence[Entry]) -> str:
    """The checks that come to something else without a constant."""
    both = zip(map(without, fitted["without"]), map(without, checks), strict=True)
    return "; ".join(left_out for left_out, found in both if left_out != found) or "none"


def _values(case: Entry, rows: Sequence[Entry]) -> str:
    """A line a row of the source, a column a quantity; many rows that are all equal are left out."""
    names = [
        name
        for name in dict.fromkeys(c["quantity"] for c in case["checks"])
        if _worth_showing(case, rows, name)
    ]
    lines: dict[str, dict[str, Entry]] = {}
    for row in rows:
        if row["quantity"] in names and row["theirs"] is not None:
            lines.setdefault(row["row"], {})[row["quantity"]] = row
    if not lines:
        return ""
    shown = sorted(lines, key=lambda label: -max(map(distance, lines[label].values())))[:MOST_ROWS]
    kept = [label for label in lines if label in shown]
    few = (
        f" ({len(kept)} of {len(lines)} rows, those that are furthest off)" if len(kept) < len(lines) else ""
    )
    unit = {check["quantity"]: check["unit"] for check in case["checks"]}
    heads = [f"{name} [{unit[name]}]" if unit[name] else name for name in names]
    cells = ([_value(lines[label].get(name)) for name in names] for label in kept)
    body = [(label, *line) for label, line in zip(kept, cells, strict=True)]
    return f"Theirs, ours, error{few}:\n\n" + _table((" ".join(case["key"]), *heads), body)


def _worth_showing(case: Entry, rows: Sequence[Entry], quantity: str) -> bool:
    known = [row for row in rows if row["quantity"] == quantity and row["theirs"] is not None]
    return len(known) <= MOST_ROWS or any(distance(row) for row in known)


def _value(row: Entry | None) -> str:
    return "" if row is None else f"{number(row['theirs'])}, {number(row['ours'])}, {row_error(row)}"


def _found(check: Entry) -> str:
    if check["rule"] == "shown" and check["value"] is None:
        return f"{found(check)} equal"
    kind = {
        "mean": "mean ",
        "shown": "mean ",
        "median": "median ",
        "max": "largest ",
        "spearman": "Spearman ",
    }
    return kind.get(check["rule"], "") + found(check)


def _asked(check: Entry) -> str:
    return "shown" if check["rule"] == "shown" else asked(check)


def _table(heads: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    rows = [heads, ["---"] * len(heads), *lines]
    return "".join(f"| {' | '.join(cell.replace('|', '/') for cell in row)} |\n" for row in rows)
