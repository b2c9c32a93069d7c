"""Best ways through layers, against every way there is."""

from __future__ import annotations

from itertools import combinations, pairwise, product
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accelsim.explore.path import front, prefixes, shortest
from accelsim.explore.pipeline import best_cuts

Table = np.ndarray[Any, Any]


def chain(seed: int, sizes: list[int], forbidden: float = 0.2) -> tuple[list[Table], list[Table]]:
    """Costs of nodes and links in whole numbers, so that sums are exact; some links can't be taken."""
    random = np.random.default_rng(seed)
    nodes = [random.integers(0, 20, n).astype(float) for n in sizes]
    links = [random.integers(0, 20, (a, b)).astype(float) for a, b in pairwise([1, *sizes])]
    for link in links[1:]:
        link[random.random(link.shape) < forbidden] = np.inf
        link[0, 0] = 3.0
    return nodes, links


def total(nodes: list[Table], links: list[Table], path: tuple[int, ...]) -> float:
    return sum(
        float(link[before, at] + node[at])
        for node, link, (before, at) in zip(nodes, links, pairwise((0, *path)), strict=True)
    )


sizes = st.lists(st.integers(1, 4), min_size=1, max_size=5)


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 10**6), sizes)
def test_the_shortest_path_is_the_least_of_all_paths(seed: int, n: list[int]) -> None:
    nodes, links = chain(seed, n)
    best, path = shortest(nodes, links)
    assert best == min(total(nodes, links, p) for p in product(*map(range, n)))
    assert best == total(nodes, links, path)


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 10**6), sizes)
def test_prefixes_are_the_shortest_paths_to_each_layer(seed: int, n: list[int]) -> None:
    nodes, links = chain(seed, n)
    ends = [np.where(np.arange(len(node)) % 2 == 0, 0.0, 5.0) for node in nodes]
    found = prefixes(nodes, links, ends)
    for at in range(len(n)):
        here = [*nodes[:at], nodes[at] + ends[at]]
        assert found[at] == shortest(here, links[: at + 1])[0]


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 10**6), st.lists(st.integers(1, 3), min_size=1, max_size=4))
def test_the_front_holds_every_pair_of_sums_that_no_other_path_beats(seed: int, n: list[int]) -> None:
    first, second = chain(seed, n), chain(seed + 1, n)
    second = second[0], [np.where(np.isinf(a), np.inf, b) for a, b in zip(first[1], second[1], strict=True)]
    paths, whole = front(
        list(zip(first[0], second[0], strict=True)), list(zip(first[1], second[1], strict=True))
    )

    def sums(path: tuple[int, ...]) -> tuple[float, float]:
        return total(*first, path), total(*second, path)

    every = {pair for p in product(*map(range, n)) if np.isfinite(pair := sums(p)).all()}
    best = {(a, b) for a, b in every if not any(x <= a and y <= b and (x, y) != (a, b) for x, y in every)}
    assert whole
    assert {sums(p) for p in paths} == best
    assert len(paths) == len(best)


@pytest.mark.parametrize("adds", [False, True])
@pytest.mark.parametrize("seed", range(6))
def test_cuts_into_stages_are_the_best_of_all_cuts(adds: bool, seed: int) -> None:
    """Five layers on four clusters; stages of one, two or three of them."""
    random = np.random.default_rng(seed)
    n, n_clusters = 5, 4
    tables = {
        size: np.where(np.triu(np.ones((n, n + 1)), 1) > 0, random.integers(1, 50, (n, n + 1)), np.inf)
        for size in (1, 2, 3)
    }
    found = best_cuts(tables, n_clusters, adds)
    joined = sum if adds else max
    for cuts in found:
        k = len(cuts)
        every = [
            joined(tables[size][i, j] for size, (i, j) in zip(used, pairwise((0, *at, n)), strict=True))
            for at in combinations(range(1, n), k - 1)
            for used in product(tables, repeat=k)
            if sum(used) <= n_clusters
        ]
        assert joined(tables[size][i, j] for size, i, j in cuts) == min(every)
        assert [i for _, i, _ in cuts[1:]] == [j for _, _, j in cuts[:-1]]
        assert (cuts[0][1], cuts[-1][2]) == (0, n)
    assert [len(cuts) for cuts in found] == [2, 3, 4]
