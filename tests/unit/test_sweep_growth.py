"""The hypervolume of a sample: against the number of evaluations, and against all points of its space."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from accelsim.explore.sweep.answering import answer
from accelsim.explore.sweep.evaluate import evaluator_of
from accelsim.explore.sweep.growth import growth_of
from accelsim.explore.sweep.hypervolume import hypervolume
from accelsim.explore.sweep.numbering import Numbering
from accelsim.explore.sweep.pareto import Objective
from accelsim.explore.sweep.read import read_space
from accelsim.explore.sweep.run import sweep
from accelsim.explore.sweep.source import Sifted
from accelsim.explore.sweep.stored import read_columns
from tests.support.sweeps import Axis, Held

SPACE = """schema: accelsim.space/1
name: sampled
arch: systolic_32x32
networks: [lenet]
vary:
  array.rows: 8..64 step x2
  array.cols: 8..64 step x2
  dataflow: [ws, os, is]
where:
  - area <= 3 mm2
answers: {minimise: [latency_s, energy_j]}
sample: {method: random, points: POINTS, seed: 1}
"""


def found(folder: Path, n_points: int) -> tuple[dict[str, Any], Path]:
    """The answer of a sample, and the directory with its points."""
    file, place = folder / "space.yaml", folder / "out"
    file.write_text(SPACE.replace("POINTS", str(n_points)))
    space = read_space(file)
    sweep(space, evaluator_of(space), place, format="csv")
    return answer(space, place, options={}, keep=False), place


def test_a_sample_of_all_points_reaches_what_all_points_reach(tmp_path: Path) -> None:
    curve = found(tmp_path, 48)[0]["hypervolume"]
    assert curve["volume"][-1] == curve["whole"]
    assert curve["volume"] == sorted(curve["volume"])


def test_some_points_reach_a_share_that_the_answer_tells(tmp_path: Path) -> None:
    answered, place = found(tmp_path, 8)
    curve = answered["hypervolume"]
    assert curve["evaluations"][-1] <= 8
    assert 0 < curve["volume"][-1] < curve["whole"] <= 1
    share = 100 * curve["volume"][-1] / curve["whole"]
    assert f"the sample's hypervolume is {share:.1f} % of that of all 48 combinations" in answered["notes"]
    assert len(read_columns(place)["index"]) == 8


def test_machines_of_several_networks_count_once_their_last_network_is_evaluated() -> None:
    axes = (Axis("network", ("a", "b")), Axis("rows", (1, 2, 4)))
    index = np.array([0, 1, 3, 5, 4, 2])  # a1 a2 b1 b4 b2 a4: machines after 3, 5 and 6 evaluations
    columns = {
        "index": index,
        "latency_s": np.array([4.0, 2.0, 4.0, 1.0, 2.0, 1.0]),
        "energy_j": np.array([1.0, 2.0, 1.0, 4.0, 2.0, 4.0]),
        "status": np.full(6, "ok"),
    }
    goals = (Objective("latency_s"), Objective("energy_j"))
    curve = growth_of(Sifted(Held(columns, 4, in_order=False)), Numbering(axes), goals)
    assert curve is not None
    assert curve["evaluations"] == [3, 5, 6]
    points = (np.array([[4.0, 1.0], [2.0, 2.0], [1.0, 4.0]]) - 1) / 3
    wanted = [hypervolume(points[:n], [1.1, 1.1]) / 1.21 for n in (1, 2, 3)]
    assert curve["volume"] == pytest.approx(wanted)
    assert curve["whole"] is None
