"""Random layers on random machines for the simulation: the cases of the loop walk, with ports and buffers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from support.small_machine import small_machine

from accelsim.tables.dims import DIMS
from accelsim.tables.machine import FOLDS, Machine
from accelsim.tables.nest import Nest, Problem
from accelsim.testing.loop_case import Case
from accelsim.testing.search_cases import OVERLAPS
from accelsim.testing.strategies import cases

RATES = (np.inf, 0.75, 1.0, 2.4, 3.0, 7.0, 16.0)
"""Bytes a cycle; 2.4 is Eyeriss' channel, 7 makes thirds of nothing else whole."""

check = settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
"""The same cases in every run, none kept."""


def problem_of(case: Case) -> Problem:
    return Problem(tuple(case.extents[d] for d in DIMS), case.windows, case.weight_has_batch)


def nest_of(case: Case) -> Nest:
    return Nest(
        tuple(DIMS.index(dim) for _, dim, _, _ in case.loops),
        tuple(level for level, *_ in case.loops),
        tuple("cols" if spatial else "" for *_, spatial in case.loops),
        np.array([[loop[2]] for loop in case.loops], np.int64).reshape(len(case.loops), 1),
        np.array(case.keep, np.bool_),
    )


def machine_of(case: Case, fanout_level: int = 1) -> Machine:
    """A machine with the case's links, without limits of room and bandwidth."""
    n = case.n_levels
    wide = np.full(n, np.inf)
    return small_machine(
        level_names=tuple(f"level{i}" for i in range(n)),
        capacity_bytes=wide,
        holds=np.ones((n, 3), np.bool_),
        word_bits=np.zeros(n, np.int64),
        read_pj_per_byte=np.ones(n),
        write_pj_per_byte=np.ones(n),
        read_bytes_per_cycle=wide,
        write_bytes_per_cycle=wide,
        shared_port=np.zeros(n, np.bool_),
        double_buffered=np.zeros(n, np.bool_),
        overlap=np.ones((n, 3), np.bool_),
        padding_stored=np.array(case.padding_stored),
        fetch_box=np.array(case.fetch_box),
        fanout_level=min(fanout_level, n - 1),
        multicast=np.array([*case.multicast, False]),
        reduce=case.reduce,
        diagonal=case.diagonal,
        vector_level=0,
        activation_home=n - 1,
        bits=np.array([8, 4, 16]),
        accumulate_bits=32,
    )


Drawn = tuple[Problem, Nest, Machine, str]


@st.composite
def simulated(draw: st.DrawFn, finite: bool = True, max_macs: int = 200) -> Drawn:
    """A layer, its mapping, a machine and the dataflow whose fold rule holds."""
    case = draw(cases(max_macs=max_macs))
    n = case.n_levels
    machine = machine_of(case, draw(st.integers(0, n - 1)))

    def flags(*values: bool) -> np.ndarray:
        return np.array(draw(st.lists(st.sampled_from(values), min_size=n, max_size=n)))

    machine = replace(
        machine,
        double_buffered=flags(True, False),
        capacity_bytes=np.array(draw(st.lists(st.sampled_from([np.inf, 0.0]), min_size=n, max_size=n))),
        overlap=np.array(draw(st.lists(st.sampled_from(OVERLAPS), min_size=n, max_size=n))),
        fold=draw(st.sampled_from(FOLDS)),
        per_pe=draw(st.sampled_from([1, 1, 2, 3])),
        rows=draw(st.integers(1, 6)),
        cols=draw(st.integers(1, 6)),
        pass_cycles=draw(st.sampled_from([0.0, 3.0])),
        pass_bytes_per_cycle=draw(st.sampled_from([np.inf, 0.75, 2.0])),
    )
    if finite:
        shared = flags(True, False)
        rates = st.lists(st.sampled_from(RATES), min_size=n, max_size=n)
        read, write = np.array(draw(rates)), np.array(draw(rates))
        machine = replace(
            machine,
            shared_port=shared,
            read_bytes_per_cycle=read,
            write_bytes_per_cycle=np.where(shared, read, write),
        )
    return problem_of(case), nest_of(case), machine, draw(st.sampled_from(["ws", "os", "is", "rs", "nlr"]))
