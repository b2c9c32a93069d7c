"""Samples of a space: distinct, by their seed, spread as promised; and the volume that a front dominates."""

from __future__ import annotations

import importlib.util
import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.sweep_space import Evaluate, Sample, Space

from accelsim.base.errors import InputError
from accelsim.explore.sweep import evolve
from accelsim.explore.sweep.evaluate import evaluator_of
from accelsim.explore.sweep.hypervolume import growth, hypervolume
from accelsim.explore.sweep.numbering import Numbering
from accelsim.explore.sweep.read import read_space
from accelsim.explore.sweep.run import sweep
from accelsim.explore.sweep.sampling import ENUMERABLE, SAMPLERS, drawn
from accelsim.explore.sweep.source import geometric
from accelsim.explore.sweep.space import Space as RealSpace
from accelsim.explore.sweep.stored import read_columns

NETWORKS = """schema: accelsim.space/1
name: several
arch: systolic_32x32
vary:
  array.rows: 8..64 step 8
  array.cols: 8..64 step 8
  network: [lenet, alexnet, vgg16]
  dataflow: [ws, os, is]
where: [array.rows >= 16 or network != 'vgg16', latency <= 100 ms]
answers: {minimise: [latency_s, energy_j]}
"""
BIG = Space(2000, 3000)  # 18 million points: none of the ways for spaces that can be listed


@pytest.mark.parametrize("method", sorted(SAMPLERS))
@pytest.mark.parametrize("space", [Space(), Space(least=300), BIG, Space(2000, 3000, least=1_000_000)])
def test_a_sample_has_distinct_points_of_the_space_as_many_as_asked_for(method: str, space: Space) -> None:
    index = drawn(space, Sample(method, 500, 3))
    assert len(index) == len(set(index.tolist())) == 500
    assert np.array_equal(space.points_at(index).index, index)
    assert np.array_equal(drawn(space, Sample(method, 500, 3)), index)
    assert not np.array_equal(drawn(space, Sample(method, 500, 4)), index)


@pytest.mark.parametrize("method", sorted(SAMPLERS))
def test_a_sample_of_more_than_there_is_has_every_point_once(method: str) -> None:
    space = Space(least=900)
    every = space.points(0, space.n_raw).index
    for wanted in (len(every), len(every) + 1, space.n_raw + 1):
        found = drawn(space, Sample(method, wanted))
        assert np.array_equal(np.sort(found), every)


@pytest.mark.parametrize("method", sorted(SAMPLERS))
def test_a_large_space_without_points_gives_an_empty_sample(method: str) -> None:
    assert BIG.n_raw > ENUMERABLE
    assert len(drawn(Space(2000, 3000, least=10**9), Sample(method, 10))) == 0


def test_a_latin_hypercube_takes_each_value_of_each_variable_equally_often() -> None:
    space = Space(2000, 2000)
    index = drawn(space, Sample("lhs", 2000))
    points = space.points_at(index)
    for name in ("rows", "cols"):
        taken = np.bincount(points.columns[name], minlength=2001)[1:]
        assert (taken == 1).mean() > 0.99  # a repeated combination is drawn anew
    assert np.ptp(np.bincount(points.columns["dataflow"])) <= 2


def test_a_random_sample_takes_no_value_equally_often() -> None:
    points = BIG.points_at(drawn(BIG, Sample("random", 2000)))
    taken = np.bincount(points.columns["rows"], minlength=2001)[1:]
    assert 0.3 < (taken == 1).mean() < 0.45  # 1/e


def test_every_set_of_a_random_sample_is_as_likely() -> None:
    space = Space(1, 2)  # 6 points, 15 pairs
    pairs = [tuple(sorted(drawn(space, Sample("random", 2, seed)).tolist())) for seed in range(3000)]
    counts = [pairs.count(pair) for pair in itertools.combinations(range(6), 2)]
    assert sum(counts) == 3000
    assert 140 < min(counts) <= max(counts) < 260


def test_a_sample_is_stored_in_the_order_of_drawing(tmp_path: Path) -> None:
    sample = Sample("lhs", 250)
    sweep(Space(sample=sample), Evaluate(), tmp_path, chunk=100, format="csv")
    assert np.array_equal(read_columns(tmp_path, ["index"])["index"], drawn(Space(), sample))


def of_networks(folder: Path, method: str, n_points: int) -> RealSpace:
    """192 machines with three networks, of which 168 have a point of each."""
    file = folder / "space.yaml"
    file.write_text(NETWORKS + f"sample: {{method: {method}, points: {n_points}}}\n")
    return read_space(file)


@pytest.mark.parametrize("method", sorted(SAMPLERS))
@pytest.mark.parametrize(("n_points", "n_machines"), [(1, 1), (100, 33), (600, 168)])
def test_each_machine_of_a_sample_has_all_networks(
    tmp_path: Path, method: str, n_points: int, n_machines: int
) -> None:
    space = of_networks(tmp_path, method, n_points)
    assert space.sample is not None
    index = drawn(space, space.sample)
    assert np.array_equal(space.points_at(index).index, index)
    machine, network = Numbering(space.variables).split(index.reshape(-1, 3))
    assert len(machine) == len(set(machine[:, 0].tolist())) == n_machines
    assert (machine == machine[:, :1]).all()
    assert (network == [0, 1, 2]).all()


def brute_force(points: np.ndarray, reference: np.ndarray) -> float:
    """Whole cells of a grid, each dominated by a point or not."""
    cells = itertools.product(*(range(int(edge)) for edge in reference))
    return float(sum(any((point <= cell).all() for point in points) for cell in map(np.array, cells)))


@pytest.mark.parametrize("m", [1, 2, 3, 4])
@pytest.mark.parametrize("seed", range(12))
def test_the_hypervolume_is_the_number_of_dominated_cells(m: int, seed: int) -> None:
    rng = np.random.default_rng([m, seed])
    reference = rng.integers(3, 9 if m < 4 else 6, m)
    points = rng.integers(0, 10, (int(rng.integers(0, 20)), m))  # some equal, some beyond the reference
    assert hypervolume(points, reference) == pytest.approx(brute_force(points, reference), abs=1e-9)


@pytest.mark.parametrize("m", [2, 3])
def test_the_growth_of_the_volume_is_the_volume_of_each_beginning(m: int) -> None:
    rng = np.random.default_rng(m)
    points, reference = rng.random((200, m)), np.full(m, 0.9)
    at = [0, 1, 7, 7, 50, 200]
    assert growth(points, reference, at) == pytest.approx([hypervolume(points[:n], reference) for n in at])
    assert (np.diff(growth(points, reference, range(201))) >= 0).all()


def test_a_hypervolume_of_the_wrong_shape_is_refused() -> None:
    with pytest.raises(ValueError, match="want"):
        hypervolume(np.zeros((3, 2)), np.ones(3))


def test_without_optuna_a_search_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "optuna", None)
    with pytest.raises(InputError, match=r"pip install 'accelsim\[evolve\]'"):
        sweep(Space(sample=Sample("evolve", 10)), Evaluate(), tmp_path, format="csv")


@pytest.mark.skipif(importlib.util.find_spec("optuna") is None, reason="optuna is not installed")
class TestEvolve:
    def test_it_finds_more_of_the_front_than_as_many_random_points(self, tmp_path: Path) -> None:
        """Against the exhaustive sweep: 3,600 points, of which each sample has 400."""
        volumes = {}
        for method in ("all", "random", "evolve"):
            sample = None if method == "all" else Sample(method, 400, 1)
            sweep(Space(sample=sample), Evaluate(), tmp_path / method, format="csv")
            table = read_columns(tmp_path / method, ["latency_s", "energy_j", "status"])
            ok = table["status"] == "ok"
            goals = np.log(np.stack([table["latency_s"][ok], table["energy_j"][ok]], axis=1))
            volumes[method] = hypervolume(goals, np.log([1e-3, 1e-2]))
        assert volumes["random"] < volumes["evolve"] <= volumes["all"]
        assert volumes["evolve"] > 0.97 * volumes["all"]

    def test_it_evaluates_each_point_once_and_only_those_of_the_space(self, tmp_path: Path) -> None:
        space = Space(least=300, most_j=2e-3, sample=Sample("evolve", 300))
        result = sweep(space, Evaluate(), tmp_path, format="csv")
        index = read_columns(tmp_path, ["index"])["index"]
        assert len(set(index.tolist())) == len(index) == result.rows == 300
        assert np.array_equal(space.points_at(index).index, index)

    def test_it_ends_where_the_space_has_no_more_points(self, tmp_path: Path) -> None:
        result = sweep(Space(3, 2, sample=Sample("evolve", 100)), Evaluate(), tmp_path, format="csv")
        assert result.rows <= 18

    def test_workers_change_nothing(self, tmp_path: Path) -> None:
        from support.sweep_process import files

        space = Space(sample=Sample("evolve", 200))
        for n in (1, 2):
            sweep(space, Evaluate(), tmp_path / str(n), workers=n, chunk=20, format="csv")
        assert files(tmp_path / "1") == files(tmp_path / "2")

    def test_without_goals_there_is_nothing_to_search_for(self, tmp_path: Path) -> None:
        from support.sweep_space import Answers

        space = Space(sample=Sample("evolve", 20), answers=Answers((), ()))
        with pytest.raises(InputError, match="answers: a search needs something to look for"):
            sweep(space, Evaluate(), tmp_path, format="csv")

    @pytest.mark.parametrize("n_points", [1, 100])
    def test_machines_are_evaluated_with_all_networks(self, tmp_path: Path, n_points: int) -> None:
        space = of_networks(tmp_path, "evolve", n_points)
        result = sweep(space, evaluator_of(space), tmp_path / "out", chunk=20, format="csv")
        index = read_columns(tmp_path / "out", ["index"])["index"]
        machine, network = Numbering(space.variables).split(index.reshape(-1, 3))
        assert len(set(machine[:, 0].tolist())) == len(machine) == max(1, n_points // 3)
        assert (machine == machine[:, :1]).all()
        assert (network == [0, 1, 2]).all()
        assert result.rows == result.n_points == 3 * len(machine)

    def test_a_machine_counts_as_the_mean_of_its_networks(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """One that fails for a network has failed."""
        told: dict[int, tuple[float, ...] | None] = {}
        ask, tell = evolve.Study.ask, evolve.Study.tell

        def asked(study: Any) -> Any:
            study.asked = ask(study)
            return study.asked

        def heard(study: Any, values: list[tuple[float, ...] | None]) -> None:
            told.update(zip(study.asked.tolist(), values, strict=True))
            tell(study, values)

        monkeypatch.setattr(evolve.Study, "ask", asked)
        monkeypatch.setattr(evolve.Study, "tell", heard)
        space = of_networks(tmp_path, "evolve", 150)
        sweep(space, evaluator_of(space), tmp_path / "out", format="csv")
        table = read_columns(tmp_path / "out", ["index", "latency_s", "energy_j"])
        goals = np.stack([table["latency_s"], table["energy_j"]], axis=1).reshape(-1, 3, 2)
        machine = Numbering(space.variables).split(table["index"])[0][::3]
        failed = (goals[:, :, 0] > 0.1).any(axis=1)
        assert 0 < failed.sum() < len(machine)
        for one, mean, bad in zip(machine.tolist(), geometric(goals), failed, strict=True):
            assert told[one] == (None if bad else tuple(mean))
