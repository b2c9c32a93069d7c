"""`accelsim map` as a user meets it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import accelsim
from accelsim.tables.columns import of_command

from .conftest import Here
from .conftest import accelsim as process

MAP = ("map", "lenet", "--arch", "eyeriss")
LAYERS = ["conv1", "conv2", "ip1", "ip2"]  # lenet.prototxt: two convolutions, two inner products


def keys(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield key
            yield from keys(item)
    if isinstance(value, list):
        for item in value:
            yield from keys(item)


def test_map_has_the_envelope_with_certificate_and_nest_of_every_array_layer(here: Here) -> None:
    answer = here(*MAP, "--json").json
    assert answer["schema"] == "accelsim.map/1"
    assert [row["layer"] for row in answer["layers"]] == LAYERS
    for row in answer["layers"]:
        assert set(row) <= {column.name for column in of_command("map")}
        assert set(row["certificate"]) == {
            "objective",
            "space",
            "best",
            "lower_bound",
            "gap_frac",
            "proven",
            "complete",
        }
        assert row["certificate"]["best"] == pytest.approx(row["energy_pj"] * row["latency_cycles"])
        assert row["certificate"]["lower_bound"] <= row["certificate"]["best"]
        assert [level["level"] for level in row["nest"]] == list(reversed(row["accesses"]))
        assert [point["is_best"] for point in row["points"]] == [True]
    assert answer["totals"]["n_searches"] == 4


def test_seconds_and_counts_of_the_search_stand_in_run_alone(here: Here) -> None:
    answer = here(*MAP, "--json").json
    run = answer.pop("run")
    assert set(run["layers"]) == set(LAYERS)
    assert all(set(facts) == {"n_evaluated", "n_pruned_by", "seconds"} for facts in run["layers"].values())
    assert not {"seconds", "n_evaluated", "n_pruned_by"} & set(keys(answer))


def test_two_runs_give_the_same_bytes_outside_run() -> None:
    answers = [process(*MAP, "--top", "3", "--json", PYTHONHASHSEED=seed) for seed in ("1", "2")]
    assert [done.returncode for done in answers] == [0, 0], answers[0].stderr
    lines = [
        [line for line in done.stdout.splitlines() if not line.startswith('  "run":')] for done in answers
    ]
    assert lines[0] == lines[1]


@pytest.mark.parametrize(
    ("arch", "objective"), [("eyeriss", "edp"), ("tpu_v1", "energy"), ("systolic_32x32", "latency")]
)
def test_the_numbers_of_a_layer_are_those_of_run(here: Here, arch: str, objective: str) -> None:
    words = ("lenet", "--arch", arch, "--objective", objective, "--json")
    costed = {row["layer"]: row for row in here("run", *words).json["layers"]}
    mapped = here("map", *words).json["layers"]
    assert len(mapped) == 4
    for row in (*mapped, *here("map", *words, "--layer", "conv2").json["layers"]):
        same = {name: value for name, value in row.items() if name in costed[row["layer"]]}
        assert same == costed[row["layer"]]
        assert {"energy_pj", "latency_cycles", "accesses", "mapping"} <= set(same)


def test_the_words_of_the_nest_are_those_of_the_layer(here: Here) -> None:
    for row in here(*MAP, "--json").json["layers"]:
        assert {level["level"]: level["accesses"] for level in row["nest"]} == row["accesses"]


def test_a_layer_that_runs_several_times_shows_one_run(here: Here, tmp_path: Path) -> None:
    """An LSTM of 5 steps: 4 x 16 sums of 16 states in each, one step after the other."""
    import numpy as np
    from onnx import TensorProto, helper, numpy_helper

    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, [5, 1, 8])
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, [5, 1, 1, 16])
    weights = [
        numpy_helper.from_array(np.zeros((1, 64, n), np.float32), name) for name, n in (("w", 8), ("r", 16))
    ]
    node = helper.make_node("LSTM", ["x", "w", "r"], ["y"], name="lstm", hidden_size=16)
    file = tmp_path / "lstm.onnx"
    file.write_bytes(helper.make_model(helper.make_graph([node], "g", [x], [y], weights)).SerializeToString())
    (row,) = here("map", file, "--arch", "eyeriss", "-l", "lstm/recurrent", "--json").json["layers"]
    assert (row["runs"], row["dims"], row["macs"]) == (5, {"K": 64, "C": 16}, 5 * 64 * 16)
    for level in row["nest"]:
        for operand, words in level["accesses"].items():
            assert row["accesses"][level["level"]][operand] == {rw: 5 * n for rw, n in words.items()}
    assert row["latency_cycles"] == 5 * row["points"][0]["latency_cycles"]
    assert "K 64 C 16 x 5 runs" in here("map", file, "--arch", "eyeriss", "-l", "lstm/recurrent").out
    assert "did you mean 'lstm/input'" in here("map", file, "--arch", "eyeriss", "-l", "lstm").err


def test_what_fits_nowhere_ends_with_code_3_and_a_remedy(here: Here) -> None:
    outcome = here(*MAP, "--set", "spad_psum.size='1 B'")
    assert (outcome.code, outcome.out) == (3, "")
    assert "spad_psum" in outcome.err
    assert "--set" in outcome.err


def test_layers_that_are_equal_are_searched_once_and_all_are_there(here: Here) -> None:
    vgg = here("map", "vgg16", "--arch", "eyeriss", "--json").json
    # of 13 convolutions and 3 products, 3_3 is as 3_2, 4_3 as 4_2, 5_2 and 5_3 as 5_1
    assert (vgg["totals"]["n_layers"], vgg["totals"]["n_searches"]) == (16, 12)
    twins = [row for row in vgg["layers"] if row["same_as"]]
    assert len(twins) == 4
    by_name = {row["layer"]: row for row in vgg["layers"]}
    assert all(row["nest"] == by_name[row["same_as"]]["nest"] for row in twins)
    assert set(vgg["run"]["layers"]) == {row["layer"] for row in vgg["layers"]} - {t["layer"] for t in twins}


def test_a_named_layer_is_shown_in_full_and_a_network_by_the_line(here: Here) -> None:
    full = here(*MAP, "-l", "conv2").out
    assert "multiply-accumulate" in full
    assert "Largest tiles" in full
    assert "ip1" not in full
    lines = here(*MAP).out.splitlines()
    assert [line.split()[0] for line in lines if line.split()[:1] and line.split()[0] in LAYERS] == LAYERS
    assert not any("multiply-accumulate" in line for line in lines)
    both = here(*MAP, "--layer", "ip2", "--layer", "conv1", "--json").json
    assert [row["layer"] for row in both["layers"]] == ["conv1", "ip2"]  # in network order


def test_quiet_prints_nothing(here: Here) -> None:
    outcome = here(*MAP, "-q")
    assert (outcome.code, outcome.out, outcome.err) == (0, "", "")


def test_the_mapping_that_is_written_costs_in_run_what_map_said(here: Here, tmp_path: Path) -> None:
    mapped = here(*MAP, "-o", tmp_path / "out", "--json")
    assert mapped.code == 0, mapped.err
    run = here("run", *MAP[1:], "--mapping", tmp_path / "out" / "mapping.yaml", "--json").json
    costed = {row["layer"]: row for row in run["layers"]}
    for row in mapped.json["layers"]:
        for name in ("energy_pj", "latency_cycles", "accesses", "mapping"):
            assert row[name] == costed[row["layer"]][name]
    assert not any("were searched" in note for note in run["notes"])


def test_a_directory_holds_points_and_front_only_where_they_were_asked_for(
    here: Here, tmp_path: Path
) -> None:
    place = tmp_path / "out"
    assert here(*MAP, "-l", "conv2", "--top", "3", "-q", "-o", place).code == 0
    assert {"result.json", "layers.csv", "mapping.yaml", "points.csv"} <= {f.name for f in place.iterdir()}
    assert here(*MAP, "-q", "-o", place).code == 0
    names = {file.name for file in place.iterdir()}
    assert not {"points.csv", "front.png"} & names, "files of the earlier result are left"
    head = (place / "layers.csv").read_text().splitlines()[0].split(",")
    assert {"certificate.proven", "certificate.lower_bound"} <= set(head)
    assert not {"nest", "points"} & set(head)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--layer", "conv3"], "did you mean 'conv2'"),
        (["--layer", "pool1"], "layer 'pool1' is max_pool"),
        (["--layer", "relu1"], "fused into 'ip1' (map 'ip1')"),
        (["--layer", "zzz"], "accelsim inspect"),
        (["--top", "0"], "1 to 1,000"),
        (["--top", "1001"], "1 to 1,000"),
        (["--top", "two"], "--top"),
        (["--top", "3", "--front"], "exclude each other"),
        (["--gap", "-0.1"], "-0.1 is no share"),
        (["--gap", "1"], "0 (proven) to below 1"),
        (["--gap", "nan"], "nan is no share"),
        (["--time-limit", "0"], "seconds above 0"),
        (["--time-limit", "nan"], "seconds above 0"),
        (["--objective", "speed"], "latency"),
        (["--dataflow", "os"], "eyeriss"),
    ],
)
def test_wrong_options_are_one_plain_line_and_code_2(here: Here, options: list[str], said: str) -> None:
    outcome = here(*MAP, *options)
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err.count("\n") == 1
    assert said in outcome.err
    assert json.loads(here(*MAP, *options, "--json").out)["schema"] == "accelsim.error/1"


def test_all_wrong_layers_are_told_at_once(here: Here) -> None:
    outcome = here(*MAP, "-l", "conv3", "-l", "conv2", "-l", "pool1")
    assert outcome.err.count("\n") == 2


def test_a_network_without_array_layers_has_nothing_to_map(here: Here, tmp_path: Path) -> None:
    from onnx import TensorProto, helper

    node = helper.make_node("Relu", ["x"], ["y"], name="relu")
    x, y = (helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 4]) for name in "xy")
    file = tmp_path / "relu.onnx"
    file.write_bytes(helper.make_model(helper.make_graph([node], "g", [x], [y])).SerializeToString())
    outcome = here("map", file, "--arch", "eyeriss")
    assert outcome.code == 2
    assert "no convolution or matrix product" in outcome.err


def test_the_schema_of_the_answer_knows_every_column_of_it(here: Here) -> None:
    schema = here("schema", "map").json
    answer = here(*MAP, "--json").json
    assert set(answer["layers"][0]) <= set(schema["properties"]["layers"]["items"]["properties"])


def test_the_python_function_gives_the_same_rows_and_takes_one_name_or_several(here: Here) -> None:
    net, machine = accelsim.load("lenet"), accelsim.arch("eyeriss")
    one = accelsim.map_layers(net, machine, "conv1")
    two = accelsim.map_layers(net, machine, ["conv1", "ip2"], objective="energy")
    assert list(one.layers["layer"]) == ["conv1"]
    assert list(two.layers["layer"]) == ["conv1", "ip2"]
    assert one.to_dict()["layers"] == here(*MAP, "-l", "conv1", "--json").json["layers"]
    assert one.plot.front() is None
