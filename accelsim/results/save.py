"""A result as a directory of files, written whole or not at all."""

from __future__ import annotations

import csv
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from accelsim.base.errors import InputError, Problem
from accelsim.results.plain import column_names

if TYPE_CHECKING:
    from accelsim.results.result import Result

MARK: Final = "result.json"
PICTURES: Final = ("energy", "accesses", "cycles", "work", "reuse", "front", "gantt", "split")
OWNED: Final = (
    MARK,
    "layers.csv",
    "comparisons.csv",
    "points.csv",
    "grid.csv",
    "trace.csv",
    "mapping.yaml",
    "validation.md",
    *(f"{name}.png" for name in PICTURES),
)
"""Files of an earlier result that a new one replaces; anything else in the directory is left alone."""
CASES: Final = "validation_*.png"
"""The pictures of `validate`, one a case, are replaced as well."""


def save(result: Result, directory: Path) -> tuple[str, ...]:
    """Writes the files beside their place first, then moves them there; `result.json` comes last.

    Raises InputError where the place is a file, can't be written, or holds files that are no result.
    """
    directory = directory.expanduser().resolve()
    _refuse_foreign(directory)
    try:
        with _staging(directory) as stage:
            names = _write(result, stage)
            _publish(stage, directory, names)
    except OSError as error:
        raise InputError(
            Problem(
                f"can't write the result: {error.strerror or error}",
                file=str(directory),
                expected="a directory that can be made or written",
                hint="choose another place for -o",
            )
        ) from error
    return names


def _refuse_foreign(directory: Path) -> None:
    """Files that we did not write are never mixed with ours unless a result already stands there."""
    if directory.exists() and not directory.is_dir():
        raise InputError(Problem("is a file", file=str(directory), expected="a directory for the result"))
    if directory.is_dir() and any(directory.iterdir()) and not _is_result(directory / MARK):
        raise InputError(
            Problem(
                "is not empty and holds no result of accelsim",
                file=str(directory),
                expected="a new or empty directory, or one of an earlier result",
                hint="choose another place for -o",
            )
        )


def _is_result(file: Path) -> bool:
    try:
        return str(json.loads(file.read_bytes())["schema"]).startswith("accelsim.")
    except (OSError, ValueError, KeyError, TypeError):
        return False


@contextmanager
def _staging(directory: Path) -> Iterator[Path]:
    """A hidden directory on the same file system, gone again whatever happens.

    Beside the place where that does not exist yet (one rename publishes it), inside it where it does: the
    place may be a mount point or the working directory, which can't be renamed.
    """
    made = [parent for parent in directory.parents if not parent.exists()]
    home = directory if directory.is_dir() else directory.parent
    home.mkdir(parents=True, exist_ok=True)
    stage = home / f".{directory.name}.{os.getpid()}.partial"
    done = False
    try:
        stage.mkdir()
        yield stage
        done = True
    finally:
        shutil.rmtree(stage, ignore_errors=True)
        if not done:
            for parent in made:  # innermost first; those that somebody else has filled meanwhile stay
                if parent.is_dir() and not any(parent.iterdir()):
                    parent.rmdir()


def _write(result: Result, stage: Path) -> tuple[str, ...]:
    """All files of the result; the pictures only where the rows have what they show."""
    names = [f"{result.rows_name}.csv"]
    _write_csv(result, stage / names[0])
    for name, text in result.files.items():
        (stage / name).write_text(text, encoding="utf-8")
        names.append(name)
    for name, figure in result.plot.pictures() if result.plotter is not None else ():
        # no metadata: matplotlib would write its version, and equal runs must give equal bytes
        figure.savefig(stage / f"{name}.png", dpi=150, metadata={"Software": None})
        names.append(f"{name}.png")
    (stage / MARK).write_text(result.to_json() + "\n", encoding="utf-8")
    return (*names, MARK)


def _write_csv(result: Result, file: Path) -> None:
    rows = result.flat_rows()
    with file.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, column_names(rows), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def _publish(stage: Path, directory: Path, names: tuple[str, ...]) -> None:
    if not directory.is_dir():
        stage.rename(directory)
        return
    (directory / MARK).unlink(missing_ok=True)  # while files change places, the directory is no result
    for name in (*OWNED, *(file.name for file in directory.glob(CASES))):
        if name not in names:
            (directory / name).unlink(missing_ok=True)
    for name in names:
        os.replace(stage / name, directory / name)
