"""What turns points into metrics, by the method that the space names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from numpy.typing import NDArray

from accelsim.base.errors import InputError, Problem
from accelsim.explore.sweep.points import Points
from accelsim.explore.sweep.space import Space

Evaluator = Callable[[Points], dict[str, NDArray[Any]]]
"""The metric columns of points, [n] each; it can be sent to other processes."""


def evaluator_of(space: Space, cache: bool = True, method: str | None = None) -> Evaluator:
    """The evaluator of a space's method, or of another one; `cache`: of searches on disk.

    Metrics of a point are those of one `run` (or `split`) of its machine, to the last digit. InputError where
    the method can't evaluate the space.
    """
    method = method or space.method
    if method == "closed_form":
        from accelsim.explore.sweep.closed_form import ClosedForm
        from accelsim.explore.sweep.scalesim import ScaleSim

        return (ScaleSim if space.compat == "scalesim" else ClosedForm)(space)
    if method in ("dataflow", "any"):
        from accelsim.explore.sweep.searched import Searched

        return Searched(space, cache, free=method == "any")
    if method == "split":
        from accelsim.explore.sweep.splits import Splits

        return Splits(space, cache)
    if method == "screen":
        from accelsim.explore.sweep.screen import Screening

        return Screening(space, cache)
    raise InputError(Problem(f"no method {method!r}", space.file, key="method"))
