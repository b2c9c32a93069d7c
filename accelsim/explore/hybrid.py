"""Each layer its own model and data parallelism: the best path through the ways to run the layers.

Exact on a chain. Where layers read from further back the path is sought without these readings, which gives
a bound from below, and the best of it and of the best paths with one number of replicas is taken, all costed
with them.
"""

from __future__ import annotations

from collections.abc import Sequence

from accelsim.explore.chain import Chain
from accelsim.explore.path import Path, front, shortest
from accelsim.explore.plan import Plan, Stage, make_plan
from accelsim.explore.states import Place


def hybrids(chain: Chain, objective: str) -> tuple[list[Plan], bool]:
    """Plans of one stage that could be the best, and whether the best of all is proven to be among them."""
    paths, exact = _paths(chain, objective)
    plans = [make_plan(chain.place, [Stage.of(chain, path)]) for path in dict.fromkeys(paths)]
    return plans, exact and chain.is_chain


def _paths(chain: Chain, objective: str) -> tuple[list[Path], bool]:
    nodes, links = ([of(energy) for energy in (False, True)] for of in (chain.node_costs, chain.link_costs))
    wanted = {"throughput": (0,), "latency": (0,), "energy": (1,), "edp": (0, 1)}[objective]
    found = [shortest(nodes[which], links[which])[1] for which in wanted]
    exact = True
    if objective == "edp":
        some, exact = front(list(zip(*nodes, strict=True)), list(zip(*links, strict=True)))
        found += some
    if not chain.is_chain:
        for only in chain.same_replicas():
            for which in wanted:
                limited = [cost + more for cost, more in zip(nodes[which], only, strict=True)]
                found.append(shortest(limited, links[which])[1])
    return found, exact


def least(chains: Sequence[Chain], place: Place) -> tuple[float, float, float]:
    """Seconds of a pass, seconds between passes and joules of a pass that no plan on these chains is below.

    Of each layer the least over all ways to run it: cores busy, and channels; for the time between passes the
    least of core-seconds over all cores.
    """
    chip = chains[0].chip
    n_layers = len(chains[0].nodes)
    alone, channel, area, joules = 0.0, 0.0, 0.0, 0.0
    for at in range(n_layers):
        figures = [(f, c.place.n_cores) for c in chains for f in c.nodes[at].figures]
        alone += chip.runtime.layer_s + min(f.alone_s for f, _ in figures)
        channel += min(f.at_channel * f.channel_s for f, _ in figures)
        area += min(f.alone_s * n / place.n_cores for f, n in figures)
        joules += min(f.energy_j for f, _ in figures)
    seconds = max(alone, channel * place.sharing)
    interval = seconds if len(chains) == 1 else area
    return seconds, interval, joules + chip.core_leakage_w * place.n_cores * interval
