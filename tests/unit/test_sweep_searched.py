"""Searched machines of a sweep, which share most of their work, are runs of their own to the last digit."""

from __future__ import annotations

import numpy as np
import pytest

import accelsim
from accelsim.base.errors import InfeasibleError
from accelsim.cost import grid_traffic
from accelsim.explore.sweep.evaluate import evaluator_of
from accelsim.explore.sweep.space import Answers, Space
from accelsim.explore.sweep.variables import Variable
from accelsim.mapper import earlier
from accelsim.mapping.dataflows import row_spaces

BANDWIDTHS = (0.24e9, 0.48e9, 3.2e9, 25.6e9)
PACE = Variable("dram.bandwidth.value", BANDWIDTHS, "B/s", "memories.dram.bandwidth.value")
EYERISS = (
    Variable("array.rows", (5, 8, 12, 16), "", "core.array.rows"),
    Variable("array.cols", (6, 14), "", "core.array.cols"),
    Variable("glb.size", (2**12, 2**14, 102400, 2**18), "B", "core.memories.glb.size"),
    Variable("spad_ifmap.size", (10, 24, 48), "B", "core.pe.memories.spad_ifmap.size"),
    Variable("spad_filter.size", (64, 256, 448), "B", "core.pe.memories.spad_filter.size"),
    Variable("spad_psum.size", (8, 32, 48), "B", "core.pe.memories.spad_psum.size"),
    PACE,
)
SHAPES = (
    Variable("array.rows", (4, 7, 16), "", "core.array.rows"),
    Variable("array.cols", (3, 16, 32), "", "core.array.cols"),
    PACE,
)
SPACES = {
    "eyeriss": EYERISS,
    "systolic_32x32": (
        *SHAPES,
        Variable("sram.size", (2**13, 40000, 2**18), "B", "core.memories.sram.size"),
        Variable("dataflow", ("ws", "os", "is"), "", "core.dataflow"),
    ),
    "gemmini_16x16": (
        *SHAPES[:2],
        Variable("dram.bandwidth.read", BANDWIDTHS, "B/s", "memories.dram.bandwidth.read"),
        Variable("scratchpad.size", (2**13, 2**16, 2**18), "B", "core.memories.scratchpad.size"),
        Variable("array.fold", ("sequential", "preload", "overlapped"), "", "core.array.fold"),
    ),
    "mlu100": (
        *SHAPES,
        Variable("nram.size", (2**14, 2**17, 2**19), "B", "core.memories.nram.size"),
    ),
}
N_POINTS = 6


def space(arch: str, objective: str) -> Space:
    """LeNet on variants of a machine."""
    nets, variables = ("lenet",), SPACES[arch]
    return Space("", "", arch, nets, variables, (), (), "dataflow", objective, Answers(), None, "x.yaml", "")


def forget() -> None:
    """What searches have left for others."""
    grid_traffic._COUNTERS.clear()
    grid_traffic._KNOWN.clear()
    row_spaces._SPACES.clear()
    earlier._WON.clear()


@pytest.mark.parametrize(
    ("arch", "objective"),
    [
        *(("eyeriss", objective) for objective in ("energy", "latency", "edp")),
        *(("systolic_32x32", "latency"), ("gemmini_16x16", "energy"), ("mlu100", "edp")),
    ],
)
def test_random_machines_are_runs(arch: str, objective: str) -> None:
    tested = space(arch, objective)
    points = tested.points(0, tested.n_raw)
    chosen = np.random.default_rng(len(arch)).choice(len(points), N_POINTS, replace=False)
    points = points.take(chosen)
    forget()
    found = evaluator_of(tested, cache=False)(points)
    net = accelsim.load("lenet")
    for i in range(N_POINTS):
        forget()
        machine = accelsim.arch(arch, tested.machine_sets(points.row(i)))
        try:
            totals = accelsim.run(net, machine, objective=objective, cache=False).totals
        except InfeasibleError:
            assert found["status"][i] == "infeasible"
            continue
        assert found["status"][i] == "ok", found["reason"][i]
        assert found["gap_frac"][i] == 0
        for name in ("latency_cycles", "latency_s", "utilization_frac", "macs"):
            assert found[name][i] == totals[name]
        assert found["energy_j"][i] == totals["energy_pj"] * 1e-12
        assert found["dram_bytes"][i] == totals["dram_read_bytes"] + totals["dram_write_bytes"]
    assert (found["status"] == "ok").sum() > N_POINTS // 2


def test_the_order_of_points_makes_no_difference() -> None:
    tested = space("eyeriss", "edp")
    points = tested.points(0, tested.n_raw)
    points = points.take(np.random.default_rng(1).choice(len(points), N_POINTS, replace=False))
    evaluate = evaluator_of(tested, cache=False)
    forget()
    whole = evaluate(points)
    forget()
    singly = [evaluate(points.take(np.array([i]))) for i in range(len(points))]
    for name, column in whole.items():
        other = np.concatenate([one[name] for one in singly])
        assert np.array_equal(column, other, equal_nan=other.dtype.kind == "f")
