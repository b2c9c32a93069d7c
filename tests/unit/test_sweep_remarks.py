"""Notes on a space: energies that stay fixed while what they depend on varies, and metrics of a batch."""

from __future__ import annotations

from pathlib import Path

import pytest

from accelsim.explore.sweep import read_space
from accelsim.explore.sweep.remarks import remarks_of

FROM = '["{from: technology}"]'
SIZE = "sram.size: [64 KiB, 128 KiB]"
NODE = "technology: [45nm, 28nm]"


def remarks(folder: Path, arch: str, *vary: str, more: str = "") -> list[str]:
    text = f"schema: accelsim.space/1\nname: test\narch: {arch}\nnetworks: lenet\n{more}\nvary:\n  "
    (folder / "space.yaml").write_text(text + "\n  ".join(vary) + "\n")
    return remarks_of(read_space(folder / "space.yaml"))


def test_a_size_without_its_energy_is_told_once_with_what_mends_it(tmp_path: Path) -> None:
    said = "sram.size varies, but the energy of sram is fixed in the architecture"
    hint = f"`sram.energy: {FROM}` lets it follow"
    assert remarks(tmp_path, "systolic_32x32", SIZE, "dataflow: [ws, os]") == [f"{said}: in vary, {hint}"]
    assert remarks(tmp_path, "systolic_32x32", SIZE, f"sram.energy: {FROM}") == []


def test_technology_names_the_parts_that_do_not_follow_and_is_silent_when_all_do(tmp_path: Path) -> None:
    parts = ["mac", "reg", "accumulator", "scratchpad"]
    (said,) = remarks(tmp_path, "gemmini_16x16", NODE)
    assert said.startswith(f"technology varies, but the energy of {', '.join(parts)} is fixed")
    following = [f"{part}.energy: {FROM}" for part in parts]
    (said,) = remarks(tmp_path, "gemmini_16x16", NODE, *following[:3])
    assert said.startswith("technology varies, but the energy of scratchpad is fixed")
    assert remarks(tmp_path, "gemmini_16x16", NODE, *following) == []


def test_what_a_variable_moves_by_an_expression_or_a_choice_counts_and_an_energy_given_with_it_does_not(
    tmp_path: Path,
) -> None:
    (said,) = remarks(tmp_path, "systolic_32x32", "array.rows: [8, 16]", "sram.size: 8 KiB * array.rows")
    assert said.startswith("sram.size varies")
    (said,) = remarks(tmp_path, "systolic_32x32", "wide: {a: {mac.bits: 8}, b: {mac.bits: 16}}")
    assert said.startswith("mac.bits varies, but the energy of mac")
    given = "{mac.bits: %d, mac.energy: {value: %d pJ, source: by hand}}"
    assert remarks(tmp_path, "systolic_32x32", f"wide: {{a: {given % (8, 1)}, b: {given % (16, 3)}}}") == []


@pytest.mark.parametrize("more", ["answers: {minimise: [latency_s, area_mm2]}", "compat: scalesim"])
def test_where_no_energy_is_asked_for_nothing_is_said(tmp_path: Path, more: str) -> None:
    assert remarks(tmp_path, "systolic_32x32", SIZE, more=more) == []


def test_a_batch_that_varies_says_which_objectives_are_of_all_of_it(tmp_path: Path) -> None:
    of_batch = "of a whole batch, not of an image"
    batch = "batch: [1, 4]"
    assert remarks(tmp_path, "systolic_32x32", batch) == [
        f"batch varies, and latency_s, energy_j are {of_batch}"
    ]
    split = remarks(tmp_path, "mlu100", batch, more="method: split")
    assert split == [f"batch varies, and latency_s is {of_batch}"]
    of_image = "answers: {maximise: [throughput_fps]}"
    assert remarks(tmp_path, "systolic_32x32", batch, more=of_image) == []
    assert remarks(tmp_path, "systolic_32x32", "batch: [4]", "array.rows: [8, 16]") == []


def test_corners_that_are_no_machines_hide_nothing(tmp_path: Path) -> None:
    vary = ("array.rows: [24, 16, 40]", "array.cols: 4096 / array.rows", SIZE)
    (said,) = remarks(tmp_path, "systolic_32x32", *vary, more="where: 4096 % array.rows == 0")
    assert said.startswith("sram.size varies")
