"""The answers of a sweep as they are defined, point by point over the whole table."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np

Point = dict[str, Any]


def points_of(columns: Mapping[str, np.ndarray]) -> list[Point]:
    """The table as rows."""
    return [{name: c[i].item() for name, c in columns.items()} for i in range(len(columns["index"]))]


def machines_of(points: Sequence[Point], names: Sequence[str], goals: Sequence[str], n: int) -> list[Point]:
    """Geometric means of the goals over the n networks of a machine; only machines that have all n."""
    found: dict[tuple[Any, ...], list[Point]] = defaultdict(list)
    for point in points:
        found[tuple(point[name] for name in names)].append(point)
    merged = []
    for own in found.values():
        if len(own) == n:
            means = {name: math.exp(np.log([one[name] for one in own]).mean()) for name in goals}
            ok = all(one["status"] == "ok" for one in own)
            first = min(own, key=lambda one: one["index"])
            merged.append({**first, **means, "status": "ok" if ok else "infeasible"})
    return merged


def front_of(points: Sequence[Point], signs: Mapping[str, float]) -> list[Point]:
    """Those that no other dominates, by their costs and then their number."""
    ok = [(tuple(sign * one[name] for name, sign in signs.items()), one["index"], one)
          for one in points if one["status"] == "ok"]  # fmt: skip
    kept = [
        (cost, index, one)
        for cost, index, one in ok
        if not any(
            other != cost and all(a <= b for a, b in zip(other, cost, strict=True)) for other, *_ in ok
        )
    ]
    return [one for *_, one in sorted(kept, key=lambda row: row[:2])]


def shares_of(points: Sequence[Point], goal: str, names: Sequence[str]) -> dict[tuple[str, ...], float]:
    """Of the variance of a goal's logarithm: means of groups, and a least-squares fit over all points.

    Without those that have too few points for their degrees of freedom.
    """
    ok = [one for one in points if one["status"] == "ok"]
    y = np.log([one[goal] for one in ok])
    total = float(((y - y.mean()) ** 2).sum())
    levels = {name: sorted({one[name] for one in ok}) for name in names}
    active = [name for name in names if len(levels[name]) > 1]
    n_all = math.prod(len(levels[name]) for name in active)
    found = {}
    for axes in [(name,) for name in active] + list(combinations(active, 2)):
        keys = [tuple(one[name] for name in axes) for one in ok]
        groups = {key: [v for v, k in zip(y, keys, strict=True) if k == key] for key in set(keys)}
        between = sum(len(g) * (sum(g) / len(g) - y.mean()) ** 2 for g in groups.values())
        explained, df = between, len(groups) - 1
        if len(axes) == 2:
            columns = [[float(one[name] == level) for one in ok] for name in axes for level in levels[name]]
            design = np.array([np.ones(len(ok)), *columns]).T
            fitted, _, rank, _ = np.linalg.lstsq(design, y, rcond=None)
            explained, df = (
                between - float(((design @ fitted - y.mean()) ** 2).sum()),
                len(groups) - int(rank),
            )
        if len(ok) == n_all:
            found[axes] = explained / total
            continue
        alpha, beta = df / 2, (len(ok) - 1 - df) / 2
        chance = alpha * beta / (alpha + beta) ** 2 / (alpha + beta + 1) if beta > 0 else 0.0
        left = len(ok) - len(groups)
        enough = df > 0 and left >= max(3 * df, len(groups)) and chance <= 0.01
        if left > 0 and (enough or len(ok) >= 0.9 * n_all):
            within = (total - between) / left
            found[axes] = max(0.0, (explained - df * within) / total)
    return found


def step_of(
    points: Sequence[Point], here: Point, names: Sequence[str], name: str, level: Any
) -> Point | None:
    """The point that differs from another in one variable alone."""
    wanted = {one: level if one == name else here[one] for one in names}
    return next((one for one in points if all(one[key] == v for key, v in wanted.items())), None)
