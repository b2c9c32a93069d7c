"""Buffers of tiles while a program runs: which tiles are asked for, there, in use or gone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from accelsim.sim.ports import PORT, Moves, Port
from accelsim.sim.program import Kind, Program, Stage
from accelsim.sim.program import Moves as Numbered


class Buffer:
    """The tiles of one stage, told by their number; tile v sits in slot v mod slots."""

    __slots__ = (
        "asked",
        "before",
        "begun",
        "blame",
        "bound",
        "done",
        "ended",
        "ends",
        "feeds",
        "first",
        "free",
        "gated",
        "issued",
        "last",
        "loads",
        "n_tiles",
        "name",
        "needs",
        "parent",
        "pending",
        "slots",
        "tile_bytes",
    )

    def __init__(self, stage: Stage, first: list[int], loads: list[Moves], now: int) -> None:
        self.name, self.slots, self.tile_bytes = stage.name, stage.slots, stage.tile_bytes
        slots = stage.slots
        self.first, self.loads = first, loads  # of each tile: the step that uses it first, what loads it
        self.n_tiles = len(first)
        self.bound = False  # tiles wait for a parent or for moves apart
        self.last = max(
            (v + 1 for v, moves in enumerate(loads) if moves), default=0
        )  # tiles that need a load
        self.issued = self.begun = self.ended = 0  # tiles asked for, in use or gone, gone
        self.ends = [now] * slots  # when the tile of a slot is there
        self.free = [now] * slots  # when a slot has no tile any more
        self.asked = [now] * slots  # when the load was asked for
        self.blame = [PORT] * slots  # what the load takes longest on
        self.before = [PORT] * slots  # what kept it from being asked for earlier
        self.done = -1  # the last tile that is there, kept where others load from it
        self.pending = False  # it will be tried again when a slot is free
        self.parent: Buffer | None = None
        self.needs: list[int] = []  # of each tile, the parent's tile that it is loaded from
        self.feeds: list[Buffer] = []
        self.gated: list[bool] = []  # of each tile, whether it waits for moves apart


@dataclass(frozen=True, slots=True)
class BoundKind:
    """A kind of tile step with the ports of one core."""

    compute: int
    fill: int
    wait: int
    begins: tuple[int, ...]
    begins_drains: tuple[tuple[int, Moves], ...]
    """Buffers whose tile changes, each with what drains of the one before."""
    trailing: Moves
    streams: Moves
    apart: tuple[Moves, ...]
    owed: Moves


def bind(kind: Kind, ports: tuple[Port, ...]) -> BoundKind:
    return BoundKind(
        kind.compute,
        kind.fill,
        kind.wait,
        kind.begins,
        tuple((s, _bound(moves, ports)) for s, moves in zip(kind.begins, kind.drains, strict=True)),
        _bound(kind.trailing, ports),
        _bound(kind.streams, ports),
        tuple(_bound(moves, ports) for moves in kind.apart),
        _bound(kind.owed, ports),
    )


def _bound(moves: Numbered, ports: tuple[Port, ...]) -> Moves:
    return tuple((ports[number], ticks) for number, ticks in moves)


def buffers_of(program: Program, ports: tuple[Port, ...], now: int) -> list[Buffer]:
    """A buffer for each stage, empty."""
    buffers: list[Buffer] = []
    for s, stage in enumerate(program.stages):
        has = np.array([s in kind.begins for kind in program.kinds])
        steps = np.flatnonzero(has[program.steps])
        loads = [
            _bound(kind.loads[kind.begins.index(s)], ports) if s in kind.begins else ()
            for kind in program.kinds
        ]
        kinds = program.steps[steps].tolist()
        buffer = Buffer(stage, steps.tolist(), [loads[k] for k in kinds], now)
        apart = [bool(kind.apart) and stage.gates for kind in program.kinds]
        buffer.gated = [apart[k] for k in kinds]
        buffers.append(buffer)
    for buffer, stage in zip(buffers, program.stages, strict=True):
        if stage.parent is not None:
            buffer.parent = buffers[stage.parent]
            buffer.parent.feeds.append(buffer)
            at = np.searchsorted(buffer.parent.first, buffer.first, side="right") - 1
            buffer.needs = at.tolist()
        buffer.bound = buffer.parent is not None or any(buffer.gated)
    return buffers
