"""Method screen: its fronts are those of searching all points, and its bytes are always the same."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.space_files import problems_of
from support.sweep_process import files

from accelsim.base.errors import InputError, InterruptedWorkError
from accelsim.explore.sweep.answering import answer
from accelsim.explore.sweep.evaluate import evaluator_of
from accelsim.explore.sweep.machines import Makers
from accelsim.explore.sweep.read import read_space
from accelsim.explore.sweep.run import sweep
from accelsim.explore.sweep.screen import Screening
from accelsim.explore.sweep.space import Space
from accelsim.explore.sweep.stored import read_columns

LAYERS = "Layer, M, N, K,\nwide, 8, 96, 64,\ntall, 96, 8, 64,\n"
OTHER = "Layer, M, N, K,\nflat, 64, 64, 8,\n"
HEAD = "schema: accelsim.space/1\nname: small\n"
VARY = (
    "arch: systolic_32x32\nnetworks: [one.csv, other.csv]\n"
    "vary:\n  array.rows: 4..16 step x2\n  array.cols: [4, 16]\n  sram.size: [2 KiB, 16 KiB]\n"
    "  dram.bandwidth.value: [1 GB/s, 8 GB/s]\n"
)
ANSWERS = "answers: {minimise: [latency_s, energy_j]}\n"


def written(folder: Path, text: str) -> Space:
    (folder / "one.csv").write_text(LAYERS)
    (folder / "other.csv").write_text(OTHER)
    (folder / "space.yaml").write_text(HEAD + text)
    return read_space(folder / "space.yaml")


def swept(space: Space, place: Path, **more: Any) -> dict[str, Any]:
    sweep(space, evaluator_of(space, cache=False), place, format="csv", **more)
    return answer(space, place, options={}, keep=False)


def fronts(found: dict[str, Any]) -> list[tuple[Any, ...]]:
    """All that is answered of the fronts: points with their metrics and roles, view by view."""
    skipped = ("status", "reason")
    return [
        tuple(sorted((k, str(v)) for k, v in row.items() if k not in skipped and "bound" not in k))
        for row in found["points"]
    ]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """All points of the space searched."""
    folder = tmp_path_factory.mktemp("whole")
    return swept(written(folder, VARY + ANSWERS + "method: dataflow\n"), folder / "out")


def test_the_fronts_are_those_of_searching_all_points_of_which_fewer_are_searched(
    tmp_path: Path, whole: dict[str, Any]
) -> None:
    screened = swept(written(tmp_path, VARY + ANSWERS + "method: screen\n"), tmp_path / "screened")
    assert fronts(screened) == fronts(whole)
    assert [view["knee"] for view in screened["pareto"]] == [view["knee"] for view in whole["pareto"]]
    found = screened["screening"]
    assert 0 < found["n_searched"] < 0.7 * whole["totals"]["n_points"]
    assert found["n_screened"] == screened["totals"]["n_screened"] > 0
    assert [view["front_frac"] for view in found["missed"]] == [0.0] * 3
    columns = read_columns(tmp_path / "screened")
    left = columns["status"] == "screened"
    assert np.isnan(columns["latency_s"][left]).all()
    assert np.isfinite(columns["latency_s_bound"][left]).all()
    assert set(columns["reason"][left]) == {"beaten by others, whatever its mapping"}


def test_constraints_leave_the_same_fronts_and_what_breaks_them_by_its_bound_is_not_searched(
    tmp_path: Path,
) -> None:
    where = "where: latency <= 5 us and throughput_fps >= 200001\n"
    whole = swept(written(tmp_path, VARY + where + ANSWERS + "method: dataflow\n"), tmp_path / "whole")
    screened = swept(written(tmp_path, VARY + where + ANSWERS + "method: screen\n"), tmp_path / "screened")
    assert fronts(screened) == fronts(whole) != []
    reasons = set(read_columns(tmp_path / "screened")["reason"])
    assert "breaks a constraint, whatever its mapping" in reasons


@pytest.mark.parametrize("screen", ["{refine: 6}", "{gap: 10%}"])
def test_what_a_budget_may_have_missed_is_no_less_than_what_it_has(
    tmp_path: Path, whole: dict[str, Any], screen: str
) -> None:
    space = written(tmp_path, VARY + ANSWERS + f"method: screen\nscreen: {screen}\n")
    found = swept(space, tmp_path / "some")
    assert space.screen is not None
    columns = read_columns(tmp_path / "some")
    assert space.screen.refine is None or (columns["status"] != "screened").sum() <= space.screen.refine
    for view, true, missed in zip(
        found["pareto"], whole["pareto"], found["screening"]["missed"], strict=True
    ):
        for name, best in true["least"].items():
            if name in view["least"]:
                assert 1 - best / view["least"][name] <= missed["best_frac"][name] + 1e-9
        if space.screen.gap:
            assert missed["front_frac"] <= space.screen.gap + 1e-8
    assert any("were searched" in note for note in found["notes"])


class Stopping(Screening):
    """Ctrl-C at the search of a point; sent to no other process."""

    stop_at = -1

    def __call__(self, points: Any) -> Any:
        if self.stop_at in points.index:
            raise KeyboardInterrupt
        return super().__call__(points)


def test_an_interrupted_screening_resumes_to_the_same_bytes_in_any_number_of_processes(
    tmp_path: Path,
) -> None:
    space = written(tmp_path, VARY + ANSWERS + "method: screen\nscreen: {refine: 12}\n")
    evaluator = evaluator_of(space, cache=False)
    sweep(space, evaluator, tmp_path / "whole", format="csv")
    wanted = files(tmp_path / "whole")
    columns = read_columns(tmp_path / "whole")
    searched = columns["index"][columns["status"] == "ok"]
    assert len(searched) == 12
    for at in (0, 11):
        place, stopping = tmp_path / f"stopped {at}", Stopping(space, cache=False)
        stopping.stop_at = int(searched[at])
        with pytest.raises(InterruptedWorkError):
            sweep(space, stopping, place, format="csv")
        sweep(space, evaluator, place, resume=True, format="csv")
        assert files(place) == wanted
    sweep(space, evaluator, tmp_path / "two", format="csv", workers=2)
    assert files(tmp_path / "two") == wanted


@pytest.mark.skipif(importlib.util.find_spec("distributed") is None, reason="distributed is not installed")
@pytest.mark.filterwarnings("ignore")  # of distributed's own event loops
def test_a_cluster_gives_the_same_bytes(tmp_path: Path) -> None:
    import distributed

    space = written(tmp_path, VARY + ANSWERS + "method: screen\n")
    evaluator = evaluator_of(space, cache=False)
    sweep(space, evaluator, tmp_path / "one", format="csv")
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
    ) as cluster:
        sweep(space, evaluator, tmp_path / "two", format="csv", cluster=cluster.scheduler_address)
    assert files(tmp_path / "two") == files(tmp_path / "one")


def test_more_points_than_can_be_seen_at_once_are_refused(tmp_path: Path) -> None:
    vary = "  sram.size: 1 KiB..4096 KiB step 1 KiB\n  dram.bandwidth.value: 1..4096 step 1\n"
    vary = vary.replace("1..4096 step 1", "1 GB/s..4096 GB/s step 1 GB/s")
    space = written(tmp_path, f"arch: systolic_32x32\nnetworks: one.csv\nvary:\n{vary}method: screen\n")
    with pytest.raises(InputError, match=r"has to see all of 16,777,216 combinations.*sample"):
        sweep(space, evaluator_of(space, cache=False), tmp_path / "out", format="csv")


def test_a_derived_column_that_differs_between_networks_makes_no_other_machine(tmp_path: Path) -> None:
    vary = VARY.replace("vary:\n", "vary:\n  mac.per_pe: 1 if network == 'one.csv' else 2\n")
    vary = vary.replace("  dram.bandwidth.value: [1 GB/s, 8 GB/s]\n", "")
    screened = swept(written(tmp_path, vary + ANSWERS + "method: screen\n"), tmp_path / "screened")
    every = swept(written(tmp_path, vary + ANSWERS + "method: dataflow\n"), tmp_path / "every")
    assert fronts(screened) == fronts(every)
    assert screened["pareto"][0]["network"] is None
    assert screened["pareto"][0]["n_front"] > 0


def test_a_sample_is_screened_like_a_space(tmp_path: Path) -> None:
    text = VARY + ANSWERS + "method: screen\nsample: {method: random, points: 12, seed: 3}\n"
    found = swept(written(tmp_path, text), tmp_path / "out")
    assert found["totals"]["n_points"] == 12


def test_machines_that_are_none_are_errors_and_cost_no_budget(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = Makers.arch

    def arch(self: Makers, sets: tuple[str, ...], dataflow: str | None = None) -> Any:
        return "no such thing" if "core.array.cols=4" in sets else made(self, sets, dataflow)

    monkeypatch.setattr(Makers, "arch", arch)
    space = written(tmp_path, VARY + ANSWERS + "method: screen\nscreen: {refine: 4}\n")
    sweep(space, evaluator_of(space, cache=False), tmp_path / "out", format="csv")
    columns = read_columns(tmp_path / "out")
    wrong = columns["array.cols"] == 4
    assert set(columns["reason"][wrong]) == {"no such thing"}
    assert set(columns["status"][wrong]) == {"error"}
    assert (columns["status"] == "ok").sum() == 4


ROWS = "vary: {array.rows: [8, 16]}\n"


@pytest.mark.parametrize(
    ("text", "line", "key", "said"),
    [
        ("answers: {minimise: [power_w]}\n", 7, "answers.minimise.0", "power_w has no bound from below"),
        ("answers: {minimise: gap_frac}\n", 7, "answers.minimise", "gap_frac has no bound from below"),
        ("answers: {maximise: [latency_s]}\n", 7, "answers.maximise.0", "latency_s has no bound from above"),
        ("screen: {gap: 5}\n", 7, "screen.gap", "a share from 0 to below 1"),
        ("screen: {gap: 5 KiB}\n", 7, "screen.gap", "a share from 0 to below 1"),
        ("screen: {refine: 0}\n", 7, "screen.refine", "a whole number of points from 1"),
        ("screen: {refin: 3}\n", 7, "screen.refin", "did you mean 'refine'?"),
        ("screen: {method: closed_form}\n", 7, "screen.method", "one of dataflow, any"),
        ("sample: {method: evolve, points: 9}\n", 7, "sample.method", "and so does a screening"),
    ],
)
def test_what_a_screening_can_not_do_is_told_with_line_and_key(
    tmp_path: Path, text: str, line: int, key: str, said: str
) -> None:
    problems = problems_of(tmp_path, ROWS + "method: screen\n" + text)
    told = [problem for problem in problems if said in str(problem)]
    assert told, "\n".join(map(str, problems))
    assert (told[0].line, told[0].key) == (line, key)


def test_the_key_has_no_effect_with_other_methods(tmp_path: Path) -> None:
    (problem,) = problems_of(tmp_path, ROWS + "screen: {refine: 3}\n")
    assert (problem.key, problem.hint) == ("screen", "method: screen")
