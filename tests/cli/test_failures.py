"""Exit codes and error forms of the interface contract, whatever the command."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from accelsim.base.errors import InfeasibleError, InputError, Problem, UncostedError

from .conftest import Here, accelsim, environment

KEYS = ["file", "line", "column", "key", "message", "expected", "hint"]  # design section 6, in its order


def failing(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    def fail(*_: Any, **__: Any) -> Any:
        raise error

    monkeypatch.setattr("accelsim.cli.list._items", fail)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (InputError("bad"), 2),
        (InfeasibleError("too large"), 3),
        (UncostedError("no such operator"), 4),
        (ValueError("a mistake of ours"), 70),
        (MemoryError(), 70),
        (RecursionError("deep"), 70),
        (KeyboardInterrupt(), 130),
        (BrokenPipeError(), 141),
    ],
)
def test_each_error_has_its_exit_code_and_no_traceback(
    here: Here, monkeypatch: pytest.MonkeyPatch, error: BaseException, code: int
) -> None:
    failing(monkeypatch, error)
    outcome = here("list")
    assert outcome.code == code
    assert outcome.out == ""
    assert "Traceback" not in outcome.err
    assert outcome.err.count("\n") == (0 if code == 141 else 1)


@pytest.mark.parametrize(
    ("error", "code"), [(InputError("bad"), 2), (ValueError("ours"), 70), (KeyboardInterrupt(), 130)]
)
def test_json_gives_the_error_object_alone_on_stdout(
    here: Here, monkeypatch: pytest.MonkeyPatch, error: BaseException, code: int
) -> None:
    failing(monkeypatch, error)
    outcome = here("list", "--json")
    assert outcome.code == code
    assert outcome.err == ""
    assert list(outcome.json) == ["schema", "exit_code", "errors"]
    assert outcome.json["schema"] == "accelsim.error/1"
    assert outcome.json["exit_code"] == code
    assert [list(error) for error in outcome.json["errors"]] == [KEYS]


def test_all_problems_of_a_file_are_lines_of_file_line_column_key(
    here: Here, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = Problem(
        "is negative", file="a.yaml", line=3, column=7, key="clock", expected="a frequency above 0"
    )
    failing(monkeypatch, InputError([first, Problem("is missing", file="a.yaml", hint="add it")]))
    outcome = here("list")
    assert outcome.err.splitlines() == [
        "a.yaml:3:7: clock: is negative, expected a frequency above 0",
        "a.yaml: is missing (add it)",
    ]


def test_a_defect_says_that_it_is_ours_and_shows_the_traceback_only_when_asked(
    here: Here, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing(monkeypatch, ZeroDivisionError("division by zero"))
    assert "a defect of accelsim" in here("list").err
    monkeypatch.setenv("ACCELSIM_DEBUG", "1")
    assert "Traceback" in here("list").err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["rum"], "did you mean 'run'"),
        (["run", "lenet", "--arhc", "eyeriss"], "did you mean '--arch'"),
        (["run", "lenet"], "--arch"),
        (["run"], "MODEL"),
        (["run", "lenet", "--arch", "eyeriss", "--batch", "0"], "--batch"),
        (["run", "lenet", "--arch", "eyeriss", "--batch", "two"], "--batch"),
        (["run", "lenet", "--arch", "eyeriss", "--batch", "99999999999999999999"], "is too large"),
        (["inspect", "lenet", "--batch", "2147483649"], "is too large"),
        (["run", "lenet", "--arch", "systolic_32x32", "--dataflow", "oss"], "did you mean 'os'"),
        (["run", "lenet", "--arch", "eyeriss", "--objective", "speed"], "latency"),
        (["run", "lenet", "--arch", "eyeriss", "--compat", "timeloop"], "scalesim"),
        (["list", "machines"], "archs"),
        (["schema", "network"], "arch"),
        (["check"], "FILE"),
        (["list", "networks", "archs"], "archs"),
    ],
)
def test_a_wrong_command_line_is_one_plain_line_and_code_2(
    here: Here, arguments: list[str], said: str
) -> None:
    outcome = here(*arguments)
    assert outcome.code == 2
    assert outcome.out == ""
    assert outcome.err.count("\n") == 1
    assert said in outcome.err
    as_json = here(*arguments, "--json")
    assert as_json.code == 2
    assert as_json.err == ""
    (error,) = as_json.json["errors"]
    assert list(error) == KEYS


def test_no_command_at_all_shows_help_and_is_bad_usage(here: Here) -> None:
    outcome = here()
    assert outcome.code == 2
    assert "Commands:" in outcome.err


@pytest.mark.parametrize("arguments", [["--help"], ["-h"], ["run", "--help"], ["--version"]])
def test_help_and_version_are_answers(here: Here, arguments: list[str]) -> None:
    outcome = here(*arguments)
    assert outcome.code == 0
    assert "accelsim" in outcome.out
    assert outcome.err == ""


def test_the_module_calls_itself_by_the_name_of_the_command() -> None:
    assert accelsim("run", "--help").stdout.startswith("Usage: accelsim run")


def test_a_reader_that_has_gone_gives_141_and_not_a_word() -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "accelsim", "schema", "run"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(),
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()  # before the answer is written
    said = process.stderr.read()
    process.stderr.close()
    assert process.wait(30) == 141
    assert said == b""


@pytest.mark.parametrize("redirection", [">&-", "2>&-", "<&-", ">&- 2>&-"])
def test_closed_streams_break_nothing(redirection: str) -> None:
    command = f'exec "{sys.executable}" -m accelsim list networks {redirection}'
    done = subprocess.run(
        ["sh", "-c", command], capture_output=True, env=environment(), timeout=60, check=False
    )
    assert done.returncode == 0
    assert b"Traceback" not in done.stdout + done.stderr


def test_a_full_disk_behind_stdout_is_said_and_not_ignored() -> None:
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "accelsim", "list"],
            stdout=full,
            stderr=subprocess.PIPE,
            env=environment(),
            timeout=60,
            check=False,
            text=True,
        )
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "can't write" in done.stderr


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_any_locale_can_print_the_answer(encoding: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "accelsim", "run", "lenet", "--arch", "eyeriss"],
        capture_output=True,
        env=environment(PYTHONIOENCODING=encoding, LANG="C", LC_ALL="C"),
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "total" in done.stdout.decode(encoding)


def test_help_loads_nothing_heavy() -> None:
    code = (
        "import sys\n"
        "from accelsim.cli.app import execute\n"
        "assert execute(['--help']) == 0\n"
        "heavy = {'numpy', 'pandas', 'onnx', 'matplotlib', 'networkx', 'pydantic', 'yaml', 'rich'}\n"
        "print('loaded:', sorted(heavy & set(sys.modules)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env=environment(),
        timeout=60,
        check=False,
    )
    assert done.stdout.splitlines()[-1] == "loaded: []"
