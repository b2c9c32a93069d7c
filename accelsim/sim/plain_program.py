"""Programs of work without loops to map: the vector engine's, and words that only change place.

Both go through in chunks of a few KiB: the next chunk comes in and the last one goes out while this one is
worked on. The engine stands at one level; words that live further out pass through it (`docs/semantics.md`).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from math import ceil

import numpy as np

from accelsim.mapping.footprint import word_bytes
from accelsim.sim.layout import layout_of
from accelsim.sim.moves import Sum, by_level, divide, pad_of
from accelsim.sim.program import Kind, Program, Stage
from accelsim.sim.ticks import READ, WRITE, ticks_of
from accelsim.tables.machine import Machine

CHUNK_BYTES = 16 * 1024
"""Bytes that are worked on at once at most, in and out; less where the engine's memory is small."""


@dataclass(frozen=True, slots=True)
class Stream:
    """Words of an operand that live at a level and are read or written once."""

    operand: int
    words: int
    home: int


@dataclass(frozen=True)
class Work:
    """What such a layer does: operations of the engine (None: words only move), words in and words out."""

    ops: int | None
    inputs: tuple[Stream, ...]
    outputs: tuple[Stream, ...]


def plain_program(name: str, work: Work, machine: Machine, free_bytes: float) -> Program:
    """The program of vector work or of data movement; `free_bytes` is the room for chunks at the engine."""
    streams = (*work.inputs, *work.outputs)
    total = sum(s.words * word_bytes(machine, s.home, s.operand) for s in streams)
    n = max(1, ceil(total / max(1.0, min(CHUNK_BYTES, free_bytes / 4))))
    wholes = [-(-work.ops // machine.vector_lanes) if work.ops else 0, *(s.words for s in streams)]
    shares = [-(-whole // n) for whole in wholes]
    none = (0,) * len(wholes)
    chunks = [none]
    for i in range(n):  # all alike but the last ones
        chunks.append(tuple(max(0, min(k, whole - i * k)) for k, whole in zip(shares, wholes, strict=True)))
    chunks.append(none)
    kinds: dict[tuple[tuple[int, ...], tuple[int, ...]], int] = {}
    steps = [kinds.setdefault((before, now), len(kinds)) for before, now in pairwise(chunks)]
    build = _Chunks(work, machine)
    stages = (Stage("chunks in", 2, level=build.engine), Stage("chunks out", 2, level=build.engine))
    made, order = tuple(build.kind(*key) for key in kinds), np.array(steps, np.int32)
    pad = pad_of(made, order, build.layout, build.ticks.per_cycle)
    return Program(name, stages, made, order, periods=(1,), pad=pad)


class _Chunks:
    """Kinds of steps: a chunk in, its work, and the chunk before out."""

    def __init__(self, work: Work, machine: Machine) -> None:
        self.work, self.machine = work, machine
        self.layout, self.ticks = layout_of(machine), ticks_of(machine)
        self.engine = machine.vector_level if work.ops is not None else -1

    def kind(self, before: tuple[int, ...], now: tuple[int, ...]) -> Kind:
        """Of (cycles, words of each stream) of the chunk before and of this one."""
        loads, drains, beside, apart, owed = (Sum() for _ in range(5))
        n = 1 + len(self.work.inputs)
        for stream, words in zip(self.work.inputs, now[1:n], strict=True):
            load, here = Sum(), Sum()
            self._take(load if self._passes(stream) else here, stream.home, READ, stream, words)
            if self._passes(stream):
                self._take(load, self.engine, WRITE, stream, words)
                self._take(here, self.engine, READ, stream, words)
            divide(load, self.layout, stream.operand, loads, apart, owed)
            divide(here, self.layout, stream.operand, beside, apart, beside)
        for i, stream in enumerate(self.work.outputs):
            out, words, drain, here = before[n + i], now[n + i], Sum(), Sum()
            if self._passes(stream):
                self._take(here, self.engine, WRITE, stream, words)
                self._take(drain, self.engine, READ, stream, out)
                self._take(drain, stream.home, WRITE, stream, out)
            else:
                self._take(here, stream.home, WRITE, stream, words)
            divide(drain, self.layout, stream.operand, drains, apart, owed)
            divide(here, self.layout, stream.operand, beside, apart, beside)
        return Kind(
            compute=now[0] * self.ticks.per_cycle,
            begins=(0, 1),
            loads=(loads.moves(), ()),
            drains=((), drains.moves()),
            streams=beside.moves(),
            apart=by_level(apart, self.layout),
            owed=owed.moves(),
        )

    def _passes(self, stream: Stream) -> bool:
        """Whether the words pass through the engine's level on their way."""
        return self.work.ops is not None and stream.home != self.engine

    def _take(self, moves: Sum, level: int, way: int, stream: Stream, words: int) -> None:
        if words and (level, way) in self.layout.at:
            moves.take(self.layout, level, way, self.ticks.word[level, way, stream.operand] * words)
