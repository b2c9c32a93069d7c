"""Writes what one run of `accelsim validate` gives: docs/validation.md, the README's table, the pictures.

python scripts/validation_page.py     all cases, some minutes
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from make_docs import GALLERY, ROOT, write_region

from accelsim.evidence.validate import validate
from accelsim.report.validation_page import render_cases, render_table

PAGE: Final = ROOT / "docs" / "validation.md"
README: Final = ROOT / "README.md"


def main() -> None:
    result = validate(progress=lambda name, at, n: print(f"{at + 1}/{n} {name}", flush=True))
    pictures = {}
    for old in GALLERY.glob("validation_*.png"):
        old.unlink()
    for name, figure in result.plot.cases():
        figure.savefig(GALLERY / f"{name}.png", dpi=110, metadata={"Software": None})
        pictures[name.removeprefix("validation_")] = f"../{(GALLERY / name).relative_to(ROOT)}.png"
    write_region(PAGE, "summary", render_table(result, Path(PAGE).name))
    write_region(PAGE, "cases", render_cases(result, pictures))
    write_region(README, "validation", render_table(result, "docs/validation.md"))


if __name__ == "__main__":
    main()
