"""Cycles, energy and area of one mapping as Timeloop's model reports them.

Cycles: those of the level that is slowed most, ceil(steps / min(1, bandwidth / demand)), plus fill and drain
of the networks. Energy of a tensor at a level: whole blocks, ceil(words / block), times energy an access,
times instances in use (at most one for each cluster); leakage per instance in use and cycle. A network's word
costs its hops and one router more than its hops, whole; one that a neighbour hands over a hop and two
routers. Source: src/model/buffer.cpp, network-legacy.cpp, topology.cpp of Timeloop.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, floor

from accelsim.base.errors import InfeasibleError, Problem
from accelsim.compat.timeloop.evaluate import evaluate
from accelsim.compat.timeloop.model import Level, TimeloopInput
from accelsim.compat.timeloop.nest import Nest, nest_of
from accelsim.compat.timeloop.tally import Tally, Traffic, traffic

MAX_STEPS = 50_000
"""Steps of a walk that are waited for: some seconds a tensor."""


@dataclass(frozen=True)
class Account:
    """What one mapping does; words are per instance of a level."""

    tally: dict[tuple[int, int], Tally]
    """(level, tensor) of what is kept."""
    instances: list[int]
    compute_cycles: int
    cycles: int
    tensor_pj: dict[tuple[int, int], float]
    leak_pj: list[float]
    network_pj: list[float]
    compute_pj: float
    n_macs_used: int

    @property
    def energy_pj(self) -> float:
        """Of multipliers, levels and networks."""
        return self.compute_pj + sum(self.tensor_pj.values()) + sum(self.leak_pj) + sum(self.network_pj)


def account(given: TimeloopInput) -> Account:
    """Counts the mapping of the file: by a walk, or in closed form where that is long.

    InfeasibleError where it is long and the closed form does not cover the mapping.
    """
    mapping, levels = given.mapping, given.architecture.levels
    assert mapping is not None
    nest = nest_of(given.architecture, mapping)
    if _is_long(given, nest):
        all_traffic, tally = [], _closed(given)
    else:
        all_traffic = [traffic(given, nest, t) for t in range(len(given.workload.tensors))]
        tally = {
            (i, t): one.tally[i]
            for i in range(len(levels))
            for t, one in enumerate(all_traffic)
            if i in one.tally
        }
    instances = nest.instances
    n_macs_used = instances[0] * nest.levels[0].fanout
    n_computes = given.workload.n_computes
    steps = nest.n_steps if nest.imperfect else ceil(n_computes / n_macs_used)
    cycles = max([steps, *(_cycles(store, steps, i, tally) for i, store in enumerate(levels))])
    tensor_pj = {
        (i, t): _energy(levels[i], words, coalesces=("no_coalesce", i, t) not in mapping.switched_off)
        * min(instances[i], levels[i].n_instances // levels[i].cluster_size)
        for (i, t), words in tally.items()
    }
    outermost = max(i for i, _ in tally)
    leak_pj = [
        store.leak_pj * cycles * instances[i] if i <= outermost else 0.0 for i, store in enumerate(levels)
    ]
    network_pj = [
        instances[i]
        * sum(
            _network(store, one, i, written=tensor.read_write)
            for one, tensor in zip(all_traffic, given.workload.tensors, strict=False)
        )
        for i, store in enumerate(levels)
    ]
    return Account(
        tally,
        instances,
        steps,
        cycles + given.architecture.network_latency_cycles,
        tensor_pj,
        leak_pj,
        network_pj,
        n_computes * given.architecture.compute_pj,
        n_macs_used,
    )


def _is_long(given: TimeloopInput, nest: Nest) -> bool:
    """Whether the closed form must stand in for a walk; InfeasibleError where it does not cover that."""
    n_steps = nest.n_visited(extrapolates=given.extrapolates)
    if n_steps <= MAX_STEPS:
        return False
    mapping = given.mapping
    assert mapping is not None
    beyond = {
        "imperfect factors": nest.imperfect,
        "networks that cost energy": any(level.network.costs_energy for level in given.architecture.levels),
        "rules that are switched off": bool({rule for rule, *_ in mapping.switched_off} - {"no_coalesce"}),
        "axes of three dims, or a dim on two": not all(one.is_plain for one in given.workload.tensors),
    }
    if any(beyond.values()):
        raise InfeasibleError(
            Problem(
                f"a walk of {n_steps:,} steps",
                file=given.file,
                expected=f"at most {MAX_STEPS:,} with "
                + ", ".join(name for name, on in beyond.items() if on),
                hint=None if given.extrapolates else "leave out --exact-walk",
            )
        )
    return True


def _closed(given: TimeloopInput) -> dict[tuple[int, int], Tally]:
    """The tally by the closed form of the search."""
    mapping = given.mapping
    assert mapping is not None
    counts = evaluate(given, mapping)
    columns = (counts.reads, counts.fills, counts.updates, counts.tile, counts.partition)
    return {
        (i, t): Tally(*(int(column[i, t, 0]) for column in columns))
        for i, row in enumerate(mapping.keep)
        for t, keep in enumerate(row)
        if keep
    }


def problems_of_fit(given: TimeloopInput, nest: Nest) -> list[Problem]:
    """Where tiles exceed their level or loops in space the instances that there are."""
    mapping = given.mapping
    assert mapping is not None
    found = []
    for i, store in enumerate(given.architecture.levels):
        words = sum(
            tensor.words(nest.levels[i].tile)
            for tensor, keep in zip(given.workload.tensors, mapping.keep[i], strict=True)
            if keep
        )
        if store.size_words is not None and words > store.size_words:
            found.append(
                Problem(f"{store.name} needs {words:,} words of {store.size_words:,}", file=given.file)
            )
    names = [given.architecture.mac_name, *(store.name for store in given.architecture.levels)]
    there = [given.architecture.n_macs, *(store.n_instances for store in given.architecture.levels)]
    used = [nest.instances[0] * nest.levels[0].fanout, *nest.instances]
    for name, n, most in zip(names, used, there, strict=True):
        if n > most:
            found.append(Problem(f"{n} instances of {name} in use, of {most}", file=given.file))
    return found


def _energy(store: Level, words: Tally, *, coalesces: bool) -> float:
    """pJ of one cluster."""
    block = store.block_words if coalesces else 1
    return (
        -(-words.reads // block) * store.read_pj
        + -(-words.fills // block) * store.write_pj
        + -(-words.updates // block) * store.update_pj
    )


def _cycles(store: Level, steps: int, level: int, tally: dict[tuple[int, int], Tally]) -> int:
    """Steps over the slowdown that the bandwidth of a level asks for; sums in Timeloop's order."""
    read = write = 0.0
    for (i, t), words in tally.items():
        if i == level:
            scale = store.bandwidth_scale[t] if store.bandwidth_scale else 1.0
            read += words.reads / steps * scale
            write += (words.updates + words.fills) / steps * scale
    slowdown = 1.0
    for demand, limit in (
        (read, store.read_bandwidth),
        (write, store.write_bandwidth),
        (read + write, store.shared_bandwidth),
    ):
        if limit is not None and limit < demand:
            slowdown = min(slowdown, limit / demand)
    return ceil(steps / slowdown)


def _network(store: Level, one: Traffic, level: int, *, written: bool) -> float:
    """pJ between one instance of a level and its children."""
    network = store.network
    if not network.costs_energy:
        return 0.0
    total = one.links[level] * (network.hop_pj + 2 * network.router_pj)
    for (_, groups), record in one.sent[level].items():
        words = record.words
        if written and not store.can_reduce:  # the sum so far goes down and comes back
            words = 2 * words - one.partition[level]
        hops = record.hops / groups
        total += words * (hops * network.hop_pj + (1 + floor(hops)) * network.router_pj + network.ingress_pj)
    return total
