"""Timeloop's files: what is read, how faults are told, and that our mapping comes back as it was written."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.timeloop import written

import accelsim
from accelsim.base.errors import InfeasibleError, InputError
from accelsim.compat.timeloop.evaluate import evaluate
from accelsim.compat.timeloop.map import map_timeloop
from accelsim.compat.timeloop.read import read_timeloop
from accelsim.compat.timeloop.search import search_timeloop
from accelsim.compat.timeloop.write import mapping_yaml

FILE = Path(accelsim.__file__).parent / "evidence" / "timeloop" / "eyeriss_conv.yaml"
TEXT = FILE.read_text(encoding="utf-8")
INSTANCE = "C: 128, Hdilation: 1, Hstride: 1, M: 256, N: 1, P: 56, Q: 56, R: 3, S: 3"
SMALL = "C: 8, Hdilation: 1, Hstride: 1, M: 16, N: 1, P: 4, Q: 4, R: 3, S: 3"


def small(tmp_path: Path) -> Path:
    """A layer that is searched at once; its file gives no mapping."""
    text = TEXT.replace(INSTANCE, SMALL)
    start, end = text.index("mapping:"), text.index("ERT:")
    file = tmp_path / "small.yaml"
    file.write_text(text[:start] + text[end:], encoding="utf-8")
    return file


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        # Timeloop itself takes stride 1 here, as 17 layer files of its exercises show
        (
            "Hstride: 1, M",
            "HStride: 2, M",
            "unknown key, expected a key that is read (did you mean 'Hstride'?)",
        ),
        ("depth: 16384", "dpeth: 16384", "unknown key"),
        (
            "DRAM, type: temporal, permutation: N",
            "dram, type: temporal, permutation: N",
            "'dram' is no storage",
        ),
        ("factors: C4 M2 R1 S1 N1 P8 Q1", "factors: 'P=8;3'", "'P=8;3' is no factor"),
        ("factors: C4 M2 R1 S1 N1 P8 Q1", "factors: 'P=8,9'", "P=8,9, expected a last step of 1"),
        ("read_bandwidth: 16", "read_bandwith: 16", "did you mean 'read_bandwidth'?"),
        ("permutation: MPCQRSN", "permutation: MPCXRSN", "'X' is no dim"),
        ("{depth: 12,", "{cluster_size: 9, depth: 12,", "9 of 168 instances, expected whole clusters"),
        ("{depth: 12,", "{has_power_gating: true, depth: 12,", "True, expected False"),
        ("[[[C]], [[M]], [[R]], [[S]]]", "[[], [[S]]]", "an axis of no dims"),
        ("P: 56", "P: -1", "-1 is no number here, expected a whole number of at least 1"),
    ],
)
def test_a_fault_is_told_with_its_line(tmp_path: Path, old: str, new: str, said: str) -> None:
    file = written(tmp_path, TEXT, (old, new))
    with pytest.raises(InputError) as failure:
        read_timeloop(file)
    problem = failure.value.problems[0]
    assert said in str(problem)
    assert problem.file == str(file)
    assert new in file.read_text(encoding="utf-8").splitlines()[(problem.line or 0) - 1]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("C4 M2 R1 S1 N1 P8 Q1", "C4 M2 R1 S1 N1 P4 Q1", "the factors of P make 28, expected 56"),
        ("name: read, energy: 512.0", "name: raed, energy: 512.0", "no energy of read of DRAM"),
        ("[[P]]], read_write: true", "[[P]]]", "no or several data spaces are written"),
    ],
)
def test_a_fault_of_a_whole_section_is_told(tmp_path: Path, old: str, new: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        read_timeloop(written(tmp_path, TEXT, (old, new)))


def test_all_faults_of_a_section_are_told_at_once(tmp_path: Path) -> None:
    file = tmp_path / "input.yaml"
    file.write_text(
        TEXT.replace("depth: 12", "depht: 12").replace("depth: 192", "dept: 192"), encoding="utf-8"
    )
    with pytest.raises(InputError) as failure:
        read_timeloop(file)
    assert len(failure.value.problems) == 2


def test_a_loop_that_cannot_be_read_is_the_only_fault_told(tmp_path: Path) -> None:
    file = written(tmp_path, TEXT, ("factors: C4 M2 R1 S1 N1 P8 Q1", "factors: 'P=eight'"))
    with pytest.raises(InputError) as failure:
        read_timeloop(file)
    assert ["is no factor" in str(problem) for problem in failure.value.problems] == [True]


def test_a_part_without_energies_is_told_once(tmp_path: Path) -> None:
    (tmp_path / "input.yaml").write_text(TEXT[: TEXT.index("ERT:")], encoding="utf-8")
    (tmp_path / "ERT.yaml").write_text("ERT: {version: 0.4, tables: []}\n", encoding="utf-8")
    with pytest.raises(InputError) as failure:
        read_timeloop(tmp_path / "input.yaml")
    told = [str(problem) for problem in failure.value.problems]
    assert len(told) == len(set(told))


def test_energies_may_stand_in_a_file_beside(tmp_path: Path) -> None:
    start = TEXT.index("ERT:")
    (tmp_path / "input.yaml").write_text(TEXT[:start], encoding="utf-8")
    with pytest.raises(InputError, match="no energies"):
        read_timeloop(tmp_path / "input.yaml")
    (tmp_path / "ERT.yaml").write_text(TEXT[start:], encoding="utf-8")
    assert read_timeloop(tmp_path / "input.yaml").architecture == read_timeloop(FILE).architecture


def test_hyphens_and_instances_inside_a_subtree_are_those_of_version_0_3(tmp_path: Path) -> None:
    nested = """
architecture:
  version: 0.3
  subtree:
  - name: chip
    local:
    - {name: DRAM, class: DRAM, attributes: {width: 64, word-bits: 8}}
    subtree:
    - name: PE[0..3]
      local:
      - {name: RF, class: regfile, attributes: {depth: 8, width: 8, word-bits: 8}}
      - {name: MACC, class: intmac}
problem:
  instance: {M: 4, K: 2}
  shape:
    dimensions: [M, K]
    data-spaces:
    - {name: A, projection: [[M], [K]]}
    - {name: Z, projection: [[M]], read-write: true}
ERT: {tables: [{name: chip.DRAM, actions: [{name: read, energy: 1}, {name: write, energy: 1},
  {name: update, energy: 1}]}, {name: 'chip.PE[0..3].RF', actions: [{name: read, energy: 1},
  {name: write, energy: 1}, {name: update, energy: 1}]},
  {name: chip.MACC, actions: [{name: compute, energy: 1}]}]}
"""
    file = tmp_path / "input.yaml"
    file.write_text(
        nested.replace("class: intmac}", "class: intmac, attributes: {meshX: 4}}"), encoding="utf-8"
    )
    given = read_timeloop(file)
    assert [(level.name, level.n_instances) for level in given.architecture.levels] == [
        ("RF", 4),
        ("DRAM", 1),
    ]
    assert given.architecture.levels[0].size_words == 8
    assert given.workload.tensors[1].read_write


def test_a_written_mapping_is_read_back_with_the_same_counts(tmp_path: Path) -> None:
    given = read_timeloop(small(tmp_path))
    best = search_timeloop(given).mapping
    file = tmp_path / "map.yaml"
    file.write_text(mapping_yaml(given, best), encoding="utf-8")
    again = read_timeloop(small(tmp_path), mapping=file).mapping
    assert again is not None
    assert mapping_yaml(given, again) == file.read_text(encoding="utf-8")
    assert evaluate(given, again).energy_pj[0] == evaluate(given, best).energy_pj[0]
    assert evaluate(given, again).cycles[0] == evaluate(given, best).cycles[0]


def test_the_answer_is_the_same_twice_outside_run(tmp_path: Path) -> None:
    first, second = (map_timeloop(small(tmp_path), "edp").to_dict() for _ in range(2))
    assert first.pop("run")["n_evaluated"] == second.pop("run")["n_evaluated"]
    assert first == second
    row = first["layers"][0]
    assert row["certificate"]["proven"]
    assert row["energy_pj"] == pytest.approx(sum(row["energy_pj_by_level"].values()))


def test_where_nothing_fits_that_is_said(tmp_path: Path) -> None:
    # 1 word of buffer for a tile of inputs and one of outputs
    file = written(tmp_path, TEXT, ("depth: 16384, width: 64", "depth: 1, width: 8"))
    with pytest.raises(InfeasibleError, match="no mapping of CNN_Layer fits"):
        search_timeloop(read_timeloop(file))


def test_an_open_order_below_the_buffer_is_refused_by_name(tmp_path: Path) -> None:
    file = written(tmp_path, TEXT, ("permutation: NMPQSCR, ", ""))
    with pytest.raises(InputError, match="weights_spad leaves the order of C, R open"):
        search_timeloop(read_timeloop(file))


def test_an_unknown_objective_is_refused() -> None:
    with pytest.raises(InputError, match="no objective 'speed'"):
        map_timeloop(FILE, "speed")
