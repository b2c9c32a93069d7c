"""More to choose from or a better machine never gives a worse optimum, in the objective that is searched.

Random pairs of searches; thousands more are tried by benchmarks/bench_monotone.py.
"""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from support.monotone import Pair, pairs


@settings(
    max_examples=80,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(pairs())
def test_more_freedom_room_or_speed_never_gives_a_worse_optimum(pair: Pair) -> None:
    before, after = pair.values()
    assert pair.holds(), f"{pair.change} on {pair.dataflow}: {pair.objective} {before!r} became {after!r}"
