"""What the commands print and write when all is well."""

from __future__ import annotations

import csv
import json
import typing
from pathlib import Path
from typing import Any

import pytest

from accelsim.tables.columns import of_command

from .conftest import DESIGN_TINY, Here, accelsim

RUN = ("run", "lenet", "--arch", "eyeriss")

# Design section 6, "Columns of run and simulate"
CONTRACT = [
    "layer",
    "op",
    "status",
    "macs",
    "params",
    "params_bn_folded",
    "latency_cycles",
    "compute_cycles",
    "fill_drain_cycles",
    "stall_cycles",
    "latency_s",
    "utilization_frac",
    "energy_pj",
    "energy_pj_by_level",
    "dram_read_bytes",
    "dram_write_bytes",
    "accesses",
    "bound",
    "mapping",
]
ENVELOPE = ["schema", "tool", "inputs", "units", "totals", "layers", "run"]


def without_run(text: str) -> dict[str, Any]:
    return {key: value for key, value in json.loads(text).items() if key != "run"}


def test_run_has_the_envelope_and_columns_of_the_contract(here: Here) -> None:
    answer = here(*RUN, "--json").json
    assert [key for key in answer if key in ENVELOPE] == ENVELOPE
    assert answer["schema"] == "accelsim.run/1"
    assert {"model", "arch", "options"} <= set(answer["inputs"])
    assert {"name", "sha256"} <= set(answer["inputs"]["model"])
    for row in answer["layers"]:
        assert set(CONTRACT) <= set(row), row["layer"]
        assert set(row) <= {column.name for column in of_command("run")}
    assert not {"op", "mapping", "bound"} & set(answer["totals"])


def test_latency_is_the_sum_of_its_parts_and_the_totals_of_the_layers(here: Here) -> None:
    answer = here(*RUN, "--json").json
    rows = [row for row in answer["layers"] if row["latency_cycles"] is not None]
    for row in rows:
        parts = row["compute_cycles"] + row["fill_drain_cycles"] + row["stall_cycles"]
        assert row["latency_cycles"] == parts, row["layer"]
    for name in ("macs", "latency_cycles", "dram_read_bytes", "params"):
        assert answer["totals"][name] == sum(row[name] or 0 for row in answer["layers"])


def test_levels_are_lower_case_and_the_outermost_is_dram(here: Here) -> None:
    for row in here(*RUN, "--json").json["layers"]:
        levels = list(row["accesses"] or {"dram": None})
        assert levels == [level.lower() for level in levels]
        assert "dram" in levels


def test_two_runs_give_the_same_bytes_outside_run() -> None:
    first, second = (accelsim(*RUN, "--json", PYTHONHASHSEED=seed) for seed in ("1", "2"))
    assert first.returncode == 0, first.stderr
    lines = [
        [line for line in done.stdout.splitlines() if not line.startswith('  "run":')]
        for done in (first, second)
    ]
    assert lines[0] == lines[1]


@pytest.mark.parametrize("command", [RUN, ("inspect", "lenet"), ("reuse", "lenet", "--arch", "eyeriss")])
def test_json_is_one_object_and_nothing_else(command: tuple[str, ...]) -> None:
    done = accelsim(*command, "--json")
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert json.loads(done.stdout)["schema"] == f"accelsim.{command[0]}/1"


@pytest.mark.parametrize("command", [RUN, ("inspect", "lenet"), ("reuse", "lenet", "--arch", "eyeriss")])
def test_tables_have_a_line_a_layer_and_no_control_codes(here: Here, command: tuple[str, ...]) -> None:
    outcome = here(*command)
    assert outcome.code == 0, outcome.err
    assert outcome.err == ""
    assert "\x1b" not in outcome.out
    assert any(line.startswith("total") for line in outcome.out.splitlines())


def test_quiet_prints_nothing(here: Here, tmp_path: Path) -> None:
    outcome = here(*RUN, "--quiet", "-o", tmp_path / "result")
    assert (outcome.code, outcome.out, outcome.err) == (0, "", "")
    assert (tmp_path / "result" / "result.json").is_file()


def test_a_directory_holds_the_same_result_as_json_csv_and_pictures(here: Here, tmp_path: Path) -> None:
    outcome = here(*RUN, "-o", tmp_path / "new" / "result", "--json")
    assert outcome.code == 0, outcome.err
    made = tmp_path / "new" / "result"
    names = {file.name for file in made.iterdir()}
    pictures = {"energy.png", "accesses.png", "cycles.png"}
    assert names == {"result.json", "layers.csv", "mapping.yaml"} | pictures
    assert without_run((made / "result.json").read_text()) == without_run(outcome.out)
    with (made / "layers.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [row["layer"] for row in rows] == [row["layer"] for row in outcome.json["layers"]]
    assert "accesses.dram.I.read" in rows[0]
    assert (made / "energy.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("command", "picture"), [(("inspect", "lenet"), "work.png"), (("reuse", "lenet"), "reuse.png")]
)
def test_inspect_and_reuse_write_a_picture_of_their_own(
    here: Here, tmp_path: Path, command: tuple[str, ...], picture: str
) -> None:
    assert here(*command, "-q", "-o", tmp_path / "result").code == 0
    assert {file.name for file in (tmp_path / "result").glob("*.png")} == {picture}
    assert here(*RUN, "-q", "-o", tmp_path / "result").code == 0
    assert not (tmp_path / "result" / picture).exists(), "a picture of the earlier result is left"


def test_the_example_of_the_design_runs_word_for_word(here: Here, tmp_path: Path) -> None:
    (tmp_path / "tiny.yaml").write_text(DESIGN_TINY, encoding="utf-8")
    answer = here("run", "lenet", "--arch", tmp_path / "tiny.yaml", "--json")
    assert answer.code == 0, answer.err
    # an array layer of 1.6 M MACs on 32 x 32 PEs can't be faster than 1,600,000 / 1024 cycles
    conv2 = next(row for row in answer.json["layers"] if row["macs"] == 1_600_000)
    assert conv2["latency_cycles"] >= 1563
    assert set(conv2["accesses"]) == {"glb", "dram"}


def test_the_rule_below_a_heading_is_no_longer_than_a_line(here: Here) -> None:
    rules = [line for line in here("list").out.splitlines() if line and not line.strip("-")]
    assert len(rules) == 5
    assert max(map(len, rules)) <= 100


def test_the_title_of_inspect_is_a_sentence_and_no_option_of_the_program(here: Here) -> None:
    head = here("inspect", "lenet").out.splitlines()[0]
    assert head == "lenet  (batch norm and activations fused into the layers before them, batch 1)"
    plain = here("inspect", "lenet", "--no-fusion").out.splitlines()[0]
    assert plain == "lenet  (operators as the file has them, batch 1)"


def test_dimensions_of_the_csv_stand_in_the_order_of_the_loops_whatever_the_first_layer_has(
    here: Here, tmp_path: Path
) -> None:
    assert here("inspect", "lenet", "-q", "-o", tmp_path / "result").code == 0  # its first layer has C = 1
    head = (tmp_path / "result" / "layers.csv").read_text().splitlines()[0].split(",")
    dims = [name for name in head if name.startswith("dims.")]
    assert dims == ["dims.K", "dims.C", "dims.P", "dims.Q", "dims.R", "dims.S"]
    first = head.index(dims[0])
    assert head[first : first + len(dims)] == dims
    assert head.index("arithmetic_intensity") == len(head) - 1


def test_a_result_is_replaced_and_what_is_not_ours_stays(here: Here, tmp_path: Path) -> None:
    place = tmp_path / "result"
    assert here(*RUN, "-q", "-o", place).code == 0
    (place / "notes.txt").write_text("mine")
    assert here("inspect", "lenet", "-q", "-o", place).code == 0
    assert json.loads((place / "result.json").read_text())["schema"] == "accelsim.inspect/1"
    assert not (place / "energy.png").exists(), "a picture of the earlier result is left"
    assert (place / "notes.txt").read_text() == "mine"


def test_a_directory_of_other_files_and_a_file_are_refused(here: Here, tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("years of work")
    for place in (tmp_path, tmp_path / "thesis.tex"):
        outcome = here(*RUN, "-o", place)
        assert outcome.code == 2
        assert outcome.out == ""
        assert str(place) in outcome.err
    assert [file.name for file in tmp_path.iterdir()] == ["thesis.tex"]


def test_list_names_what_ships_and_the_dataflows_that_files_know(here: Here) -> None:
    from accelsim.base.files import list_shipped
    from accelsim.hardware.model import Dataflow

    items = here("list", "--json").json["items"]
    names = {
        kind: [item["name"] for item in items if item["kind"] == kind] for kind in ("network", "architecture")
    }
    assert names["network"] == list(list_shipped("workloads"))
    assert names["architecture"] == list(list_shipped("arch_configs"))
    dataflows = {item["name"] for item in here("list", "dataflows", "--json").json["items"]}
    assert dataflows == set(typing.get_args(Dataflow))
    assert all(item["summary"] for item in items)


@pytest.mark.parametrize("kind", ["arch", "space", "run", "inspect", "reuse", "sweep"])
def test_schemas_are_json(here: Here, kind: str) -> None:
    assert here("schema", kind).json["type"] == "object"


def test_strict_fails_where_an_operator_is_not_costed(here: Here, tmp_path: Path) -> None:
    from onnx import TensorProto, helper

    node = helper.make_node("NonMaxSuppression", ["boxes", "scores"], ["picked"], name="nms")
    boxes = helper.make_tensor_value_info("boxes", TensorProto.FLOAT, [1, 10, 4])
    scores = helper.make_tensor_value_info("scores", TensorProto.FLOAT, [1, 2, 10])
    picked = helper.make_tensor_value_info("picked", TensorProto.INT64, [5, 3])
    model = helper.make_model(helper.make_graph([node], "g", [boxes, scores], [picked]))
    file = tmp_path / "nms.onnx"
    file.write_bytes(model.SerializeToString())
    lenient = here("run", file, "--arch", "eyeriss", "--json")
    assert lenient.code == 0, lenient.err
    (row,) = lenient.json["layers"]
    assert row["status"] == "not_costed"
    assert row["reason"]
    strict = here("run", file, "--arch", "eyeriss", "--strict")
    assert strict.code == 4
    assert "nms" in strict.err
