"""What each level reads, is filled with and updated by, from what a walk saw: Timeloop's bookkeeping.

Per instance, with `content` the words that a level's children ask for, `share` what it gets from the level
outside, `peer` what neighbours hand over, `part` the part of the tensor that it ever sees:

    read only    reads = content + peer               fills = share + peer          updates = 0
    read, write  reads = content + peer - part        fills = share + peer - part   updates = content

(the outermost level that keeps the tensor has no share and takes no part off). A level that does not keep a
tensor passes requests on: the level outside is asked as often as it was, `content` of the inner one times
children, over what its own sends reach. Source: CollapseTiles, MaskTiles,
ComputeReadUpdateReductionAccesses_Legacy in Timeloop's src/loop-analysis/tiling.cpp.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import floor

from accelsim.compat.timeloop.model import TimeloopInput
from accelsim.compat.timeloop.nest import Nest
from accelsim.compat.timeloop.walk import Record, Rules, Seen, Walk


@dataclass(frozen=True)
class Tally:
    """Words of one tensor at one level, per instance."""

    reads: int
    fills: int
    updates: int
    tile: int
    partition: int


@dataclass(frozen=True)
class Traffic:
    """One tensor: its tally at each level that keeps it, and what each level's network carries."""

    tally: dict[int, Tally]
    sent: list[dict[tuple[int, int], Record]]
    """[L]: (children in a group, groups) to words and hops."""
    links: list[float]
    """[L]: words that the children hand one another."""
    partition: list[int]
    """[L]: words of the tensor that one instance ever sees; 0 where it does not keep it."""


def traffic(given: TimeloopInput, nest: Nest, t: int) -> Traffic:
    """Walks the first of B mappings for tensor `t`."""
    mapping, tensor = given.mapping, given.workload.tensors[t]
    assert mapping is not None
    levels = range(len(nest.levels))

    def holds(rule: str) -> tuple[bool, ...]:
        return tuple((rule, level, t) not in mapping.switched_off for level in levels)

    rules = Rules(
        given.extrapolates,
        tuple(on and given.links for on in holds("no_link_transfer")),
        holds("no_multicast_no_reduction"),
        holds("no_temporal_reuse"),
    )
    seen = Walk(tensor, nest, rules).seen
    partition = _partition(seen)
    kept = [level for level in levels if mapping.keep[level][t]]
    share = [_reach(seen[level + 1]) / nest.levels[level + 1].fanout for level in levels[:-1]]
    _pass_on(seen, nest, kept)
    for level in levels[kept[-1] + 1 :]:  # nothing moves outside of the outermost level that keeps it
        seen[level].records.clear()
        seen[level].links = 0.0
    instances = nest.instances
    elided = holds("rmw_first_update")
    tally = {}
    for level in kept:
        content, outermost = _content(seen[level]), level == kept[-1]
        peer = seen[level + 1].links / instances[level] if level + 1 < len(seen) else 0.0
        got = (0.0 if outermost else share[level]) + peer
        if tensor.read_write:
            part = partition[level] if given.elides_first_read and elided[level] else 0
            reads, fills = _round(content + peer - part), _round(got - (0 if outermost else part))
        else:
            reads, fills = _round(content + peer), floor(got)
        updates = _round(content) if tensor.read_write else 0
        tally[level] = Tally(reads, fills, updates, seen[level].tile, partition[level])
    seen_parts = [part if level in kept else 0 for level, part in enumerate(partition)]
    return Traffic(tally, [one.records for one in seen], [one.links for one in seen], seen_parts)


def _round(words: float) -> int:
    return max(0, floor(words + 0.5))  # children at an imperfect edge see less than their part


def _content(seen: Seen) -> float:
    return sum(record.words for record in seen.records.values())


def _reach(seen: Seen) -> float:
    """Words that arrive at all children together."""
    return sum(record.words * members for (members, _), record in sorted(seen.records.items()))


def _partition(seen: list[Seen]) -> list[int]:
    """Words of the tensor that one instance ever sees: in whole numbers from outside in."""
    found = [seen[-1].tile]
    for level in range(len(seen) - 2, -1, -1):
        found.append(found[-1] * seen[level].tile // (seen[level + 1].spread or seen[level].tile))
    return found[::-1]


def _pass_on(seen: list[Seen], nest: Nest, kept: list[int]) -> None:
    """Requests past levels that do not keep the tensor: their groups multiply, their links are lost."""
    for level in range(kept[-1]):
        if level in kept:
            continue
        outer = seen[level + 1]
        times = _content(seen[level]) * nest.levels[level + 1].fanout / _reach(outer)
        for record in outer.records.values():
            record.words *= times
        outer.links = 0.0
