"""The columns of `validate`: one published value beside ours."""

from __future__ import annotations

from typing import Final

from accelsim.tables.column import Column

VALIDATE: Final = ("validate",)
COMPARISON: Final = (
    Column(
        "case", "str", "", "The case: a source of evidence and the model held against it.", commands=VALIDATE
    ),
    Column("row", "str", "", "The row of the source's table.", commands=VALIDATE),
    Column("quantity", "str", "", "What is compared; its name ends in its unit.", commands=VALIDATE),
    Column("check", "str", "", "The first check of the case that looks at the row.", commands=VALIDATE),
    Column("unit", "str", "", "Unit of `theirs` and `ours`.", commands=VALIDATE),
    Column("theirs", "float", "", "The published value; null where the source has none.", commands=VALIDATE),
    Column("ours", "float", "", "What accelsim gives for the same inputs.", commands=VALIDATE),
    Column("error_frac", "float", "1", "Signed relative error.", "ours / theirs - 1", commands=VALIDATE),
    Column(
        "basis",
        "str",
        "",
        "`predicted`: no constant was fitted to such values; `fitted`: one was, and the case lists it.",
        commands=VALIDATE,
    ),
)
