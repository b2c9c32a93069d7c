"""Space files for tests: a text with the keys that a test leaves out."""

from __future__ import annotations

from pathlib import Path

from accelsim.base.errors import InputError, Problem
from accelsim.explore.sweep import Space, read_space

HEAD = "schema: accelsim.space/1\nname: test\narch: systolic_32x32\nnetworks: resnet50\n"
"""Four lines: what a test adds begins in line 5."""


def written(folder: Path, text: str, *changes: tuple[str, str]) -> Path:
    """The head and a text, with some things changed."""
    whole = HEAD + text
    for old, new in changes:
        assert old in whole
        whole = whole.replace(old, new, 1)
    path = folder / "space.yaml"
    path.write_text(whole, encoding="utf-8")
    return path


def space_of(folder: Path, text: str) -> Space:
    return read_space(written(folder, text))


def problems_of(folder: Path, text: str) -> list[Problem]:
    """What is wrong with the file, which has to be something."""
    try:
        space_of(folder, text)
    except InputError as error:
        return list(error.problems)
    raise AssertionError("nothing is wrong")
