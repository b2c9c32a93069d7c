"""The search under Timeloop's counts finds the optimum: held against every mapping of small layers.

The layers are shrunken ones on the architecture and under the constraints of
evidence/timeloop/eyeriss_conv.yaml, with buffers so small that they bind. The exhaustive side knows neither
bounds nor equal orders: it writes out all factors and permutations and counts each with `evaluate`, which the
golden tests hold against Timeloop.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import permutations, product
from pathlib import Path

import numpy as np
import pytest

import accelsim
from accelsim.base.errors import InfeasibleError
from accelsim.compat.timeloop.bounds import Bounds
from accelsim.compat.timeloop.evaluate import evaluate, fits
from accelsim.compat.timeloop.model import Mappings, TimeloopInput
from accelsim.compat.timeloop.read import read_timeloop
from accelsim.compat.timeloop.search import search_timeloop
from accelsim.compat.timeloop.space import Arrays, spaces

EYERISS = read_timeloop(Path(accelsim.__file__).parent / "evidence" / "timeloop" / "eyeriss_conv.yaml")
MOST = 4_000
"""Mappings of a case: a case with more is drawn anew."""
CHUNK = 20_000


def factors(given: TimeloopInput) -> list[list[tuple[int, ...]]]:
    """For each dim all ways to spread it over time and space of every level, as the rules say it."""
    ways = []
    for dim, extent in enumerate(given.workload.extents):
        slots = []
        for level in range(len(given.architecture.levels)):
            for rules, open_here in (
                (given.constraints.time, True),
                (given.constraints.space, given.architecture.fanout(level) != (1, 1)),
            ):
                exact = rules[level].exact.get(dim) if level in rules else None
                may = [n for n in range(1, extent + 1) if extent % n == 0] if open_here else [1]
                slots.append(may if exact is None else [n for n in may if n == exact])
        ways.append([way for way in product(*slots) if np.prod(way) == extent])
    return ways


def every_mapping(given: TimeloopInput) -> Iterator[Mappings]:
    """All factors with all permutations of the two outer levels; the file fixes those of the others."""
    n_levels, n_dims = len(given.architecture.levels), len(given.workload.dims)
    keep = tuple(
        tuple(given.constraints.keep.get((level, t), level == n_levels - 1) for t in range(3))
        for level in range(n_levels)
    )
    names = given.workload.dims
    inner = {  # innermost first, as the file says it
        "psum_spad": "NCPQRSM", "weights_spad": "NMPQSCR", "ifmap_spad": "NMCPQRS",
        "inter_PE_spatial": "CMRSNPQ", "inter_PE_column_spatial": "CMRSNPQ",
    }  # fmt: skip
    fixed = [
        [names.index(dim) for dim in inner.get(level.name, "CMRSNPQ")] for level in given.architecture.levels
    ]
    on_mesh = {"inter_PE_spatial": ("NPQRSCM", 4), "inter_PE_column_spatial": ("NCPRSQM", 7)}
    mesh = [on_mesh.get(level.name, ("CMRSNPQ", 7)) for level in given.architecture.levels]
    time, space, order = [], [], []
    for ways in product(*factors(given)):
        table = np.array(ways).reshape(n_dims, n_levels, 2)
        many = [np.flatnonzero(table[:, level, 0] > 1).tolist() for level in (-2, -1)]
        for buffer, memory in product(permutations(many[0]), permutations(many[1])):
            rest = [[dim for dim in range(n_dims) if dim not in chosen] for chosen in (buffer, memory)]
            time.append(table[:, :, 0].T)
            space.append(table[:, :, 1].T)
            order.append([*fixed[:-2], [*buffer, *rest[0]], [*memory, *rest[1]]])
    spread = tuple(tuple(names.index(dim) for dim in dims) for dims, _ in mesh)
    for start in range(0, len(time), CHUNK):
        part = [np.array(side[start : start + CHUNK]).transpose(1, 2, 0) for side in (time, space, order)]
        yield Mappings(*part, spread, tuple(split for _, split in mesh), keep)


def n_mappings(given: TimeloopInput) -> int:
    total = 0
    for ways in product(*factors(given)):
        table = np.array(ways).reshape(len(given.workload.dims), -1, 2)
        perms = [int(np.prod(range(1, int((table[:, level, 0] > 1).sum()) + 1))) for level in (-2, -1)]
        total += perms[0] * perms[1]
        if total > MOST:
            break
    return total


def small_case(seed: int) -> TimeloopInput:
    """A layer of few words with buffers that bind, drawn until all its mappings can be walked."""
    rng = np.random.default_rng(seed)
    while True:
        extents = {
            "N": 1, "C": rng.choice([1, 1, 2, 4]), "M": rng.choice([1, 1, 2, 4]), "R": rng.choice([1, 2, 3]),
            "S": rng.choice([1, 1, 2, 3]), "P": rng.choice([1, 2, 3, 4]), "Q": rng.choice([1, 1, 2, 4]),
        }  # fmt: skip
        sizes = {
            "psum_spad": rng.choice([1, 2, 16]), "weights_spad": rng.choice([2, 12, 384]),
            "ifmap_spad": rng.choice([2, 3, 24]), "shared_glb": rng.choice([12, 24, 60, 131072]),
        }  # fmt: skip
        # a slow buffer throttles, a dear one moves the optimum
        speed, dear = rng.choice([0.25, 1.0, 16.0]), rng.choice([1.0, 8.0])
        levels = tuple(
            replace(
                level,
                size_words=int(sizes[level.name]) if level.name in sizes else level.size_words,
                read_bandwidth=speed if level.name == "shared_glb" else level.read_bandwidth,
                read_pj=level.read_pj * (dear if level.name in ("shared_glb", "ifmap_spad") else 1),
            )
            for level in EYERISS.architecture.levels
        )
        stride = int(rng.choice([1, 1, 2]))
        tensors = tuple(
            replace(
                tensor,
                ranks=tuple(
                    tuple((dim, stride if EYERISS.workload.dims[dim] == "P" else by) for dim, by in rank)
                    for rank in tensor.ranks
                )
                if tensor.name == "Inputs"
                else tensor.ranks,
            )
            for tensor in EYERISS.workload.tensors
        )
        given = replace(
            EYERISS,
            workload=replace(
                EYERISS.workload,
                extents=tuple(int(extents[dim]) for dim in EYERISS.workload.dims),
                tensors=tensors,
            ),
            architecture=replace(EYERISS.architecture, levels=levels),
            mapping=None,
        )
        if 1 < n_mappings(given) <= MOST:
            return given


@pytest.mark.parametrize("seed", range(14))
def test_the_search_finds_the_optimum_of_all_mappings(seed: int) -> None:
    given = small_case(seed)
    cycles, pj = [], []
    for mappings in every_mapping(given):
        ok = fits(given.architecture, given.workload.tensors, mappings)
        counts = evaluate(given, mappings)
        cycles += counts.cycles[ok].tolist()
        pj += counts.energy_pj[ok].tolist()
    if not pj:
        with pytest.raises(InfeasibleError):
            search_timeloop(given)
        return
    for objective, values in (
        ("energy", pj),
        ("edp", [a * b for a, b in zip(pj, cycles, strict=True)]),
        ("latency", cycles),
    ):
        found = search_timeloop(given, objective)
        assert found.certificate.best == pytest.approx(min(values), rel=1e-12)
        assert found.certificate.proven
        here = evaluate(given, found.mapping)
        assert fits(given.architecture, given.workload.tensors, found.mapping).all()
        if objective == "latency":  # of equal latency the least energy
            assert here.energy_pj[0] == pytest.approx(min(zip(cycles, pj, strict=True))[1], rel=1e-12)
        else:
            assert here.objective(objective)[0] == pytest.approx(min(values), rel=1e-12)


@pytest.mark.parametrize("seed", range(14, 20))
def test_no_mapping_costs_less_than_its_bound(seed: int) -> None:
    given = small_case(seed)
    (space,) = spaces(given)
    n_checked = 0
    for mappings in every_mapping(given):
        pj = evaluate(given, mappings).energy_pj
        time = mappings.time.copy()
        time[-2:] = 1
        bounds = Bounds(space, Arrays(time, mappings.space))
        tile = np.array(given.workload.extents)[:, None] // mappings.time[-1]
        own = {}
        for b in range(len(mappings)):
            buffer, memory = (
                tuple(int(dim) for dim in mappings.order[level, :, b] if mappings.time[level, dim, b] > 1)
                for level in (-2, -1)
            )
            if not buffer + memory:
                continue
            x = (buffer + memory)[0]
            if x not in own:
                own[x] = bounds.of_array(x)
            cost = bounds.of_tile(tile[:, b : b + 1], memory)
            least = own[x][b] + cost.between[0]
            for t in bounds.stays(x):
                least += cost.inside[t, 0] / cost.lead[t, 0]
            assert least <= pj[b] * (1 + 1e-9)
            n_checked += 1
    assert n_checked > 50
