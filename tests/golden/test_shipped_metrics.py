"""Our own totals of shipped networks against those stored: no evidence, but no change goes unseen.

After a change that is meant: `python scripts/update_metrics.py`, and the difference is part of the commit.
"""

from __future__ import annotations

import runpy
from functools import cache
from pathlib import Path
from typing import Any

import pytest

import accelsim
from accelsim.workload.graph import LayerGraph

SCRIPT: dict[str, Any] = runpy.run_path(
    str(Path(__file__).resolve().parents[2] / "scripts" / "update_metrics.py"), run_name="update_metrics"
)
STORED = SCRIPT["stored"]()


@cache
def network(name: str) -> LayerGraph:
    return accelsim.load(name)


@pytest.mark.parametrize("row", STORED, ids=[f"{row['network']}-{row['arch']}" for row in STORED])
def test_totals_are_those_stored(row: dict[str, str]) -> None:
    totals = accelsim.run(network(row["network"]), accelsim.arch(row["arch"])).totals
    now = {**row, "energy_pj": repr(float(totals["energy_pj"]))}
    now |= {name: str(totals[name]) for name in ("latency_cycles", "dram_read_bytes", "dram_write_bytes")}
    assert SCRIPT["differences"]([row], [now]) == [], "meant? then run scripts/update_metrics.py"


def test_table_has_every_network_on_every_architecture() -> None:
    pairs = [(row["network"], row["arch"]) for row in STORED]
    assert pairs == [(net, arch) for net in SCRIPT["NETWORKS"] for arch in SCRIPT["ARCHITECTURES"]]


def test_table_says_that_it_is_no_evidence() -> None:
    assert "not evidence" in SCRIPT["TABLE"].read_text(encoding="utf-8").splitlines()[0]
    assert SCRIPT["text"](STORED) == SCRIPT["TABLE"].read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("column", "value", "said"),
    [
        ("latency_cycles", "101", "a on b: latency_cycles 100 -> 101 (+1.000%)"),
        ("energy_pj", "1000.00001", "a on b: energy_pj 1,000 -> 1,000 (+0.000%)"),
        ("dram_write_bytes", "1", "a on b: dram_write_bytes 0 -> 1"),
    ],
)
def test_a_difference_is_seen_and_named(column: str, value: str, said: str) -> None:
    row = dict(zip(SCRIPT["COLUMNS"], ("a", "b", "100", "1000.0", "7", "0"), strict=True))
    assert SCRIPT["differences"]([row], [{**row, column: value}]) == [said]
    assert SCRIPT["differences"]([row], [{**row, "energy_pj": "1000.0000001"}]) == []
