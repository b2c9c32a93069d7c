"""What a sweep will take, from evaluating a few of its points: `sweep --dry-run`."""

from __future__ import annotations

import math
import resource
import sys
import time
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from accelsim.explore.sweep.encode import choose_format, encode, plain
from accelsim.explore.sweep.run import NEIGHBOURS, SEARCHED, default_chunk
from accelsim.explore.sweep.sampling import Machines
from accelsim.explore.sweep.space import Space
from accelsim.explore.sweep.work import Evaluator

FIRST: Final = 4
PATIENCE_S: Final = 2.0
"""More points are timed until one evaluation takes so long."""
N_NEAR: Final = 3
"""Neighbours of a point that are timed where they share its work."""
N_BOUNDS: Final = 100
"""Points whose bounds are timed."""
LEAST_PART: Final = 1024
"""Of a table that is to say how many bytes a point has on disk: a file's head is not its points."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """Times hold for this machine, in this process; None where nothing could be timed."""

    n_raw: int
    n_points: int | None  # that meet the constraints on variables; None: too many to count
    n_asked: int
    """That will be evaluated, at the most: those of the sample, where there is one."""
    n_timed: int
    s_per_point: float | None
    seconds: float | None
    memory_bytes: int
    disk_bytes: int | None
    bounds_s: float | None = None
    """Of a screening: the bounds of all points, part of `seconds`, which is for searching all that it may."""
    search_s: float | None = None
    """Of an `evolve` sample: what optuna takes to choose the points, part of `seconds`, in one process."""


def estimate(space: Space, evaluator: Evaluator, workers: int = 1, format: str | None = None) -> Estimate:
    """Evaluates points spread over the space, ever more of them until they take seconds; the rest is scaled.

    The first evaluation reads networks and architectures and is not counted. Memory is what this process took
    so far and what a full chunk's tables will, for each worker.
    """
    n_points = space.count()
    n_asked = space.n_raw if n_points is None else n_points
    if space.sample is not None:
        n_asked = min(Machines(space).most(space.sample), n_asked)
    bounds = getattr(evaluator, "bounds", None)
    chunk = default_chunk(n_asked, space.method in SEARCHED)
    chunk = chunk if bounds is not None else getattr(evaluator, "chunk", None) or chunk
    n, n_timed, pace, n_bytes, on_disk = FIRST, 0, None, 0.0, None
    while n_asked:
        index = np.unique(np.linspace(0, space.n_raw - 1, min(n, space.n_raw)).astype(np.int64))
        points = space.points_at(index)
        start = time.perf_counter()
        metrics = evaluator(points) if len(points) else {}
        took = time.perf_counter() - start
        if len(points):
            if n_timed:
                pace = took / len(points)
            table = {"index": points.index, **{name: plain(column) for name, column in metrics.items()}}
            n_bytes = sum(column.nbytes for column in table.values()) / len(points)
            n_timed = len(points)
            if len(points) >= LEAST_PART or len(index) == space.n_raw:
                on_disk = len(encode(table, choose_format(format))[1]) / len(points)
        if (len(index) == space.n_raw and n_timed) or n >= chunk or took > PATIENCE_S:
            pace = took / len(points) if pace is None and len(points) else pace
            break
        n *= 8
    if pace is not None and space.method in NEIGHBOURS and space.sample is None:
        pace, n_near = _shared_pace(space, evaluator, index, pace, chunk)
        n_timed += n_near
    budget = space.screen.refine if space.screen is not None else None
    n_searched = n_asked if budget is None else min(budget, n_asked)
    seconds = None if pace is None else pace * n_searched / workers
    bounds_s = None
    if bounds is not None and seconds is not None:
        bounds_s = _bounds_s(space, bounds) * n_asked / workers
        seconds += bounds_s
    search = None
    if seconds is not None and space.sample is not None and space.sample.method == "evolve":
        from accelsim.explore.sweep.rehearsal import search_s

        search = search_s(space, evaluator)
        seconds += search
    held = _peak_bytes() + math.ceil(4 * n_bytes * min(chunk, n_asked))
    disk = None if on_disk is None else math.ceil(on_disk * n_asked)
    return Estimate(
        space.n_raw, n_points, n_asked, n_timed, pace, seconds, workers * held, disk, bounds_s, search
    )


def _shared_pace(
    space: Space, evaluator: Evaluator, index: NDArray[np.int64], alone: float, chunk: int
) -> tuple[float, int]:
    """(seconds a point, points timed) of points that share work: a chunk's first takes what one `alone` does.

    `index`: points that were evaluated, of which one gets its neighbours.
    """
    middle = int(index[len(index) // 2])
    points = space.points_at(np.arange(middle + 1, min(middle + 1 + N_NEAR, space.n_raw)))
    if not len(points):
        return alone, 0
    start = time.perf_counter()
    evaluator(points)
    near = (time.perf_counter() - start) / len(points)
    return alone / chunk + near * (1 - 1 / chunk), len(points)


def _bounds_s(space: Space, bounds: Any) -> float:
    """Seconds that the bounds of a point take, its machine included."""
    index = np.unique(np.linspace(0, space.n_raw - 1, min(N_BOUNDS, space.n_raw)).astype(np.int64))
    points = space.points_at(index)
    start = time.perf_counter()
    bounds(points)
    return (time.perf_counter() - start) / max(len(points), 1)


def _peak_bytes() -> int:
    """Most that this process has held so far."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return int(peak if sys.platform == "darwin" else peak * 1024)


def row(found: Estimate) -> dict[str, Any]:
    """As the envelope has it."""
    return {name: getattr(found, name) for name in found.__slots__}
