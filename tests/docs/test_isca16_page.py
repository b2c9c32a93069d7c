"""The tables of docs/isca16.md are what the program counts now."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def test_the_tables_of_the_page_are_what_its_script_writes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "scripts"))
    spec = importlib.util.spec_from_file_location("accelsim_isca16_page", ROOT / "scripts" / "isca16_page.py")
    assert spec is not None
    assert spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    text = (ROOT / "docs" / "isca16.md").read_text(encoding="utf-8")
    for name, table in {
        "gains": script.gains(),
        "energies conv": script.energies("CONV"),
        "energies fc": script.energies("FC"),
        "counts": script.counts(),
    }.items():
        assert f"<!-- {name} -->\n{table}<!-- end -->" in text
