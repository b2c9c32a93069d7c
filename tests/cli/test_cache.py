"""`accelsim cache`, and the options --jobs and --no-cache."""

from __future__ import annotations

from pathlib import Path

import pytest

from .conftest import Here


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ACCELSIM_CACHE", str(tmp_path / "kept"))
    return tmp_path / "kept"


def test_cache_says_where_it_is_what_it_holds_and_is_cleared(here: Here, folder: Path) -> None:
    assert here("cache").out == f"{folder}/search: 0 entries, 0 B\n"
    assert here("run", "lenet", "--arch", "eyeriss").code == 0
    found = here("cache", "--json").json
    assert found["schema"] == "accelsim.cache/1"
    sizes = [path.stat().st_size for path in folder.rglob("*") if path.is_file()]
    assert found["cache"] == {
        "path": f"{folder}/search",
        "n_entries": 4,  # lenet: two convolutions, two products
        "bytes": sum(sizes),
        "n_cleared": 0,
    }
    assert here("cache", "--clear").out == f"{folder}/search: 4 entries removed; 0 entries, 0 B\n"
    assert [path for path in folder.rglob("*") if path.is_file()] == []


def test_no_cache_neither_reads_nor_writes(here: Here, folder: Path) -> None:
    for _ in range(2):
        run = here("run", "lenet", "--arch", "eyeriss", "--no-cache", "--json").json["run"]
        assert (run["n_searches"], run["n_from_cache"]) == (4, 0)
    assert not folder.exists()


def test_second_run_and_map_read_what_the_first_run_found(here: Here, folder: Path) -> None:
    here("run", "lenet", "--arch", "eyeriss")
    for command in ("run", "map"):
        run = here(command, "lenet", "--arch", "eyeriss", "--json").json["run"]
        assert (run["n_searches"], run["n_from_cache"]) == (0, 4)


def test_cache_that_is_off_is_said(here: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACCELSIM_CACHE", "off")
    assert here("cache", "--clear").out == "no cache: ACCELSIM_CACHE is off\n"
    assert here("cache", "--json").json["cache"]["path"] is None


def test_fewer_than_no_processes_are_refused(here: Here) -> None:
    outcome = here("run", "lenet", "--arch", "eyeriss", "--jobs", "-2")
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err == "jobs: -2 processes can't be started, expected 1 or more, 0 for all cores\n"
