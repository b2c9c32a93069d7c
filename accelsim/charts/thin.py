"""One dot of those that fall on one place, so that a million points make a picture of 90,000 at most."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

PIXELS: Final = 300
"""Places an axis has for dominated points: of those that share one a single dot is drawn."""
WIDE: Final = 10.0
"""An axis whose values differ by more than this factor is logarithmic."""


def wide(values: NDArray[Any]) -> bool:
    """Whether positive values span so much that only a logarithm shows them."""
    return len(values) > 0 and values.min() > 0 and values.max() > WIDE * values.min()


def unit(values: NDArray[Any]) -> NDArray[np.float64]:
    """Between 0 and 1, on the scale that the axis has."""
    plain = np.log(values) if wide(values) else np.asarray(values, dtype=np.float64)
    span = float(np.ptp(plain)) if len(plain) else 0.0
    return np.asarray((plain - plain.min(initial=np.inf)) / (span or 1.0), dtype=np.float64)


def thinned(xs: NDArray[Any], ys: NDArray[Any]) -> NDArray[np.int64]:
    """The first point of each place."""
    across, down = (np.round(unit(values) * PIXELS).astype(np.int64) for values in (xs, ys))
    first = np.full((PIXELS + 1) ** 2, -1, dtype=np.int64)
    first[(across * (PIXELS + 1) + down)[::-1]] = np.arange(len(across))[::-1]
    return np.sort(first[first >= 0])


class Cloud:
    """The dots of a picture, while points pass: thinned again as the range of their values grows."""

    def __init__(self) -> None:
        self.numbers: NDArray[np.int64] = np.empty(0, np.int64)
        self.xs: NDArray[np.float64] = np.empty(0)
        self.ys: NDArray[np.float64] = np.empty(0)

    def add(self, numbers: NDArray[np.int64], xs: NDArray[Any], ys: NDArray[Any]) -> None:
        """Points by their number and finite place, [n] each."""
        every = [np.concatenate(pair) for pair in ((self.numbers, numbers), (self.xs, xs), (self.ys, ys))]
        kept = thinned(every[1], every[2])
        self.numbers, self.xs, self.ys = (column[kept] for column in every)
