"""Where a layer has no legal mapping: demand, limit, and the least change of the machine that mends it.

Every number is found by asking again whether any mapping is legal on the changed machine, so it is exact for
the space that is searched: one byte less and there is none. Without a dataflow's constraint there always is
one (all loops around DRAM, nothing kept on the way), so only named dataflows come here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations, permutations
from math import ceil, floor, prod

import numpy as np

from accelsim.base.errors import Problem as Message
from accelsim.mapper import parameters
from accelsim.mapper.request import Request
from accelsim.mapping.dataflows import ANY, DATAFLOWS
from accelsim.mapping.legality import limited_levels
from accelsim.tables.dims import INPUT_SIMPLE, N_OPERANDS, WINDOWS, I, relevant_dims

MAX_SHOWN = 3
"""Changes that a message offers: the smallest ones."""

Sizes = Mapping[int, int]
"""Bytes by level."""


@dataclass(frozen=True)
class Remedy:
    """Settings with which every layer has a legal mapping."""

    settings: tuple[str, ...]
    change_frac: float
    """How much larger the levels get in all, or how many times smaller the array, less one."""

    def __str__(self) -> str:
        return " ".join(f"--set {setting}" for setting in self.settings)


def is_possible(request: Request) -> bool:
    """Whether any mapping of the request's space is legal."""
    problem, machine = request.problem, request.machine
    dataflow = DATAFLOWS[machine.dataflow]
    if dataflow is ANY:  # all loops around DRAM, nothing kept inside
        return True
    return parameters.is_possible(problem, machine, dataflow, request.homes)


def explain(requests: Iterable[Request], works: Callable[[Request], bool] = is_possible) -> list[Message]:
    """For the first layer that has no legal mapping each level that it overflows; then what mends all layers.

    `works` has the last word on a remedy: a search of its own. The requests' capacities must be those of the
    whole levels: nothing lives inside the chip. An empty list where all are possible.
    """
    every = list(dict.fromkeys(requests))
    failing = [request for request in every if not is_possible(request)]
    if not failing:
        return []
    first = failing[0]
    machine, layer = first.machine, first.layer
    levels = _limited(failing)
    most = {level: _whole_bytes(failing) for level in levels}
    alone = {level: _least([first], level, {k: n for k, n in most.items() if k != level}) for level in levels}
    full = {level: n for level, n in alone.items() if n is not None and n > machine.capacity_bytes[level]}
    beside = "" if full else " beside tiles that fit the other levels"
    if not full:
        found = {level: _least([first], level, {}) for level in levels}
        full = {level: n for level, n in found.items() if n is not None}
    hint = _hint(remedies(every, failing, works), failing, works)
    said = [
        f"{machine.level_names[level]} needs at least {n:,} B of {machine.capacity_bytes[level]:,.12g} B"
        f" for layer {layer} under {machine.dataflow}{beside}"
        for level, n in full.items()
    ] or [f"no mapping of {layer} fits {machine.name} under {machine.dataflow}"]
    return [*(Message(text, key=layer) for text in said[:-1]), Message(said[-1], key=layer, hint=hint)]


def remedies(
    every: Sequence[Request], failing: Sequence[Request], works: Callable[[Request], bool]
) -> list[Remedy]:
    """Single changes that mend all layers, the smallest first; where none does, combinations of levels."""
    levels = _limited(failing)
    found: list[Remedy] = []
    for n_levels in range(1, len(levels) + 1):
        for chosen in combinations(levels, n_levels):
            sizes = _smallest_sizes(failing, chosen)
            if sizes is not None and _holds([_sized(r, sizes) for r in every], failing, works):
                found.append(_of_sizes(failing, sizes))
        if n_levels == 1:
            found += _smaller_arrays(every, failing, works)
        if found:
            break
    return sorted(found, key=lambda remedy: remedy.change_frac)


def _hint(
    found: Sequence[Remedy], failing: Sequence[Request], works: Callable[[Request], bool]
) -> str | None:
    shown = [str(remedy) for remedy in found[:MAX_SHOWN]]
    if works(replace(failing[0], machine=replace(failing[0].machine, dataflow=ANY.name))):
        shown.append(f"--dataflow {ANY.name}")
    if not shown:
        return None
    each = "" if len(shown) == 1 else "each "
    return ", or ".join(shown) + (
        f": {each}mends all {len(failing)} layers that do not fit" if len(failing) > 1 else ""
    )


# --- sizes of levels


def _limited(requests: Iterable[Request]) -> list[int]:
    return sorted({level for request in requests for level in limited_levels(request.machine)})


def _sized(request: Request, sizes: Sizes) -> Request:
    """The request on a machine with larger levels; where nothing limits the layer, nothing changes."""
    capacity = request.machine.capacity_bytes.copy()
    for level, n in sizes.items():
        capacity[level] = max(capacity[level], n)
    return replace(request, machine=replace(request.machine, capacity_bytes=capacity))


def _whole_bytes(requests: Iterable[Request]) -> int:
    """More than the tiles of any of the layers can take at a level: all operands whole, twice."""
    most = 0.0
    for request in requests:
        x, machine = request.problem.extents, request.machine
        spans = (
            (x[p] - 1) * stride + (x[r] - 1) * dilation + 1
            for (p, r), (stride, dilation, _, _) in zip(WINDOWS, request.problem.windows, strict=True)
        )
        words = prod(x[d] for d in INPUT_SIMPLE) * prod(spans)
        for t in range(N_OPERANDS):
            if t != I:
                words += prod(x[d] for d in relevant_dims(t, request.problem.weight_has_batch))
        widest = max(int(machine.bits.max()), machine.accumulate_bits, int(machine.word_bits.max()))
        most = max(most, 2.0 * words * widest / 8)
    return floor(most) + 1


def _least(requests: Sequence[Request], level: int, others: Sizes) -> int | None:
    """The fewest bytes of a level, from what it has, with which each request is possible; None if none."""
    most = _whole_bytes(requests)
    needed = 0
    for request in requests:
        capacity = float(request.machine.capacity_bytes[level])
        have = floor(capacity) if np.isfinite(capacity) else 0  # it does not limit this one

        def fits(n: int, request: Request = request) -> bool:
            return is_possible(_sized(request, {**others, level: n}))

        needed = max(needed, have)
        if fits(needed):
            continue
        guess = _demand(_sized(request, {**others, level: needed}), level)  # right but for what sizes bring
        good = guess if needed < guess < most and fits(guess) else most
        if good == most and not fits(most):
            return None
        bad = good - 1 if needed < good - 1 and not fits(good - 1) else needed
        needed = _bisect(fits, bad, good)
    return needed


def _demand(request: Request, level: int) -> int:
    """The fewest bytes of a level among the mappings that fit all other levels; 0 where there are none."""
    problem, machine = request.problem, request.machine
    least = parameters.least_bytes(problem, machine, DATAFLOWS[machine.dataflow], request.homes, level)
    return ceil(least) if np.isfinite(least) else 0


def _bisect(works: Callable[[int], bool], bad: int, good: int) -> int:
    """Where it begins to work, between a number for which it does not and one for which it does."""
    while abs(good - bad) > 1:
        middle = (good + bad) // 2
        good, bad = (middle, bad) if works(middle) else (good, middle)
    return good


def _smallest_sizes(failing: Sequence[Request], levels: Sequence[int]) -> dict[int, int] | None:
    """Sizes of these levels with which all layers fit, none of which could be smaller beside the others.

    The level that is fitted first gets the least that it needs at all; the order with the least growth wins.
    """
    most = _whole_bytes(failing)
    if not all(is_possible(_sized(request, dict.fromkeys(levels, most))) for request in failing):
        return None
    options = []
    for order in permutations(levels):
        sizes = dict.fromkeys(levels, most)
        for level in order:
            n = _least(failing, level, {other: size for other, size in sizes.items() if other != level})
            if n is None:  # a larger tile elsewhere took the room: no change that can be relied on
                break
            sizes[level] = n
        else:
            options.append(sizes)
    return min(options, key=lambda sizes: _growth(failing, sizes), default=None)


def _growth(failing: Sequence[Request], sizes: Sizes) -> float:
    capacity = np.min([request.machine.capacity_bytes for request in failing], axis=0)
    return sum(n / float(capacity[level]) - 1 for level, n in sizes.items())


def _of_sizes(failing: Sequence[Request], sizes: Sizes) -> Remedy:
    names = failing[0].machine.level_names
    settings = tuple(f"{names[level]}.size='{n} B'" for level, n in sizes.items())
    return Remedy(settings, _growth(failing, sizes))


# --- sides of the array


def _smaller_arrays(
    every: Sequence[Request], failing: Sequence[Request], works: Callable[[Request], bool]
) -> list[Remedy]:
    """Rows or columns that can't be filled from the buffers: fewer of them take smaller tiles.

    More of them never help: every tile that a small array works on is no larger than what fills a large one.
    """
    found = []
    for side in ("rows", "cols"):
        size = int(getattr(failing[0].machine, side))
        least = size
        for request in failing:

            def fits(n: int, request: Request = request, side: str = side) -> bool:
                return is_possible(_with_side(request, side, n))

            if least < size and fits(least):
                continue
            if size == 1 or not fits(1):
                break
            least = _bisect(fits, least, 1)
        else:
            if _holds([_with_side(request, side, least) for request in every], failing, works):
                found.append(Remedy((f"array.{side}={least}",), size / least - 1))
    return found


def _with_side(request: Request, side: str, n: int) -> Request:
    machine = request.machine
    return replace(
        request,
        machine=replace(
            machine,
            rows=n if side == "rows" else machine.rows,
            cols=n if side == "cols" else machine.cols,
        ),
    )


def _holds(changed: Sequence[Request], failing: Sequence[Request], works: Callable[[Request], bool]) -> bool:
    """Whether a change does it: all layers are possible, and searches of those that failed find something."""
    names = {request.layer for request in failing}
    return all(works(r) if r.layer in names else is_possible(r) for r in changed)
