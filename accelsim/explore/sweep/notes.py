"""What an answer says of itself in words: what its figures mean, and which it does not have, and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any, Final

import numpy as np

from accelsim.explore.sweep.answers import Answers, View
from accelsim.explore.sweep.cells import MOST_CELLS, MOST_VARIABLES
from accelsim.explore.sweep.effects import MOST_FITTED
from accelsim.explore.sweep.remarks import remarks_of
from accelsim.explore.sweep.source import Sifted
from accelsim.explore.sweep.space import Space
from accelsim.results.format import count

MOST_REASONS: Final = 4
MOST_NAMES: Final = 6


def notes_of(space: Space, answers: Answers, points: Sifted, curve: Mapping[str, Any] | None) -> list[str]:
    """The notes of a sweep's answer; `curve` is the hypervolume of its sample."""
    view = answers.shown
    notes = remarks_of(space)
    if len(answers.views) > 1:
        notes.append("over several networks a machine has the geometric mean of each metric")
    if space.sample is not None:
        said = f"{space.sample.method} sample of seed {space.sample.seed}"
        notes.append(f"{said}: the front is that of the points seen, not of the space")
    if curve is not None and curve["whole"]:
        share = 100 * curve["volume"][-1] / curve["whole"]
        notes.append(f"the sample's hypervolume is {share:.1f} % of that of all {space.n_raw:,} combinations")
    if not view.factors:
        notes.append("nothing varies but the network")
    if answers.totals["n_ok"] == 0:
        return notes + failures(points, answers.totals["n_points"])
    return notes + few_points(view) + missing_pairs(view)


def failures(points: Sifted, n_points: int) -> list[str]:
    """How many points each reason took, the most frequent ones."""
    if not n_points:
        return ["no combination meets the constraints on variables"]
    found: Counter[str] = Counter()
    for at in range(len(points.source.spans)):
        reasons, n = np.unique(points.table(at, ["reason"])["reason"], return_counts=True)
        found.update(dict(zip(reasons.tolist(), n.tolist(), strict=True)))
    notes = [f"{n:,} of {count(n_points, 'point')}: {why}" for why, n in found.most_common(MOST_REASONS)]
    others = n_points - sum(n for _, n in found.most_common(MOST_REASONS))
    return notes + ([f"{others:,} of {count(n_points, 'point')}: other reasons"] if others else [])


def few_points(view: View) -> list[str]:
    """Whose share of variance can't be told from chance."""
    untold = list(dict.fromkeys(names for one in view.effects for names in one.untold))
    if not untold:
        return []
    said = f"{count(view.cells.n, 'point')}: too few points to tell what"
    if not any(one.effects for one in view.effects):
        return [f"{said} explains the variance; a full grid or a larger sample does"]
    return [f"{said} {_named(untold)} explain{'s' if len(untold) == 1 else ''}"]


def missing_pairs(view: View) -> list[str]:
    """Pairs of variables without a heat map or an effect, of too many cells or among too many variables."""
    active = [at for at in range(len(view.factors)) if view.cells.levels(at) > 1]
    if len(view.factors) > MOST_VARIABLES and len(active) > 1:
        n = len(view.factors)
        return [f"{n} variables: heat maps and effects of two are made of up to {MOST_VARIABLES} alone"]
    large = {axes: view.cells.sizes[axes[0]] * view.cells.sizes[axes[1]] for axes in combinations(active, 2)}
    unseen = [axes for axes, n in large.items() if n > MOST_CELLS]
    unfitted = [axes for axes, n in large.items() if MOST_FITTED < n <= MOST_CELLS]
    return [
        f"no {what} of {_named([tuple(view.factors[axis].name for axis in axes) for axes in pairs])}: "
        f"more than {most:,} cells"
        for what, pairs, most in (
            ("heat map and no joint effect", unseen, MOST_CELLS),
            ("joint effect", unfitted, MOST_FITTED),
        )
        if pairs
    ]


def _named(untold: Sequence[tuple[str, ...]]) -> str:
    names = [" x ".join(names) for names in untold]
    more = len(names) - MOST_NAMES
    if more > 1:
        return f"{', '.join(names[:MOST_NAMES])} and {more} others"
    return ", ".join(names[:-1]) + " and " + names[-1] if len(names) > 1 else names[0]
