"""`accelsim.sweep`: a space file evaluated and answered, from Python.

read the space -> evaluate what is missing -> answer from all points -> tables
"""

from __future__ import annotations

import platform
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from accelsim.base.files import find_shipped
from accelsim.explore.sweep.answering import answer, objectives_of, refuse_around, tally_of
from accelsim.explore.sweep.evaluate import Evaluator, evaluator_of
from accelsim.explore.sweep.read import read_space
from accelsim.explore.sweep.run import Progress
from accelsim.explore.sweep.run import sweep as evaluate
from accelsim.explore.sweep.space import Space
from accelsim.explore.sweep.stored import read_points

if TYPE_CHECKING:
    from accelsim.results.frame import DataFrame


@dataclass(frozen=True)
class SweepAnswer:
    """What a space was asked, and its points."""

    found: Mapping[str, Any]
    """The envelope, as result.json has it: `points` of the fronts, `pareto` by network, `totals`, `notes`."""
    points: DataFrame
    """All points that were evaluated, in their order; those without an answer say why in `reason`."""

    @property
    def pareto(self) -> DataFrame:
        """The points of the fronts: what varies, metrics, and what each is (`roles`)."""
        from accelsim.results.frame import frame

        return frame([dict(point) for point in self.found["points"]])


def sweep(
    space: str | Path,
    directory: str | Path | None = None,
    *,
    compat: str | None = None,
    workers: int = 1,
    cluster: str | None = None,
    resume: bool = False,
    format: str | None = None,
    pictures: bool = True,
    cache: bool = True,
    around: int | None = None,
    progress: Progress | None = None,
) -> SweepAnswer:
    """All machines of a space file, or of a space that ships by its name: its fronts, and every point.

    With a directory points, answers and `pictures` are kept there, and `resume` goes on with what it holds.
    `workers` processes or a Dask `cluster` evaluate; `format` is parquet or csv; `compat` the simulator by
    whose rules points are counted; `cache`: of searches on disk; `around`:
    the number of a point whose neighbours are told beside those of the knee. InputError for a space, options
    or a point that can't be; InterruptedWorkError on ctrl-C.
    """
    read = read_space(find_shipped("spaces", str(space)), compat)
    objectives_of(read)
    evaluator = evaluator_of(read, cache=cache)
    engine = {"workers": workers, "cluster": cluster, "resume": resume, "format": format}
    with tempfile.TemporaryDirectory(prefix="accelsim_sweep_") as passing:
        place = Path(passing if directory is None else directory)
        kept = {"keep": directory is not None, "drawn": pictures}
        found = answered(read, evaluator, place, engine, kept, progress, around)
        return SweepAnswer(found, read_points(place))


def answered(
    space: Space,
    evaluator: Evaluator,
    place: Path,
    engine: Mapping[str, Any],
    kept: Mapping[str, bool],
    progress: Progress | None,
    around: int | None,
) -> dict[str, Any]:
    """The envelope of a sweep, after what its directory misses was evaluated."""
    refuse_around(space, around)
    tally = tally_of(space)
    done = evaluate(space, evaluator, place, progress=progress, tally=tally, **engine)
    summary = tally.total if tally is not None and tally.n_parts == done.n_parts else None
    run = {
        "seconds": done.seconds,
        "n_evaluated": done.n_evaluated,
        "n_parts": done.n_parts,
        "workers": engine["workers"],
        "host": platform.node(),
        "python": platform.python_version(),
    }
    asked = {"compat": space.compat or None, "around": around}
    options = {name: value for name, value in asked.items() if value is not None}
    return answer(space, place, options=options, run=run, summary=summary, around=around, **kept)
