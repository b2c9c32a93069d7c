"""A space file swept into a directory and back: what is stored is what the evaluator says."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import accelsim
from accelsim.base.errors import InputError
from accelsim.base.files import find_shipped, shipped_folder
from accelsim.explore.sweep.evaluate import evaluator_of
from accelsim.explore.sweep.read import read_space
from accelsim.explore.sweep.run import sweep
from accelsim.explore.sweep.space import Space
from accelsim.explore.sweep.stored import read_columns

SPACE = """schema: accelsim.space/1
name: small
description: a few systolic machines
arch: mine.yaml
networks: [lenet]
vary:
  array.rows: 8..64 step x2
  array.cols: 8..64 step x2
  dataflow: [ws, os]
where:
  - array.rows * array.cols >= 256
method: closed_form
answers: {minimise: [latency_s, energy_j]}
"""


@pytest.fixture
def space(tmp_path: Path) -> Space:
    for name in ("systolic_32x32", "systolic_128x128"):
        text = (shipped_folder("arch_configs") / f"{name}.yaml").read_text()
        (tmp_path / f"{name}.yaml").write_text(text)
    (tmp_path / "mine.yaml").write_text((tmp_path / "systolic_32x32.yaml").read_text())
    (tmp_path / "space.yaml").write_text(SPACE)
    return read_space(tmp_path / "space.yaml")


@pytest.mark.parametrize("workers", [1, 2])
def test_a_space_file_is_swept_and_read_back(space: Space, tmp_path: Path, workers: int) -> None:
    evaluator = evaluator_of(space)
    sweep(space, evaluator, tmp_path / "out", workers=workers, chunk=10, format="csv")
    stored = read_columns(tmp_path / "out")
    points = space.points(0, space.n_raw)
    metrics = evaluator(points)
    assert 0 < len(points.index) < space.n_raw
    assert np.array_equal(stored["dataflow"], points.text("dataflow"))
    for name, values in metrics.items():
        assert np.array_equal(stored[name], values, equal_nan=values.dtype.kind == "f"), name


def test_a_changed_architecture_does_not_resume(space: Space, tmp_path: Path) -> None:
    sweep(space, evaluator_of(space), tmp_path / "out", chunk=10, format="csv")
    file = tmp_path / "mine.yaml"
    file.write_text(file.read_text() + "# another day\n")
    with pytest.raises(
        InputError, match=r"manifest\.json: inputs\.arch .*: the sweep in the directory was started with"
    ):
        sweep(space, evaluator_of(space), tmp_path / "out", resume=True, format="csv")


def test_a_changed_technology_does_not_resume(
    space: Space, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sweep(space, evaluator_of(space), tmp_path / "out", chunk=10, format="csv")
    other = tmp_path / "45nm.yaml"
    other.write_bytes(find_shipped("technologies", "45nm").read_bytes() + b"# another day\n")
    monkeypatch.setattr(
        "accelsim.explore.sweep.inputs.find_shipped",
        lambda kind, name: other if name == "45nm" else find_shipped(kind, name),
    )
    with pytest.raises(InputError, match=r"manifest\.json: inputs\.technologies: "):
        sweep(space, evaluator_of(space), tmp_path / "out", resume=True, format="csv")


def test_sweep_from_python_gives_points_and_fronts_of_the_directory(space: Space, tmp_path: Path) -> None:
    """What passes and what is kept are the same; a second call with `resume` evaluates nothing."""
    passing = accelsim.sweep(space.file)
    kept = accelsim.sweep(space.file, tmp_path / "out", pictures=False)
    again = accelsim.sweep(space.file, tmp_path / "out", pictures=False, resume=True)
    assert passing.points.equals(kept.points)
    assert list(passing.pareto["index"]) == list(kept.pareto["index"])
    assert (kept.found["run"]["n_evaluated"], again.found["run"]["n_evaluated"]) == (space.n_raw, 0)
    best = kept.points.loc[kept.points["latency_s"].idxmin()]
    assert best["index"] in set(kept.pareto["index"])
    assert (tmp_path / "out" / "result.json").exists()
