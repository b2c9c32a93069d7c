"""`accelsim sweep` from the command line: its answer, its files, going on, and every kind of bad usage."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from accelsim.base.files import list_shipped, shipped_folder
from accelsim.cli.app import execute
from accelsim.explore.sweep.stored import read_columns

SPACE = """\
schema: accelsim.space/1
name: small
description: a few arrays
arch: systolic_32x32
networks: [lenet, alexnet]
vary:
  array.rows: 8..64 step x2
  sram.size: [64 KiB, 256 KiB]
  dataflow: [ws, os]
where:
  - area_mm2 <= 3 mm2
answers: {minimise: [latency_s, energy_j]}
"""

Captured = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One sweep for all tests that look at what it left: its space file, and `out`."""
    place = tmp_path_factory.mktemp("sweep")
    (place / "small.yaml").write_text(SPACE)
    assert execute(["sweep", str(place / "small.yaml"), "-o", str(place / "out"), "--quiet"]) == 0
    return place


@pytest.fixture
def space(folder: Path) -> str:
    return str(folder / "small.yaml")


def answer(capsys: Captured, *arguments: str) -> Any:
    """The envelope that a command line prints."""
    assert execute(["sweep", *arguments, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_the_answer_is_made_of_the_points_that_are_kept(folder: Path) -> None:
    found = json.loads((folder / "out" / "result.json").read_text())
    assert found["schema"] == "accelsim.sweep/1"
    assert [view["network"] for view in found["pareto"]] == [None, "lenet", "alexnet"]
    points = read_columns(folder / "out")
    assert len(points["index"]) == 2 * 4 * 2 * 2
    kept = points["area_mm2"] <= 3
    assert found["notes"][0].startswith("sram.size varies, but the energy of sram is fixed")
    totals = found["totals"]
    assert totals["n_ok"] == kept.sum() < len(kept)
    assert totals["n_excluded"] == (~kept).sum()
    for status in ("ok", "excluded", "infeasible", "error"):  # what is stored is what is counted
        assert totals[f"n_{status}"] == (points["status"] == status).sum()
    assert set(points["reason"][~kept]) == {"breaks area_mm2 <= 3 mm2"}
    assert (points["latency_s"] > 0).all()
    for view in found["pareto"][1:]:
        of_network = kept & (points["network"] == view["network"])
        at = list(points["index"]).index(view["best"]["energy_j"])
        assert points["energy_j"][at] == points["energy_j"][of_network].min()


def test_the_directory_has_front_page_and_pictures(folder: Path) -> None:
    place = folder / "out"
    names = {file.name for file in place.iterdir()}
    assert {"result.json", "pareto.csv", "sweep.html", "manifest.json", "points"} <= names
    assert {"pareto_latency_s_energy_j.png", "effects.png", "heat_energy_j.png"} <= names
    rows = list(csv.DictReader((place / "pareto.csv").read_text().splitlines()))
    assert len(rows) == len(json.loads((place / "result.json").read_text())["points"])
    page = (place / "sweep.html").read_text()
    assert "a few arrays" in page
    assert "http" not in page


def test_going_on_gives_the_same_answer_and_starting_again_is_refused(
    folder: Path, space: str, capsys: Captured
) -> None:
    place = folder / "out"
    before = {file.name: file.read_bytes() for file in place.iterdir() if file.is_file()}
    assert execute(["sweep", space, "-o", str(place)]) == 2
    assert "--resume" in capsys.readouterr().err
    second = answer(capsys, space, "-o", str(place), "--resume")
    assert second["run"]["n_evaluated"] == 0
    after = {file.name: file.read_bytes() for file in place.iterdir() if file.is_file()}
    assert {name for name in after if after[name] != before[name]} <= {"result.json"}  # its seconds


def test_any_point_of_a_finished_sweep_can_be_looked_around(
    folder: Path, space: str, capsys: Captured
) -> None:
    place = folder / "out"
    before = {file: file.read_bytes() for file in sorted((place / "points").iterdir())}
    points = read_columns(place)
    at = int(np.flatnonzero((points["area_mm2"] <= 3) & (points["network"] == "alexnet"))[0])
    chosen = int(points["index"][at])
    options = (space, "-o", str(place), "--resume", "--no-pictures", "--around")
    found = answer(capsys, *options, str(chosen))
    assert found["run"]["n_evaluated"] == 0
    around = found["around"]
    assert around["point"]["latency_s"] == points["latency_s"][at]
    for step in around["steps"]:
        there = int(np.flatnonzero(points["index"] == step["index"])[0])
        assert points["network"][there] == "alexnet"
        if points["area_mm2"][there] <= 3:
            ratio = points["latency_s"][there] / points["latency_s"][at]
            assert step["ratios"]["latency_s"] == pytest.approx(ratio)
    assert {file: file.read_bytes() for file in sorted((place / "points").iterdir())} == before
    large = int(points["index"][points["area_mm2"] > 3][0])
    for number, said in (
        (10**9, "0 to 31"),
        (-1, "0 to 31"),
        (large, "is excluded: breaks area_mm2 <= 3 mm2"),
    ):
        assert execute(["sweep", *options, str(number)]) == 2
        told = capsys.readouterr().err
        assert said in told
        assert "around" in told
    assert answer(capsys, *options[:-2])["around"] is None


def test_a_point_that_was_not_asked_for_has_no_neighbours(tmp_path: Path, capsys: Captured) -> None:
    file = tmp_path / "space.yaml"
    where = SPACE.replace("area_mm2 <= 3 mm2", "array.rows > 8")
    file.write_text(where)
    assert execute(["sweep", str(file), "-o", str(tmp_path / "out"), "--around", "0"]) == 2
    assert "point 0 breaks a constraint on variables" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
    file.write_text(SPACE + "sample: {method: random, points: 20, seed: 3}\n")
    answer(capsys, str(file), "-o", str(tmp_path / "out"), "--no-pictures")
    seen = read_columns(tmp_path / "out", ["index"])["index"].tolist()
    missing = next(number for number in range(32) if number not in seen)
    options = (str(file), "-o", str(tmp_path / "out"), "--resume", "--no-pictures", "--around", str(missing))
    assert execute(["sweep", *options]) == 2
    assert f"point {missing} is not in the sample" in capsys.readouterr().err


def test_without_a_directory_the_tables_are_all_that_stays(space: str, capsys: Captured) -> None:
    assert execute(["sweep", space]) == 0
    shown = capsys.readouterr().out
    assert "Pareto front of all networks" in shown
    assert "One step from the knee" in shown


def test_a_dry_run_tells_points_time_and_memory_and_writes_nothing(
    space: str, tmp_path: Path, capsys: Captured
) -> None:
    assert execute(["sweep", space, "--dry-run", "-o", str(tmp_path / "out")]) == 0
    shown = capsys.readouterr().out
    assert "32 combinations" in shown
    assert "time: about" in shown
    assert "memory: about" in shown
    assert "note: sram.size varies, but the energy of sram is fixed" in shown
    assert not (tmp_path / "out").exists()
    assert execute(["sweep", space, "--dry-run", "--json"]) == 0
    figures = json.loads(capsys.readouterr().out)["run"]["estimate"]
    assert (figures["n_raw"], figures["n_points"]) == (32, 32)
    assert figures["seconds"] > 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "--example"),
        (["a.yaml", "--example", "aspect_ratio"], "--example"),
        (["--example", "aspect_rato"], "did you mean 'aspect_ratio'"),
        (["missing.yaml"], "no such file"),
        (["--example", "aspect_ratio", "--resume"], "-o DIR"),
    ],
)
def test_bad_usage_is_told(arguments: list[str], said: str, capsys: Captured) -> None:
    assert execute(["sweep", *arguments]) == 2
    assert said in capsys.readouterr().err


def test_more_than_four_objectives_are_refused_before_anything_runs(tmp_path: Path, capsys: Captured) -> None:
    file = tmp_path / "many.yaml"
    wanted = "[latency_s, energy_j, edp_js, dram_bytes, sram_bytes]"
    file.write_text(SPACE.replace("[latency_s, energy_j]", wanted))
    assert execute(["sweep", str(file), "-o", str(tmp_path / "out")]) == 2
    assert "answers" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", list_shipped("spaces"))
def test_every_shipped_space_is_listed_and_can_be_read(name: str, capsys: Captured) -> None:
    from accelsim.explore.sweep import read_space

    assert read_space(shipped_folder("spaces") / f"{name}.yaml").name == name
    assert execute(["list", "spaces"]) == 0
    assert name in capsys.readouterr().out


def test_without_pictures_all_else_is_there(tmp_path: Path, capsys: Captured) -> None:
    file = tmp_path / "space.yaml"
    file.write_text(SPACE)
    answer(capsys, str(file), "-o", str(tmp_path / "out"), "--no-pictures")
    names = {one.name for one in (tmp_path / "out").iterdir()}
    assert {"manifest.json", "points", "result.json", "pareto.csv", "sweep.html"} <= names
    assert not any(name.endswith(".png") for name in names)


def test_a_sample_says_how_its_hypervolume_grew(tmp_path: Path, capsys: Captured) -> None:
    file = tmp_path / "sample.yaml"
    file.write_text(SPACE + "sample: {method: random, points: 20, seed: 3}\n")
    found = answer(capsys, str(file), "-o", str(tmp_path / "out"))
    curve = found["hypervolume"]
    assert curve["volume"] == sorted(curve["volume"])
    assert (tmp_path / "out" / "hypervolume.png").exists()
    assert curve["volume"][-1] <= curve["whole"]
    assert any("random sample of seed 3" in note for note in found["notes"])
    assert any("of that of all 32 combinations" in note for note in found["notes"])


def test_the_schema_of_the_answer_knows_every_key_and_column_of_it(folder: Path, capsys: Captured) -> None:
    assert execute(["schema", "sweep"]) == 0
    schema = json.loads(capsys.readouterr().out)
    found = json.loads((folder / "out" / "result.json").read_text())
    assert set(found) == set(schema["properties"])
    assert set(schema["required"]) <= set(found)
    variables = {one["name"] for one in found["inputs"]["space"]["variables"]}
    known = set(schema["properties"]["points"]["items"]["properties"])
    assert set(found["points"][0]) - variables <= known
    assert set(found["pareto"][0]) == set(schema["properties"]["pareto"]["items"]["properties"])
    assert set(read_columns(folder / "out")) - variables <= known


def test_check_knows_a_space_and_what_is_wrong_with_it(tmp_path: Path, capsys: Captured) -> None:
    good, bad = tmp_path / "good.yaml", tmp_path / "bad.yaml"
    good.write_text(SPACE)
    bad.write_text(SPACE.replace("64 KiB", "64 KIB").replace("[ws, os]", "[ws, oss]"))
    assert execute(["check", str(good), str(bad)]) == 2
    told = capsys.readouterr()
    assert told.out == f"{good}: space: ok: small: 32 combinations of systolic_32x32, lenet, alexnet\n"
    lines = told.err.splitlines()
    assert [line.split(": ")[0].removeprefix("accelsim: ") for line in lines] == [
        f"{bad}:8:15",
        f"{bad}:9:13",
    ]
    assert "did you mean 'KiB'?" in lines[0]
    assert "did you mean 'os'?" in lines[1]


def test_every_space_that_ships_passes_check(capsys: Captured) -> None:
    files = [str(shipped_folder("spaces") / f"{name}.yaml") for name in list_shipped("spaces")]
    assert execute(["check", *files]) == 0
    assert capsys.readouterr().out.count(": space: ok: ") == len(files)
