"""Method screen: bounds of all points, and searches for those that the bounds can't tell from the best.

    bounds of all points -> rounds: the most promising are searched, those that the found ones beat are left
    -> nothing is needed any more (the fronts are those of searching all points), or the budget is spent

Rounds depend on the space alone. As in `evolve`, the parts of the store are the memory: resuming computes the
bounds again, goes through the same rounds and takes from the store what it has.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from accelsim.base.errors import InputError, Problem
from accelsim.explore.sweep.bounds import Bounds
from accelsim.explore.sweep.encode import decode
from accelsim.explore.sweep.engine import Run
from accelsim.explore.sweep.expressions import Node, compute
from accelsim.explore.sweep.machines import KNOWN_BEFORE, Answer
from accelsim.explore.sweep.pareto import Objective
from accelsim.explore.sweep.points import Points
from accelsim.explore.sweep.screen_key import LEAST, MOST
from accelsim.explore.sweep.space import Screen, Space
from accelsim.explore.sweep.store import Store
from accelsim.explore.sweep.survivors import FAILED, MOST_ROUND, OPEN, Survivors, views_of
from accelsim.explore.sweep.work import Chunk, Indices, Keep, Part, Work, is_ok

PARTS_OF_A_ROUND: Final = 16
BOUNDS_CHUNK: Final = 1024
TOLD_CHUNK: Final = 2**16
MOST_POINTS: Final = 2**22
"""Of which bounds are held in memory, and made, some milliseconds each."""
SCREENED: Final = "screened"
BEATEN: Final = (SCREENED, "beaten by others, whatever its mapping")
LEFT: Final = (SCREENED, "left out: screen.refine points were searched before it")


class Screening:
    """Evaluates points by a search, with the bounds that were known before it; can be sent to others."""

    chunk = MOST_ROUND // PARTS_OF_A_ROUND

    def __init__(self, space: Space, cache: bool = True) -> None:
        from accelsim.explore.sweep.searched import Searched

        self.space, self.cache = space, cache
        self.free = (space.screen or Screen()).method == "any"
        self.searched = Searched(space, cache, self.free)
        self.bounds = Bounds(space, self.free, self.searched.makers)
        self.names = bound_names(space)

    def __reduce__(self) -> Any:
        return Screening, (self.space, self.cache)

    def __call__(self, points: Points) -> dict[str, NDArray[Any]]:
        bounds = self.bounds(points)
        return self.searched(points) | {f"{name}_bound": bounds[name] for name in self.names}

    def told(self, points: Points, status: str, reason: str) -> dict[str, NDArray[Any]]:
        """Points that are not searched: a status, what is known of every machine, and the bounds."""
        bounds, answer = self.bounds(points), Answer.empty(len(points))
        every = np.arange(len(points))
        answer.fail(every, status, reason)
        answer.fail(bounds["fails"] != "", "error", "")
        for name in KNOWN_BEFORE:
            answer.columns[name][every] = bounds[name]
        return answer.done() | {f"{name}_bound": bounds[name] for name in self.names}


def bound_names(space: Space) -> tuple[str, ...]:
    """Metrics whose bounds are kept: those that are asked for or constrained, but for the exact ones."""
    wanted = {*space.answers.minimise, *space.answers.maximise}
    wanted |= set().union(*(one.tree.names() for one in space.constraints if one.on_metrics))
    return tuple(name for name in (*LEAST, *MOST) if name in wanted)


def every_point(space: Any) -> Indices:
    """The raw indices of all points; InputError where they are too many to be seen at once."""
    if space.n_raw > MOST_POINTS:
        raise InputError(
            Problem(
                f"a screening has to see all of {space.n_raw:,} combinations",
                space.file,
                key="method",
                expected=f"at most {MOST_POINTS:,}",
                hint="sample: {method: lhs, points: 10000} screens a sample",
            )
        )
    index: Indices = space.points(0, int(space.n_raw)).index
    return index


def screen(work: Work, store: Store, run: Run, keep: Keep) -> None:
    """Searches points of `work.sample` until the rest is beaten, or the space's budget is spent."""
    space: Any = work.space
    assert work.sample is not None
    state = _State(work, store, run, keep, work.sample)
    points = space.points_at(work.sample)
    settings: Screen = space.screen or Screen()
    objectives = [Objective(name, not less) for name, less in work.goals]
    known = _bounds_of(work, run, work.sample)
    networks = next((one.labels for one in space.variables if one.name == "network"), ())
    survivors = Survivors(
        objectives,
        np.stack([known[one.name] for one in objectives], axis=1),
        np.full(len(points), OPEN, np.int8),
        views_of(points.columns, [one.name for one in space.variables], networks),
    )
    error = known["status"] == "error"
    hopeless = ~error & _breaks(space, {**points.columns, **known})
    survivors.state[error | hopeless] = FAILED
    names = [one.name for one in objectives]
    survivors.evaluate(lambda chosen: state.search(chosen, names), settings.gap, settings.refine)
    close = (SCREENED, f"better than others by less than {settings.gap:.3g}, if at all")
    left, needed = survivors.needed(), survivors.needed(settings.gap)
    state.search(np.flatnonzero(error), [])
    state.tell(np.flatnonzero(hopeless), ("infeasible", "breaks a constraint, whatever its mapping"))
    state.tell(np.flatnonzero(left & needed), LEFT)
    state.tell(np.flatnonzero(left & ~needed), close)
    state.tell(np.flatnonzero((survivors.state == OPEN) & ~left), BEATEN)


class _State:
    """The parts of a screening in their order, from the store where it has them."""

    def __init__(self, work: Work, store: Store, run: Run, keep: Keep, index: Indices) -> None:
        self.work, self.store, self.run, self.keep, self.index = work, store, run, keep, index
        self.number = 0

    def search(self, chosen: Indices, names: list[str]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """Searches points [m]; the metrics [m, names], and whether their answers count."""
        size = -(-len(chosen) // PARTS_OF_A_ROUND)
        chunks = self._chunks(chosen, size, None)
        values, ok = np.zeros((len(chosen), len(names))), np.zeros(len(chosen), bool)
        at = 0
        for one in chunks:
            table = _read(self.work, self.store, one)
            stop = at + len(table["index"])
            ok[at:stop] = is_ok(table)
            for column, name in enumerate(names):
                values[at:stop, column] = table[name]
            at = stop
        return values, ok

    def tell(self, chosen: Indices, told: tuple[str, str]) -> None:
        """Keeps points that are not searched."""
        self._chunks(chosen, TOLD_CHUNK, told)

    def _chunks(self, chosen: Indices, size: int, told: tuple[str, str] | None) -> list[Chunk]:
        chunks = list(_split(self.number, self.index[chosen], size, told))
        self.number += len(chunks)
        for part in self.run(one for one in chunks if one.number not in self.store.done):
            self.keep(part)
        return chunks


def _split(number: int, listed: Indices, size: int, told: tuple[str, str] | None) -> Iterator[Chunk]:
    for at, start in enumerate(range(0, len(listed), max(size, 1))):
        stop = min(start + size, len(listed))
        yield Chunk(number + at, start, stop, listed[start:stop], told)


def _read(work: Work, store: Store, chunk: Chunk) -> dict[str, NDArray[Any]]:
    """The table of a part that is done, which has to have the points that are asked for."""
    names = [name for name, _ in store.columns]
    table = decode(store.data(chunk.number), store.columns, work.format, names)
    if chunk.listed is None or not np.array_equal(table["index"], chunk.listed):
        said = f"part {chunk.number} holds other points than these bounds ask for"
        raise InputError(Problem(said, file=str(store.directory), hint="choose another directory"))
    return table


def _bounds_of(work: Work, run: Run, index: Indices) -> dict[str, NDArray[Any]]:
    """Status and bounds of all points, by the engine; nothing of it is stored."""
    chunks = list(_split(0, index, BOUNDS_CHUNK, LEFT))
    parts: dict[int, Part] = {part.number: part for part in run(iter(chunks))}
    tables = []
    for one in chunks:
        part = parts[one.number]
        wanted = [name for name, _ in part.columns]
        tables.append(decode(part.data, part.columns, work.format, wanted))
    whole = {name: np.concatenate([table[name] for table in tables]) for name in tables[0]}
    space: Any = work.space
    found = {name: whole[f"{name}_bound"] for name in bound_names(space)}
    found |= {name: whole[name] for name in KNOWN_BEFORE} | {"status": whole["status"]}
    return found


def _breaks(space: Space, columns: dict[str, NDArray[Any]]) -> NDArray[np.bool_]:
    """Points whose bounds show that they break a constraint: one side of it is the bound of a metric."""
    broken = np.zeros(len(columns["status"]), bool)
    for constraint in space.constraints:
        for tree in _conjuncts(constraint.tree) if constraint.on_metrics else ():
            if _can_show(tree) and tree.names() <= columns.keys():
                broken |= ~np.asarray(compute(tree, columns), bool)
    return broken


def _conjuncts(tree: Node) -> Iterator[Node]:
    if tree.op == "and":
        for one in tree.args:
            yield from _conjuncts(one)
    else:
        yield tree


def _can_show(tree: Node) -> bool:
    """Whether a comparison that fails for the bounds fails for all that they bound."""
    bounded = {*LEAST, *MOST}
    if not tree.names() & bounded:
        return True
    if tree.op not in ("<", "<=", ">", ">="):
        return False
    small, large = tree.args if tree.op in ("<", "<=") else tree.args[::-1]
    return _is_plain(small, LEAST) and _is_plain(large, MOST)


def _is_plain(tree: Node, bounded: tuple[str, ...]) -> bool:
    """A metric of these by itself, perhaps times a positive number, or what has none but exact ones."""
    if tree.op == "*" and len(tree.args) == 2 and tree.args[1].op == "number" and tree.args[1].value > 0:
        tree = tree.args[0]
    names = tree.names() & {*LEAST, *MOST}
    return not names or (tree.op == "name" and tree.value in bounded)
