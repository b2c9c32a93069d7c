"""`accelsim map FILE --compat timeloop` as a user meets it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import accelsim
from accelsim.compat.timeloop.map import map_timeloop

from .conftest import Here

SHIPPED = Path(accelsim.__file__).parent / "evidence" / "timeloop" / "eyeriss_conv.yaml"
LARGE = "C: 128, Hdilation: 1, Hstride: 1, M: 256, N: 1, P: 56, Q: 56, R: 3, S: 3"
SMALL = "C: 8, Hdilation: 1, Hstride: 1, M: 16, N: 1, P: 4, Q: 4, R: 3, S: 3"


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A layer that is searched at once, without the mapping of the large one."""
    text = SHIPPED.read_text(encoding="utf-8")
    assert LARGE in text
    text = text.replace(LARGE, SMALL)
    path = tmp_path_factory.mktemp("timeloop") / "small.yaml"
    path.write_text(text[: text.index("mapping:")] + text[text.index("ERT:") :], encoding="utf-8")
    return path


def words(file: Path, *options: str | Path) -> tuple[str | Path, ...]:
    return ("map", file, "--compat", "timeloop", *options)


@pytest.mark.parametrize("objective", ["energy", "latency", "edp"])
def test_the_answer_is_that_of_the_python_function(here: Here, file: Path, objective: str) -> None:
    answer = here(*words(file, "--objective", objective, "--json")).json
    expected = map_timeloop(file, objective).to_dict()
    assert answer["schema"] == "accelsim.map/1"
    assert {**answer, "run": None} == {**json.loads(json.dumps(expected)), "run": None}
    (row,) = answer["layers"]
    assert row["certificate"]["objective"] == objective
    assert row["certificate"]["proven"]


def test_the_schema_of_the_answer_of_map_is_kept(here: Here, file: Path) -> None:
    schema, answer = here("schema", "map").json, here(*words(file, "--json")).json
    assert set(schema["required"]) <= set(answer)
    rows = schema["properties"]["layers"]["items"]
    assert set(rows["required"]) <= set(answer["layers"][0]) <= set(rows["properties"])


def test_tables_show_every_level_and_the_proof_and_quiet_nothing(here: Here, file: Path) -> None:
    row = here(*words(file, "--json")).json["layers"][0]
    shown = here(*words(file))
    assert (shown.code, shown.err) == (0, "")
    assert all(level in shown.out for level in row["energy_pj_by_level"])
    assert "proven" in shown.out
    quiet = here(*words(file, "--quiet"))
    assert (quiet.code, quiet.out, quiet.err) == (0, "", "")


def test_a_directory_gets_the_mapping_in_timeloops_form(here: Here, file: Path, tmp_path: Path) -> None:
    assert here(*words(file, "-q", "-o", tmp_path / "out")).code == 0
    assert {"result.json", "layers.csv", "mapping.yaml"} <= {f.name for f in (tmp_path / "out").iterdir()}
    text = (tmp_path / "out" / "mapping.yaml").read_text()
    assert "mapping:" in text
    assert "permutation:" in text


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (["--arch", "eyeriss"], "--arch"),
        (["--layer", "conv1"], "--layer"),
        (["--front"], "--front"),
        (["--top", "1"], "--top"),  # even where it is what it would be anyway
        (["--set", "a=1"], "--set"),
        (["--batch", "2"], "--batch"),
        (["--dataflow", "any"], "--dataflow"),
        (["--ragged"], "--ragged"),
        (["--time-limit", "3"], "--time-limit"),
        (["--gap", "0.1"], "--gap"),
        (["--jobs", "2"], "--jobs"),
        (["--no-cache"], "--cache/--no-cache"),
        (["--front", "-a", "eyeriss"], "--arch, --front"),
    ],
)
def test_options_without_a_meaning_are_refused_and_named(here: Here, options: list[str], named: str) -> None:
    outcome = here(*words(SHIPPED, *options))
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err.startswith(f"{named}: no meaning with --compat timeloop, expected --objective")
    assert outcome.err.count("\n") == 1


def test_without_compat_a_missing_architecture_is_named_with_a_hint(here: Here) -> None:
    outcome = here("map", "lenet")
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err.startswith("--arch: no architecture is given")
    assert "accelsim list" in outcome.err
    assert here("map", "lenet", "--json").json["errors"][0]["key"] == "--arch"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["map", "absent.yaml", "--compat", "timeloop"], "absent.yaml: no such file"),
        (["map", str(SHIPPED), "--compat", "scalesim"], "'timeloop'"),
        (["map", str(SHIPPED), "--compat", "timeloop", "--objective", "speed"], "latency"),
    ],
)
def test_what_cannot_be_read_is_one_plain_line_and_code_2(
    here: Here, arguments: list[str], said: str
) -> None:
    outcome = here(*arguments)
    assert (outcome.code, outcome.out) == (2, "")
    assert said in outcome.err
    assert outcome.err.count("\n") == 1
