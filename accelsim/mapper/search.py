"""The best mappings of one layer: inside a dataflow over its parameters, without one over everything.

Without a constraint the dataflows that the architecture names are searched, too: their parameters are ragged,
which the general space is only on request, so that more freedom never gives a worse result. A good mapping of
theirs that is known soon lets the general search cut more, and its best one leaves little of theirs to count.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace

from accelsim.base.errors import InfeasibleError
from accelsim.base.errors import Problem as Message
from accelsim.mapper.found import Found, SearchOptions
from accelsim.mapper.objective import SAME
from accelsim.mapper.parameters import best_of_parameters
from accelsim.mapping.dataflows import ANY, DATAFLOWS, Dataflow
from accelsim.tables.certificate import Certificate
from accelsim.tables.machine import Machine
from accelsim.tables.nest import Problem


def search(
    problem: Problem,
    machine: Machine,
    dataflow: Dataflow,
    homes: tuple[int, int, int],
    options: SearchOptions,
    layer: str,
) -> Found:
    """The best mappings of a layer with their certificate; equal searches give equal mappings.

    Raises InfeasibleError where nothing is legal; `infeasible.explain` knows why.
    """
    started = time.perf_counter()
    if dataflow is not ANY:
        found = best_of_parameters(problem, machine, dataflow, homes, options, layer)
        if found is None:
            text = f"no mapping of {layer} fits {machine.name} under {dataflow.name}"
            raise InfeasibleError(Message(text, key=layer))
        return found
    from accelsim.mapper.general import search_all  # only now: start-up counts where a dataflow is named

    flows = [DATAFLOWS[name] for name in machine.dataflows if name != ANY.name]
    if options.n_best == 1 and not (options.front or options.ragged or options.time_limit_s is not None):
        return _in_turns(problem, machine, flows, homes, options, layer)
    tried = [best_of_parameters(problem, machine, flow, homes, options, layer) for flow in flows]
    named = [found for found in tried if found is not None]
    if options.time_limit_s is not None:
        left = max(0.0, options.time_limit_s - (time.perf_counter() - started))
        options = replace(options, time_limit_s=left)
    known = [point for found in named for point in found.points]
    if options.ragged:  # tiles that divide the layer are among the ragged ones, and soon done
        known += search_all(problem, machine, homes, replace(options, ragged=False), known).points
    found = search_all(problem, machine, homes, options, known)
    certificate = found.certificate
    for other in named:
        certificate = _both(other.certificate, certificate)
    return replace(found, certificate=certificate)


def _in_turns(
    problem: Problem,
    machine: Machine,
    flows: Sequence[Dataflow],
    homes: tuple[int, int, int],
    options: SearchOptions,
    layer: str,
) -> Found:
    """The best of each dataflow that is soon counted, the best without, then what the others have left.

    Where a dataflow has many mappings, one found in haste is enough for the general search to cut by, and
    what that one finds cuts most of the dataflow's.
    """
    from accelsim.mapper.general import search_all

    hasty = {
        flow: best_of_parameters(problem, machine, flow, homes, options, layer, hasty=True) for flow in flows
    }
    known = [point for named in hasty.values() if named is not None for point in named.points]
    found = search_all(problem, machine, homes, options, known)
    for flow, named in hasty.items():
        free = found.certificate
        if named is None or not named.certificate.complete:
            least = free.best * (1 - SAME)
            named = best_of_parameters(problem, machine, flow, homes, options, layer, incumbent=least)
            found = found if named is None else named
        both = replace(free, space=f"{free.space}; {flow.name}")
        found = replace(found, certificate=both if named is None else _both(named.certificate, free))
    return found


def _both(named: Certificate, free: Certificate) -> Certificate:
    """What is known of the mappings of a named dataflow and of all others together."""
    pruned = dict(free.n_pruned_by)
    for rule, n in named.n_pruned_by.items():
        pruned[rule] = pruned.get(rule, 0) + n
    return replace(
        free,
        space=f"{free.space}; {named.space}",
        best=min(named.best, free.best),
        lower_bound=min(named.lower_bound, free.lower_bound),
        n_evaluated=named.n_evaluated + free.n_evaluated,
        n_pruned_by=pruned,
        seconds=named.seconds + free.seconds,
        complete=named.complete and free.complete,
    )
