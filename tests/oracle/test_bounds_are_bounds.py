"""No bound of the general search is above what it leads to: pieces of open work, followed to all leaves.

The optimum alone would hide a bound that is wrong where it cuts nothing that matters.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accelsim.mapper.found import OBJECTIVES, SearchOptions
from accelsim.mapper.general.partial import BROKEN, Partials
from accelsim.mapper.general.place import Steps
from accelsim.mapper.general.roots import Roots
from accelsim.mapper.general.search import Search, Work
from accelsim.tables.dims import G
from accelsim.testing.search_cases import SearchCase, search_cases

PIECES = 6
"""Pieces of work of a search that are followed."""
MOST = 200
"""Steps after which one is given up."""


class Recorded(Search):
    """A search that remembers all work that it was offered, and takes all or what is worth it."""

    offered: list[tuple[Work, int]]

    def push(self, work: Work, rule: str) -> None:
        self.offered += [(work, i) for i in np.flatnonzero(np.isfinite(work.energy_pj)).tolist()]
        super().push(work, rule)


def piece(work: Work, i: int) -> Work:
    what = None if work.what is None else work.what.take(np.array([i]))
    return Work(work.variant, work.energy_pj[i : i + 1], work.cycles[i : i + 1], what)


def is_whole(work: Work, i: int) -> bool:
    """Leaves of classes that stay in part are also counted in orders of other pieces, which cost less."""
    match work.what:
        case Partials() as what:
            stays = what.stays[:, i]
        case Steps() as what:
            stays = np.append(what.parents.stays[:, what.owner[i]], what.stays)
        case Roots() as what:
            stays = what.inner.stays[:, what.owner[i]]
        case _:
            return True
    return bool((stays < BROKEN).all())


def leaves_of(search: Search, work: Work) -> list[tuple[float, int]]:
    """Energy and cycles of every mapping that a piece of work leads to; none if there are too many."""
    follow: Any = Search(search.space.problem, search.space.machine, search.space.homes, SearchOptions())
    follow.space = follow.leaves.space = search.space
    found: list[tuple[float, int]] = []
    follow.pool.worth = lambda energy, cycles: np.isfinite(energy)
    follow.pool.offer = lambda point: found.append((point.cost.energy_pj, point.cost.latency_cycles))
    follow.push(work, "")
    for _ in range(MOST):
        if not follow.heap:
            return found
        follow.advance(follow.next())
    return []


@settings(max_examples=80, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(
    search_cases(1), st.sampled_from(OBJECTIVES), st.sampled_from((1, 5)), st.randoms(use_true_random=False)
)
def test_no_piece_of_work_leads_to_less_than_its_bound(
    case: SearchCase, objective: str, n_best: int, chance: Any
) -> None:
    if case.ragged or case.machines[0].fold != "broadcast" or case.problem.extents[G] > 1:
        return  # leaves are counted in more orders than the piece stands for: others have bounds for those
    search = Recorded(case.problem, case.machines[0], case.homes, SearchOptions(objective, n_best=n_best))
    search.offered = []
    search.run()
    pieces = [(work, i) for work, i in search.offered if is_whole(work, i)]
    for work, i in chance.sample(pieces, min(PIECES, len(pieces))):
        leaves = leaves_of(search, piece(work, i))
        if leaves:
            assert work.energy_pj[i] <= min(energy for energy, _ in leaves) * (1 + 1e-9)
            assert work.cycles[i] <= min(cycles for _, cycles in leaves) * (1 + 1e-9)
