"""What Timeloop's files say, as data: workload, storage levels, constraints and a mapping.

Letters: D dims, T tensors (data spaces), L storage levels counted from 0 (next to the multiplier) outwards,
R ranks (axes of a tensor), B mappings.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import prod
from typing import Final

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Tensor:
    """A data space: each rank is a sum of dims times coefficients, its tile a box."""

    name: str
    ranks: tuple[tuple[tuple[int, int], ...], ...]
    """For each rank its terms (index of the dim, coefficient); no dim stands in two ranks."""
    read_write: bool = False

    @property
    def is_plain(self) -> bool:
        """Whether each dim stands on one axis and no axis has more than two: the closed forms take these."""
        dims = [dim for rank in self.ranks for dim, _ in rank]
        return len(set(dims)) == len(dims) and all(len(rank) <= 2 for rank in self.ranks)

    def words(self, extents: tuple[int, ...]) -> int:
        """Words of the box over some extents of the dims: 1 + sum of coefficient x (extent - 1) an axis."""
        return prod(1 + sum(by * (extents[dim] - 1) for dim, by in rank) for rank in self.ranks)

    def coefficients(self, n_dims: int) -> Ints:
        """Coefficient of each dim in each rank.  [R, D]"""
        table = np.zeros((len(self.ranks), n_dims), np.int64)
        for rank, terms in enumerate(self.ranks):
            for dim, coefficient in terms:
                table[rank, dim] = coefficient
        return table


@dataclass(frozen=True)
class Workload:
    """One layer: its dims, how far each goes, and the tensors that they index."""

    name: str
    dims: tuple[str, ...]
    extents: tuple[int, ...]
    tensors: tuple[Tensor, ...]

    @property
    def n_computes(self) -> int:
        """Multiply-accumulates: the product of the extents."""
        return int(np.prod(np.array(self.extents, dtype=object)))


@dataclass(frozen=True)
class Network:
    """What connects a level with its children; 0 in all of Timeloop's public energy tables."""

    hop_pj: float = 0.0
    """Of one word over one hop."""
    router_pj: float = 0.0
    """Of one word through one router."""
    ingress_pj: float = 0.0
    """Of one word that enters."""
    fill_latency_cycles: int = 0
    drain_latency_cycles: int = 0

    @property
    def costs_energy(self) -> bool:
        """Whether any word costs anything."""
        return bool(self.hop_pj or self.router_pj or self.ingress_pj)


@dataclass(frozen=True)
class Level:
    """One storage level; energies in pJ per access of a block, bandwidths in words a cycle and instance."""

    name: str
    n_instances: int = 1
    mesh_x: int = 1
    size_words: int | None = None
    """None: unlimited."""
    block_words: int = 1
    """Words that one access moves: width / datawidth."""
    read_bandwidth: float | None = None
    write_bandwidth: float | None = None
    shared_bandwidth: float | None = None
    read_pj: float = 0.0
    write_pj: float = 0.0
    update_pj: float = 0.0
    leak_pj: float = 0.0
    """Per instance in use and cycle."""
    is_dummy: bool = False
    """Stands for a fan-out alone and can keep nothing."""
    cluster_size: int = 1
    """Instances that share the energy of one access."""
    can_reduce: bool = True
    """Adds a partial sum that arrives to the one it holds; else the network carries that one up first."""
    network: Network = Network()
    bandwidth_scale: tuple[float, ...] = ()
    """How much of the bandwidth a word of each tensor takes; () for 1 each."""
    area_um2: float | None = None
    """Of one instance."""

    @property
    def mesh_y(self) -> int:
        return self.n_instances // self.mesh_x


@dataclass(frozen=True)
class Architecture:
    """Storage levels from the multiplier outwards, and the multipliers."""

    levels: tuple[Level, ...]
    n_macs: int
    mac_mesh_x: int
    compute_pj: float
    mac_name: str = "mac"
    mac_area_um2: float | None = None

    @property
    def network_latency_cycles(self) -> int:
        """Fill and drain of all networks: added once to the cycles of a layer."""
        return sum(
            level.network.fill_latency_cycles + level.network.drain_latency_cycles for level in self.levels
        )

    def fanout(self, level: int) -> tuple[int, int]:
        """Children of one instance of a level along X and Y."""
        here = self.levels[level]
        inner = self.levels[level - 1] if level else None
        mesh_x = inner.mesh_x if inner else self.mac_mesh_x
        mesh_y = inner.mesh_y if inner else self.n_macs // self.mac_mesh_x
        return max(1, mesh_x // here.mesh_x), max(1, mesh_y // here.mesh_y)


@dataclass(frozen=True)
class Rule:
    """What one level's loops, in time or in space, must satisfy."""

    exact: dict[int, int] = field(default_factory=dict)
    """Dim to the trips that it must have."""
    at_most: dict[int, int] = field(default_factory=dict)
    at_least: dict[int, int] = field(default_factory=dict)
    innermost: tuple[int, ...] = ()
    """Dims in order from the innermost loop; the others stand outside of them in any order."""
    split: int | None = None
    """In space: how many dims, from the innermost, lie on X; the others on Y. None: all on X."""
    last: dict[int, int] = field(default_factory=dict)
    """Dim to the trips of an imperfect factor at its last step."""


@dataclass(frozen=True)
class Constraints:
    """Rules of a mapspace by level; what is not named is free."""

    time: dict[int, Rule] = field(default_factory=dict)
    space: dict[int, Rule] = field(default_factory=dict)
    keep: dict[tuple[int, int], bool] = field(default_factory=dict)
    """(level, tensor) to whether it is kept."""
    unsearched: tuple[str, ...] = ()
    """What else the file asks of a mapping, that no search here knows."""


SWITCHES: Final = (
    "no_temporal_reuse",
    "no_multicast_no_reduction",
    "no_link_transfer",
    "rmw_first_update",
    "no_coalesce",
)
"""Keys of a directive that switch a rule off at its level for the tensors that they name."""


@dataclass(frozen=True)
class Mappings:
    """B mappings that share what is kept and how the spatial loops stand."""

    time: Ints  # [L, D, B]
    space: Ints  # [L, D, B]
    order: Ints  # [L, D, B] or [L, D, 1]: which dim stands at each place, innermost first
    space_order: tuple[tuple[int, ...], ...]
    """For each level its dims, innermost first."""
    split: tuple[int, ...]
    """For each level how many dims of space_order lie on X."""
    keep: tuple[tuple[bool, ...], ...]  # [L][T]
    last: tuple[tuple[tuple[int, ...], tuple[int, ...]], ...] = ()
    """[L]: trips of each dim in space and in time at the last step of all loops outside, for B = 1 with
    imperfect factors; () where all factors are perfect.
    """
    switched_off: frozenset[tuple[str, int, int]] = frozenset()
    """(rule, level, tensor) that the file switches off there, of SWITCHES."""

    def __len__(self) -> int:
        return int(self.time.shape[-1])


@dataclass(frozen=True)
class TimeloopInput:
    """One file of Timeloop, read."""

    file: str
    workload: Workload
    architecture: Architecture
    constraints: Constraints
    mapping: Mappings | None
    """B = 1; None where the file leaves it to a mapper."""
    extrapolates: bool = True
    """Each loop is run at its first two steps only; TIMELOOP_DISABLE_TEMPORAL_EXTRAPOLATION turns it off."""
    links: bool = True
    """Neighbours hand words over; TIMELOOP_DISABLE_LINK_TRANSFERS turns it off."""
    elides_first_read: bool = True
    """Partial sums are not read before their first update; TIMELOOP_ENABLE_FIRST_READ_ELISION=0 turns it
    off.
    """
    passed_over: tuple[str, ...] = ()
    """Attributes that only an energy model reads."""
