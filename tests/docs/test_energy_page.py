"""The tables of docs/energy.md are those of the technology files."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]


def test_the_tables_are_those_of_the_technology_files(
    make_docs: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "make_docs", make_docs)
    spec = importlib.util.spec_from_file_location("energy_page", ROOT / "scripts" / "energy_page.py")
    assert spec is not None
    assert spec.loader is not None
    page = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(page)
    text = page.PAGE.read_text(encoding="utf-8")
    for name, table in page.regions().items():
        assert f"<!-- {name} -->\n{table}<!-- end -->" in text, "python scripts/energy_page.py mends it"
