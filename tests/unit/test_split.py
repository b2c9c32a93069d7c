"""Which cells are simulated and which is best; the work of a replica against `run` and against every cut."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import accelsim
from accelsim.base.errors import InfeasibleError, InputError
from accelsim.cost.chip import CellCosts
from accelsim.explore.cells import ALL, BEST, CERTAIN, Choices, choices, decide
from accelsim.explore.work import Works, live_bytes, replica_works
from accelsim.mapper.solve import Solver
from accelsim.mapping.exchange import moved
from accelsim.mapping.lower import lower
from accelsim.mapping.partition import largest_part, partitions
from accelsim.tables.chip import Cells
from accelsim.workload.graph import LayerGraph
from accelsim.workload.passes import drop_noops, fuse


@pytest.fixture(scope="module")
def mlu100() -> Any:
    return accelsim.arch("mlu100")


@pytest.fixture(scope="module")
def lenet(mlu100: Any) -> LayerGraph:
    return fuse(drop_noops(accelsim.load("lenet")), frozenset(mlu100.fuses))


# --- the choice of cells


def costs_of(cycle_s: np.ndarray[Any, Any], n_oom: int = 0) -> CellCosts:
    """Closed forms with these seconds an image; the last `n_oom` cells have no room."""
    n = len(cycle_s)
    status = np.array(["ok"] * (n - n_oom) + ["oom"] * n_oom)
    good = status == "ok"
    nothing = np.zeros(n)
    return CellCosts(
        status=status,
        throughput_fps=np.where(good, 1 / cycle_s, np.nan),
        latency_s=np.where(good, cycle_s, np.nan),
        energy_j=np.ones(n),
        memory_bytes=nothing,
        limit=np.array(["compute"] * n),
        cycle_s=cycle_s,
        pass_s=nothing,
        stations_s=np.zeros((n, 5)),
    )


@dataclass
class Slower:
    """A simulation that is slower than the closed form by a factor of each cell; `mp` numbers the cells."""

    closed: np.ndarray[Any, Any]
    factor: np.ndarray[Any, Any]
    seen: list[int] = field(default_factory=list)

    def cells(self, cells: Cells) -> Any:
        at = cells.mp - 1
        self.seen += at.tolist()
        seconds = (self.closed * self.factor)[at]

        limit = np.array(["channel"] * len(at))
        return SimpleNamespace(throughput_fps=1 / seconds, latency_s=seconds, limit=limit)


def many(n: int) -> Cells:
    return Cells.of((at + 1, 1, 1, 1) for at in range(n))


@pytest.mark.parametrize("seed", range(8))
def test_the_ten_best_cells_are_those_of_simulating_every_cell(seed: int) -> None:
    random = np.random.default_rng(seed)
    closed = random.uniform(1.0, 3.0, 600)
    simulation = Slower(closed, random.uniform(1.0, 1.3, 600))
    decided = decide(many(600), costs_of(closed, 20), simulation, "throughput", BEST)
    everything = np.argsort((closed * simulation.factor)[:580])
    assert decided.order()[:CERTAIN] == everything[:CERTAIN].tolist()
    assert BEST <= len(simulation.seen) < 580
    assert len(set(simulation.seen)) == len(simulation.seen)


def test_a_closed_form_that_is_too_slow_has_more_cells_simulated() -> None:
    """The simulation is up to twice as fast: whatever is within twice the tenth best must be looked at."""
    closed = np.linspace(1.0, 4.0, 600)
    factor = np.where(np.arange(600) % 7 == 3, 0.5, 1.0)
    simulation = Slower(closed, factor)
    decided = decide(many(600), costs_of(closed), simulation, "latency", BEST)
    truth = closed * factor
    assert decided.order()[:CERTAIN] == np.argsort(truth)[:CERTAIN].tolist()
    assert set(np.flatnonzero(closed * 0.5 < np.sort(truth)[CERTAIN - 1])) <= set(simulation.seen)


def test_grids_are_simulated_whole_up_to_a_size_and_not_at_all_where_asked() -> None:
    large = np.linspace(1.0, 2.0, ALL + 1)
    pruned = Slower(large, np.ones(ALL + 1))
    decide(many(ALL + 1), costs_of(large), pruned, "throughput")
    assert len(pruned.seen) == BEST
    closed = np.linspace(1.0, 2.0, 200)
    whole = Slower(closed, np.ones(200))
    decided = decide(many(200), costs_of(closed, 3), whole, "throughput")
    assert sorted(whole.seen) == list(range(197))
    assert decided.is_simulated.tolist() == [True] * 197 + [False] * 3
    none = Slower(closed, np.ones(200))
    decided = decide(many(200), costs_of(closed), none, "throughput", 0)
    assert none.seen == []
    assert {decided.row(b)["decided_by"] for b in range(200)} == {"analytic"}


def test_of_equal_cells_the_faster_pass_then_less_memory_then_the_smaller_split_comes_first() -> None:
    closed = np.full(3, 1.0)
    decided = decide(many(3), costs_of(closed), Slower(closed, np.ones(3)), "throughput")
    assert decided.order() == [0, 1, 2]
    decided.latency_s[0] = 2.0
    assert decided.order() == [1, 2, 0]
    decided.costs.memory_bytes[1] = 5.0
    assert decided.order() == [2, 1, 0]


def test_the_grid_of_32_cores_is_36_splits_8_threads_and_11_batches() -> None:
    """Issue: the full grid of 36 splits x 8 threads x 11 batch sizes."""
    chosen = choices(32)
    assert len(chosen.cells(32, full=False)) == 36 * 8 * 11
    cells = chosen.cells(32, full=True)
    assert set(zip(cells.mp.tolist(), cells.dp.tolist(), strict=True)) == {
        (1, 32),
        (2, 16),
        (4, 8),
        (8, 4),
        (16, 2),
        (32, 1),
    }


def test_lists_are_sorted_and_a_number_is_a_list_of_one() -> None:
    assert choices(12, mp=[4, 1, 4], threads=3) == Choices(
        (1, 4), (1, 2, 4, 8, 12), (3,), tuple(2**i for i in range(11))
    )


@pytest.mark.parametrize("given", [{"mp": 0}, {"dp": []}, {"threads": [2, -1]}, {"batch": 10**7}])
def test_numbers_that_no_cell_can_have_are_refused_by_the_name_of_their_list(given: dict[str, Any]) -> None:
    with pytest.raises(InputError) as caught:
        choices(32, **given)
    assert [problem.key for problem in caught.value.problems] == list(given)


def test_full_without_a_split_of_all_cores_is_refused() -> None:
    with pytest.raises(InputError, match="32 cores"):
        choices(32, mp=[3]).cells(32, full=True)


# --- the work of a replica


def test_one_core_costs_what_run_says(lenet: LayerGraph, mlu100: Any) -> None:
    """Energy and activations of `run`, layer by layer: the same mappings, all tensors in dram."""
    work = replica_works(accelsim.load("lenet"), mlu100, [1], cache=False)[1]
    rows = accelsim.run(accelsim.load("lenet"), mlu100, cache=False).rows
    assert work.layers == tuple(row["layer"] for row in rows)
    for at, row in enumerate(rows):
        energy = work.energy_j[at] + work.weight_energy_j[at]
        assert energy == pytest.approx(row["energy_pj"] * 1e-12), row["layer"]
        moved_bytes = work.in_bytes[at] + work.out_bytes[at] + work.weight_bytes[at]
        assert moved_bytes == row["dram_read_bytes"] + row["dram_write_bytes"], row["layer"]
        assert work.compute_s[at] >= row["compute_cycles"] / 1e9
        assert work.compute_s[at] <= row["latency_s"]


@pytest.mark.parametrize("mp", [2, 8, 16, 32])
def test_the_first_layer_is_cut_in_the_way_that_takes_least_of_all_ways(
    lenet: LayerGraph, mlu100: Any, mp: int
) -> None:
    """Every candidate mapped, none left out by its bound; the stated time in words, 2 B each, sums of 4 B."""
    chip, machine, layer = mlu100.chip(), mlu100.machine(), lenet.layers[0]
    works = Works(lenet, machine, chip, Solver())
    problem, n_clusters = lower(layer), chip.clusters_of(mp)
    times = {}
    for partition in partitions(problem, n_clusters, mp // n_clusters):
        words, part = moved(problem, partition), largest_part(problem, partition)
        core = works.core.array(part, layer.name)
        n_bytes = 2 * (words.inputs * core.refetch[0] + words.outputs * core.refetch[2])
        n_bytes += 2 * 4 * words.partial_sums  # written and read again
        n_bytes += 2 * words.weights * (core.refetch[1] - 1 + chip.weight_share(1))
        crossing = (2 * words.inputs_crossing + 4 * words.sums_crossing).max()
        adds = words.partial_sums / (problem.n_macs / part.n_macs) / machine.vector_lanes
        times[str(partition)] = (
            (core.seconds + adds / machine.clock_hz) / chip.runtime.kernel_efficiency
            + n_bytes / (n_clusters * chip.channel_bytes_per_s)
            + crossing / chip.link_bytes_per_s
        )
    assert len(times) > 1
    assert times[works.of(mp).partition[0]] == pytest.approx(min(times.values()), rel=1e-12)


def test_cut_layers_do_all_the_work_and_no_core_does_more_than_its_share(
    lenet: LayerGraph, mlu100: Any
) -> None:
    """Sixteen by sixteen multipliers a core: the busiest can't be faster than an equal share at full rate."""
    works = Works(lenet, mlu100.machine(), mlu100.chip(), Solver())
    for mp in (1, 2, 4, 8, 16, 32):
        work = works.of(mp)
        for at, layer in enumerate(lenet.layers):
            assert work.compute_s[at] >= layer.macs / mp / 256 / 1e9 * (1 - 1e-12)
            assert work.compute_s[at] <= works.of(1).compute_s[at] * (1 + 1e-12)
        assert mp > 8 or not work.exchange_bytes.any()
    assert works.of(8).exchange_bytes.sum() == 0  # one cluster
    assert works.of(32).exchange_bytes.sum() > 0
    assert works.of(32).in_bytes.sum() > works.of(8).in_bytes.sum()


def test_live_activations_are_every_buffer_once_elementwise_work_in_place(lenet: LayerGraph) -> None:
    """lenet.prototxt: 28x28 in, 20x24x24, 20x12x12, 50x8x8, 50x4x4, 500, 10; ReLU and softmax in place."""
    words = 784 + 20 * 24 * 24 + 20 * 12 * 12 + 50 * 8 * 8 + 50 * 4 * 4 + 500 + 10
    assert live_bytes(lenet, 2.0) == 2 * words


def test_a_replica_of_five_cores_and_one_of_twelve_cut_their_layers_too(
    lenet: LayerGraph, mlu100: Any
) -> None:
    works = Works(lenet, mlu100.machine(), mlu100.chip(), Solver())
    assert any("5" in cut for cut in works.of(5).partition)
    assert works.of(12).compute_s.sum() < works.of(5).compute_s.sum()


# --- the command as a function


def test_nothing_but_too_few_cores_is_infeasible_with_demand_and_limit(mlu100: Any) -> None:
    with pytest.raises(InfeasibleError, match=r"64 cores are needed.*has 32"):
        accelsim.split(accelsim.load("lenet"), mlu100, mp=64, cache=False)


def test_a_network_that_was_loaded_with_a_batch_is_refused(mlu100: Any) -> None:
    with pytest.raises(InputError, match="4 images"):
        accelsim.split(accelsim.load("lenet", batch=4), mlu100)


def test_cores_change_their_number(mlu100: Any) -> None:
    result = accelsim.split(
        accelsim.load("lenet"), mlu100, cores=16, threads=1, batch=1, full=True, cache=False
    )
    assert result.inputs["arch"]["cores"] == 16
    assert {cell["mp"] * cell["dp"] for cell in result.more["grid"]} == {16}


def test_a_result_has_its_grid_and_best_as_python_objects(mlu100: Any) -> None:
    result = accelsim.split(
        accelsim.load("lenet"), mlu100, mp=1, dp=[1, 2], threads=[1, 2], batch=1, cache=False
    )
    assert len(result.grid) == 4
    assert result.best["throughput_fps"] == result.grid["throughput_fps"].max()
    assert "4 cells" in repr(result)
    assert result.plot.split() is not None
    with pytest.raises(AttributeError, match="no grid"):
        _ = accelsim.inspect(accelsim.load("lenet")).grid
