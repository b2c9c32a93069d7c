"""Long axes are counted in portions: the portions must add up to the whole."""

from __future__ import annotations

import numpy as np
import pytest
from support.spaces import mappings

from accelsim.cost import windows
from accelsim.cost.evaluate import links_of
from accelsim.cost.traffic import count_traffic
from accelsim.flow import arch
from accelsim.mapping.dataflows import RS
from accelsim.tables.nest import Problem

CONV = Problem((1, 1, 4, 3, 14, 14, 3, 3, 1, 1), ((1, 1, 1, 14), (1, 1, 1, 14), (1, 1, 0, 1)))


def test_portions_of_signatures_give_the_counts_of_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = arch("eyeriss").machine()
    nest = next(mappings(CONV, machine, RS, most=1000))
    whole = count_traffic(CONV, nest, links_of(machine))
    monkeypatch.setattr(windows, "MAX_GRID", 40)
    portions = count_traffic(CONV, nest, links_of(machine))
    assert nest.n_points > 100
    assert np.array_equal(whole.reads, portions.reads)
    assert np.array_equal(whole.writes, portions.writes)
