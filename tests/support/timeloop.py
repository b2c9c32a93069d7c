"""Timeloop's files for tests: a text with some things changed, and the words of a level."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from accelsim.compat.timeloop.account import account
from accelsim.compat.timeloop.model import TimeloopInput
from accelsim.compat.timeloop.read import read_timeloop


def written(folder: Path, text: str, *changes: tuple[str, str]) -> Path:
    """The text as a file, each change made once."""
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    file = folder / "input.yaml"
    file.write_text(text, encoding="utf-8")
    return file


def read_changed(folder: Path, text: str, *changes: tuple[str, str]) -> TimeloopInput:
    return read_timeloop(written(folder, text, *changes))


def words(case: TimeloopInput, level: str, space: str) -> Any:
    """The tally of a level and data space."""
    at = [one.name for one in case.architecture.levels].index(level)
    return account(case).tally[at, [one.name for one in case.workload.tensors].index(space)]
