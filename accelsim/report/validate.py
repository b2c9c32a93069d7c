"""The tables of `validate`: what every case comes to; of a single one, each value as well."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from accelsim.report.blocks import Block, Head, Lines, Table
from accelsim.results.result import Result

VERDICT: Final = {True: "ok", False: "OUTSIDE", None: "-"}
MANY: Final = 5
"""Of this many cases and more, single values are left to --json and -o."""
MOST_ROWS: Final = 60
"""Of a quantity with more rows than this, those that are furthest off are shown."""


def validate_blocks(result: Result) -> list[Block]:
    """Checks of all cases; with few cases their values, fitted constants and sources too."""
    cases = result.more["cases"]
    blocks: list[Block] = [Table("", _HEADS, tuple(_line(c, k) for c in cases for k in c["checks"]))]
    if len(cases) < MANY:
        for case in cases:
            blocks += _detail(case, [row for row in result.rows if row["case"] == case["case"]])
    totals = result.totals
    outside = [case["case"] for case in cases if case["passed"] is False]
    noun = "case" if totals["n_cases"] == 1 else "cases"
    said = f"{totals['n_cases']} {noun}, {totals['n_failed']} outside their tolerance"
    blocks.append(Lines((said + (f": {', '.join(outside)}" if outside else ""),), "bold"))
    blocks.append(
        Lines(
            ("More: accelsim validate CASE for each value, --json for all of it, -o DIR for tables",), "dim"
        )
    )
    return blocks


_HEADS: Final = (
    Head("case", "left"),
    Head("against", "left", least_width=110),
    Head("quantity", "left"),
    Head("rows"),
    Head("rule", "left"),
    Head("found"),
    Head("asked"),
    Head("", "left"),
)


def _line(case: Mapping[str, Any], check: Mapping[str, Any]) -> tuple[str, ...]:
    basis = "" if check["basis"] == "predicted" else " (fitted)"
    return (
        case["case"],
        case["against"],
        check["name"] + basis,
        str(check["n_rows"]),
        check["rule"],
        found(check),
        asked(check),
        VERDICT[check["passed"]],
    )


def found(check: Mapping[str, Any]) -> str:
    """What the check comes to, as people read it."""
    rule, value = check["rule"], check["value"]
    if rule == "exact" or (rule == "shown" and value is None and check["n_rows"]):
        return f"{check['n_equal']} of {check['n_rows']}"  # of text, too
    if rule in ("spearman", "accuracy"):
        return "-" if value is None else f"{value:.3f}"
    return "-" if value is None else f"{value:.1%}"


def asked(check: Mapping[str, Any]) -> str:
    """What would be enough."""
    rule, tolerance = check["rule"], check["tolerance"]
    if tolerance is None:
        return {"exact": "all", "at_least": "none below", "at_most": "none above"}.get(rule, "-")
    if rule in ("spearman", "accuracy"):
        return f"{tolerance:.2f}"
    return f"{tolerance:g}x" if rule == "within" else f"{tolerance:.0%}"


def _detail(case: Mapping[str, Any], rows: list[Mapping[str, Any]]) -> list[Block]:
    heads = (
        Head("row", "left"),
        Head("quantity", "left"),
        Head("theirs"),
        Head("ours"),
        Head("error"),
    )
    names = dict.fromkeys(row["quantity"] for row in rows)
    shown = [one for name in names for one in furthest([r for r in rows if r["quantity"] == name], MOST_ROWS)]
    lines = tuple(
        (row["row"], row["quantity"], number(row["theirs"]), number(row["ours"]), row_error(row))
        for row in shown
    )
    about = (f"{case['title']} ({case['against']})", f"source: {case['source']}", case["about"])
    blocks: list[Block] = [Lines(about), Table(case["case"], heads, lines)]
    given = [f"given: {text}" for text in case["given"]]
    fitted = [
        f"fitted: {one['name']} = {constant(one)}, to {one['fitted_to']} ({one['where']}); "
        f"without it: {', '.join(without(part) for part in one['without'])}"
        for one in case["fitted"]
    ]
    left_out = len(rows) - len(shown)
    more = [f"{left_out:,} more values, none further off, in --json"] if left_out else []
    if given or fitted or more:
        blocks.append(Lines((*more, *given, *fitted)))
    return blocks


def constant(fitted: Mapping[str, Any]) -> str:
    """A fitted constant's value with its unit, where it has one."""
    return f"{fitted['value']} {fitted['unit']}".strip()


def without(part: Mapping[str, Any]) -> str:
    """A check's figure where a fitted constant is left out."""
    value = part["value"]
    score = part["rule"] in ("spearman", "accuracy")
    return f"{part['name']} {'-' if value is None else f'{value:.3f}' if score else f'{value:.1%}'}"


def number(value: Any) -> str:
    """A value of any size with four digits or, where it is an integer, all of them."""
    if value is None:
        return "-"
    if isinstance(value, (str, int)):
        return f"{value:,}" if isinstance(value, int) else value
    return f"{value:,.0f}" if abs(value) >= 1e4 else f"{value:.4g}"


def furthest(rows: Sequence[Mapping[str, Any]], most: int) -> list[Mapping[str, Any]]:
    """The rows in order; where they are too many, those with the largest errors, the largest first."""
    if len(rows) <= most:
        return list(rows)
    return sorted(rows, key=lambda row: -distance(row))[:most]


def distance(row: Mapping[str, Any]) -> float:
    """How far off a row is: its absolute error, infinite where text differs, 0 where nothing is published."""
    if row["error_frac"] is not None:
        return abs(float(row["error_frac"]))
    return 0.0 if row["theirs"] in (None, row["ours"]) else float("inf")


def row_error(row: Mapping[str, Any]) -> str:
    """The signed error of a row; of text, whether it is the same."""
    value = row["error_frac"]
    if value is None:
        return "-" if row["theirs"] is None else "same" if row["theirs"] == row["ours"] else "DIFFERS"
    return "0" if value == 0 else f"{value:+.1%}" if abs(value) >= 0.0005 else "0.0%"
