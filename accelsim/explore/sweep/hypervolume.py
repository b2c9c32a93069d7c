"""How much of the space of answers a set of points dominates, and how that grows with what is spent.

The hypervolume (Zitzler and Thiele, IEEE Trans. Evolutionary Computation 3(4), 1999): the volume between the
points and a reference point that all of them dominate. All objectives are minimised here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray


def hypervolume(points: ArrayLike, reference: ArrayLike) -> float:
    """Of n points in 1 to 4 objectives; those that do not dominate the reference add nothing.

    points: [n, m], reference: [m]. In two objectives the sum of rectangles along the sorted front; in more,
    slabs along the last objective times the volume of what lies below each, in one objective less.
    """
    array, corner = np.asarray(points, np.float64), np.asarray(reference, np.float64)
    if array.ndim != 2 or array.shape[1:] != corner.shape or not 1 <= len(corner) <= 4:
        raise ValueError(
            f"points {array.shape} and reference {corner.shape}: want [n, m] and [m], m from 1 to 4"
        )
    return _volume(array[(array < corner).all(axis=1)], corner)


def growth(
    points: ArrayLike, reference: ArrayLike, at: Sequence[int] | NDArray[Any]
) -> NDArray[np.float64]:  # [len(at)]
    """The hypervolume of the first `at[i]` points, in the order of their evaluation; `at` must not fall."""
    array, corner = np.asarray(points, np.float64), np.asarray(reference, np.float64)
    front = np.empty((0, len(corner)))
    volumes, start = [], 0
    for stop in np.asarray(at, np.int64).tolist():
        front = _undominated(np.concatenate([front, array[start:stop]]))
        volumes.append(hypervolume(front, corner))
        start = stop
    return np.asarray(volumes)


def _volume(points: NDArray[np.float64], corner: NDArray[np.float64]) -> float:
    if len(points) == 0:
        return 0.0
    if len(corner) == 1:
        return float(corner[0] - points.min())
    if len(corner) == 2:
        points = points[np.lexsort((points[:, 1], points[:, 0]))]
        lowest = np.minimum.accumulate(points[:, 1])
        widths = np.append(points[1:, 0], corner[0]) - points[:, 0]
        return float((widths * (corner[1] - lowest)).sum())
    points = points[np.argsort(points[:, -1], kind="stable")]
    heights = np.append(points[1:, -1], corner[-1]) - points[:, -1]
    total, front = 0.0, np.empty((0, len(corner) - 1))
    for point, height in zip(points, heights.tolist(), strict=True):
        front = _undominated(np.concatenate([front, point[None, :-1]]))
        if height > 0:
            total += height * _volume(front, corner[:-1])
    return total


def _undominated(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """The front of a set: sorted by the sum, a point can only be dominated by one before it."""
    points = np.unique(points[np.isfinite(points).all(axis=1)], axis=0)
    points = points[np.argsort(points.sum(axis=1), kind="stable")]
    at = 0
    while at < len(points):
        kept = (points < points[at]).any(axis=1)
        kept[at] = True
        points = points[kept]
        at = int(kept[:at].sum()) + 1
    return points
