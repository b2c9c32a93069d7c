"""SCALE-Sim's configuration files: what is read, what is refused and where."""

from __future__ import annotations

from pathlib import Path

import pytest

import accelsim
from accelsim.base.errors import InputError
from accelsim.compat.scalesim import Setup, read_config

USER = """\
[general]
run_name = a_run
[run_presets]
InterfaceBandwidth: USER
UseRamulatorTrace: False
[architecture_presets]
ArrayHeight:    8
ArrayWidth = 4
IfmapSramSzkB:    1
ifmapoffset: 0
FilterSramSzkB:   2
OfmapSramSzkB:    3
Dataflow : is
Bandwidth : 7, 9
; a comment
[layout]
IfmapSRAMBankBandwidth: 10
IfmapSRAMBankNum: 2
FilterSRAMBankBandwidth: 20
[sparsity]
SparsitySupport: false
"""
CALC = USER.replace("USER", "CALC").partition("[layout]")[0]


def read(tmp_path: Path, text: str, *sets: str, dataflow: str | None = None) -> Setup:
    (tmp_path / "s.cfg").write_text(text, encoding="utf-8")
    return read_config(tmp_path / "s.cfg", sets, dataflow).setup


def refusal(tmp_path: Path, text: str, *sets: str) -> str:
    with pytest.raises(InputError) as error:
        read(tmp_path, text, *sets)
    return str(error.value).replace(f"{tmp_path}/", "")


def test_user_mode_takes_read_bandwidths_from_the_layout_and_the_first_of_bandwidth_for_outputs(
    tmp_path: Path,
) -> None:
    assert read(tmp_path, USER) == Setup(8, 4, "is", 1, 2, 3, "USER", 10, 20, 7)


def test_calc_mode_needs_no_bandwidth_and_no_layout(tmp_path: Path) -> None:
    assert read(tmp_path, CALC.replace("Bandwidth : 7, 9", "")) == Setup(8, 4, "is", 1, 2, 3)


def test_settings_and_a_dataflow_override_the_file(tmp_path: Path) -> None:
    found = read(tmp_path, CALC, "arrayheight=16", "architecture_presets.OfmapSramSzkB=9", dataflow="os")
    assert (found.rows, found.ofmap_kb, found.dataflow) == (16, 9, "os")


def test_keys_of_earlier_versions_that_were_never_read_are_let_pass(tmp_path: Path) -> None:
    assert read(tmp_path, CALC.replace("Dataflow", "MemoryBanks: 1\nDataflow")).rows == 8


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "ArrayHeight:",
            "ArrayHieght:",
            "s.cfg:7: architecture_presets.ArrayHieght: no key of SCALE-Sim's (did you mean",
        ),
        ("[layout]", "[layuot]", "s.cfg:16: layuot: no section of SCALE-Sim's, expected"),
        ("ArrayWidth = 4", "", "architecture_presets.ArrayWidth: is missing"),
        (
            "ArrayWidth = 4",
            "ArrayWidth = four",
            "s.cfg:8: architecture_presets.ArrayWidth: found 'four', expected a whole",
        ),
        ("ArrayWidth = 4", "ArrayWidth = 0", "found '0'"),
        (
            "ArrayWidth = 4",
            "ArrayHeight = 4",
            "s.cfg:8: architecture_presets.ArrayHeight: stands here a second time",
        ),
        ("ArrayWidth = 4", "ArrayWidth", "s.cfg:8: ArrayWidth: is no `key: value`"),
        ("Dataflow : is", "Dataflow : rs", "architecture_presets.Dataflow: found 'rs', expected os, ws, is"),
        ("USER", "USR", "InterfaceBandwidth: found 'USR', expected CALC, USER (did you mean 'USER'?)"),
        ("UseRamulatorTrace: False", "UseRamulatorTrace: True", "a trace of Ramulator is not covered"),
        (
            "SparsitySupport: false",
            "SparsitySupport: true",
            "s.cfg:21: sparsity.SparsitySupport: sparsity is not covered",
        ),
        ("[sparsity]", "IfmapCustomLayout: True\n[sparsity]", "a custom layout is not covered"),
        ("IfmapSRAMBankNum: 2", "IfmapSRAMBankNum: 3", "10 words a cycle over 3 banks"),
        ("FilterSRAMBankBandwidth: 20", "", "layout.FilterSRAMBankBandwidth: is missing"),
        ("[general]", "a: 1\n[general]", "s.cfg:1: a: stands in no section"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert message in refusal(tmp_path, USER.replace(old, new, 1))


def test_all_that_is_wrong_is_told_at_once(tmp_path: Path) -> None:
    text = USER.replace("ArrayWidth = 4", "ArrayWidth = x").replace("Dataflow : is", "Dataflw : is")
    assert len(refusal(tmp_path, text).splitlines()) == 3  # the number, the key, the key that is missing


def test_an_unknown_setting_is_refused_with_the_nearest_key(tmp_path: Path) -> None:
    assert "did you mean 'ArrayWidth'?" in refusal(tmp_path, CALC, "ArrayWidht=3")


def test_commands_of_our_own_model_say_whose_file_it_is(tmp_path: Path) -> None:
    file = tmp_path / "scale.cfg"
    file.write_text("[general]\nrun_name = a\n")
    with pytest.raises(InputError, match=r"scale\.cfg: a SCALE-Sim configuration .*--compat scalesim"):
        accelsim.arch(str(file))
