"""Hypothesis strategies: layers and machines so small that every mapping can be tried.

Needs the extra `testing` (hypothesis), which is imported when a strategy is asked for.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

from accelsim.tables.dims import DIMS, N_OPERANDS, OPERANDS, WINDOWS, relevant_dims
from accelsim.tables.machine import DATAFLOWS, FOLDS, Machine
from accelsim.tables.nest import Problem
from accelsim.testing.all_mappings import splits_of

if TYPE_CHECKING:
    from hypothesis.strategies import DrawFn, SearchStrategy

OVERLAPS = ((True, True, True), (True, True, True), (False, False, False), (False, True, False))
"""Whether transfers of I, W and O at a level run beside compute."""

KINDS = {
    "matrix product": "KCN",
    "1-D convolution": "PRKC",
    "rows": "PRKN",
    "convolution": "PRQSKC",
    "1x1 convolution": "KCPQ",
    "depthwise": "GPRQS",
    "batched matrix product": "NPKCG",
    "three dimensions": "ZVPR",
}
"""Dimensions that a layer of each kind may have more than one of, the usual ones first."""
SIZES = (2, 3, 4, 5, 6, 7, 8, 9, 10, 12)
TAPS = (2, 3)
MAX_SPLITS, MAX_DIMS = 1500, 4
"""Of one case, orders and keeps not counted: what is tried stays below some 100,000 mappings."""


@dataclass(frozen=True)
class SearchCase:
    """A layer, machines that differ only in prices and room, and what the search may do."""

    problem: Problem
    machines: tuple[Machine, ...]
    homes: tuple[int, int, int]
    ragged: bool

    def __repr__(self) -> str:
        """All that makes the case, ready to be pasted."""
        machines = ", ".join(_text(machine) for machine in self.machines)
        return f"SearchCase({self.problem!r}, ({machines},), {self.homes}, ragged={self.ragged})"


def search_cases(n_machines: int = 3, max_splits: int = MAX_SPLITS) -> SearchStrategy[SearchCase]:
    """Convolutions (strided, dilated, padded, depthwise), matrix products, 1-D and 3-D layers; machines of
    two to five levels with every switch that changes a cost, homes inside, levels for some operands only."""
    from hypothesis import strategies as st

    @st.composite
    def case(draw: DrawFn) -> SearchCase:
        structure = _structure(draw)
        ragged = draw(st.booleans())
        problem = _problem(draw, structure["n_levels"] + 1, ragged, max_splits)
        machines = tuple(_machine(draw, structure, problem) for _ in range(n_machines))
        return SearchCase(problem, machines, _homes(draw, machines[0]), ragged)

    return case()


def _problem(draw: DrawFn, n_slots: int, ragged: bool, max_splits: int) -> Problem:
    """A layer whose dimensions can be split over the slots in no more than so many ways together."""
    from hypothesis import strategies as st

    kind = draw(st.sampled_from(sorted(KINDS)))
    extents = dict.fromkeys(DIMS, 1)
    most = MAX_DIMS if n_slots < 5 else MAX_DIMS - 1
    chosen = draw(st.lists(st.sampled_from(KINDS[kind]), unique=True, min_size=2, max_size=most))
    room = max_splits
    for d in chosen:
        wanted = TAPS if d in "RSV" else SIZES
        sizes = [x for x in wanted if len(splits_of(x, n_slots, ragged)) <= room]
        if sizes:
            extents[d] = draw(st.sampled_from(sizes))
            room //= len(splits_of(extents[d], n_slots, ragged))
    windows = tuple(_window(draw, extents[DIMS[p]], extents[DIMS[r]]) for p, r in WINDOWS)
    batched = kind == "batched matrix product" and draw(st.booleans())
    return Problem(tuple(extents.values()), windows, batched)


def _window(draw: DrawFn, out: int, tap: int) -> tuple[int, int, int, int]:
    """(stride, dilation, pad, size); what is read may end before the input does or in its padding."""
    from hypothesis import strategies as st

    if out == tap == 1:
        return 1, 1, 0, 1
    stride = draw(st.sampled_from((1, 1, 2, 3)))
    dilation = draw(st.sampled_from((1, 1, 2, 3))) if tap > 1 else 1
    reach = (out - 1) * stride + (tap - 1) * dilation + 1
    before, after = draw(st.sampled_from(((0, 0), (1, 1), (0, 1), (2, 0), (0, -2))))
    before = min(before, reach - 1)
    return stride, dilation, before, max(1, reach - before - after)


def _structure(draw: DrawFn) -> dict[str, Any]:
    """What decides the words that move: levels, array, links, who holds what."""
    from hypothesis import strategies as st

    n_levels = draw(st.sampled_from((2, 3, 3, 4, 5)))
    if n_levels == 5:  # a pad for each operand, as Eyeriss has them
        fanout = 3
        holds = np.array([[True, False, False], [False, True, False], [False, False, True]])
        holds = np.vstack([holds, [[True, False, True], [True, True, True]]])
    else:
        fanout = draw(st.integers(0, n_levels - 1))
        free = [(level, t) for level in range(n_levels - 1) for t in range(N_OPERANDS)]
        holds = np.zeros((n_levels, N_OPERANDS), np.bool_)
        holds[-1] = True
        for at in draw(st.lists(st.sampled_from(free), unique=True, min_size=1, max_size=4)):
            holds[at] = True
    flags = st.lists(st.sampled_from((False, False, True)), min_size=n_levels, max_size=n_levels)
    sides = st.sampled_from((1, 2, 3, 4, 6))
    return {
        "n_levels": n_levels,
        "fanout_level": fanout,
        "rows": draw(sides),
        "cols": draw(sides),
        "holds": holds,
        "multicast": np.array([draw(st.booleans()), draw(st.booleans()), False]),
        "reduce": draw(st.booleans()),
        "diagonal": draw(st.booleans()),
        "padding_stored": np.array(draw(flags)),
        "fetch_box": np.array(draw(flags)),
    }


def _machine(draw: DrawFn, structure: dict[str, Any], problem: Problem) -> Machine:
    """A machine of this structure: what it has room for, what words cost and how fast they move."""
    from hypothesis import strategies as st

    n_levels = structure["n_levels"]
    inf = float("inf")

    def each(strategy: SearchStrategy[Any]) -> Any:
        return np.array(draw(st.lists(strategy, min_size=n_levels, max_size=n_levels)))

    def one(*values: Any) -> Any:
        return draw(st.sampled_from(values))

    words = sum(
        prod(problem.extents[d] for d in relevant_dims(t, problem.weight_has_batch))
        for t in range(N_OPERANDS)
    )
    room = st.sampled_from((1e6, 1e6, 2.0, 4.0, 6.0, 9.0, 16.0, 30.0, words / 4, words / 2, 2.0 * words))
    odd = st.integers(1, 30000).map(lambda i: i / 256)
    pj = st.sampled_from((1.0, 0.0, 0.1, 0.5, 2.0, 6.0, 33.3, 200.0)) | odd
    speed = st.sampled_from((inf, inf, 0.3, 1.0, 2.0, 4.0, 16.0))
    flag = st.booleans()
    bits = one((8, 8, 8), (16, 16, 16), (8, 4, 8))
    return Machine(
        name="small",
        clock_hz=1e9,
        n_cores=1,
        n_clusters=1,
        level_names=(*(f"level{i}" for i in range(n_levels - 1)), "dram"),
        capacity_bytes=each(room),
        holds=structure["holds"],
        word_bits=each(st.sampled_from((0, 0, 0, 8, 32))),
        read_pj_per_byte=each(pj),
        write_pj_per_byte=each(pj),
        read_bytes_per_cycle=(speeds := each(speed)),
        write_bytes_per_cycle=speeds if draw(flag) else each(speed),
        shared_port=each(flag),
        double_buffered=each(flag),
        overlap=each(st.sampled_from(OVERLAPS)),
        padding_stored=structure["padding_stored"],
        fetch_box=structure["fetch_box"],
        fanout_level=structure["fanout_level"],
        rows=structure["rows"],
        cols=structure["cols"],
        per_pe=one(1, 1, 2),
        fold=one("broadcast", *FOLDS),
        multicast=structure["multicast"],
        reduce=structure["reduce"],
        diagonal=structure["diagonal"],
        bits=np.array(bits),
        accumulate_bits=one(bits[2], 2 * bits[2], 32),
        mac_pj=one(0.0, 1.0),
        hop_pj_per_byte=one(0.0, 0.0, 0.7),
        idle_pj_per_cycle=one(0.0, 0.0, 0.25, 10.0),
        vector_lanes=0,
        vector_pj_per_op=0.0,
        vector_level=n_levels - 1,
        dataflows=DATAFLOWS,
        dataflow="any",
        activation_home=n_levels - 1,
        activation_reserve_frac=0.0,
        pass_cycles=one(0.0, 0.0, 5.0),
        pass_bytes_per_cycle=one(inf, inf, 0.5),
        moved_bits=one(None, None, np.full((n_levels, N_OPERANDS), 5 / 64)),
    )


def _homes(draw: DrawFn, machine: Machine) -> tuple[int, int, int]:
    """Mostly DRAM; else a level outside the array that holds the operand."""
    from hypothesis import strategies as st

    homes = []
    for t in range(len(OPERANDS)):
        outside = range(machine.n_levels - 1, machine.fanout_level - 1, -1)
        levels = [level for level in outside if machine.holds[level, t]]
        homes.append(draw(st.sampled_from([levels[0], levels[0], *levels])))
    return homes[0], homes[1], homes[2]


def _text(machine: Machine) -> str:
    fields = {name: getattr(machine, name) for name in machine.__dataclass_fields__}
    return f"Machine({', '.join(f'{name}={value!r}' for name, value in fields.items())})"


def without_limits(machine: Machine) -> Machine:
    """The machine with room for everything: every mapping that fits its array is legal."""
    return replace(machine, capacity_bytes=np.full(machine.n_levels, np.inf))
