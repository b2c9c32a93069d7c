"""Timeloop's counts of B mappings at once: reads, fills and updates, cycles, energy, to its last digit.

Per instance, with `content` the words that a level's children ask for, `share` what the level gets from its
parent, `peer` what its neighbours hand over and `part` the part of the tensor that it ever sees:

    read only    reads = content + peer               fills = share + peer          updates = 0
    read, write  reads = content + peer - part        fills = share + peer - part   updates = content

(the first update of a sum reads nothing; the outermost level that keeps a tensor has no share and takes no
part off its fills). Cycles are those of the level that is slowed most: ceil(steps / min(1, bandwidth /
demand)). Energy: whole blocks, ceil(words / block), times energy an access and instances in use, plus
leakage. Source: ComputeReadUpdateReductionAccesses_Legacy, MaskTiles in Timeloop's
src/loop-analysis/tiling.cpp; tests/golden/test_timeloop.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from accelsim.compat.timeloop.fetch import Loops, fetched, loops_of, sides
from accelsim.compat.timeloop.links import Children, Words, with_links
from accelsim.compat.timeloop.model import (
    Architecture,
    Bools,
    Floats,
    Ints,
    Level,
    Mappings,
    Tensor,
    TimeloopInput,
)


@dataclass(frozen=True)
class Counts:
    """What B mappings do; words are per instance of a level."""

    reads: Ints  # [L, T, B]
    fills: Ints  # [L, T, B]
    updates: Ints  # [L, T, B]
    tile: Ints  # [L, T, B]
    partition: Ints  # [L, T, B]
    instances: Ints  # [L, B]
    compute_cycles: Ints  # [B]
    cycles: Ints  # [B]
    tensor_pj: Floats  # [L, T, B]
    leak_pj: Floats  # [L, B]
    compute_pj: float
    energy_pj: Floats  # [B]
    n_macs_used: Ints  # [B]

    def objective(self, name: str) -> Floats:
        """Energy in pJ, latency in cycles or edp in pJ cycles.  [B]"""
        if name == "energy":
            return self.energy_pj
        cycles = self.cycles.astype(np.float64)
        return cycles if name == "latency" else cycles * self.energy_pj


def evaluate(given: TimeloopInput, mappings: Mappings) -> Counts:
    """Counts every mapping, whether it fits or not (see `fits`)."""
    loops = loops_of(mappings)
    fanout = mappings.space.prod(axis=1)  # [L, B]
    outer = np.cumprod(fanout[::-1], axis=0)[::-1]
    instances = np.concatenate([outer[1:], np.ones_like(outer[:1])])
    tensors = [
        _Traffic(given, mappings, loops, fanout, instances, t).counts()
        for t in range(len(given.workload.tensors))
    ]
    reads, fills, updates, tile, partition = (
        np.stack([part[i] for part in tensors], axis=1) for i in range(5)
    )
    compute_cycles = mappings.time.prod(axis=(0, 1))
    levels = given.architecture.levels
    cycles = compute_cycles
    for level, store in enumerate(levels):
        slowed = _cycles(store, compute_cycles, reads[level], fills[level] + updates[level])
        cycles = np.maximum(cycles, slowed)
    clusters = np.array([store.n_instances // store.cluster_size for store in levels])
    tensor_pj = np.stack(
        [
            (
                _blocks(reads[i], store) * store.read_pj
                + _blocks(fills[i], store) * store.write_pj
                + _blocks(updates[i], store) * store.update_pj
            )
            * np.minimum(instances[i], clusters[i])
            for i, store in enumerate(levels)
        ]
    )
    leak = np.array([store.leak_pj for store in levels])  # of all in use, whether they keep anything or not
    leak[1 + max(level for level, row in enumerate(mappings.keep) if any(row)) :] = 0
    leak_pj = leak[:, None] * cycles * instances
    compute_pj = given.workload.n_computes * given.architecture.compute_pj
    return Counts(
        reads, fills, updates, tile, partition, instances, compute_cycles,
        cycles + given.architecture.network_latency_cycles, tensor_pj, leak_pj, compute_pj,
        tensor_pj.sum(axis=(0, 1)) + leak_pj.sum(axis=0) + compute_pj, outer[0],
    )  # fmt: skip


def fits(architecture: Architecture, workload_tensors: tuple[Tensor, ...], mappings: Mappings) -> Bools:
    """Whether each mapping's kept tiles fit their level and its spatial loops the fan-out.  [B], boolean"""
    loops = loops_of(mappings)
    ok = np.ones(len(mappings), bool)
    for index, level in enumerate(architecture.levels):
        kept = [t for t, keep in zip(workload_tensors, mappings.keep[index], strict=True) if keep]
        if level.size_words is not None and kept:
            words = sum(sides(tensor, loops.tile[index]).prod(axis=0) for tensor in kept)
            ok &= words <= level.size_words
        order, split = mappings.space_order[index], mappings.split[index]
        for dims, limit in zip((order[:split], order[split:]), architecture.fanout(index), strict=True):
            ok &= mappings.space[index, list(dims)].prod(axis=0) <= limit
    return ok


def _rounded(words: Floats) -> Ints:
    return np.floor(words + 0.5).astype(np.int64)


def _blocks(words: Ints, store: Level) -> Ints:
    return -(-words // store.block_words)


def _cycles(store: Level, steps: Ints, reads: Ints, writes: Ints) -> Ints:
    """ceil(steps / slowdown) of one level; reads, writes: [T, B]."""
    scale = store.bandwidth_scale or (1.0,) * len(reads)
    read, write = (
        sum((by * (words[t] / steps) for t, by in enumerate(scale)), np.zeros(steps.shape))
        for words in (reads, writes)
    )  # words a cycle, added up in Timeloop's order
    slowdown = np.ones(steps.shape)
    for demand, limit in (
        (read, store.read_bandwidth),
        (write, store.write_bandwidth),
        (read + write, store.shared_bandwidth),
    ):
        if limit is not None:
            slowdown = np.minimum(slowdown, limit / np.maximum(demand, limit))
    return np.ceil(steps / slowdown).astype(np.int64)


@dataclass(frozen=True)
class _Traffic:
    """One tensor's way through the levels."""

    given: TimeloopInput
    mappings: Mappings
    loops: Loops
    fanout: Ints  # [L, B]
    instances: Ints  # [L, B]
    t: int

    @property
    def tensor(self) -> Tensor:
        return self.given.workload.tensors[self.t]

    def counts(self) -> tuple[Ints, Ints, Ints, Ints, Ints]:
        """Reads, fills, updates, tile and partition of each level that keeps the tensor, else 0.  [L, B]"""
        n_levels, n_mappings = self.fanout.shape
        zero = np.zeros((n_levels, n_mappings), np.int64)
        reads, fills, updates, tiles, partitions = (zero.copy() for _ in range(5))
        kept = [level for level in range(n_levels) if self.mappings.keep[level][self.t]]
        partition = self._partition()
        exact = self.tensor.read_write and self.given.elides_first_read
        child, asked = -1, np.zeros(n_mappings)
        ratio = [self._direct(level, kept) for level in range(n_levels)]
        for level in kept:
            content, share, peer = ratio[child + 1]
            for above in range(child + 2, level + 1):  # levels between keep nothing: their groups multiply
                words, got, _ = ratio[above]
                content = content * self.fanout[above] * words / got
            if child >= 0:
                base = share / self.fanout[child + 1] + peer
                if self.tensor.read_write:
                    fills[child] = _rounded(base - (partition[child] if exact else 0))
                else:
                    fills[child] = np.floor(base)  # Timeloop cuts these and rounds the others
                asked = asked + peer
                reads[child] = _rounded(asked)
            updates[level] = _rounded(content) if self.tensor.read_write else 0
            asked = content - (partition[level] if exact else 0)
            reads[level] = _rounded(asked)
            tiles[level] = sides(self.tensor, self.loops.tile[level]).prod(axis=0)
            partitions[level] = partition[level]
            child = level
        return reads, fills, updates, tiles, partitions

    def _direct(self, level: int, kept: list[int]) -> tuple[Floats, Floats, Floats]:
        """(words read at a level, words its children got from it, words a child gets by links) if both keep.

        Where the children of the level do not keep the tensor only the ratio of the first two counts; they
        are then 1 fetch each unless links change it.
        """
        distinct = self._groups(level)
        fanout = self.fanout[level]
        if level == 0:
            steps = self.mappings.time.prod(axis=(0, 1))
            latched = fetched(self.tensor, -1, self.loops, extrapolates=self.given.extrapolates)
            fetch = np.where(fanout > 1, latched, steps)
        elif self.mappings.keep[level - 1][self.t]:
            fetch = fetched(self.tensor, level - 1, self.loops, extrapolates=self.given.extrapolates)
        else:
            fetch = np.ones_like(fanout)
        content, got = (fetch * distinct).astype(np.float64), (fetch * fanout).astype(np.float64)
        peer = np.zeros(fanout.shape)
        which = self._may_link(level) if self.given.links else np.zeros(0, np.int64)
        for b, words in zip(which, self._linked(level, which), strict=True):
            content[b], got[b], links = words
            # a link counts at the level that keeps both ends, over all its instances (Timeloop's own rule)
            if level and self.mappings.keep[level - 1][self.t]:
                peer[b] = links / int(self.instances[level - 1, b])
        return content, got, peer

    def _groups(self, level: int) -> Ints:
        """Groups of children with equal boxes below one instance of a level.  [B]"""
        space, step = self.mappings.space[level], self.loops.inside[level]
        groups = np.ones(space.shape[1], np.int64)
        for rank in self.tensor.ranks:
            if len(rank) == 1:
                groups = groups * space[rank[0][0]]
            else:
                (a, ca), (b, cb) = rank
                n, m, x, y = space[a], space[b], ca * step[a], cb * step[b]
                common = np.gcd(x, y)
                again = np.maximum(n - y // common, 0) * np.maximum(m - x // common, 0)
                groups = groups * (n * m - again)
        return groups

    def _partition(self) -> Ints:
        """Words of the tensor that one instance ever sees: in whole numbers from outside in.  [L, B]"""
        n_levels = len(self.fanout)
        tile = [sides(self.tensor, extents).prod(axis=0) for extents in self.loops.tile]
        partition = [tile[-1]]
        for level in range(n_levels - 2, -1, -1):
            spread = sides(self.tensor, self.loops.tile[level] * self.mappings.space[level + 1]).prod(axis=0)
            partition.append(partition[-1] * tile[level] // spread)
        return np.stack(partition[::-1])

    def _may_link(self, level: int) -> Ints:
        """Mappings where links may change what is read at a level; the reasons are those of
        `Bounds.may_link`.

        Where the children keep nothing only an uneven service of equal boxes would change the ratio, which
        takes children that a loop in space repeats.
        """
        space, stride = self.mappings.space[level], self.loops.inside[level]  # [D, B]
        trips, dims, steps = (part[level:] for part in (self.loops.trips, self.loops.dim, self.loops.step))
        sliding = [rank for rank in self.tensor.ranks if len(rank) > 1]
        if not any((space[[dim for dim, _ in rank]] > 1).any() for rank in sliding):
            return np.zeros(0, np.int64)
        many = (trips > 1).reshape(-1, trips.shape[2])
        inner = np.broadcast_to(dims, trips.shape).reshape(many.shape)
        first = np.take_along_axis(inner, many.argmax(axis=0)[None], axis=0)[0]  # [B], the innermost loop
        near, by_first = (np.zeros(space.shape[1], bool) for _ in range(2))
        for rank in sliding:
            apart, least = (np.zeros(space.shape[1], np.int64) for _ in range(2))
            both = many.any(axis=0)
            for dim, by in rank:
                apart += (space[dim] - 1) * by * stride[dim]
                step = np.where((dims == dim) & (trips > 1), steps * by, 0)  # [L, D, B]
                every = np.gcd.reduce(step.reshape(-1, step.shape[2]), axis=0)
                least, both = np.gcd(least, every), both & (every > 0)
            close = (least > 0) & (least <= apart)
            near |= close
            by_first |= np.isin(first, [dim for dim, _ in rank]) & (close | both)
        near &= by_first & many.any(axis=0)
        if level and not self.mappings.keep[level - 1][self.t]:
            still = ~self.tensor.coefficients(len(space)).any(axis=0)  # [D]
            near &= (space[still] > 1).any(axis=0)
        return np.flatnonzero(near)

    def _linked(self, level: int, which: Ints) -> Iterator[Words]:
        """Words of some mappings with links, one after the other; see `links`."""
        if not len(which):
            return
        coefficients = self.tensor.coefficients(len(self.given.workload.dims))
        trips, dims, steps = (
            np.broadcast_to(part, self.loops.trips.shape)[level:][:, :, which].reshape(-1, len(which))
            for part in (self.loops.trips, self.loops.dim, self.loops.step)
        )  # [places, n]
        shifts = (coefficients[:, dims] * steps).transpose(2, 1, 0).tolist()  # [n][places][R]
        space, stride = self.mappings.space[level][:, which], self.loops.inside[level][:, which]
        apart = (coefficients[:, :, None] * stride).transpose(2, 1, 0).tolist()  # [n][D][R]
        boxes = sides(self.tensor, stride).T.tolist()
        order, split = self.mappings.space_order[level], self.mappings.split[level]
        across = np.maximum(space[list(order[:split])].prod(axis=0), self.given.architecture.fanout(level)[0])
        for n, (many, spread) in enumerate(zip(trips.T.tolist(), space.T.tolist(), strict=True)):
            loops = tuple((k, tuple(s)) for k, s in zip(many, shifts[n], strict=True) if k > 1)
            children = tuple((spread[d], tuple(apart[n][d])) for d in order if spread[d] > 1)
            yield with_links(
                tuple(boxes[n]),
                loops,
                Children(children, int(across[n])),
                not self.given.extrapolates,
            )
