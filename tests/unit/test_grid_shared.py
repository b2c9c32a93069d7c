"""What machines share in a search changes none of its results, whichever machine came first."""

from __future__ import annotations

from typing import Any

import pytest

import accelsim
from accelsim import flow
from accelsim.cost import grid_traffic
from accelsim.mapper import earlier
from accelsim.mapper.found import OBJECTIVES, SearchOptions
from accelsim.mapping.dataflows import row_spaces

SETTINGS = (
    ("glb.size=40 KiB",),
    ("glb.size=160 KiB", "dram.bandwidth=2 GB/s"),
    ("glb.size=40 KiB", "glb.energy.read=1 pJ/word", "leakage.value=0 mW"),
    ("spad_filter.size=64 words", "spad_psum.energy.read=0 pJ/word"),
    ("array.rows=7", "array.passes.control.cycles=0"),
    ("mac.bits=8", "spad_ifmap.size=40 words", "array.hop.energy.value=0 pJ/word"),
    ("dram.overlap=true", "glb.double_buffered=true"),
    ("array.multicast=[W]", "glb.padding=none"),
)


def search(sets: tuple[str, ...], objective: str = "edp") -> Any:
    machine = accelsim.arch("eyeriss", sets)
    options = SearchOptions(objective)
    rows, costing, _ = flow.costed_rows(accelsim.load("lenet"), machine, options, cache=False)
    return rows, [(one.certificate.lower_bound, one.certificate.proven) for one in costing.found.values()]


def forget() -> None:
    grid_traffic._COUNTERS.clear()
    grid_traffic._KNOWN.clear()
    row_spaces._SPACES.clear()
    earlier._WON.clear()


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_a_search_after_others_is_the_search_alone(objective: str) -> None:
    alone = []
    for sets in SETTINGS:
        forget()
        alone.append(search(sets, objective))
    forget()
    together = [search(sets, objective) for sets in (*SETTINGS, *SETTINGS)]
    assert together == alone + alone
    assert len({str(rows) for rows, _ in alone}) >= len(SETTINGS) - 1  # the settings matter


def test_counters_are_given_up_where_they_take_too_much(monkeypatch: pytest.MonkeyPatch) -> None:
    forget()
    monkeypatch.setattr(grid_traffic, "MAX_COUNTERS_BYTES", 1)
    found = search(SETTINGS[0])
    assert len(grid_traffic._COUNTERS) == 1
    monkeypatch.undo()
    assert search(SETTINGS[0]) == found
