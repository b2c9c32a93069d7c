"""Counts, cycles and energy equal Timeloop's own report of the same mapping.

Typed in: accelsim/evidence/timeloop_counts.csv with the files timeloop_<case>.yaml (Timeloop, commit
4cf6d4c). Where the reference folder with more cases is at hand (env ACCELSIM_SHARED or ../shared), all of it.
"""

from __future__ import annotations

import csv
import json
import os
from pathlib import Path
from typing import Any

import pytest

import accelsim
from accelsim.compat.timeloop.evaluate import Counts, evaluate, fits
from accelsim.compat.timeloop.model import TimeloopInput
from accelsim.compat.timeloop.read import read_timeloop

REPO = Path(__file__).resolve().parents[2]
EVIDENCE = Path(accelsim.__file__).parent / "evidence"
SHARED = Path(os.environ.get("ACCELSIM_SHARED", REPO.parent / "shared")) / "reference" / "timeloop_cases"
CASES = sorted(SHARED.glob("*/expected.json"))

with (EVIDENCE / "timeloop_counts.csv").open(encoding="utf-8") as _file:
    ROWS = list(csv.DictReader(line for line in _file if not line.startswith("#")))

FIELDS = ("reads", "fills", "updates", "partition", "tile", "instances")


def counted(given: TimeloopInput) -> Counts:
    assert given.mapping is not None
    assert fits(given.architecture, given.workload.tensors, given.mapping).all()
    return evaluate(given, given.mapping)


def numbers(given: TimeloopInput, counts: Counts, level: str, tensor: str) -> dict[str, Any]:
    i = [store.name for store in given.architecture.levels].index(level)
    t = [one.name for one in given.workload.tensors].index(tensor)
    found = {name: int(getattr(counts, name)[i, t, 0]) for name in FIELDS[:-1]}
    return found | {"instances": int(counts.instances[i, 0]), "energy_pj": float(counts.tensor_pj[i, t, 0])}


@pytest.mark.parametrize("case", sorted({row["case"] for row in ROWS}))
def test_every_count_of_a_typed_case_is_timeloops(case: str) -> None:
    given = read_timeloop(EVIDENCE / f"timeloop_{case}.yaml")
    counts = counted(given)
    rows = [row for row in ROWS if row["case"] == case]
    for row in rows:
        found = numbers(given, counts, row["level"], row["tensor"])
        for name in FIELDS:
            assert found[name] == int(row[name]), (row["level"], row["tensor"], name)
        assert found["energy_pj"] == pytest.approx(float(row["energy_pj"]), abs=0.0051)
    # levels that are not reported keep nothing
    assert len(rows) == sum(sum(row) for row in given.mapping.keep)  # type: ignore[union-attr]
    assert counts.cycles[0] == int(rows[0]["cycles"])
    per_compute_fj = counts.energy_pj[0] / given.workload.n_computes * 1e3
    assert per_compute_fj == pytest.approx(float(rows[0]["fj_per_compute"]), abs=0.00501)


def test_without_extrapolation_the_quirk_goes_away() -> None:
    """R inside P on one axis: Timeloop's two steps a loop see a jump of zero, 17 words; a full walk 24."""
    text = (EVIDENCE / "timeloop_extrapolation.yaml").read_text(encoding="utf-8")
    assert "environment_variables" not in text
    given = read_timeloop(EVIDENCE / "timeloop_extrapolation.yaml")
    assert numbers(given, counted(given), "RF", "Inputs")["fills"] == 17


def test_the_environment_variable_of_a_file_asks_for_the_full_walk(tmp_path: Path) -> None:
    text = (EVIDENCE / "timeloop_extrapolation.yaml").read_text(encoding="utf-8")
    file = tmp_path / "input.yaml"
    file.write_text(
        text + "globals: {environment_variables: {TIMELOOP_DISABLE_TEMPORAL_EXTRAPOLATION: 1}}\n",
        encoding="utf-8",
    )
    given = read_timeloop(file)
    assert numbers(given, counted(given), "RF", "Inputs")["fills"] == 24


@pytest.mark.skipif(not CASES, reason="no reference cases at hand")
@pytest.mark.parametrize("expected", CASES, ids=lambda path: path.parent.name)
def test_every_count_of_a_reference_case_is_timeloops(expected: Path) -> None:
    want = json.loads(expected.read_text(encoding="utf-8"))
    mapping = expected.parent / "mapping.yaml"
    given = read_timeloop(expected.parent / "input.yaml", mapping=mapping if mapping.is_file() else None)
    counts = counted(given)
    n_checked = 0
    for level, tensors in want["levels"].items():
        for tensor, row in tensors.items():
            found = numbers(given, counts, level, tensor)
            for name in FIELDS:
                assert found[name] == row["capacity" if name == "tile" else name], (level, tensor, name)
                n_checked += 1
            assert found["energy_pj"] == pytest.approx(row["energy_total_pJ"], abs=0.0051)
    assert n_checked >= 30
    assert counts.cycles[0] == want["cycles"]
    assert counts.energy_pj[0] / 1e6 == pytest.approx(want["energy_uJ"], abs=0.00501)
    per_compute_fj = counts.energy_pj[0] / want["computes"] * 1e3
    assert per_compute_fj == pytest.approx(want["fJ_per_compute"]["Total"], abs=0.00501)
