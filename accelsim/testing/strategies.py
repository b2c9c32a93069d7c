"""Hypothesis strategies: random small layers on random small machines under random mappings, valid as drawn.

Needs the extra `testing` (hypothesis), which is imported when a strategy is asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from accelsim.tables.dims import DIMS, OPERANDS, REDUCTION_DIMS, WINDOWS
from accelsim.testing.loop_case import Case, Loop

if TYPE_CHECKING:
    from hypothesis.strategies import DrawFn, SearchStrategy

LARGEST = {"N": 3, "G": 3, "K": 6, "C": 6, "P": 9, "Q": 9, "R": 4, "S": 4, "Z": 3, "V": 2}
OFTEN = ("P", "R", "C", "K", "Q", "S", "N", "G", "Z", "V")
"""In the order in which Hypothesis shrinks towards them."""
REDUCTIONS = tuple(DIMS[d] for d in REDUCTION_DIMS)

Slot = tuple[int, bool]  # (level, spatial)


def cases(max_macs: int = 500, max_instances: int = 12) -> SearchStrategy[Case]:
    """Cases for `loop_walk.walk`: ragged, strided, dilated, grouped, padded, bypassed, with fan-outs.

    Each (level, dimension) has at most one temporal and one spatial loop; loops of one trip occur.
    """
    from hypothesis import strategies as st

    @st.composite
    def case(draw: DrawFn) -> Case:
        n_levels = draw(st.integers(2, 4))
        extents = _extents(draw, max_macs)
        loops = _loops(draw, extents, n_levels, max_instances)
        flags = st.lists(st.sampled_from([False, False, True]), min_size=n_levels, max_size=n_levels)
        return Case(
            extents=extents,
            windows=tuple(_window(draw, extents[DIMS[out]], extents[DIMS[tap]]) for out, tap in WINDOWS),
            weight_has_batch=draw(st.booleans()),
            loops=loops,
            n_levels=n_levels,
            keep=_keep(draw, loops, n_levels),
            multicast=(draw(st.booleans()), draw(st.booleans())),
            reduce=draw(st.booleans()),
            diagonal=draw(st.booleans()),
            padding_stored=tuple(draw(flags)),
            fetch_box=tuple(draw(flags)),
        )

    return case()


def _extents(draw: DrawFn, max_macs: int) -> dict[str, int]:
    from hypothesis import strategies as st

    extents = dict.fromkeys(DIMS, 1)
    room = max_macs
    first = draw(st.sampled_from([(), ("P", "R"), ("P", "R"), ("Q", "S"), ("C", "K")]))  # those that interact
    others = draw(st.lists(st.sampled_from(OFTEN), unique=True, min_size=2, max_size=4))
    for d in dict.fromkeys((*first, *others)):
        extents[d] = draw(st.integers(min(2, room), min(LARGEST[d], room)))
        room //= extents[d]
    return extents


def _window(draw: DrawFn, out: int, tap: int) -> tuple[int, int, int, int]:
    """(stride, dilation, pad, size): strides past the filter, padding past the tile, ragged ends."""
    from hypothesis import strategies as st

    if out == tap == 1 and draw(st.booleans()):
        return 1, 1, 0, 1
    stride, dilation = draw(st.integers(1, 3)), draw(st.integers(1, 3))
    reach = (out - 1) * stride + (tap - 1) * dilation + 1  # of the walk, padding included
    before, after = draw(st.sampled_from([(0, 0), (1, 1), (0, 1), (2, 0), (4, 2), (0, -2)]))
    return stride, dilation, min(before, reach - 1), max(1, reach - before - after)


def _loops(draw: DrawFn, extents: dict[str, int], n_levels: int, max_instances: int) -> tuple[Loop, ...]:
    from hypothesis import strategies as st

    fanouts = draw(st.sets(st.integers(0, n_levels - 1), max_size=2))
    array = max(fanouts, default=0)  # the level whose fan-out is sure to have these dimensions
    unrolled = draw(st.sampled_from([(), ("P", "R"), ("P", "R"), ("C", "K"), ("K", "P")])) if fanouts else ()
    slots: list[Slot] = [(level, spatial) for level in range(n_levels) for spatial in (True, False)]
    # slots from the multiplier outwards: a level's fan-out is inside its temporal loops
    nest: dict[Slot, list[Loop]] = {slot: [] for slot in slots}
    room = max_instances
    idle = draw(st.sampled_from(DIMS))  # its loops may all have one trip
    for d in (d for d in DIMS if extents[d] > 1 or d == idle):
        wanted = {(level, False) for level in draw(st.sets(st.integers(0, n_levels - 1), max_size=2))}
        if fanouts:
            wanted |= {(level, True) for level in draw(st.sets(st.sampled_from(sorted(fanouts)), max_size=2))}
        wanted |= {(array, True)} if d in unrolled else set()
        covered = 1
        for slot in sorted(wanted, key=slots.index):
            most = -(-extents[d] // covered)
            most = min(most, room) if slot[1] else most
            trips = draw(st.integers(min(2, most) if slot[1] else 1, most))
            room = room // trips if slot[1] else room
            covered *= trips
            nest[slot].append((slot[0], d, trips, slot[1]))
        if covered < extents[d]:  # the rest goes to the outermost temporal loop
            outermost = nest[n_levels - 1, False]
            for loop in [loop for loop in outermost if loop[1] == d]:
                outermost.remove(loop)
                covered //= loop[2]
            outermost.append((n_levels - 1, d, -(-extents[d] // covered), False))
    return tuple(loop for slot in reversed(slots) for loop in draw(st.permutations(nest[slot])))


def _keep(draw: DrawFn, loops: tuple[Loop, ...], n_levels: int) -> tuple[tuple[bool, bool, bool], ...]:
    """Homes mostly at the outermost level; that of O never inside a fan-out that splits a reduction."""
    from hypothesis import strategies as st

    columns = []
    for operand in OPERANDS:
        least = 0
        if operand == "O":
            split = [level for level, d, trips, spatial in loops if spatial and trips > 1 and d in REDUCTIONS]
            least = max(split, default=0)
        home = n_levels - 1
        if not draw(st.integers(0, 3)):
            home = draw(st.integers(least, n_levels - 1))
        inside = [draw(st.sampled_from([True, True, False])) for _ in range(home)]
        columns.append([*inside, True, *([False] * (n_levels - 1 - home))])
    return tuple(tuple(row) for row in zip(*columns, strict=True))
