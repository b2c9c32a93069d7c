"""What one core needs for its part of a layer: the mapper's best, once for parts that are equal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final

import numpy as np

from accelsim.base.errors import InfeasibleError
from accelsim.cost.latency import busy_cycles, transfers_of
from accelsim.cost.vector import Flow, movement_cost, vector_cost
from accelsim.mapper.found import SearchOptions
from accelsim.mapper.infeasible import explain
from accelsim.mapper.request import Request, room_of_tiles
from accelsim.mapper.solve import NothingLegalError, Solver, finds
from accelsim.mapping.exchange import moved
from accelsim.mapping.partition import Partition
from accelsim.tables.dims import I, O, W
from accelsim.tables.layer_cost import LayerCost
from accelsim.tables.machine import Machine
from accelsim.tables.nest import Problem


@dataclass(frozen=True)
class CorePart:
    """A part of a layer on one core, one run of it."""

    seconds: float
    """Steps of the array and transfers inside the core; the outermost memory is the channel's business."""
    inside_pj: float = 0.0
    """Energy without the outermost memory, without bringing weights in, without leakage."""
    weight_fill_pj: float = 0.0
    """Writing the weights into the core."""
    refetch: tuple[float, float, float] = (1.0, 1.0, 1.0)
    """[T] how often the core reads a word of I and W, and reads or writes one of O, at least 1."""


@dataclass(frozen=True)
class Inside:
    """Activations that stay in a core between layers: levels of I and O, None: they come from outside."""

    homes: tuple[int | None, int | None] = (None, None)
    held_bytes: float = 0.0
    """Room that they take of `OnCore.store`."""


OUTSIDE: Final = Inside()


class OnCore:
    """Parts of layers on one core of the machine; all tensors live in the outermost memory.

    Between layers they do: a replica's cores work on a layer for a whole batch before the next one starts.
    """

    def __init__(self, machine: Machine, solver: Solver) -> None:
        self.machine, self.solver = machine, solver
        self.dram = machine.n_levels - 1
        inner = [at for at in range(machine.fanout_level, self.dram) if machine.holds[at, [I, O]].all()]
        self.store = inner[-1] if inner else None
        """Level inside the core where activations can stay between layers; None: there is none."""
        self._known: dict[tuple[Problem, Inside], CorePart | InfeasibleError] = {}

    @cached_property
    def word_bytes(self) -> tuple[float, float, float]:
        """[T] of a word in the outermost memory."""
        bits = [int(self.machine.word_bits[self.dram] or self.machine.bits[t]) for t in (I, W, O)]
        return bits[0] / 8, bits[1] / 8, bits[2] / 8

    def array(self, problem: Problem, layer: str, inside: Inside = OUTSIDE) -> CorePart:
        """The best mapping of a part; InfeasibleError where none is legal."""
        key = problem, inside
        if key not in self._known:
            self._known[key] = self._searched(problem, layer, inside)
        found = self._known[key]
        if isinstance(found, InfeasibleError):
            raise found
        return found

    def vector(
        self,
        ops: int,
        words: int,
        params: int,
        made: int,
        homes: tuple[int | None, int | None] = (None, None),
    ) -> CorePart:
        """Elementwise work and pooling on so many words; `homes` as `Inside` has them."""
        home_i, home_o = (self.dram if home is None else home for home in homes)
        flows = [Flow(I, words, home_i), Flow(W, params, self.dram)]
        return self._part(vector_cost(self.machine, ops, flows, [Flow(O, made, home_o)]))

    def movement(self, words: int, made: int) -> CorePart:
        """Words that only change place."""
        return self._part(
            movement_cost(self.machine, [Flow(I, words, self.dram)], [Flow(O, made, self.dram)])
        )

    def _searched(self, problem: Problem, layer: str, inside: Inside) -> CorePart | InfeasibleError:
        home_i, home_o = (self.dram if home is None else home for home in inside.homes)
        homes = (home_i, self.dram, home_o)
        left = self.machine.capacity_bytes
        if self.store is not None and inside.held_bytes:
            left = left.copy()
            left[self.store] -= inside.held_bytes
        room = room_of_tiles(self.machine, left, homes)
        request = Request(problem, replace(self.machine, capacity_bytes=room), homes, SearchOptions(), layer)
        try:
            (found,) = self.solver.solve([request])
        except NothingLegalError as error:
            return InfeasibleError(explain([request], finds) or error.problems)
        words = moved(problem, Partition())
        once = (words.inputs, words.weights, words.outputs)
        return self._part(found.best.cost, once)

    def _part(self, cost: LayerCost, once: Sequence[int] | None = None) -> CorePart:
        """`once`: words of I, W, O that the part touches; None where each moves once anyway."""
        machine, dram = self.machine, self.dram
        written = cost.write_bytes.copy()  # [L, T]
        filled = np.flatnonzero(cost.writes[:dram, W])
        fill_pj = 0.0
        if len(filled):  # once a pass, not an image
            level = int(filled[-1])
            fill_pj = float(written[level, W] * machine.write_pj_per_byte[level])
            written[level, W] = 0.0
        read = cost.read_bytes.copy()
        read[dram] = written[dram] = 0.0
        inside = transfers_of(machine, read, written)
        pace = np.array(cost.compute_cycles + cost.wait_cycles)
        cycles = int(busy_cycles(pace, inside)) + cost.fill_drain_cycles - cost.wait_cycles
        touched = (cost.reads + cost.writes)[dram].tolist()  # [T]
        i, w, o = (max(1.0, t / max(1, least)) for t, least in zip(touched, once or touched, strict=True))
        return CorePart(
            seconds=cycles / machine.clock_hz,
            inside_pj=cost.energy_pj - cost.idle_pj - float(cost.level_pj[dram].sum()) - fill_pj,
            weight_fill_pj=fill_pj,
            refetch=(i, w, o),
        )
