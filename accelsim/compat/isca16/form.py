"""What a dataflow of the comparison is: its constraints, its counts and the parameters worth a look."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from accelsim.compat.isca16.machine import ACCESS_COST, Room
from accelsim.compat.isca16.shape import Shape
from accelsim.mapping.dataflows.base import ladder

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Parameters = Mapping[str, Ints]  # each [B]
Words = NDArray[Any] | float
Demands = Mapping[str, tuple[Words, Words]]
Operands = tuple[Words, Words, Words]  # I, W, O

PES, RF, GLB, FILTERS = "PEs", "register file words", "buffer words", "filters"


@dataclass(frozen=True, slots=True)
class Block:
    """Mappings of the same n (and f) that are looked at together; none costs less than `floor`, in MACs."""

    n: int
    f: int = 0
    floor: float = 0.0


class Form(ABC):
    """One dataflow. The parameters of a mapping are arrays [B] by name."""

    name: ClassVar[str]
    title: ClassVar[str]
    rf_bytes: ClassVar[int]
    """Register file of a PE. Source: authors' model."""
    parameters: ClassVar[tuple[str, ...]]
    """In the order in which ties are broken: the smaller one first."""

    @abstractmethod
    def demands(self, x: Shape, room: Room, at: Parameters) -> Demands:
        """What a mapping needs, and what there is of it, by the name of the constraint."""

    @abstractmethod
    def counts(self, x: Shape, at: Parameters) -> Floats:  # [L, T, B]
        """Accesses in words at DRAM, buffer, array and register files, of inputs, weights and sums."""

    @abstractmethod
    def active_pes(self, x: Shape, at: Parameters) -> Ints:  # [B]
        """PEs that the mapping puts to work."""

    @abstractmethod
    def candidates(self, x: Shape, room: Room, block: Block) -> Parameters:
        """Every mapping of a block that can be the best. Of the parameters whose best value follows from the
        others, that value; of those that matter by a ceiling alone, the smallest for each."""

    def blocks(self, x: Shape, room: Room) -> list[Block]:
        """The space in parts small enough to be held, the most promising first: one for each useful n."""
        return [Block(int(n)) for n in ladder(x.N)]

    def fits(self, x: Shape, room: Room, at: Parameters) -> NDArray[np.bool_]:  # [B]
        """Which mappings meet all constraints."""
        legal = np.ones(len(at[self.parameters[0]]), np.bool_)
        for need, limit in self.demands(x, room, at).values():
            legal &= np.asarray(need <= limit)
        return legal


def energy(x: Shape, counts: Floats) -> Floats:  # [B]
    """Accesses times their cost, plus the multiply-accumulates; the unit is one of them."""
    total: Floats = np.tensordot(ACCESS_COST, counts.sum(1), 1) + x.macs
    return total


def table(n: int, dram: Operands, glb: Operands, array: Operands, rf: Operands) -> Floats:  # [L, T, B]
    """Counts of n mappings, some of them the same for all."""
    out = np.empty((4, 3, n))
    for level, operands in enumerate((dram, glb, array, rf)):
        for operand, words in enumerate(operands):
            out[level, operand] = words
    return out


def folds(extent: int, tile: Ints) -> Ints:
    """ceil(extent / tile)."""
    return np.asarray(-(-extent // tile), np.int64)


def strip(x: Shape, outputs: Ints) -> Ints:
    """Input lines that a strip of so many output lines reads: w = U f + R - U."""
    return np.asarray(x.U * outputs + x.R - x.U, np.int64)


def overlap(x: Shape, outputs: Ints) -> Floats:
    """Input lines read by all strips, in maps: a / b = (E / H) (w / f); a short strip counts in part."""
    return np.asarray(x.a * strip(x, outputs) / outputs, np.float64)


def upto(limit: int) -> Ints:
    return np.arange(1, limit + 1, dtype=np.int64)


def grid(**axes: Ints) -> dict[str, Ints]:
    """All combinations, flat, the last axis fastest."""
    mesh = np.meshgrid(*axes.values(), indexing="ij")
    return {name: values.ravel() for name, values in zip(axes, mesh, strict=True)}


def only(at: Parameters, chosen: NDArray[np.bool_]) -> dict[str, Ints]:
    return {name: values[chosen] for name, values in at.items()}
