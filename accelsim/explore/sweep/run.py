"""A sweep from the first chunk to the last: the space's points through an engine into a directory."""

from __future__ import annotations

import hashlib
import shlex
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from accelsim.base.errors import InputError, InterruptedWorkError, Problem
from accelsim.base.version import VERSION
from accelsim.explore.sweep.encode import choose_format
from accelsim.explore.sweep.engine import Engine, Pool, here
from accelsim.explore.sweep.inputs import inputs_of
from accelsim.explore.sweep.sampling import SAMPLERS, Machines, drawn
from accelsim.explore.sweep.space import Space
from accelsim.explore.sweep.store import MANIFEST, POINTS, Store, read_manifest
from accelsim.explore.sweep.summary import Tally
from accelsim.explore.sweep.work import Chunk, Evaluator, Goals, Indices, Part, Work, better

SEARCHED: Final = ("dataflow", "any", "split", "screen")
"""Methods that search."""
NEIGHBOURS: Final = ("dataflow", "any")
"""Methods whose neighbouring points share work: a worker counts the mappings of an array once."""
LARGEST_CHUNK: Final = 2**15
SMALLEST_CHUNK: Final = 2**10
SEARCHED_CHUNK: Final = 32
"""Where each point needs searches, seconds each: little is lost when it is interrupted."""
N_CHUNKS: Final = 16
"""At least so many where they stay above the smallest: two workers shall end together."""


@dataclass(frozen=True, slots=True)
class State:
    """How far a sweep is; points are raw ones, those that break a constraint included."""

    n_done: int
    n_total: int
    points_per_s: float
    """Of this process, without what an earlier one did."""
    left_s: float
    best: Mapping[str, tuple[float, int]]
    """Of each goal the best value so far, and the raw index of its point."""


Progress = Callable[[State], None]


@dataclass(frozen=True, slots=True)
class SweepResult:
    """What a sweep has done; the points themselves are in the directory."""

    directory: Path
    n_points: int
    """Asked for: all of the space, or of the sample."""
    rows: int
    """Stored: without those that break a constraint on variables."""
    n_ok: int
    """With an answer that meets the constraints on metrics."""
    n_parts: int
    n_evaluated: int
    """Raw points of this process; the others were done before."""
    n_remade: int
    """Parts that were done and have been made again, since their files had changed."""
    seconds: float
    best: Mapping[str, tuple[float, int]] = field(default_factory=dict)


def sweep(
    space: Any,
    evaluator: Evaluator,
    directory: str | Path,
    *,
    workers: int = 1,
    cluster: str | None = None,
    resume: bool = False,
    format: str | None = None,
    chunk: int | None = None,
    progress: Progress | None = None,
    command: str | None = None,
    tally: Tally | None = None,
) -> SweepResult:
    """Evaluates the points of a space, or its sample, into a directory.

    `command` is the command line that resumes, for those who interrupt it. `tally` gets the summaries of all
    parts, or of none where some were done before. InputError for options that can't be, a directory in use,
    foreign or full; InterruptedWorkError on ctrl-C. What is done is kept.
    """
    place = Path(directory)
    command = command or _command(space, place, workers, cluster)
    method = space.method
    engine = _engine(workers, cluster, in_runs=method in NEIGHBOURS)
    if engine is not here:
        _travels(space, evaluator)
    earlier = read_manifest(place) if resume and (place / MANIFEST).exists() else {}
    format = choose_format(format or earlier.get("format"))
    chunk = earlier.get("chunk_points") if chunk is None else chunk
    if chunk is not None and chunk < 1:
        raise InputError(Problem(f"is {chunk}", key="chunk", expected="a number of points from 1"))
    sample = space.sample
    indices = drawn(space, sample) if sample and sample.method in SAMPLERS else None
    if method == "screen" and indices is None:
        from accelsim.explore.sweep.screen import every_point

        indices = every_point(space)
    n_points = _n_points(space, indices)
    chunk = chunk or getattr(evaluator, "chunk", None) or default_chunk(n_points, method in SEARCHED)
    work = Work(space, evaluator, format, goals_of(space), indices)
    plan = plan_of(space, sample, format, chunk, n_points)
    with Store(place, plan, resume) as store:
        if tally is not None and store.done:
            tally = None
        if tally is not None:
            work = replace(work, watch=tally.summing.of_part)
        if method not in SEARCHED:
            work = replace(work, folder=store.directory / POINTS)
        kept = _Kept(store, work.goals, n_points, progress, tally)
        try:
            with engine(work) as run:
                if sample and sample.method == "evolve":
                    from accelsim.explore.sweep.evolve import evolve

                    evolve(work, sample, chunk, store, run, kept.add)
                elif method == "screen":
                    from accelsim.explore.sweep.screen import screen

                    screen(work, store, run, kept.add)
                else:
                    for part in run(_missing(n_points, chunk, store)):
                        kept.add(part)
            store.finish()
        except KeyboardInterrupt:
            raise InterruptedWorkError(
                Problem(
                    f"interrupted: {len(store.done)} parts are kept",
                    file=str(place),
                    hint=f"to go on: {command}",
                )
            ) from None
        return kept.result()


class _Kept:
    """Keeps parts, and counts what it keeps."""

    def __init__(
        self, store: Store, goals: Goals, n_points: int, progress: Progress | None, tally: Tally | None
    ) -> None:
        self._store, self._goals, self._progress, self._tally = store, goals, progress, tally
        self.n_points = n_points
        self.n_earlier = sum(record.n_raw for record in store.done.values())
        self.n_new = 0
        self.best: dict[str, tuple[float, int]] = {}
        for record in store.done.values():
            self._improve(record.best)
        self._start = time.monotonic()
        self._tell()

    def add(self, part: Part) -> None:
        self._store.put(part)
        if self._tally is not None:
            self._tally.add(part.number, part.seen)
        self.n_new += part.n_raw
        self._improve(part.best)
        self._tell()

    def result(self) -> SweepResult:
        records = self._store.done.values()
        return SweepResult(
            self._store.directory,
            self.n_points,
            sum(record.rows for record in records),
            sum(record.n_ok for record in records),
            len(records),
            self.n_new,
            self._store.n_remade,
            time.monotonic() - self._start,
            self.best,
        )

    def _improve(self, best: Mapping[str, tuple[float, int]]) -> None:
        for name, less in self._goals:
            if better(name, less, best, self.best):
                self.best[name] = best[name]

    def _tell(self) -> None:
        if self._progress is not None:
            elapsed = time.monotonic() - self._start
            pace = self.n_new / elapsed if elapsed > 0 else 0.0
            done = self.n_earlier + self.n_new
            left = (self.n_points - done) / pace if pace else float("inf")
            self._progress(
                State(done, self.n_points, pace, left if done < self.n_points else 0.0, dict(self.best))
            )


def default_chunk(n_points: int, searched: bool = False) -> int:
    """Points a part: a power of two, small enough to share among workers, large enough to be worth a file."""
    wanted = 1 << max(0, -(-n_points // N_CHUNKS) - 1).bit_length()
    if searched:
        return min(SEARCHED_CHUNK, wanted)
    return max(SMALLEST_CHUNK, min(LARGEST_CHUNK, wanted))


def goals_of(space: Any) -> Goals:
    """The answers that a space asks for, as metrics with their direction."""
    answers = space.answers
    return tuple((name, True) for name in answers.minimise) + tuple(
        (name, False) for name in answers.maximise
    )


def plan_of(space: Any, sample: Any, format: str, chunk: int, n_points: int) -> dict[str, Any]:
    """What the bytes of a sweep follow from, as the manifest has it; not how they were made."""
    asked = {key: getattr(sample, key) for key in ("method", "points", "seed")} if sample else None
    return {
        "version": VERSION,
        "name": space.name,
        "space_sha256": space.sha256,
        "inputs": inputs_of(space) if isinstance(space, Space) else {},
        "format": format,
        "chunk_points": chunk,
        "n_raw": space.n_raw,
        "n_points": n_points,
        "sample": asked,
        "space": _text(space),
    }


def _text(space: Any) -> str:
    """The space file, where it still is what was read."""
    try:
        data = Path(space.file).read_bytes()
    except (OSError, AttributeError, TypeError):
        return ""
    return data.decode(errors="replace") if hashlib.sha256(data).hexdigest() == space.sha256 else ""


def _missing(n_points: int, chunk: int, store: Store) -> Iterator[Chunk]:
    for number, start in enumerate(range(0, n_points, chunk)):
        if number not in store.done:
            yield Chunk(number, start, min(start + chunk, n_points))


def _n_points(space: Any, indices: Indices | None) -> int:
    n_raw = int(space.n_raw)
    if n_raw > np.iinfo(np.int64).max:
        raise InputError(
            Problem(f"the space has {n_raw:.3g} points", expected="below 9.2e18", hint="vary fewer keys")
        )
    sample = space.sample
    if sample and sample.method == "evolve":
        machines = Machines(space)
        return min(machines.asked(sample), machines.n) * machines.n_networks
    return n_raw if indices is None else len(indices)


def _engine(workers: int, cluster: str | None, in_runs: bool) -> Engine:
    if workers < 1:
        raise InputError(Problem(f"is {workers}", key="workers", expected="a number of processes from 1"))
    if cluster is not None:
        if workers != 1:
            raise InputError(
                Problem("a cluster has its own workers", key="workers", hint="leave one of them out")
            )
        from accelsim.explore.sweep.dask_engine import Cluster

        return Cluster(cluster)
    return here if workers == 1 else Pool(workers, in_runs)


def _travels(*things: Any) -> None:
    """What workers need, they must be able to import: they do not know the caller's main module."""
    for thing in things:
        if getattr(thing, "__module__", None) == "__main__":
            name = getattr(thing, "__name__", type(thing).__name__)
            raise InputError(
                Problem(
                    f"{name} is defined in the main module, which worker processes do not have",
                    key="workers",
                    hint="move it into a module of its own and import it, or use one process",
                )
            )


def _command(space: Any, directory: Path, workers: int, cluster: str | None) -> str:
    words = ["accelsim", "sweep", space.file or "SPACE.yaml", "-o", str(directory)]
    words += ["--workers", str(workers)] if workers != 1 else []
    words += ["--cluster", cluster] if cluster else []
    words += ["--compat", space.compat] if space.compat else []
    return shlex.join([*words, "--resume"])
