"""`accelsim evaluate --timeloop` as a user meets it."""

from __future__ import annotations

from pathlib import Path

import pytest

import accelsim
from accelsim.base.yaml_lines import load_yaml_file
from accelsim.results.plain import plain

from .conftest import Here

EVIDENCE = Path(accelsim.__file__).parent / "evidence" / "timeloop"
LINKS = EVIDENCE / "links.yaml"
TEXT = LINKS.read_text(encoding="utf-8")
SECTIONS = ("architecture", "problem", "mapping", "ERT")


def parts() -> dict[str, str]:
    """The file cut into its sections."""
    starts = [TEXT.index(f"\n{name}:") + 1 for name in SECTIONS]
    return {name: TEXT[a:b] for name, a, b in zip(SECTIONS, starts, [*starts[1:], len(TEXT)], strict=True)}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """One file a section, as Timeloop's users keep them."""
    for name, text in parts().items():
        (tmp_path / f"{name}.yaml").write_text(text, encoding="utf-8")
    return tmp_path


def test_the_report_has_timeloops_keys_and_numbers(here: Here) -> None:
    answer = here("evaluate", "--timeloop", LINKS, "--json").json
    assert answer["schema"] == "accelsim.evaluate/1"
    assert answer["levels"]["RF"]["Inputs"] == {
        "reads": 152,
        "fills": 96,
        "updates": 0,
        "partition": 8,
        "capacity": 1,
        "instances": 8,
        "energy_total_pJ": 472.96,
    }
    assert (answer["cycles"], answer["utilization"], answer["edp"]) == (96, "100.00%", "1.69e-06")
    assert answer["fJ_per_compute"] == {
        "mac": 315.0, "RF": 1550.97, "GLB": 2420.72, "DRAM": 18666.67, "Total": 22953.35
    }  # fmt: skip


def test_a_folder_of_sections_and_a_list_of_files_say_what_one_file_says(here: Here, folder: Path) -> None:
    whole = here("evaluate", "--timeloop", LINKS, "--json").json
    files = [folder / f"{name}.yaml" for name in SECTIONS]
    for asked in ([folder], files, files[:3]):  # ERT.yaml is found beside
        answer = here("evaluate", "--timeloop", *asked, "--json").json
        assert answer["levels"] == whole["levels"]
        assert answer["layers"] == whole["layers"]


def test_a_mapping_beside_the_input_takes_its_place_and_areas_add_up(here: Here, tmp_path: Path) -> None:
    (tmp_path / "input.yaml").write_text(TEXT, encoding="utf-8")
    other = parts()["mapping"].replace("permutation: RPCMSNQ", "permutation: PRCMSNQ")
    (tmp_path / "mapping.yaml").write_text(other, encoding="utf-8")
    names = ("DRAM", "GLB", "RF", "mac")
    tables = ", ".join(f"{{name: system.{name}, area: {n + 1.5}}}" for n, name in enumerate(names))
    (tmp_path / "ART.yaml").write_text(f"ART: {{tables: [{tables}]}}\n", encoding="utf-8")
    answer = here("evaluate", "--timeloop", tmp_path, "--json").json
    assert answer["area_um2"] == 1.5 + 2.5 + 8 * (3.5 + 4.5)
    own = here("evaluate", "--timeloop", tmp_path / "input.yaml", "--json").json
    assert own["levels"]["RF"]["Inputs"] != answer["levels"]["RF"]["Inputs"]


def test_the_exact_walk_finds_what_two_steps_a_loop_miss(here: Here) -> None:
    asked = ("evaluate", "--timeloop", EVIDENCE / "extrapolation.yaml", "--json")
    fills = [here(*asked, *more).json["levels"]["RF"]["Inputs"]["fills"] for more in ((), ("--exact-walk",))]
    assert fills == [17, 24]


def test_tables_show_every_level_and_what_is_saved_is_what_is_printed(here: Here, tmp_path: Path) -> None:
    shown = here("evaluate", "--timeloop", LINKS, "-o", tmp_path / "out")
    assert shown.code == 0
    assert all(word in shown.out for word in ("RF", "GLB", "DRAM", "partition", "152", "<< Compute >>"))
    assert {"result.json", "layers.csv"} <= {path.name for path in (tmp_path / "out").iterdir()}
    assert plain(load_yaml_file(tmp_path / "out" / "result.json").data["cycles"]) == 96


@pytest.mark.parametrize(
    ("old", "new", "code", "said"),
    [
        # Timeloop takes stride 1 here: 17 layer files of its exercises are written so
        ("Wd: 1, C: 2", "Wd: 1, Hstride: 2, C: 2", 2, "problem.instance.Hstride: unknown key"),
        ("depth: 64, width: 8", "depth: 2, width: 8", 3, "RF needs 3 words of 2"),
        ("'RF[1..8]'", "'RF[1..4]'", 2, "mesh of 8 columns"),
        ("mapping:", "maping:", 2, "did you mean 'mapping'"),
        ("factors: 'C=1,M=4", "factors: 'C=1,M=2", 2, "the factors of M make 2, expected 4"),
    ],
)
def test_a_fault_is_told_by_name(
    here: Here, tmp_path: Path, old: str, new: str, code: int, said: str
) -> None:
    assert old in TEXT
    file = tmp_path / "input.yaml"
    file.write_text(TEXT.replace(old, new, 1), encoding="utf-8")
    answer = here("evaluate", "--timeloop", file)
    assert answer.code == code
    assert said in answer.err
    assert "Traceback" not in answer.err


def test_a_section_in_two_files_and_a_missing_mapping_are_told(here: Here, folder: Path) -> None:
    (folder / "more.yaml").write_text("mapping: []\n", encoding="utf-8")
    assert "a second section mapping" in here("evaluate", "--timeloop", folder).err
    (folder / "more.yaml").unlink()
    (folder / "mapping.yaml").unlink()
    answer = here("evaluate", "--timeloop", folder)
    assert (answer.code, "no mapping" in answer.err) == (2, True)
