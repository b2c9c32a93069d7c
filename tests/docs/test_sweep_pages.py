"""The pages of the spaces that ship say what their sweeps give: whole sweeps, or points of those that search.

`python scripts/sweep_pages.py` mends what fails here.
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from types import ModuleType

import pytest

from accelsim.base.files import list_shipped

ROOT = Path(__file__).resolve().parents[2]
FAST = ("aspect_ratio", "five_networks", "int8_fp16")
SLOW = {
    "global_buffer": (("dataflow: [rs, ws, os]", "dataflow: [ws]"), ("8 KiB..512 KiB", "32 KiB..64 KiB")),
    "cores_bandwidth": (
        ("cores: [8, 16, 32]", "cores: [8]"),
        ("6.4..51.2 GB/s step x2", "[51.2 GB/s]"),
        ("mp: [1, 2, 4, 8]", "mp: [1, 8]"),
    ),
}
"""What a search leaves time for in a test: some of the points."""


@pytest.fixture(scope="module")
def pages() -> ModuleType:
    sys.path.insert(0, str(ROOT / "scripts"))
    try:
        return importlib.import_module("sweep_pages")
    finally:
        sys.path.pop(0)


def assert_says(pages: ModuleType, name: str, regions: dict[str, str]) -> None:
    page = pages.page_of(name).read_text(encoding="utf-8")
    for region, text in regions.items():
        assert f"<!-- {region} -->\n{text}<!-- end -->" in page, region
    overview = (ROOT / "docs" / "sweep.md").read_text(encoding="utf-8")
    assert f"<!-- {name} -->\n{regions['short']}<!-- end -->" in overview
    for picture in pages.PICTURES[name]:
        file = f"sweep_{name}_{picture}.png"
        assert file in page
        assert (pages.GALLERY / file).read_bytes().startswith(b"\x89PNG")


def test_every_space_that_ships_has_a_page(pages: ModuleType) -> None:
    assert sorted((*FAST, *SLOW)) == list(list_shipped("spaces")) == sorted(pages.ANSWERS)
    assert set(SLOW) == set(pages.SLOW)
    for name in pages.ANSWERS:
        assert f"```yaml file=spaces/{name}.yaml\n" in pages.page_of(name).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", FAST)
def test_a_page_says_what_its_sweep_gives_today(pages: ModuleType, name: str, tmp_path: Path) -> None:
    assert_says(pages, name, pages.regions(name, pages.swept(name, tmp_path)))


@pytest.mark.parametrize("name", list(SLOW))
def test_a_page_says_what_the_kept_points_give(pages: ModuleType, name: str) -> None:
    assert_says(pages, name, pages.regions(name, pages.kept(name)))


@pytest.mark.parametrize("name", list(SLOW))
def test_kept_points_are_those_of_today(pages: ModuleType, name: str, tmp_path: Path) -> None:
    text = (ROOT / "spaces" / f"{name}.yaml").read_text(encoding="utf-8")
    for old, new in SLOW[name]:
        assert text.count(old) == 1
        text = text.replace(old, new)
    file = tmp_path / "some.yaml"
    file.write_text(text, encoding="utf-8")
    today = pages.run(file, tmp_path / "out").points.drop(columns="index")
    variables = [column for column in today if column not in ("status", "reason")][
        : today.columns.get_loc("latency_cycles")
    ]
    kept = pages.kept(name).points.drop(columns="index").merge(today[variables], on=variables)
    assert len(today) == len(kept) >= 2
    assert today.to_csv(index=False) == kept.to_csv(index=False)
