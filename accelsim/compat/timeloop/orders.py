"""Loop orders that differ in cost: of all permutations of a level's loops, one for each way to reuse.

A tensor whose axes are one dim each pays tile x (loops above) / (product of the loops, from the innermost,
that do not move it): two orders with the same set of such leading loops cost it the same. Where an axis is a
sum of two dims the first loop that moves the tile decides the overlap, and the loops after it matter as long
as they move the tile along the same axis (they may make Timeloop's jump zero or a mere step, see `fetch`);
the first that moves it along another axis ends that, every later jump fetches the whole tile. So orders are
equal in every count where these leading sets and runs are equal; and an order whose runs equal another's and
whose leading sets contain the other's is never worse.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import permutations

from accelsim.compat.timeloop.model import Tensor

Order = tuple[int, ...]


def moves(tensor: Tensor, dim: int) -> int:
    """The axis along which a dim moves a tensor's tile, -1 for none."""
    return next((axis for axis, rank in enumerate(tensor.ranks) if any(d == dim for d, _ in rank)), -1)


@lru_cache(maxsize=4096)
def orders(
    dims: frozenset[int], innermost: Order, tensors: tuple[Tensor, ...], all_runs: bool
) -> tuple[Order, ...]:
    """Orders of the dims of more than one trip, innermost first, that may differ in cost and be the best.

    `innermost` stand first, in this order. `all_runs`: keep runs apart up to the first loop that moves the
    tile along an axis of one dim, for tiles whose neighbours may hand words over (see `links`).
    """
    head = tuple(dim for dim in innermost if dim in dims)
    best: dict[tuple[Order, ...], list[tuple[tuple[frozenset[int], ...], Order]]] = {}
    for tail in permutations(sorted(dims - set(head))):
        order = (*head, *tail)
        runs = tuple(_run(tensor, order, all_runs) for tensor in tensors if _slides(tensor))
        leads = tuple(_lead(tensor, order) for tensor in tensors if not _slides(tensor))
        rivals = best.setdefault(runs, [])
        if any(all(a >= b for a, b in zip(other, leads, strict=True)) for other, _ in rivals):
            continue
        rivals[:] = [r for r in rivals if not all(a <= b for a, b in zip(r[0], leads, strict=True))]
        rivals.append((leads, order))
    return tuple(sorted(order for rivals in best.values() for _, order in rivals))


@lru_cache(maxsize=4096)
def unfolded(order: Order, innermost: Order, tensors: tuple[Tensor, ...]) -> tuple[Order, ...]:
    """The orders of `orders(..., all_runs=True)` that one of `orders(..., all_runs=False)` stands for."""
    dims = frozenset(order)
    plain = orders(dims, innermost, tensors, False)
    return tuple(
        other
        for other in orders(dims, innermost, tensors, True)
        if next(o for o in plain if _stands_for(o, other, tensors)) == order
    )


def _stands_for(order: Order, other: Order, tensors: tuple[Tensor, ...]) -> bool:
    return all(
        _run(tensor, order, False) == _run(tensor, other, False)
        if _slides(tensor)
        else _lead(tensor, order) >= _lead(tensor, other)
        for tensor in tensors
    )


def _slides(tensor: Tensor) -> bool:
    return any(len(rank) > 1 for rank in tensor.ranks)


def _lead(tensor: Tensor, order: Order) -> frozenset[int]:
    """The loops inside the first that moves the tile."""
    lead = []
    for dim in order:
        if moves(tensor, dim) >= 0:
            break
        lead.append(dim)
    return frozenset(lead)


def _run(tensor: Tensor, order: Order, all_runs: bool) -> Order:
    """The loops up to where the tile first leaves its axis, without those at the end that don't move it."""
    lead = _lead(tensor, order)
    run: list[int] = []
    first = -1
    for dim in order[len(lead) :]:
        axis = moves(tensor, dim)
        if axis >= 0 and first >= 0 and (len(tensor.ranks[axis]) == 1 if all_runs else axis != first):
            break
        run.append(dim)
        if axis >= 0 and first < 0:
            first = axis
            if len(tensor.ranks[axis]) == 1:
                break
    while run and moves(tensor, run[-1]) < 0:
        run.pop()
    return (*sorted(lead), -1, *run)
