"""docs/validation.md and the README's table say what `accelsim validate` gives now, case by case.

`python scripts/validation_page.py` mends what fails here.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from accelsim.evidence.read import case_names
from accelsim.evidence.validate import validate
from accelsim.report.validation_page import render_short, render_table

ROOT = Path(__file__).resolve().parents[2]


def region(page: Path, name: str) -> str:
    """What stands between `<!-- name -->` and `<!-- end -->`."""
    return page.read_text(encoding="utf-8").partition(f"<!-- {name} -->\n")[2].partition("<!-- end -->")[0]


def body(table: str) -> str:
    """A table without its two lines of heads."""
    return table.split("\n", 2)[2]


@pytest.mark.parametrize("case", case_names())
def test_the_pages_say_what_a_run_gives_now(case: str) -> None:
    result = validate([case])
    page = ROOT / "docs" / "validation.md"
    assert result.more["cases"][0]["passed"] is not False
    assert body(render_table(result, page.name)) in region(page, "summary")
    assert f"## {case.replace('_', ' ')}\n" in region(page, "cases")
    assert body(render_short(result, "docs/validation.md")) in region(ROOT / "README.md", "validation")
