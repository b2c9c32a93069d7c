"""`validate` as Markdown: the page for a sceptic, and the table of the README, from one run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
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
    """A line a case, for the README: every error beside what is asked, equal counts together."""
    lines = []
    for case in result.more["cases"]:
        title = f"[{case['title']}]({link}#{case['case'].replace('_', '-')})"
        equal = [c for c in case["checks"] if c["rule"] == "exact" and c["passed"]]
        said = [f"equal in every value: {', '.join(c['name'] for c in equal)}"] if equal else []
        said += [_short(check) for check in case["checks"] if check not in equal]
        lines.append((title, case["against"], "; ".join(said)))
    return _table(("model", "held against", "measured error (asked)"), lines)


def _short(check: Entry) -> str:
    basis = "fitted, " if check["basis"] == "fitted" else ""
    outside = ", OUTSIDE" if check["passed"] is False else ""
    return f"{check['name']} {_found(check)} ({basis}{_asked(check)}{outside})"


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
    parts.append(_fitted(case["fitted"]))
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


def _fitted(fitted: Sequence[Entry]) -> str:
    if not fitted:
        return "Fitted: nothing.\n"
    lines = [
        (f"`{one['name']}`", constant(one), one["fitted_to"], one["where"],
         "; ".join(without(part) for part in one["without"] if part["value"] is not None))
        for one in fitted
    ]  # fmt: skip
    return "Fitted:\n\n" + _table(("constant", "value", "fitted to", "where", "errors without it"), lines)


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
