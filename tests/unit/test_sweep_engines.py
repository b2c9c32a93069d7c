"""One process, a pool and a cluster give the same bytes, also where workers die."""

from __future__ import annotations

import importlib.util
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.sweep_process import files
from support.sweep_space import Evaluate, Sample, Space

from accelsim.base.errors import InputError
from accelsim.explore.sweep.engine import Runs
from accelsim.explore.sweep.run import State, SweepResult, default_chunk, goals_of, sweep
from accelsim.explore.sweep.store import Record, read_manifest
from accelsim.explore.sweep.work import Chunk, Work, laid

N = Space().n_raw


def small(
    directory: Path, space: Space | None = None, evaluate: Evaluate | None = None, **more: Any
) -> SweepResult:
    return sweep(
        space or Space(), evaluate or Evaluate(), directory, **{"chunk": 100, "format": "csv"} | more
    )


def test_one_two_and_three_workers_give_equal_bytes(tmp_path: Path) -> None:
    for space in (Space(), Space(sample=Sample("lhs", 1000))):
        found = []
        for n in (1, 2, 3):
            place = tmp_path / f"{space.sample} {n}"
            small(place, space, workers=n)
            found.append(files(place))
        assert found[0] == found[1] == found[2]


def orders_to_die(folder: Path, n: int) -> Path:
    folder.mkdir()
    for at in range(n):
        (folder / str(at)).touch()
    return folder


@pytest.mark.parametrize("n_deaths", [1, 2])
def test_a_worker_that_is_killed_is_replaced_and_its_chunk_repeated(tmp_path: Path, n_deaths: int) -> None:
    small(tmp_path / "whole")
    evaluate = Evaluate(die=orders_to_die(tmp_path / "orders", n_deaths), at=1234)
    assert small(tmp_path / "killed", evaluate=evaluate, workers=2).n_evaluated == N
    assert list((tmp_path / "orders").iterdir()) == []
    assert files(tmp_path / "killed") == files(tmp_path / "whole")


def test_a_chunk_that_kills_three_workers_is_named_and_the_others_are_kept(tmp_path: Path) -> None:
    evaluate = Evaluate(die=orders_to_die(tmp_path / "orders", 3), at=1234)
    with pytest.raises(InputError, match=r"3 workers died on points 1200 to 1299 \(killed by signal 9\)"):
        small(tmp_path / "killed", evaluate=evaluate, workers=2)
    done = {record.part for record in read_manifest(tmp_path / "killed")["parts"]}
    assert 12 not in done
    assert done >= set(range(11))


def test_an_error_of_a_worker_is_the_error_of_the_sweep(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="ArithmeticError: no answer for point 1234"):
        small(tmp_path, evaluate=Evaluate(fail_at=1234), workers=2)


def test_no_worker_outlives_the_sweep(tmp_path: Path) -> None:
    import multiprocessing

    before = set(multiprocessing.active_children())
    small(tmp_path, workers=2)
    assert set(multiprocessing.active_children()) == before


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"workers": 0}, "workers: is 0, expected a number of processes from 1"),
        ({"chunk": 0}, "chunk: is 0, expected"),
        ({"chunk": -1}, "chunk: is -1, expected"),
        ({"format": "xls"}, "format: is 'xls', expected parquet or csv"),
        ({"workers": 2, "cluster": "tcp://h:1"}, "a cluster has its own workers"),
    ],
)
def test_options_that_cannot_be_are_refused_before_anything_is_written(
    tmp_path: Path, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        small(tmp_path / "none", **options)
    assert not (tmp_path / "none").exists()


def test_an_evaluator_of_the_main_module_is_refused_where_there_are_workers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Evaluate, "__module__", "__main__")
    with pytest.raises(InputError, match="Evaluate is defined in the main module"):
        small(tmp_path, workers=2)
    assert small(tmp_path).rows == N


def test_parquet_without_pyarrow_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"pip install 'accelsim\[parquet\]', or --format csv"):
        small(tmp_path / "none", format="parquet")
    small(tmp_path / "csv", format=None)
    assert (tmp_path / "csv" / "points" / "part-000000.csv").exists()


def test_progress_counts_all_points_once_and_the_best_only_gets_better(tmp_path: Path) -> None:
    states: list[State] = []
    result = small(tmp_path, progress=states.append)
    assert [state.n_done for state in states] == list(range(0, N + 1, 100))
    assert states[-1].left_s == 0 < states[1].left_s
    assert states[-1].best == result.best
    energies = [state.best["energy_j"][0] for state in states[1:]]
    assert energies == sorted(energies, reverse=True)


@pytest.mark.parametrize(
    ("n_points", "chunk"), [(1, 1024), (10_000, 1024), (100_000, 8192), (1_000_000, 32768), (10**9, 32768)]
)
def test_chunks_are_small_enough_to_share_and_large_enough_for_a_file(n_points: int, chunk: int) -> None:
    assert default_chunk(n_points) == chunk


@pytest.mark.parametrize(("n_points", "chunk"), [(1, 1), (40, 4), (2000, 32), (10**9, 32)])
def test_chunks_of_searches_are_small(n_points: int, chunk: int) -> None:
    assert default_chunk(n_points, searched=True) == chunk


def test_without_dask_a_cluster_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "distributed", None)
    with pytest.raises(InputError, match=r"pip install 'accelsim\[cluster\]'"):
        small(tmp_path, cluster="tcp://127.0.0.1:1")


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """A scheduler and two worker processes, each replaced when it dies."""
    import distributed

    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None, silence_logs=50
    ) as running:
        yield running


@pytest.mark.skipif(importlib.util.find_spec("distributed") is None, reason="distributed is not installed")
@pytest.mark.filterwarnings("ignore")  # of distributed's own event loops, while its workers are killed
class TestDask:
    @pytest.mark.parametrize("sample", [None, Sample("lhs", 1500)])
    def test_a_cluster_of_two_processes_of_which_one_is_killed_gives_the_same_bytes(
        self, tmp_path: Path, cluster: Any, sample: Sample | None
    ) -> None:
        small(tmp_path / "whole", Space(sample=sample))
        killed: list[int] = []

        def kill_one(state: State) -> None:
            if not killed and state.n_done >= state.n_total / 2:
                killed.extend(worker.pid for worker in list(cluster.workers.values())[:1])
                os.kill(killed[0], signal.SIGKILL)

        result = small(
            tmp_path / "killed",
            Space(sample=sample),
            Evaluate(sleep_s=0.02),
            cluster=cluster.scheduler_address,
            progress=kill_one,
        )
        assert killed
        assert result.rows == result.n_points
        assert files(tmp_path / "killed") == files(tmp_path / "whole")

    def test_an_error_in_the_work_is_the_error_of_the_sweep(self, tmp_path: Path, cluster: Any) -> None:
        with pytest.raises(ArithmeticError, match="no answer for point 1234"):
            small(tmp_path, evaluate=Evaluate(fail_at=1234), cluster=cluster.scheduler_address)

    def test_an_address_where_nobody_answers_is_named(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("accelsim.explore.sweep.dask_engine.CONNECT_S", 1.0)
        with pytest.raises(InputError, match=r"no Dask scheduler answers at tcp://127\.0\.0\.1:9"):
            small(tmp_path, cluster="tcp://127.0.0.1:9")

    def test_a_cluster_whose_last_worker_dies_ends_the_sweep_and_what_is_done_is_kept(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        import distributed

        monkeypatch.setattr("accelsim.explore.sweep.dask_engine.CONNECT_S", 1.0)
        with distributed.LocalCluster(n_workers=0, dashboard_address=None, silence_logs=50) as running:
            address = running.scheduler_address
            words = ["-m", "distributed.cli.dask_worker", address, "--no-nanny", "--no-dashboard"]
            worker = subprocess.Popen(
                [sys.executable, *words, "--nthreads", "1"],
                env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
                stderr=subprocess.DEVNULL,
                cwd=tmp_path,
            )

            def kill(state: State) -> None:
                if state.n_done >= 500:
                    worker.kill()

            try:
                with distributed.Client(address, set_as_default=False) as client:
                    client.wait_for_workers(1, timeout=20)
                with pytest.raises(InputError, match=r"has no workers left \(--resume continues\)"):
                    small(tmp_path / "out", evaluate=Evaluate(sleep_s=0.05), cluster=address, progress=kill)
            finally:
                worker.kill()
                worker.wait()
        assert len(read_manifest(tmp_path / "out")["parts"]) >= 5
        small(tmp_path / "out", resume=True)
        small(tmp_path / "whole")
        assert files(tmp_path / "out") == files(tmp_path / "whole")


@pytest.mark.parametrize("n_chunks", [0, 1, 5, 16, 23])
@pytest.mark.parametrize("n", [1, 2, 3])
def test_runs_deal_each_chunk_once_and_neighbours_to_a_worker_as_long_as_its_run_lasts(
    n_chunks: int, n: int
) -> None:
    chunks = [Chunk(at, at, at + 1) for at in range(n_chunks)]
    runs = Runs(chunks, n)
    turns = np.random.default_rng(n_chunks).integers(0, n, 1000).tolist()  # some workers are quicker
    dealt: dict[int, list[int]] = {at: [] for at in range(n)}
    for at in turns:
        chunk = runs.take(at)
        if chunk is not None:
            dealt[at].append(chunk.number)
    every = [number for numbers in dealt.values() for number in numbers]
    assert sorted(every) == list(range(n_chunks))
    jumps = sum(b != a + 1 for numbers in dealt.values() for a, b in pairwise(numbers))
    assert jumps <= 3 * n  # a run's end, and a few halves
    assert [runs.take(at) for at in range(n)] == [None] * n


def test_workers_that_get_runs_give_the_same_bytes(tmp_path: Path) -> None:
    small(tmp_path / "here")
    orders = orders_to_die(tmp_path / "orders", 1)
    small(tmp_path / "runs", Space(method="dataflow"), Evaluate(die=orders, at=1234), workers=3)
    assert files(tmp_path / "here" / "points") == files(tmp_path / "runs" / "points")


def test_a_worker_lays_its_file_beside_the_others_and_sends_it_where_it_can_not(tmp_path: Path) -> None:
    work = Work(Space(), Evaluate(), "csv", goals_of(Space()), folder=tmp_path)
    part = work(Chunk(7, 0, 100))
    sent = laid(part, work)
    assert sent.laid is not None
    assert sent.data == b""
    assert sent.laid.file.read_bytes() == part.data
    assert sent.laid.file.name.startswith("part-000007.csv")
    assert Record.of(sent) == Record.of(part)
    assert laid(part, replace(work, folder=tmp_path / "full")) is part
    assert laid(part, replace(work, folder=None)) is part


def test_what_a_killed_worker_laid_is_gone_at_the_end(tmp_path: Path) -> None:
    torn = tmp_path / "out" / "points" / "part-000003.csv.1.abc.tmp"

    class Leaving(Evaluate):
        def __call__(self, points: Any) -> Any:
            torn.touch()
            return super().__call__(points)

    small(tmp_path / "out", evaluate=Leaving())
    assert not torn.exists()
    small(tmp_path / "whole")
    assert files(tmp_path / "out") == files(tmp_path / "whole")
