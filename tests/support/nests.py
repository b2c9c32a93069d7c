"""Cases of the loop walk, written as short texts."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

from accelsim.tables.dims import DIMS
from accelsim.testing.loop_walk import Case

Window = tuple[int, int, int, int]  # stride, dilation, pad, size


def nest(
    *loops: str,
    rows: Window = (1, 1, 0, 99),
    columns: Window = (1, 1, 0, 99),
    extents: dict[str, int] | None = None,
    **changes: Any,
) -> Case:
    """A case from loops like "1 P 4" and, in space, "1 P 4 x"; all operands are kept unless said."""
    parts = [loop.split() for loop in loops]
    parsed = tuple((int(level), dim, int(trips), bool(space)) for level, dim, trips, *space in parts)
    n_levels = max(level for level, *_ in parsed) + 1
    covered = {dim: math.prod(x[2] for x in parsed if x[1] == dim) for dim in DIMS}
    case = Case(
        extents=covered | (extents or {}),
        windows=(rows, columns, (1, 1, 0, 1)),
        weight_has_batch=False,
        loops=parsed,
        n_levels=n_levels,
        keep=((True, True, True),) * n_levels,
        multicast=(True, True),
        reduce=True,
        diagonal=False,
        padding_stored=(False,) * n_levels,
        fetch_box=(False,) * n_levels,
    )
    return replace(case, **changes)
