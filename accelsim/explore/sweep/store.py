"""The directory of a sweep: what is reported as done stays done, whatever ends the process.

    manifest.json                   what the sweep is; once all is done its columns and its parts
    points/part-000000.parquet      a chunk's points, written whole; nothing else lies in this folder
    .journal                        while parts are missing: a line for each that is done
    .lock                           while a process works on it

A part is done once its file and then its line in the journal are on the disk. Resuming drops what has no line
and makes again what is not as its line says. Files do not depend on when, in what order or by whom they were
made: a resumed directory ends with the bytes of an uninterrupted one.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from types import TracebackType
from typing import Any, Final

from accelsim.base.errors import InputError, Problem
from accelsim.base.write import TEMPORARY, put_whole, sync_folder, write_whole
from accelsim.explore.sweep.encode import Columns
from accelsim.explore.sweep.lock import NAME as LOCK
from accelsim.explore.sweep.lock import Lock
from accelsim.explore.sweep.work import Part, part_name

SCHEMA: Final = "accelsim.sweep/1"
MANIFEST: Final = "manifest.json"
POINTS: Final = "points"
JOURNAL: Final = ".journal"

_COUNTS: Final = ("part", "n_raw", "rows", "n_ok", "n_bytes")

Plan = Mapping[str, Any]
"""What a sweep is, as it stands in the manifest: all that its bytes follow from."""


@dataclass(frozen=True, slots=True)
class Record:
    """A part that is done."""

    part: int
    n_raw: int
    rows: int
    n_ok: int
    n_bytes: int
    sha256: str
    span: tuple[int, int]
    best: Mapping[str, tuple[float, int]]

    @staticmethod
    def of(part: Part) -> Record:
        if part.laid is not None:
            digest, n_bytes = part.laid.sha256, part.laid.n_bytes
        else:
            digest, n_bytes = hashlib.sha256(part.data).hexdigest(), len(part.data)
        return Record(part.number, part.n_raw, part.rows, part.n_ok, n_bytes, digest, part.span, part.best)

    @staticmethod
    def read(row: Mapping[str, Any]) -> Record:
        part, n_raw, rows, n_ok, n_bytes = (int(row[name]) for name in _COUNTS)
        best = {name: (value, index) for name, (value, index) in row["best"].items()}
        least, most = (int(end) for end in row["span"])
        return Record(part, n_raw, rows, n_ok, n_bytes, str(row["sha256"]), (least, most), best)

    def row(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in (*_COUNTS, "sha256")} | {
            "span": [*self.span],
            "best": {k: [*v] for k, v in self.best.items()},
        }


class Store:
    """Context manager of one process's work on a directory."""

    def __init__(self, directory: Path, plan: Plan, resume: bool) -> None:
        """Opens or makes it. InputError where it holds something else, or a sweep that may not be resumed."""
        self.directory = directory.expanduser().resolve()
        self.plan = plan
        self.done: dict[int, Record] = {}
        self.columns: Columns = ()
        self.n_remade = 0
        """Parts that were done and have to be made again, since their files are not what they were."""
        self._resume = resume
        self._journal = -1
        self._held = contextlib.ExitStack()

    def __enter__(self) -> Store:
        with contextlib.ExitStack() as stack, self._writing("the directory"):
            refuse_foreign(self.directory)
            (self.directory / POINTS).mkdir(parents=True, exist_ok=True)
            stack.enter_context(Lock(self.directory))
            self._open()
            self._held = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._journal >= 0:
            os.close(self._journal)
            self._journal = -1
        self._held.close()

    def put(self, part: Part) -> None:
        """Keeps a part; when this returns it is done. InputError where it can't be written."""
        if part.number in self.done:
            raise ValueError(f"part {part.number} is done already")
        self._agree(part.columns)
        record = Record.of(part)
        row = record.row() | {"columns": self.columns}
        with self._writing(f"part {part.number}"):
            if part.laid is not None:
                put_whole(part.laid.file, self._file(part.number), durable=True)
            elif part.data:
                write_whole(self._file(part.number), part.data, durable=True)
            _append(self._journal, json.dumps(row, separators=(",", ":")).encode() + b"\n")
        self.done[part.number] = record

    def data(self, number: int) -> bytes:
        """The bytes of a part that is done."""
        return self._file(number).read_bytes() if self.done[number].n_bytes else b""

    def finish(self) -> None:
        """Once all parts are done: the journal becomes the list of parts in the manifest."""
        with self._writing(MANIFEST):
            for file in (self.directory / POINTS).glob(f"*{TEMPORARY}"):
                file.unlink()  # of a worker that was killed
            self._write_manifest(complete=True)
            self._drop_journal()

    def _open(self) -> None:
        manifest = self.directory / MANIFEST
        if manifest.exists():
            found = read_manifest(self.directory)
            if not self._resume:
                hint = "--resume continues it; or choose another directory"
                raise InputError(Problem("holds a sweep already", file=str(self.directory), hint=hint))
            self._same(found)
            self.columns = found["columns"]
            self.done = {record.part: record for record in found["parts"] if self._is_whole(record)}
            self.n_remade = len(found["parts"]) - len(self.done)
            known = {self._file(number).name for number, record in self.done.items() if record.n_bytes}
            for file in (self.directory / POINTS).iterdir():
                if file.name.startswith("part-") and file.name not in known:
                    file.unlink()
            for file in self.directory.glob(f"{MANIFEST}.*.tmp"):
                file.unlink()
            if found["complete"] and not self.n_remade:
                return  # as it will be
        self._write_manifest(complete=False)
        self._drop_journal()
        self._journal = os.open(self.directory / JOURNAL, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        sync_folder(self.directory)

    def _same(self, found: Mapping[str, Any]) -> None:
        problems = [
            Problem(
                f"the sweep in the directory was started with {_short(one)}, not {_short(other)}",
                file=str(self.directory / MANIFEST),
                key=where,
                hint="resume with what it was started with, or choose another directory",
            )
            for key, value in json.loads(json.dumps(self.plan)).items()
            for where, one, other in _differences(key, found.get(key), value)
        ]
        if problems:
            raise InputError(problems)

    def _agree(self, columns: Columns) -> None:
        """The columns of all parts are those of the first."""
        if columns and self.columns and columns != self.columns:
            different = sorted(set(columns) ^ set(self.columns))
            raise ValueError(f"parts of a sweep differ in their columns: {different}")
        self.columns = self.columns or columns

    def _is_whole(self, record: Record) -> bool:
        try:
            data = self._file(record.part).read_bytes() if record.n_bytes else b""
        except OSError:
            return False
        return hashlib.sha256(data).hexdigest() == record.sha256

    def _file(self, number: int) -> Path:
        return part_file(self.directory, number, self.plan["format"])

    def _write_manifest(self, complete: bool) -> None:
        parts = [self.done[number].row() for number in sorted(self.done)]
        head = {"schema": SCHEMA, **self.plan, "complete": complete, "columns": self.columns}
        lines = ",\n".join(f"    {json.dumps(part)}" for part in parts)
        text = json.dumps(head, indent=2).removesuffix("\n}") + ',\n  "parts": [\n' + lines + "\n  ]\n}\n"
        write_whole(self.directory / MANIFEST, text.encode(), durable=True)

    def _drop_journal(self) -> None:
        (self.directory / JOURNAL).unlink(missing_ok=True)

    @contextlib.contextmanager
    def _writing(self, what: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise InputError(
                Problem(
                    f"can't write {what}: {error.strerror or error}; {len(self.done)} parts are kept",
                    file=str(self.directory),
                    hint="once that is mended --resume continues",
                )
            ) from error


def refuse_foreign(directory: Path) -> None:
    """InputError where the place is a file, or a directory with files but without a sweep."""
    if directory.exists() and not directory.is_dir():
        raise InputError(Problem("is a file", file=str(directory), expected="a directory for the sweep"))
    if directory.is_dir() and not (directory / MANIFEST).exists():
        # a process that was killed at its start leaves the lock, the empty folder, half a manifest
        foreign = [
            entry.name
            for entry in directory.iterdir()
            if entry.name not in (LOCK, POINTS) and not entry.name.startswith(MANIFEST)
        ]
        if foreign or any((directory / POINTS).glob("*")):
            raise InputError(
                Problem(
                    "is not empty and holds no sweep of accelsim",
                    file=str(directory),
                    expected="a new or empty directory, or one of an earlier sweep",
                    hint="choose another place for -o",
                )
            )


def part_file(directory: Path, number: int, format: str) -> Path:
    return directory / POINTS / part_name(number, format)


def read_manifest(directory: Path) -> dict[str, Any]:
    """The manifest with the parts of the journal, `parts` as records in order. InputError without one."""
    file = directory / MANIFEST
    try:
        # the journal first: between the two a process may make a manifest of it
        lines = _journal_lines(directory / JOURNAL)
        found: dict[str, Any] = json.loads(file.read_bytes())
        if found["schema"] != SCHEMA:
            raise ValueError
        rows = {row["part"]: row for row in (*lines, *found["parts"])}
        columns = next((line["columns"] for line in reversed(lines) if line["columns"]), found["columns"])
        found["columns"] = tuple((name, kind) for name, kind in columns)
        found["parts"] = [Record.read(rows[number]) for number in sorted(rows)]
    except FileNotFoundError:
        hint = "a directory that `accelsim sweep -o` has written"
        raise InputError(Problem("no such file", file=str(file), expected=hint)) from None
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise InputError(Problem("is no manifest of a sweep", file=str(file), expected=SCHEMA)) from None
    return found


def _journal_lines(file: Path) -> list[dict[str, Any]]:
    """Whole lines up to the first that is not: the end is torn where a write was cut short."""
    try:
        *whole, _ = file.read_bytes().split(b"\n")
    except FileNotFoundError:
        return []
    lines = []
    for line in whole:
        try:
            row = json.loads(line)
            Record.read(row)
        except (ValueError, KeyError, TypeError, AttributeError):
            break
        lines.append(row)
    return lines


def _append(handle: int, line: bytes) -> None:
    while line:
        line = line[os.write(handle, line) :]
    os.fsync(handle)


def _differences(key: str, one: Any, other: Any) -> Iterator[tuple[str, Any, Any]]:
    """The keys below a key whose values differ; of long texts the first line that does."""
    if one == other:
        return
    if isinstance(one, dict) and isinstance(other, dict):
        for name in {**one, **other}:
            yield from _differences(f"{key}.{name}", one.get(name), other.get(name))
    elif isinstance(one, str) and isinstance(other, str) and "\n" in one + other:
        lines = zip_longest(one.splitlines(), other.splitlines())
        yield next((f"{key}, line {at}", a, b) for at, (a, b) in enumerate(lines, 1) if a != b)
    else:
        yield key, one, other


def _short(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 70 else f"{text[:67]}..."
