"""Groups of layers as stages on clusters of their own: a pass goes through them one after the other.

The slowest stage sets the pace; a pass takes the sum of all stages. Layers are cut into contiguous groups in
the graph's order; each stage is a path of its own, its input brought over the links from the stage before.
With c clusters and k stages, least time between passes of the first j layers:

    best[k, c, j] = min over i < j and a <= c of max(best[k - 1, c - a, i], stage(a, i, j))
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from accelsim.explore.chain import Chain
from accelsim.explore.path import prefixes, shortest
from accelsim.explore.plan import Plan, Stage, make_plan
from accelsim.explore.states import Place
from accelsim.tables.chip import Chip, Floats

MAX_STAGES: Final = 8
Cut = tuple[int, int, int]
"""Clusters, first layer, last layer + 1 of a stage."""


def stage_places(chip: Chip, place: Place) -> list[Place]:
    """Places that a stage can have: clusters in powers of two, less than all."""
    n = place.clusters(chip)
    sizes = [2**i for i in range(n.bit_length()) if 2**i < n]
    return [Place(size * place.inside(chip), place.images, place.sharing) for size in sizes]


def pipelines(chains: Sequence[Chain], whole: Place, objective: str) -> list[Plan]:
    """The best plan of two stages, of three and so on; none where there is one cluster or one layer."""
    if not chains or len(chains[0].nodes) < 2:
        return []
    chip, adds = chains[0].chip, objective in ("energy", "latency")
    which = objective == "energy"
    tables = {c.place.clusters(chip): stage_table(c, which) for c in chains}
    by_size = {c.place.clusters(chip): c for c in chains}
    cuts = best_cuts(tables, whole.clusters(chip), adds)
    plans = []
    for stages in cuts:
        made = [_stage(by_size[size], first, last, which) for size, first, last in stages]
        plans.append(make_plan(whole, made))
    return plans


def stage_table(chain: Chain, energy: bool) -> Floats:
    """Least cost of layers i to j - 1 as one stage, [n, n + 1]; inf where j <= i."""
    n = len(chain.nodes)
    nodes, links = _costs(chain, energy)
    table = np.full((n, n + 1), np.inf)
    for i in range(n):
        table[i, i + 1 :] = prefixes(
            nodes[i:], [_arrival(chain, i, energy), *links[i + 1 :]], [_ends(chain, at) for at in range(i, n)]
        )
    return table


def best_cuts(tables: dict[int, Floats], n_clusters: int, adds: bool) -> list[list[Cut]]:
    """For each number of stages from two the best cut, the slowest stage or (`adds`) the sum the least."""
    n = next(iter(tables.values())).shape[0]
    most = min(MAX_STAGES, n, n_clusters)
    best = np.full((most + 1, n_clusters + 1, n + 1), np.inf)
    best[0, :, 0] = 0.0
    came = np.zeros((most + 1, n_clusters + 1, n + 1, 2), np.int64)
    for k in range(1, most + 1):
        for c in range(1, n_clusters + 1):
            for size, table in tables.items():
                if size > c:
                    continue
                before = best[k - 1, c - size, :n, None]
                through = before + table if adds else np.maximum(before, table)  # [n, n + 1]
                first = through.argmin(0)
                cost = through[first, np.arange(n + 1)]
                better = cost < best[k, c]
                best[k, c, better] = cost[better]
                came[k, c, better] = np.stack([np.full(n + 1, size), first], 1)[better]
    found = []
    for k in range(2, most + 1):
        if not np.isfinite(best[k, n_clusters, n]):
            continue
        cuts: list[Cut] = []
        c, j = n_clusters, n
        for stage in range(k, 0, -1):
            size, i = came[stage, c, j].tolist()
            cuts.insert(0, (size, i, j))
            c, j = c - size, i
        found.append(cuts)
    return found


def _stage(chain: Chain, first: int, last: int, energy: bool) -> Stage:
    nodes, links = _costs(chain, energy)
    nodes = [*nodes[first : last - 1], nodes[last - 1] + _ends(chain, last - 1)]
    _, path = shortest(nodes, [_arrival(chain, first, energy), *links[first + 1 : last]])
    return Stage.of(chain, path, first)


def _costs(chain: Chain, energy: bool) -> tuple[list[Floats], list[Floats]]:
    return chain.node_costs(energy), chain.link_costs(energy)


def _arrival(chain: Chain, at: int, energy: bool) -> Floats:
    link = chain.arrival(at)
    costs = link.energy + chain.leakage_w * link.seconds if energy else link.seconds
    kept = np.array([option.kept_in for option in chain.nodes[at].options])
    return np.where(kept, np.inf, costs)


def _ends(chain: Chain, at: int) -> Floats:
    """Nothing may stay in the cores for a layer that other cores run."""
    return np.where([option.kept_out for option in chain.nodes[at].options], np.inf, 0.0)
