"""`accelsim run ... --compat scalesim` on SCALE-Sim's own files, and on ours."""

from __future__ import annotations

import json
from pathlib import Path

from .conftest import Here

RUN = Path(__file__).resolve().parents[1] / "golden" / "scalesim" / "conv_user"


def test_scalesims_own_files_give_its_reports_in_a_directory(here: Here, tmp_path: Path) -> None:
    found = here(
        "run", RUN / "topology.csv", "--arch", RUN / "scale.cfg", "--compat", "scalesim", "-o", tmp_path / "o"
    )
    assert (found.code, found.err.count("COMPUTE_REPORT.csv")) == (0, 1)
    for theirs in RUN.glob("*_REPORT.csv"):
        assert (tmp_path / "o" / theirs.name).read_text() == theirs.read_text()


def test_stalls_dram_words_and_the_report_stand_in_json(here: Here) -> None:
    found = here("run", RUN / "topology.csv", "--arch", RUN / "scale.cfg", "--compat", "scalesim", "--json")
    answer = json.loads(found.out)
    assert [row["layer"] for row in answer["layers"]] == [
        "Conv1",
        *(f"Conv2DPChannel_{channel}" for channel in range(4)),
        "Conv3",
    ]
    first = answer["layers"][0]
    # COMPUTE_REPORT.csv: 17649 total, 14698 stall cycles; our latency counts the last line too
    assert (first["latency_cycles"], first["stall_cycles"], first["bound"]) == (17650, 14698, "dram")
    assert first["scalesim"]["total_cycles"] == 17649
    assert answer["inputs"]["arch"]["clock_hz"] is None


def test_an_architecture_lends_its_array_and_its_memory_in_three_parts(here: Here) -> None:
    found = here("run", "lenet", "--arch", "systolic_32x32", "--compat", "scalesim")
    assert found.code == 0
    assert "SRAMs for I, W, O: 85, 85, 85 KiB" in found.out


def test_a_cfg_without_compat_is_refused_with_what_is_missing(here: Here) -> None:
    found = here("run", RUN / "topology.csv", "--arch", RUN / "scale.cfg")
    assert (found.code, "add --compat scalesim" in found.err) == (2, True)


def test_settings_reach_the_cfg_and_a_missing_file_is_told(here: Here, tmp_path: Path) -> None:
    files = ("run", RUN / "topology.csv", "--compat", "scalesim", "--arch")
    found = here(*files, RUN / "scale.cfg", "--set", "ArrayHieght=3")
    assert (found.code, "did you mean 'ArrayHeight'?" in found.err) == (2, True)
    assert here(*files, tmp_path / "none.cfg").code == 2
