"""`accelsim simulate`: the same envelope and columns as `run`, its files, and what it refuses."""

from __future__ import annotations

from pathlib import Path

import pytest

from accelsim.tables.columns import of_command

from .conftest import Here
from .test_answers import CONTRACT, ENVELOPE

SIMULATE = ("simulate", "lenet", "--arch", "eyeriss")


def test_simulate_has_the_envelope_and_columns_of_the_contract(here: Here) -> None:
    answer = here(*SIMULATE, "--json").json
    assert [key for key in answer if key in ENVELOPE] == ENVELOPE
    assert answer["schema"] == "accelsim.simulate/1"
    known = {column.name for column in of_command("simulate")}
    for row in answer["layers"]:
        assert set(CONTRACT) <= set(row), row["layer"]
        assert set(row) <= known
        assert row["latency_cycles"] == sum(
            row[name] for name in ("compute_cycles", "fill_drain_cycles", "stall_cycles")
        )
        assert sum(row["stall_cycles_by_cause"].values()) == row["stall_cycles"]
    totals = answer["totals"]
    assert not {"op", "mapping", "bound"} & set(totals)
    assert totals["latency_cycles"] == sum(row["latency_cycles"] for row in answer["layers"])
    assert totals["simulated_to_analytic"] == totals["latency_cycles"] / totals["analytic_latency_cycles"]
    assert totals["throughput_fps"] == 1 / totals["latency_s"]


def test_the_answer_is_the_same_without_skipping(here: Here) -> None:
    answers = [here(*SIMULATE, flag, "--json").json for flag in ("--skip", "--no-skip")]
    for answer in answers:
        answer.pop("run")
    assert answers[0] == answers[1]


def test_the_mappings_are_those_of_run(here: Here) -> None:
    simulated, analytic = (here(name, *SIMULATE[1:], "--json").json for name in ("simulate", "run"))
    for one, other in zip(simulated["layers"], analytic["layers"], strict=True):
        assert one["mapping"] == other["mapping"]
        assert one["analytic_latency_cycles"] == other["latency_cycles"]
        assert one["accesses"] == other["accesses"]


def test_output_has_the_timeline_and_the_picture_over_time(here: Here, tmp_path: Path) -> None:
    here(*SIMULATE, "-o", tmp_path / "out", "--trace", tmp_path / "t.json.gz", "-q")
    written = {path.name for path in (tmp_path / "out").iterdir()}
    assert {"result.json", "layers.csv", "mapping.yaml", "trace.csv", "gantt.png", "cycles.png"} <= written
    assert (tmp_path / "t.json.gz").stat().st_size > 0


def test_a_person_sees_both_latencies(here: Here) -> None:
    shown = here(*SIMULATE).out
    assert "analytic" in shown
    assert "simulated" in shown


def test_a_trace_needs_a_name_that_a_viewer_knows(here: Here, tmp_path: Path) -> None:
    done = here(*SIMULATE, "--trace", tmp_path / "t.txt")
    assert done.code == 2
    assert ".json.gz" in done.err


def test_more_cores_than_share_a_channel_are_refused(here: Here) -> None:
    answer = here("simulate", "lenet", "--arch", "mlu100", "--cores", "99")
    assert answer.code == 2
    assert "99 cores, mlu100 has 8 on a memory channel, expected 1 to 8" in answer.err


def test_the_summary_says_latency_and_throughput(here: Here) -> None:
    totals = here(*SIMULATE, "--json").json["totals"]
    summary = here(*SIMULATE).out.splitlines()[1]
    (figure,) = (part.removesuffix(" images/s") for part in summary.split(", ") if part.endswith("images/s"))
    assert float(figure) == pytest.approx(totals["throughput_fps"], rel=5e-3)
