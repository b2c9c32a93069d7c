"""Searches in several processes: the same results and messages, and no process left when it ends."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.small_machine import small_machine

import accelsim
from accelsim.base.errors import InfeasibleError, InputError, Problem
from accelsim.mapper.found import Found, SearchOptions
from accelsim.mapper.request import Request
from accelsim.mapper.solve import NothingLegalError, Solver, attempt, n_processes
from accelsim.tables.dims import DIMS
from accelsim.tables.nest import Problem as Shape

ROOT = Path(__file__).resolve().parents[2]


def request(layer: str, k: int, sram: float = 1024.0) -> Request:
    extents = tuple({"K": k, "C": 4}.get(d, 1) for d in DIMS)
    at = small_machine(capacity_bytes=np.array([3.0, sram, np.inf]))
    return Request(Shape(extents, ((1, 1, 0, 1),) * 3, False), at, (2, 2, 2), SearchOptions(), layer)


def answer(jobs: int) -> tuple[str, dict[str, Any]]:
    found = json.loads(
        accelsim.run(accelsim.load("lenet"), accelsim.arch("eyeriss"), jobs=jobs, cache=False).to_json()
    )
    run = found.pop("run")
    return json.dumps(found), run


def test_results_are_the_same_bytes_whatever_the_number_of_processes() -> None:
    (alone, here), (spread, there) = answer(1), answer(2)
    assert alone == spread
    assert here["n_searches"] == there["n_searches"] > 1


def test_the_first_layer_in_network_order_is_the_one_that_fails() -> None:
    """The third and the last fit nowhere; those between take no part in the message."""
    asked = [request("a", 3), request("b", 4), request("c", 5, 1.0), request("d", 6), request("e", 7, 2.0)]
    messages = []
    for jobs in (1, 3):
        with pytest.raises(NothingLegalError) as caught:
            Solver(jobs).solve(asked)
        messages.append(caught.value.problems)
        assert caught.value.request is asked[2]
    assert messages[0] == messages[1]
    assert "no mapping of c fits" in messages[0][0].message


def test_progress_counts_to_the_number_of_searches() -> None:
    seen: list[tuple[str, int, int]] = []
    asked = [request("a", 3), request("same as a", 3), request("b", 4)]
    found = Solver().solve(asked, lambda *step: seen.append(step))
    assert seen == [("a", 1, 2), ("b", 2, 2)]
    assert found[0] is found[1]


def test_errors_come_out_of_a_worker_with_all_that_they_say() -> None:
    import pickle

    for kind in (InputError, InfeasibleError):
        error = kind([Problem("one", file="f", hint="h"), Problem("two", key="k")])
        again = pickle.loads(pickle.dumps(error))
        assert (type(again), again.problems, str(again)) == (kind, error.problems, str(error))


def test_zero_means_all_cores_and_less_is_refused() -> None:
    assert n_processes(0) == len(os.sched_getaffinity(0))
    assert n_processes(3) == 3
    with pytest.raises(InputError, match=r"jobs: -1 processes can't be started, expected 1 or more"):
        n_processes(-1)


# --- in a process of its own

PRELUDE = "import accelsim\nnet, machine = accelsim.load('lenet'), accelsim.arch('eyeriss')\n"


def script(tmp_path: Path, text: str, **more: str) -> subprocess.Popen[str]:
    file = tmp_path / "script.py"
    file.write_text(text)
    path = os.pathsep.join((str(ROOT), str(tmp_path)))
    return subprocess.Popen(
        [sys.executable, str(file)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": path, **more},
        start_new_session=True,
        preexec_fn=_hear_ctrl_c,
    )


def _hear_ctrl_c() -> None:
    """A test run in the background of a shell is deaf to it, and so are its children."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def test_one_process_loads_nothing_of_multiprocessing(tmp_path: Path) -> None:
    text = PRELUDE + (
        "accelsim.run(net, machine)\nimport sys\n"
        "print([m for m in sys.modules if m.startswith(('multiprocessing', 'concurrent'))])\n"
    )
    out, err = script(tmp_path, text).communicate(timeout=60)
    assert (out.strip(), err) == ("[]", "")


def test_a_script_without_a_main_guard_may_ask_for_processes(tmp_path: Path) -> None:
    text = "print('once')\n" + PRELUDE + "print(accelsim.run(net, machine, jobs=2).totals['macs'] > 0)\n"
    out, err = script(tmp_path, text).communicate(timeout=60)
    assert (out.split(), err) == (["once", "True"], "")


SLOW = """\
import os, pathlib, time
def attempt(request):
    pathlib.Path(os.environ["PIDS"], str(os.getpid())).touch()
    time.sleep(600)
"""
COMMAND = """\
import sys
import slow
from accelsim.mapper import solve
solve.attempt = slow.attempt
from accelsim.cli.app import execute
sys.exit(execute(["run", "lenet", "--arch", "eyeriss", "--jobs", "2"]))
"""


def begun(tmp_path: Path, n: int = 2) -> tuple[subprocess.Popen[str], list[int]]:
    """The command in the middle of endless searches, and its workers."""
    (tmp_path / "slow.py").write_text(SLOW)
    pids = tmp_path / "pids"
    pids.mkdir()
    command = script(tmp_path, COMMAND, PIDS=str(pids))
    wait_for(lambda: len(list(pids.iterdir())) == n or command.poll() is not None)
    assert command.poll() is None, command.communicate()
    return command, [int(path.name) for path in pids.iterdir()]


def wait_for(condition: Any, seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)


def alive(pids: Sequence[int]) -> list[int]:
    """Those that run; a zombie that nobody has waited for yet has ended."""
    living = []
    for pid in pids:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            continue
        if state != "Z":
            living.append(pid)
    return living


def test_ctrl_c_ends_command_and_workers_at_once(tmp_path: Path) -> None:
    command, workers = begun(tmp_path)
    os.killpg(command.pid, signal.SIGINT)  # as a terminal does: to all of them
    out, err = command.communicate(timeout=60)
    assert (command.returncode, out, err) == (130, "", "interrupted\n")
    wait_for(lambda: not alive(workers))


def test_workers_end_when_their_parent_is_killed(tmp_path: Path) -> None:
    command, workers = begun(tmp_path)
    command.kill()
    command.communicate(timeout=60)
    wait_for(lambda: not alive(workers))


def test_a_worker_that_dies_is_told_and_the_others_end(tmp_path: Path) -> None:
    command, workers = begun(tmp_path)
    os.kill(workers[0], signal.SIGKILL)  # what a system without memory does
    out, err = command.communicate(timeout=60)
    assert (command.returncode, out) == (2, "")
    assert err == (
        "jobs: worker processes: one ended before its search was done "
        "(fewer processes take less memory; 1 starts none)\n"
    )
    wait_for(lambda: not alive(workers))


def test_attempt_gives_mappings_or_reasons() -> None:
    assert isinstance(attempt(request("a", 3)), Found)
    assert isinstance(attempt(request("a", 3, 1.0)), tuple)
