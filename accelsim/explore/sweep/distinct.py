"""Points that agree in some columns, found once: what is made of those columns is made once for each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]


def distinct(columns: Sequence[NDArray[Any]], n: int) -> tuple[Ints, Ints]:
    """(first [k], which [n]): one point of each combination of values in n points, and each point's number.

    Numbers follow the values, not the order of the points.
    """
    which = np.zeros(n, np.int64)
    for column in columns:
        values, codes = np.unique(column, return_inverse=True)
        if len(values) > 1:
            # numbered anew each time, so that products of counts stay small
            _, which = np.unique(which * len(values) + codes, return_inverse=True)
    _, first = np.unique(which, return_index=True)
    return first.astype(np.int64), which.astype(np.int64)
