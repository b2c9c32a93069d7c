"""`accelsim split` as a user meets it."""

from __future__ import annotations

import csv
import gzip
import json
from itertools import product
from pathlib import Path

import pytest

from accelsim.tables.columns import cell_columns

from .conftest import Here
from .conftest import accelsim as process

SPLIT = ("split", "lenet", "--arch", "mlu100", "--no-cache")
SMALL = (*SPLIT, "--mp", "1,2,16", "--dp", "1,4", "--threads", "1,8", "--batch", "1,16")
# issue: the keys of a cell
CELL = [
    "mp",
    "dp",
    "threads",
    "batch",
    "status",
    "latency_s",
    "throughput_fps",
    "analytic_latency_s",
    "simulated_latency_s",
    "decided_by",
    "energy_j",
    "memory_bytes",
    "limit",
]


def test_every_combination_is_a_cell_of_the_contract(here: Here) -> None:
    answer = here(*SMALL, "--json").json
    assert answer["schema"] == "accelsim.split/1"
    assert {"tool", "inputs", "units", "totals", "layers", "grid", "best", "run"} <= set(answer)
    assert all(list(cell) == CELL for cell in answer["grid"])
    asked = list(product((1, 2, 16), (1, 4), (1, 8), (1, 16)))
    assert [tuple(cell[name] for name in CELL[:4]) for cell in answer["grid"]] == asked
    assert {*CELL, "strategy", "data_set_s"} == {column.name for column in cell_columns()}
    assert {cell["status"] for cell in answer["grid"]} == {"ok", "infeasible"}
    for cell in answer["grid"]:
        assert (cell["status"] == "infeasible") == (cell["mp"] * cell["dp"] > 32)
        figures = [cell[name] for name in ("latency_s", "throughput_fps", "analytic_latency_s")]
        assert all((figure is None) == (cell["status"] == "infeasible") for figure in figures)


def test_the_best_cell_has_the_most_throughput_or_the_least_of_what_else_is_asked(here: Here) -> None:
    for objective, figure in (
        ("throughput", lambda cell: -cell["throughput_fps"]),
        ("latency", lambda cell: cell["latency_s"]),
        ("energy", lambda cell: cell["energy_j"]),
        ("edp", lambda cell: cell["energy_j"] * cell["latency_s"]),
    ):
        answer = here(*SMALL, "--objective", objective, "--json").json
        ok = [cell for cell in answer["grid"] if cell["status"] == "ok"]
        assert figure(answer["best"]) == pytest.approx(min(map(figure, ok)), rel=1e-8)
        assert {name: answer["best"][name] for name in CELL} in ok


def test_the_simulation_decides_unless_it_is_switched_off(here: Here) -> None:
    ok = [cell for cell in here(*SMALL, "--json").json["grid"] if cell["status"] == "ok"]
    assert all(cell["decided_by"] == "simulation" for cell in ok)
    assert all(cell["latency_s"] == cell["simulated_latency_s"] for cell in ok)
    off = [cell for cell in here(*SMALL, "--simulate", "0", "--json").json["grid"] if cell["status"] == "ok"]
    assert all(cell["decided_by"] == "analytic" for cell in off)
    assert all(cell["simulated_latency_s"] is None for cell in off)
    assert all(cell["latency_s"] == cell["analytic_latency_s"] for cell in off)


def test_of_a_large_grid_the_closed_form_rules_cells_out_and_the_best_stays(here: Here) -> None:
    grid = (
        *SPLIT,
        "--mp",
        "1,2,8",
        "--dp",
        "1,4,8",
        "--threads",
        "1,2,4,8,16,32",
        "--batch",
        "1,2,4,8,16,32",
    )
    pruned, whole = (here(*grid, *more, "--json").json for more in (("--simulate", "50"), ()))
    assert 50 <= pruned["totals"]["n_simulated"] < pruned["totals"]["n_ok"] == whole["totals"]["n_simulated"]
    assert pruned["best"] == whole["best"]
    left = [cell for cell in pruned["grid"] if cell["decided_by"] == "analytic"]
    assert all(cell["simulated_latency_s"] is None for cell in left)
    truth = {tuple(cell[name] for name in CELL[:4]): cell["throughput_fps"] for cell in whole["grid"]}
    for cell in left:
        assert truth[tuple(cell[name] for name in CELL[:4])] <= pruned["best"]["throughput_fps"]


def test_full_keeps_the_splits_that_use_all_cores(here: Here) -> None:
    grid = here(*SPLIT, "--full", "--threads", "2", "--batch", "1", "--json").json["grid"]
    assert [(cell["mp"], cell["dp"]) for cell in grid] == [(2**i, 2 ** (5 - i)) for i in range(6)]
    few = here(*SPLIT, "--full", "--cores", "16", "--threads", "2", "--batch", "1", "--json").json["grid"]
    assert [(cell["mp"], cell["dp"]) for cell in few] == [(2**i, 2 ** (4 - i)) for i in range(5)]


def test_what_has_no_room_is_told_with_its_bytes(here: Here) -> None:
    tight = (
        *SPLIT,
        "--mp",
        "1",
        "--dp",
        "1,2",
        "--threads",
        "1,32",
        "--batch",
        "64",
        "--set",
        "dram.size='12 MB'",
    )
    answer = here(*tight, "--json").json
    status = {(cell["dp"], cell["threads"]): cell["status"] for cell in answer["grid"]}
    assert status == {(1, 1): "ok", (2, 1): "ok", (1, 32): "oom", (2, 32): "oom"}
    for cell in answer["grid"]:
        assert (cell["memory_bytes"] > 12e6) == (cell["status"] == "oom")
    text = here(*tight).out
    assert "no memory" in text
    assert "B of 12,000,000 B" in text


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--mp", "64"), ("64 cores", "32")),
        (("--mp", "8", "--dp", "8"), ("64 cores", "32")),
        (
            ("--threads", "64", "--batch", "1024", "--set", "dram.size='12 MB'"),
            ("lenet", "mp 1, dp 1, threads 64, batch 1024", "12,000,000 B", "lower --batch"),
        ),
    ],
)
def test_where_no_cell_runs_the_code_is_3_with_demand_and_limit(
    here: Here, options: tuple[str, ...], said: tuple[str, ...]
) -> None:
    outcome = here(*SPLIT, *options)
    assert (outcome.code, outcome.out) == (3, "")
    assert all(word in outcome.err for word in said)
    error = here(*SPLIT, *options, "--json")
    assert (error.code, error.json["exit_code"]) == (3, 3)


@pytest.mark.parametrize(
    ("options", "key"),
    [
        (("--mp", "1;2"), "--mp"),
        (("--threads", ""), "--threads"),
        (("--dp", "0"), "dp"),
        (("--batch", "-4"), "--batch"),
        (("--full", "--mp", "3"), "full"),
        (("--objective", "speed"), "--objective"),
        (("--simulate", "-1"), "--simulate"),
        (("--cores", "0"), "--cores"),
        (("--cores", "6"), "cores"),
        (("--trace", "t.json", "--strategy", "hybrid"), "trace"),
        (("--set", "runtime.kernel_efficiency=0"), "runtime.kernel_efficiency.value"),
    ],
)
def test_bad_options_are_named(here: Here, options: tuple[str, ...], key: str) -> None:
    outcome = here(*SPLIT, *options, "--json")
    assert outcome.code == 2, outcome.out
    assert outcome.json["errors"][0]["key"] == key


def test_a_part_of_a_chip_takes_the_clusters_that_its_refusal_names(here: Here) -> None:
    """1,024 cores in 256 clusters of four: 8 cores are two such clusters."""
    pod = ("split", "lenet", "--arch", "tpu_pod_like", "--no-cache", "--cores", "8", "--batch", "1")
    refused = here(*pod)
    assert refused.code == 2
    assert "a multiple of 256" in refused.err
    assert "--set clusters.count=2" in refused.err
    mended = here(*pod, "--set", "clusters.count=2", "--json").json["inputs"]["arch"]
    assert (mended["cores"], mended["clusters"]) == (8, 2)


def test_tables_show_the_grid_the_best_and_what_limits_each_cell(here: Here) -> None:
    outcome = here(*SMALL)
    assert (outcome.code, outcome.err) == (0, "")
    lines = outcome.out.splitlines()
    assert "24 cells" in lines[1]
    (first,) = [line for line in lines if line.startswith("mp 1 ")]
    assert len(first.split()) == 2 + 2 * 3  # the label, two splits of figure, prefix and limit
    (last,) = [line for line in lines if line.startswith("mp 16 ")]
    assert last.split()[-1] == "-"
    assert any(line.startswith("batch 16") for line in lines)
    at = next(i for i, line in enumerate(lines) if line.startswith("The best by throughput"))
    behind = [float(line.split()[-1]) for line in lines[at + 3 : at + 13]]
    assert behind[0] == 0.0
    assert behind == sorted(behind)


def test_a_directory_holds_result_grid_and_heat_map(here: Here, tmp_path: Path) -> None:
    outcome = here(*SMALL, "-o", tmp_path / "out", "--json")
    made = tmp_path / "out"
    assert {file.name for file in made.iterdir()} == {"result.json", "layers.csv", "grid.csv", "split.png"}
    assert json.loads((made / "result.json").read_text())["grid"] == outcome.json["grid"]
    with (made / "grid.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [list(row) for row in rows] == [CELL] * 24
    assert [row["throughput_fps"] for row in rows] == [
        "" if cell["throughput_fps"] is None else str(cell["throughput_fps"]) for cell in outcome.json["grid"]
    ]
    assert (made / "split.png").read_bytes().startswith(b"\x89PNG")


def test_a_timeline_has_the_threads_and_replicas_of_the_best_cell(here: Here, tmp_path: Path) -> None:
    """Four threads, an instance each of two replicas of one core: all eight cores of a cluster hold one."""
    file = tmp_path / "t.json.gz"
    cell = ("--mp", "1", "--dp", "2", "--threads", "4", "--batch", "1", "--trace", file)
    assert here(*SPLIT, *cell, "-o", tmp_path / "out", "-q").code == 0
    events = json.loads(gzip.decompress(file.read_bytes()))["traceEvents"]
    names = {e["pid"]: e["args"]["name"] for e in events if e["name"] == "process_name"}
    tracks = {e["args"]["name"] for e in events if e["name"] == "thread_name"}
    assert {"thread 0", "thread 3", "compute", "channel"} <= tracks
    layers = {row["layer"] for row in json.loads((tmp_path / "out" / "result.json").read_text())["layers"]}
    on_device = {e["name"] for e in events if e["ph"] == "X" and names[e["pid"]] != "host"}
    assert on_device == layers
    n_slices = sum(e["ph"] == "X" for e in events)
    assert len((tmp_path / "out" / "trace.csv").read_text().splitlines()) == 1 + n_slices


def test_two_runs_give_the_same_bytes_outside_run() -> None:
    answers = [process(*SMALL, "--json", PYTHONHASHSEED=seed) for seed in ("1", "2")]
    assert [done.returncode for done in answers] == [0, 0], answers[0].stderr
    lines = [
        [line for line in done.stdout.splitlines() if not line.startswith('  "run":')] for done in answers
    ]
    assert lines[0] == lines[1]


def test_the_schema_of_the_answer_knows_every_column_of_it(here: Here) -> None:
    answer = here(*SMALL, "--images", "100", "--strategy", "hybrid", "--json").json
    schema = here("schema", "split").json["properties"]
    assert set(answer["layers"][0]) <= set(schema["layers"]["items"]["properties"])
    assert set(answer["grid"][0]) == set(schema["grid"]["items"]["properties"])
    assert set(answer["plan"][0]) <= set(schema["plan"]["items"]["properties"])
    named = {*answer["layers"][0], *answer["grid"][0]}
    assert {"latency_s", "energy_j", "memory_bytes", "exchange_bytes"} <= set(answer["units"]) <= named


def test_quiet_prints_nothing(here: Here) -> None:
    outcome = here(*SMALL, "--quiet")
    assert (outcome.code, outcome.out, outcome.err) == (0, "", "")


def test_the_time_of_a_data_set_is_no_less_than_its_images_take_in_steady_state(here: Here) -> None:
    """Filling and draining only add; the last passes may be cut short by as many as are under way."""
    asked = (*SPLIT, "--mp", "2", "--dp", "1,4", "--threads", "1,8", "--batch", "4", "--images", "4096")
    for simulate in ("4", "0"):
        for cell in here(*asked, "--simulate", simulate, "--json").json["grid"]:
            in_flight = cell["threads"] * cell["dp"] * cell["batch"]
            assert cell["data_set_s"] >= (4096 - in_flight) / cell["throughput_fps"]
            assert cell["data_set_s"] == pytest.approx(4096 / cell["throughput_fps"], rel=0.1)


def test_the_time_of_a_data_set_is_shown_only_where_asked_for_and_of_no_images_refused(here: Here) -> None:
    assert "4,096 images" in here(*SMALL, "--images", "4096").out
    assert " images\n" not in here(*SMALL).out
    assert "data_set_s" not in here(*SMALL, "--json").json["best"]
    assert here(*SMALL, "--images", "0").code == 2


PLANNED = (
    "split",
    "lenet",
    "--arch",
    "eyeriss_4x8",
    "--mp",
    "4",
    "--dp",
    "1,2",
    "--threads",
    "1,3",
    "--batch",
    "2",
)


def test_richer_strategies_give_their_plan_and_how_far_the_search_went(here: Here) -> None:
    answers = [
        here(*PLANNED, "--strategy", name, "--json").json for name in ("uniform", "hybrid", "pipeline")
    ]
    best = [answer["best"]["throughput_fps"] for answer in answers]
    assert best == sorted(best)
    assert [answer["strategy"] for answer in answers] == ["uniform", "hybrid", "pipeline"]
    assert "plan" not in answers[0]
    layers = [row["layer"] for row in answers[0]["layers"]]
    for answer in answers[1:]:
        assert [row["layer"] for row in answer["plan"]] == layers
        assert all(
            row["mp"] * row["dp"] <= answer["best"]["mp"] * answer["best"]["dp"] for row in answer["plan"]
        )
        assert {cell["strategy"] for cell in answer["grid"]} <= {"uniform", "hybrid", "pipeline"}
        assert answer["exhaustive"] is (answer["strategy"] == "hybrid")
        assert 0 < answer["lower_bound"] <= answer["best"]["value"]
        assert answer["gap_frac"] == pytest.approx(
            answer["best"]["value"] / answer["lower_bound"] - 1, rel=1e-6
        )
        assert all(cell["decided_by"] == "simulation" for cell in answer["grid"])
    text = here(*PLANNED, "--strategy", "hybrid").out
    assert "The plan of the best" in text
    assert "\nall plans compared" in text


def test_an_unknown_strategy_is_refused(here: Here) -> None:
    outcome = here(*SMALL, "--strategy", "greedy", "--json")
    assert outcome.code == 2
    assert outcome.json["errors"][0]["key"] == "--strategy"
