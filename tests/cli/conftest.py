"""Running the command: in a process of its own where that matters, in this one where speed does."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]

TINY = """\
schema: accelsim.arch/1
name: tiny
description: a small machine for tests
clock: 1 GHz
technology: 45nm
core:
  count: 1
  dataflow: [ws, os, is]
  array: {rows: 32, cols: 32, fold: sequential, multicast: [I, W], reduce: true}
  mac: {bits: 8, energy: {value: 0.23 pJ, source: "Horowitz, ISSCC 2014: int8 multiply and add, 45 nm"}}
  memories:
    - name: glb
      size: 256 KiB
      holds: [I, W, O]
      bandwidth: {value: 64 B/cycle, source: "assumption: one row of the array a cycle"}
      energy: {read: 1.2 pJ/B, write: 1.3 pJ/B, source: "assumption of a test"}
memories:
  - name: dram
    size: 8 GiB
    bandwidth: {value: 25.6 GB/s, source: "DDR4-3200, 64 bits"}
    energy: {read: 160 pJ/B, write: 160 pJ/B, source: "DDR4, 20 pJ/bit"}
activations: dram
"""


# Section 4 of the design, word for word
DESIGN_TINY = """\
schema: accelsim.arch/1
name: tiny
clock: 1 GHz
technology: 45nm
core:
  count: 1
  dataflow: [ws, os, is]        # what it can run; the first is the default, --dataflow or --set dataflow=os picks
  array: {rows: 32, cols: 32}
  mac: {bits: 8, energy: {value: 0.23 pJ, source: "Horowitz, ISSCC 2014: int8 multiply and add, 45 nm"}}
  memories:                     # from the array outwards
    - name: glb
      size: 256 KiB
      holds: [I, W, O]
      bandwidth: {value: 64 B/cycle, source: "assumption: one row of the array a cycle"}
      energy: {read: 1.2 pJ/B, write: 1.3 pJ/B, source: "evidence/energy_cacti fit, 45 nm"}
memories:
  - name: dram
    size: 8 GiB
    bandwidth: {value: 25.6 GB/s, source: "DDR4-3200, 64 bits"}
    energy: {read: 160 pJ/B, write: 160 pJ/B, source: "evidence/energy_per_op: DDR4 20 pJ/bit"}
activations: dram
"""  # noqa: E501


def environment(**more: str) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT), "NO_COLOR": "1", **more}


def accelsim(
    *arguments: str | Path, cwd: Path | None = None, **more: str
) -> subprocess.CompletedProcess[str]:
    """The command in a process of its own; `more` are environment variables."""
    return subprocess.run(
        [sys.executable, "-m", "accelsim", *map(str, arguments)],
        capture_output=True,
        text=True,
        encoding="utf-8",
        cwd=cwd,
        env=environment(**more),
        timeout=60,
        check=False,
    )


class Outcome:
    """What a command line gave."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err

    @property
    def json(self) -> Any:
        return json.loads(self.out, parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))


Here = Callable[..., Outcome]


@pytest.fixture
def here(capsys: pytest.CaptureFixture[str]) -> Here:
    """The command in this process."""
    from accelsim.cli.app import execute

    def run(*arguments: str | Path) -> Outcome:
        capsys.readouterr()
        code = execute([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return Outcome(code, captured.out, captured.err)

    return run


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    file = tmp_path / "tiny.yaml"
    file.write_text(TINY, encoding="utf-8")
    return file
