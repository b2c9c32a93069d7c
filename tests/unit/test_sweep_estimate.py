"""What a dry run says a sweep will take, against an evaluator whose seconds are known."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from accelsim.explore.sweep import estimate as module
from accelsim.explore.sweep.answering import said_of
from accelsim.explore.sweep.estimate import estimate, row
from accelsim.explore.sweep.evaluate import evaluator_of
from accelsim.explore.sweep.read import read_space
from accelsim.explore.sweep.run import SEARCHED_CHUNK, sweep
from accelsim.explore.sweep.space import Space
from accelsim.report.sweep import estimate_blocks

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


METHOD = "sample: {{method: evolve, points: {}}}\n"
CLOSED = """schema: accelsim.space/1
name: closed
arch: systolic_32x32
networks: [lenet, alexnet]
vary:
  array.rows: 8..64 step 8
  array.cols: 8..64 step 8
  dataflow: [ws, os, is]
where: [array.rows <= array.cols]
"""


@pytest.mark.parametrize(("asked", "taken"), [(1000, 216), (101, 100), (100, 100)])
def test_a_sample_says_how_many_points_it_will_take(tmp_path: Path, asked: int, taken: int) -> None:
    """108 machines meet the constraint, each with two networks."""
    space = space_of(tmp_path, CLOSED + f"sample: {{method: lhs, points: {asked}}}\n")
    evaluator = evaluator_of(space)
    found = estimate(space, evaluator)
    assert found.n_asked == taken == sweep(space, evaluator, tmp_path / "out", format="csv").rows
    inputs = {"space": said_of(space), "options": {}}
    blocks = estimate_blocks(
        {"inputs": inputs, "objectives": [], "notes": [], "run": {"estimate": row(found)}}
    )
    assert (f"takes at most {taken:,}" in str(blocks)) == (taken < asked)


@pytest.mark.skipif(importlib.util.find_spec("optuna") is None, reason="optuna is not installed")
@pytest.mark.parametrize(("n_points", "patience_s"), [(60, 1e9), (240, 2.0)])
def test_what_optuna_takes_is_known_within_a_factor_of_two(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, n_points: int, patience_s: float
) -> None:
    """A generation takes 0.1 s for each that came before it, as optuna's do."""
    from accelsim.explore.sweep import evolve, rehearsal

    space = space_of(tmp_path, CLOSED.replace("<=", "<= 9 *") + METHOD.format(n_points))
    clock, asks = Clock(), 0
    ask = evolve.Study.ask

    def slow(study: Any) -> Any:
        nonlocal asks
        asks += 1
        clock.now += 0.1 * asks
        return ask(study)

    monkeypatch.setattr(evolve, "POPULATION", 16)
    monkeypatch.setattr(evolve.Study, "ask", slow)
    monkeypatch.setattr(rehearsal, "time", clock)
    monkeypatch.setattr(rehearsal, "PATIENCE_S", patience_s)
    evaluator = evaluator_of(space)
    found = estimate(space, evaluator)
    assert found.search_s is not None
    assert found.seconds is not None
    assert found.seconds > found.search_s
    assert clock.now < patience_s + 2
    clock.now, asks = 0.0, 0
    sweep(space, evaluator, tmp_path / "out", format="csv")
    assert clock.now / 2 < found.search_s < clock.now * 2
    if patience_s > clock.now:
        assert found.search_s == pytest.approx(clock.now)
