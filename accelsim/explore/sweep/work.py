"""What a sweep hands out: chunks of points, and the work that makes each of them a part of the result.

A part is encoded where it is evaluated: what travels between processes is the file as it will lie on the
disk, and who keeps the store has little left to do. The same chunk gives the same bytes everywhere.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from accelsim.base.errors import InputError, Problem
from accelsim.base.write import write_beside
from accelsim.explore.sweep.encode import Coded, Column, Columns, Format, encode, plain
from accelsim.explore.sweep.numbering import Varies

Indices = NDArray[np.int64]  # [n], of raw points
EXCLUDED: Final = "excluded"
"""The status of points that have metrics, but break a constraint on them."""
Goals = tuple[tuple[str, bool], ...]
"""Metrics that the answers ask for, each with whether less is better."""


class Points(Protocol):
    """Points in columns: the raw index of each, and a column a variable."""

    @property
    def index(self) -> Indices: ...

    @property
    def columns(self) -> Mapping[str, NDArray[Any]]: ...

    @property
    def labels(self) -> Mapping[str, tuple[str, ...]]:
        """The texts behind columns of codes."""
        ...


class Space(Protocol):
    """What work needs to know of a space; points that break a constraint on variables are left out."""

    @property
    def variables(self) -> Sequence[Varies]: ...

    @property
    def n_raw(self) -> int: ...

    def points(self, start: int, stop: int) -> Points: ...

    def points_at(self, index: Indices) -> Points:
        """Those of these raw indices, in this order."""
        ...

    def broken(self, columns: Mapping[str, Any]) -> NDArray[np.str_]:
        """The constraint on metrics that each point breaks, "" where it meets all."""
        ...


Evaluator = Callable[[Any], Mapping[str, Any]]
"""The metrics of points, a column each, among them `status` and `reason`."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """Points that are evaluated and stored together: `start` to `stop` of all or a sample, or a list."""

    number: int
    start: int
    stop: int
    listed: Indices | None = None
    told: tuple[str, str] | None = None
    """Status and reason of points that are not evaluated, whatever else is known of them."""

    @property
    def n_raw(self) -> int:
        return self.stop - self.start


@dataclass(frozen=True, slots=True)
class Laid:
    """A file that a worker has written beside the one it is to become."""

    file: Path
    n_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Part:
    """A chunk's answer: the bytes of its file, empty where no point of it is in the space."""

    number: int
    n_raw: int
    rows: int
    n_ok: int
    span: tuple[int, int]
    """The least and the greatest raw index of its points; (0, -1) without any."""
    columns: Columns
    best: dict[str, tuple[float, int]]
    """Of each goal the best value of a point that is ok, and that point's raw index."""
    data: bytes
    seen: Any = None
    """What the work's `watch` saw of its points."""
    laid: Laid | None = None
    """Where the bytes are, instead of here."""


Watch = Callable[[Mapping[str, NDArray[Any]]], Any]
"""Looks at the index and the metrics of points."""

Keep = Callable[[Part], None]
"""Where parts go once they are made."""


@dataclass(frozen=True)
class Work:
    """All that a worker needs, sent to it once."""

    space: Space
    evaluator: Evaluator
    format: Format
    goals: Goals
    sample: Indices | None = None
    """The raw indices that chunks count, where not all points are wanted."""
    watch: Watch | None = None
    folder: Path | None = None
    """Where workers of this machine lay what they have made, which is too much for a pipe."""

    def points(self, chunk: Chunk) -> Points:
        if chunk.listed is not None:
            return self.space.points_at(chunk.listed)
        if self.sample is not None:
            return self.space.points_at(self.sample[chunk.start : chunk.stop])
        return self.space.points(chunk.start, chunk.stop)

    def __call__(self, chunk: Chunk) -> Part:
        """Evaluates a chunk. ValueError where the columns are not as long as the points are many."""
        points = self.points(chunk)
        if len(points.index) == 0:
            return Part(chunk.number, chunk.n_raw, 0, 0, (0, -1), (), {}, b"")
        evaluator: Any = self.evaluator
        metrics = evaluator(points) if chunk.told is None else evaluator.told(points, *chunk.told)
        metrics = judged(self.space, points, metrics)
        table: dict[str, Column] = {"index": points.index}
        for name, values in (*points.columns.items(), *metrics.items()):
            if name in table:
                raise ValueError(f"two columns of a sweep are called {name!r}")
            if len(values) != len(points.index):
                raise ValueError(f"{name} has {len(values)} values for {len(points.index)} points")
            labels = points.labels.get(name)
            table[name] = plain(values) if labels is None else Coded(values, labels)
        ok = is_ok(metrics)
        columns, data = encode(table, self.format)
        best = _best(points.index, metrics, ok, self.goals)
        span = int(points.index.min()), int(points.index.max())
        n_ok = int(ok.sum())
        seen = None if self.watch is None else self.watch({"index": points.index, **metrics})
        return Part(chunk.number, chunk.n_raw, len(points.index), n_ok, span, columns, best, data, seen)


def part_name(number: int, format: str) -> str:
    """Of a part's file."""
    return f"part-{number:06d}.{format}"


def laid(part: Part, work: Work) -> Part:
    """The same part, its bytes in the work's folder; as it is where they can't be written there."""
    if work.folder is None or not part.data:
        return part
    try:
        file = write_beside(work.folder / part_name(part.number, work.format), part.data, durable=True)
    except OSError:
        return part  # who keeps it meets the same error, and says what is kept
    where = Laid(file, len(part.data), hashlib.sha256(part.data).hexdigest())
    return replace(part, data=b"", laid=where)


def judged(space: Space, points: Points, metrics: Mapping[str, Any]) -> Mapping[str, Any]:
    """With the status of points that have an answer but break a constraint on it; they keep their metrics."""
    broken = space.broken({**points.columns, **metrics})
    out = is_ok(metrics) & (broken != "")
    if not out.any():
        return metrics
    status = np.where(out, EXCLUDED, metrics["status"])
    reason = np.where(out, np.char.add("breaks ", broken), metrics["reason"])
    return {**metrics, "status": status, "reason": reason}


def is_ok(metrics: Mapping[str, NDArray[Any]]) -> NDArray[np.bool_]:
    """Points with an answer that counts."""
    return np.asarray(metrics["status"] == "ok")


def _best(
    index: Indices, metrics: Mapping[str, NDArray[Any]], ok: NDArray[np.bool_], goals: Goals
) -> dict[str, tuple[float, int]]:
    found = {}
    for name, less in goals:
        if name not in metrics:
            known = ", ".join(metrics)
            raise InputError(Problem(f"{name} is no metric of these points", key="answers", expected=known))
        values = np.where(ok & np.isfinite(metrics[name]), metrics[name], np.inf if less else -np.inf)
        at = int(np.argmin(values) if less else np.argmax(values))
        if np.isfinite(values[at]):
            found[name] = (float(values[at]), int(index[at]))
    return found


def better(name: str, less: bool, a: Mapping[str, Any], b: Mapping[str, Any]) -> bool:
    """Whether `a` has the better best of a goal than `b`; of equals the lower index, in whatever order."""
    if name not in a or name not in b:
        return name in a
    (value, index), (other, other_index) = a[name], b[name]
    return (value if less else -value, index) < (other if less else -other, other_index)
