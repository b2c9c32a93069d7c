"""What a dry run says a sweep will take, against an evaluator whose seconds are known."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from accelsim.explore.sweep import estimate as module
from accelsim.explore.sweep.estimate import estimate
from accelsim.explore.sweep.read import read_space
from accelsim.explore.sweep.run import SEARCHED_CHUNK
from accelsim.explore.sweep.space import Space

SPACE = """schema: accelsim.space/1
name: timed
arch: eyeriss
networks: [lenet]
vary:
  array.rows: 4..40 step 4
  glb.size: 64 KiB..163 KiB step 1 KiB
method: dataflow
"""


class Clock:
    """Seconds go on only by what the evaluator below takes."""

    now = 0.0

    def perf_counter(self) -> float:
        return self.now


class Evaluate:
    """An array costs 2 s once, a machine 0.1 s."""

    def __init__(self, clock: Clock) -> None:
        self.clock, self.known = clock, set[int]()

    def __call__(self, points: Any) -> dict[str, Any]:
        new = set(points.columns["array.rows"].tolist()) - self.known
        self.known |= new
        self.clock.now += 2.0 * len(new) + 0.1 * len(points)
        return {"status": np.full(len(points), "ok"), "latency_s": np.ones(len(points))}


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    found = Clock()
    monkeypatch.setattr(module, "time", found)
    return found


def space_of(folder: Path, text: str = SPACE) -> Space:
    (folder / "space.yaml").write_text(text)
    return read_space(folder / "space.yaml")


def test_points_of_a_chunk_that_share_an_array_are_not_taken_for_new_ones(
    tmp_path: Path, clock: Clock
) -> None:
    space = space_of(tmp_path)
    found = estimate(space, Evaluate(clock))
    alone = 2.1  # of points that are spread, each has an array of its own
    assert found.s_per_point == pytest.approx(alone / SEARCHED_CHUNK + 0.1 * (1 - 1 / SEARCHED_CHUNK))
    assert found.seconds == pytest.approx(1000 * found.s_per_point)
    really = 10 * 2.0 + 1000 * 0.1
    assert really < found.seconds < 1.5 * really  # every chunk is taken to start with an array of its own
    assert found.n_timed == module.FIRST + module.N_NEAR


def test_points_of_a_sample_are_no_neighbours(tmp_path: Path, clock: Clock) -> None:
    space = space_of(tmp_path, SPACE + "sample: {method: random, points: 100, seed: 1}\n")
    found = estimate(space, Evaluate(clock))
    assert found.s_per_point == pytest.approx(2.1)
    assert found.n_timed == module.FIRST
