"""How sweeps are kept: equal bytes whatever interrupts them, nothing done is lost or done twice."""

from __future__ import annotations

import errno
import hashlib
import importlib.util
import json
import os
import random
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.sweep_process import files, kill_on_the_way, start
from support.sweep_space import Evaluate, Sample, Space

from accelsim.base.errors import InputError, InterruptedWorkError
from accelsim.explore.sweep import store as store_module
from accelsim.explore.sweep.run import SweepResult, sweep
from accelsim.explore.sweep.store import read_manifest
from accelsim.explore.sweep.stored import read_columns, read_points


def needs(module: str) -> pytest.MarkDecorator:
    missing = importlib.util.find_spec(module) is None
    return pytest.mark.skipif(missing, reason=f"{module} is not installed")


FORMATS = ["csv", pytest.param("parquet", marks=needs("pyarrow"))]
N = Space().n_raw  # 3600 points, 36 parts of 100


def small(
    directory: Path, space: Space | None = None, evaluate: Evaluate | None = None, **more: Any
) -> SweepResult:
    return sweep(
        space or Space(), evaluate or Evaluate(), directory, **{"chunk": 100, "format": "csv"} | more
    )


def n_done(directory: Path) -> int:
    return sum(record.n_raw for record in read_manifest(directory)["parts"])


@pytest.mark.parametrize("format", FORMATS)
def test_what_is_stored_is_what_was_evaluated_to_the_last_digit(tmp_path: Path, format: str) -> None:
    result = small(tmp_path, format=format)
    points = Space().points(0, N)
    metrics = Evaluate()(points)
    stored = read_columns(tmp_path)
    assert list(stored) == ["index", "rows", "cols", "dataflow", *metrics]
    for name, values in {**points.columns, **metrics}.items():
        wanted = np.asarray(points.labels[name])[values] if name in points.labels else values
        assert stored[name].dtype.kind == wanted.dtype.kind
        assert np.array_equal(stored[name], wanted), name
    assert (result.rows, result.n_ok, result.n_parts) == (N, int((metrics["status"] == "ok").sum()), 36)


def test_points_that_break_a_constraint_on_variables_are_not_stored_even_where_a_whole_part_does(
    tmp_path: Path,
) -> None:
    space = Space(least=200)
    result = small(tmp_path, space)
    stored = read_columns(tmp_path)
    assert np.array_equal(stored["index"], space.points(0, N).index)
    assert result.rows == len(stored["index"]) < N == result.n_evaluated
    assert read_manifest(tmp_path)["parts"][0].rows == 0
    assert not (tmp_path / "points" / "part-000000.csv").exists()


def test_the_best_of_each_goal_is_that_of_the_points_that_are_ok_and_meet_the_constraints(
    tmp_path: Path,
) -> None:
    space = Space(most_j=1e-3)
    best = small(tmp_path, space).best
    table = read_columns(tmp_path)
    ok = (table["status"] == "ok") & (table["energy_j"] <= 1e-3)
    assert best["latency_s"][0] == table["latency_s"][ok].min()
    assert best["energy_j"][0] == table["energy_j"][ok].min()
    assert best["throughput_fps"][0] == table["throughput_fps"][ok].max()
    assert table["latency_s"][best["latency_s"][1]] == best["latency_s"][0]


@pytest.mark.parametrize(
    ("format", "workers"), [("csv", 1), ("csv", 2), pytest.param("parquet", 1, marks=needs("pyarrow"))]
)
def test_killed_at_a_random_moment_and_resumed_it_has_the_bytes_of_an_uninterrupted_run(
    tmp_path: Path, format: str, workers: int
) -> None:
    small(tmp_path / "whole", format=format)
    place = tmp_path / "killed"
    rng = random.Random(f"{format} {workers}")
    said = kill_on_the_way(place, rng, 30, format=format, workers=workers)
    kept = n_done(place)
    assert said <= kept < N  # nothing lost that was reported as done
    result = small(place, format=format, resume=True)
    assert result.n_evaluated == N - kept  # nothing done twice
    assert result.n_remade == 0
    assert files(place) == files(tmp_path / "whole")


@needs("optuna")
def test_a_search_that_was_killed_goes_on_as_if_it_had_not_been(tmp_path: Path) -> None:
    space = Space(sample=Sample("evolve", 300))
    small(tmp_path / "whole", space, chunk=32)
    kill_on_the_way(tmp_path / "killed", random.Random(5), 7, format="csv", evolve=300)
    kept = n_done(tmp_path / "killed")
    assert 0 < kept < 300
    result = small(tmp_path / "killed", space, chunk=32, resume=True)
    assert (result.rows, result.n_evaluated) == (300, 300 - kept)
    assert files(tmp_path / "killed") == files(tmp_path / "whole")


def test_ctrl_c_ends_with_130_and_the_command_that_resumes(tmp_path: Path) -> None:
    with start(tmp_path / "a b", format="csv", workers=2) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        for _ in range(4):
            process.stdout.readline()
        process.send_signal(signal.SIGINT)
        message = process.stderr.read()
    assert process.returncode == 130
    assert f"accelsim sweep small.yaml -o '{tmp_path}/a b' --workers 2 --resume" in message
    assert len(message.splitlines()) == 1
    small(tmp_path / "a b", resume=True)
    small(tmp_path / "whole")
    assert files(tmp_path / "a b") == files(tmp_path / "whole")


def test_an_interrupt_keeps_what_is_done_and_says_how_much(tmp_path: Path) -> None:
    with pytest.raises(InterruptedWorkError, match=r"12 parts are kept.*--resume"):
        small(tmp_path, evaluate=Evaluate(stop_at=1250))
    assert n_done(tmp_path) == 1200


def test_the_command_that_resumes_counts_by_the_same_rules(tmp_path: Path) -> None:
    with pytest.raises(InterruptedWorkError, match=r"-o \S+ --compat scalesim --resume"):
        small(tmp_path, Space(compat="scalesim"), Evaluate(stop_at=1250))


def test_resuming_what_is_complete_evaluates_nothing(tmp_path: Path) -> None:
    small(tmp_path)
    before = files(tmp_path)
    result = small(tmp_path, resume=True, evaluate=Evaluate(fail_at=0))
    assert (result.n_evaluated, result.rows) == (0, N)
    assert files(tmp_path) == before


def test_a_part_that_was_changed_or_lost_is_made_again(tmp_path: Path) -> None:
    small(tmp_path)
    before = files(tmp_path)
    (tmp_path / "points" / "part-000003.csv").write_text("index\n")
    (tmp_path / "points" / "part-000007.csv").unlink()
    result = small(tmp_path, resume=True)
    assert (result.n_remade, result.n_evaluated) == (2, 200)
    assert files(tmp_path) == before


def test_half_written_files_and_a_torn_journal_are_dropped(tmp_path: Path) -> None:
    small(tmp_path / "whole")
    place = tmp_path / "torn"
    with pytest.raises(InterruptedWorkError):
        small(place, evaluate=Evaluate(stop_at=500))
    journal = place / ".journal"
    journal.write_bytes(journal.read_bytes() + b'{"part":5,"n_raw":100,"ro')
    (place / "points" / "part-000005.csv").write_text("whole, but its line is not")
    (place / "points" / "part-000006.csv.1.ab.tmp").write_text("half")
    (place / "manifest.json.1.ab.tmp").write_text("half")
    assert small(place, resume=True).n_evaluated == N - 500
    assert files(place) == files(tmp_path / "whole")


def test_two_processes_on_one_directory_are_refused_and_a_dead_one_is_not_waited_for(tmp_path: Path) -> None:
    with start(tmp_path / "one", format="csv", sleep_s=0.1) as process:
        assert process.stdout is not None
        process.stdout.readline()
        with pytest.raises(InputError, match=f"another process works in it: process {process.pid} on "):
            small(tmp_path / "one", resume=True)
        process.kill()
    assert (tmp_path / "one" / ".lock").exists()
    small(tmp_path / "one", resume=True)
    assert not (tmp_path / "one" / ".lock").exists()


@pytest.mark.parametrize("what", ["write_whole", "_append"])
def test_a_full_disk_ends_with_one_message_and_keeps_what_is_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    small(tmp_path / "whole")
    real, left = getattr(store_module, what), [12]

    def full(*arguments: Any, **options: Any) -> None:
        left[0] -= 1
        if left[0] < 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        real(*arguments, **options)

    place = tmp_path / "full"
    monkeypatch.setattr(store_module, what, full)
    with pytest.raises(
        InputError, match=r"can't write part 1\d: No space left on device; 1\d parts are kept"
    ):
        small(place)
    monkeypatch.undo()
    kept = n_done(place)
    assert kept >= 1100
    assert small(place, resume=True).n_evaluated == N - kept
    assert files(place) == files(tmp_path / "whole")


def test_a_disk_that_takes_no_more_of_a_file_keeps_what_is_done(tmp_path: Path) -> None:
    """The system's own limit: the journal passes 4,000 bytes after some parts, and its last line is cut."""
    code = (
        "import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (9000, 9000));"
        "from support.sweep_process import *; from accelsim.base.errors import InputError\n"
        "try: run(sys.argv[1], format='csv', sleep_s=0)\n"
        "except InputError as error: sys.exit(str(error))"
    )
    import subprocess
    import sys

    root = Path(__file__).resolve().parents[2]
    path = os.pathsep.join([str(root), str(root / "tests")])
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "full")],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": path},
    )
    assert done.returncode == 1
    assert "can't write part" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    kept = n_done(tmp_path / "full")
    assert 0 < kept < N
    small(tmp_path / "whole")
    assert small(tmp_path / "full", resume=True).n_evaluated == N - kept
    assert files(tmp_path / "full") == files(tmp_path / "whole")


def test_a_directory_with_a_sweep_is_continued_only_where_that_is_asked_for(tmp_path: Path) -> None:
    small(tmp_path)
    with pytest.raises(InputError, match=r"holds a sweep already.*--resume"):
        small(tmp_path)


def test_a_directory_with_other_files_is_refused(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("dear")
    for resume in (False, True):
        with pytest.raises(InputError, match="holds no sweep of accelsim"):
            small(tmp_path, resume=resume)
    assert [file.name for file in tmp_path.iterdir()] == ["letter.txt"]


@pytest.mark.parametrize(
    ("key", "change"),
    [
        ("space_sha256", {"space": Space(sha256="1" * 64)}),
        ("chunk_points", {"chunk": 50}),
        ("n_points", {"space": Space(sample=Sample("random", 50))}),
    ],
)
def test_another_space_or_chunk_does_not_resume(tmp_path: Path, key: str, change: dict[str, Any]) -> None:
    with pytest.raises(InterruptedWorkError):
        small(tmp_path, evaluate=Evaluate(stop_at=500))
    before = files(tmp_path)
    with pytest.raises(
        InputError, match=f"manifest.json: {key}: the sweep in the directory was started with"
    ):
        small(tmp_path, resume=True, **change)
    assert files(tmp_path).items() >= {k: v for k, v in before.items() if "points" in k}.items()


def test_a_refused_resume_names_the_line_of_the_space_that_differs(tmp_path: Path) -> None:
    spaces = []
    for rows in (8, 16):
        file = tmp_path / f"{rows}.yaml"
        file.write_text(f"name: small\nrows: {rows}\n")
        spaces.append(Space(file=str(file), sha256=hashlib.sha256(file.read_bytes()).hexdigest()))
    small(tmp_path / "out", spaces[0])
    with pytest.raises(InputError, match=r'space, line 2: .* started with "rows: 8", not "rows: 16"'):
        small(tmp_path / "out", spaces[1], resume=True)


def test_another_version_does_not_resume(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small(tmp_path)
    monkeypatch.setattr("accelsim.explore.sweep.run.VERSION", "99.0")
    with pytest.raises(InputError, match=r'version: .* "99.0"'):
        small(tmp_path, resume=True)


def test_chunk_and_format_of_a_resumed_sweep_are_those_of_its_start(tmp_path: Path) -> None:
    with pytest.raises(InterruptedWorkError):
        small(tmp_path, evaluate=Evaluate(stop_at=500))
    small(tmp_path, resume=True, chunk=None, format=None)
    assert read_manifest(tmp_path)["chunk_points"] == 100


def test_a_broken_manifest_is_named(tmp_path: Path) -> None:
    small(tmp_path)
    (tmp_path / "manifest.json").write_text(json.dumps({"schema": "other/1"}))
    with pytest.raises(InputError, match=r"manifest.json: is no manifest of a sweep"):
        read_columns(tmp_path)


def test_reading_an_unknown_column_names_the_nearest(tmp_path: Path) -> None:
    small(tmp_path)
    with pytest.raises(InputError, match="did you mean 'energy_j'"):
        read_columns(tmp_path, ["energy"])


def test_read_points_gives_a_data_frame_also_of_an_unfinished_sweep(tmp_path: Path) -> None:
    with pytest.raises(InterruptedWorkError):
        small(tmp_path, evaluate=Evaluate(stop_at=500))
    frame = read_points(tmp_path)
    assert len(frame) == 500
    assert sorted(frame["dataflow"].unique()) == ["is", "os", "ws"]


@needs("pyarrow")
def test_pandas_reads_the_parts_as_they_are(tmp_path: Path) -> None:
    import pandas as pd

    small(tmp_path, Space(least=100), format="parquet")
    frame = pd.read_parquet(tmp_path / "points")
    ours = read_points(tmp_path)
    assert list(frame) == list(ours)
    assert len(frame) == len(ours) > 0
    assert (frame["latency_s"].to_numpy() == ours["latency_s"].to_numpy()).all()


@needs("pyarrow")
@needs("duckdb")
def test_duckdb_queries_the_parts_as_they_are(tmp_path: Path) -> None:
    import duckdb

    result = small(tmp_path, format="parquet")
    sql = f"select count(*), min(energy_j) from '{tmp_path}/points/*.parquet' where status = 'ok'"
    assert duckdb.sql(sql).fetchall() == [(result.n_ok, result.best["energy_j"][0])]
