"""Where the accesses go: four a multiply-accumulate without reuse, and what each kind of reuse takes away.

Each MAC (n, g, k, c, p, q, z, r, s, v) reads an input word, a weight and a partial sum, and writes the sum:
4 MACs accesses. A kind of reuse is a set of MACs that share one access of a word:

    convolutional  a filter plane slides over a map plane: the MACs of one (n, g, k, c) share the words of
                   both. I: the words that the windows touch, not PQZ RSV; W: RSV, not PQZ RSV
    image          all filters use the same map (ifmap reuse): MACs that differ in k share I
    filter         a batch uses the same filter: MACs that differ in n share W
    partial_sum    a sum stays near the multiplier: the MACs of an output share O, which is written once

Each kind removes loop indices of its own from an operand's count, so any subset of them is, exactly,

    I = N G C     x (K, or 1 with image)   x (PQZ RSV, or with convolutional t(P,R) t(Q,S) t(Z,V))
    W = G K C RSV x (N, or 1 with filter)  x (PQZ, or 1 with convolutional)
    O = N G K PQZ x (2 C RSV, or 1 with partial_sum)

and all four together leave the compulsory accesses: each word of I, W and O once. t counts the distinct
stored words of one axis: windows that skip words (stride) or reach into padding touch fewer than they read.
Without convolutional reuse an access to padding counts as one, as in the published 4 a MAC (AlexNet:
724,406,816 MACs, 2,897,627,264 accesses). Kinds and their names: Chen et al., "Eyeriss", ISCA 2016, section
III; Sze et al., Proc. IEEE 105(12), 2017, section V. Shapes: B layers, D loop dimensions, T operands.
"""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from accelsim.base.errors import InputError, Problem, did_you_mean
from accelsim.tables.dims import WINDOWS, C, G, K, N, P, Q, R, S, V, Z

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

Reuse = Literal["convolutional", "image", "filter", "partial_sum"]
REUSES: Final[tuple[Reuse, ...]] = ("convolutional", "image", "filter", "partial_sum")
MAX_MACS: Final = 2**60
"""Four accesses a MAC must fit into an int64."""


@dataclass(frozen=True, eq=False)
class Accesses:
    """Words read and written by each layer; inputs and weights are only read."""

    i_reads: Ints  # [B]
    w_reads: Ints  # [B]
    o_reads: Ints  # [B]
    o_writes: Ints  # [B]

    @property
    def by_operand(self) -> Ints:  # [T, B]
        return np.stack([self.i_reads, self.w_reads, self.o_reads + self.o_writes])

    @property
    def total(self) -> Ints:  # [B]
        return self.i_reads + self.w_reads + self.o_reads + self.o_writes


def accesses(
    dims: Ints,
    windows: Ints,
    reuse: Set[str] = frozenset(),
    weight_has_batch: Bools | None = None,
    repeat: Ints | None = None,
) -> Accesses:
    """Accesses of each layer under a set of kinds of reuse, by the three formulas at the head of this module.

    `dims` [B, D]; `windows` [B, 3, 4]: stride, dilation, pad, size of rows, columns and depth. Where W is an
    activation (`weight_has_batch`) a batch shares no weight and filter reuse takes nothing away. `repeat`
    runs can't share a pass: each counts in full, its weights too. InputError for an unknown kind of reuse
    and for a layer of more than 2^60 MACs.
    """
    _check(dims, reuse, repeat)
    d = dims.T
    pixels, window = d[P] * d[Q] * d[Z], d[R] * d[S] * d[V]
    maps = d[N] * d[G] * d[C]
    outputs = d[N] * d[G] * d[K] * pixels
    i_reads = maps * (touched_words(dims, windows) if "convolutional" in reuse else pixels * window)
    if "image" not in reuse:
        i_reads = i_reads * d[K]
    w_reads = d[G] * d[K] * d[C] * window
    if "convolutional" not in reuse:
        w_reads = w_reads * pixels
    if "filter" not in reuse:
        w_reads = w_reads * d[N]
    elif weight_has_batch is not None:
        w_reads = w_reads * np.where(weight_has_batch, d[N], 1)
    if "partial_sum" in reuse:
        o_reads, o_writes = np.zeros_like(outputs), outputs
    else:
        o_reads = o_writes = outputs * d[C] * window
    times = np.ones_like(outputs) if repeat is None else repeat
    return Accesses(i_reads * times, w_reads * times, o_reads * times, o_writes * times)


def reuse_table(
    dims: Ints, windows: Ints, weight_has_batch: Bools | None = None, repeat: Ints | None = None
) -> dict[str, Accesses]:
    """Accesses of all layers without reuse (`none`), with each kind alone, and with all of them (`all`)."""
    sets: dict[str, Set[str]] = {"none": frozenset()}
    sets |= {kind: frozenset((kind,)) for kind in REUSES}
    sets["all"] = frozenset(REUSES)
    return {name: accesses(dims, windows, kinds, weight_has_batch, repeat) for name, kinds in sets.items()}


def touched_input_words(dims: Ints, windows: Ints) -> Ints:  # [B]
    """Distinct stored input words that a layer reads: N G C times those of a plane."""
    return np.asarray(dims[:, N] * dims[:, G] * dims[:, C] * touched_words(dims, windows))


def touched_words(dims: Ints, windows: Ints) -> Ints:  # [B]
    """Distinct stored words of one input plane (or volume) that a layer's windows read, axis by axis."""
    words = np.ones(len(dims), np.int64)
    for axis, (out, filt) in enumerate(WINDOWS):
        words = words * touched_on_axis(dims[:, out], dims[:, filt], *windows[:, axis].T)
    return words


def touched_on_axis(
    outs: Ints, taps: Ints, stride: Ints, dilation: Ints, pad: Ints, size: Ints
) -> Ints:  # [B]
    """Distinct h = p stride + r dilation - pad within 0..size-1, for p < outs and r < taps.

    Taps r and r' can meet only where (r - r') dilation is a multiple of stride, that is, in the same class
    of r modulo stride / gcd. In a class, h = first + stride x, where x runs over `n` intervals of `outs`
    numbers, `apart` = dilation / gcd from each other: joined where they overlap, else separate.
    """
    common = np.gcd(stride, dilation)
    classes, apart = stride // common, dilation // common
    total = np.zeros(np.broadcast(outs, taps, stride).shape, np.int64)
    for r in range(int(np.minimum(classes, taps).max(initial=0))):
        n = np.where(r < classes, -(-(taps - r) // classes), 0)
        low = -(-(pad - r * dilation) // stride)
        high = (size - 1 + pad - r * dilation) // stride
        count = _up_to(high, n, outs, apart) - _up_to(low - 1, n, outs, apart)
        total += np.where(n > 0, np.maximum(count, 0), 0)
    return total


def _up_to(x: Ints, n: Ints, length: Ints, apart: Ints) -> Ints:
    """Numbers of 0..x in the union of n intervals of `length`, `apart` from each other."""
    joined = np.clip(x + 1, 0, (n - 1) * apart + length)
    k = np.clip(x // apart, 0, np.maximum(n - 1, 0))
    separate = k * length + np.clip(x - k * apart + 1, 0, length)
    return np.where(apart <= length, joined, separate)


def _check(dims: Ints, reuse: Set[str], repeat: Ints | None) -> None:
    unknown = sorted(set(reuse) - set(REUSES))
    problems = [
        Problem(
            f"no kind of reuse is called {kind!r}",
            expected=", ".join(REUSES),
            hint=did_you_mean(kind, REUSES),
        )
        for kind in unknown
    ]
    macs = np.prod(dims, axis=1, dtype=np.float64) * (1 if repeat is None else repeat)
    problems += [
        Problem(f"layer {b} has {macs[b]:.3g} multiply-accumulates", expected=f"at most 2^60 = {MAX_MACS:,}")
        for b in np.flatnonzero(macs > MAX_MACS)
    ]
    if problems:
        raise InputError(problems)
