"""Which words of one input axis a tile touches, as runs of equal length and period.

Output indices p..p+pl-1 and filter indices r..r+rl-1 touch h = p stride + r dilation - pad. With the common
divisor of stride and dilation taken out, one of the two is 1, unless both are coprime and larger: those rare
tiles are counted element by element. All arrays broadcast against each other.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
FAR = np.int64(2**61)


@dataclass(frozen=True, slots=True)
class Axis:
    """Stride, dilation, pad and stored size of one input axis; `padded`: the pad words count as stored."""

    stride: int
    dilation: int
    pad: int
    size: int
    padded: bool = False
    box: bool = False
    real: bool = False
    """Of a padded box count the words that exist: what a parent that stores no padding sends."""

    @property
    def unit(self) -> int:
        return int(np.gcd(self.stride, self.dilation))

    @property
    def has_runs(self) -> bool:
        return min(self.stride, self.dilation) == self.unit

    @property
    def limits(self) -> tuple[np.int64, np.int64]:
        """First and last stored index, in words."""
        if self.padded:
            return -FAR, FAR
        return np.int64(0), np.int64(self.size - 1)


@dataclass(frozen=True, slots=True)
class Tile:
    """Output indices from p, pl of them, and filter indices from r, rl of them; an empty tile has a 0."""

    p: Ints
    pl: Ints
    r: Ints
    rl: Ints

    @property
    def empty(self) -> NDArray[np.bool_]:
        return (self.pl <= 0) | (self.rl <= 0)


@dataclass(frozen=True, slots=True)
class Runs:
    first: Ints
    n: Ints
    period: int
    length: Ints


def n_touched(tile: Tile, axis: Axis) -> Ints:
    """Words of the axis that a tile touches (with `box`, the interval from the first to the last of them)."""
    if axis.box:
        first, last = bounds(tile, axis)
        count = last - first + 1
    elif axis.has_runs:
        count = _count(_runs(tile, axis), *_clip(axis))
    else:
        count = _n_distinct(_elements(tile, axis))
    return np.where(tile.empty, 0, np.maximum(count, 0))


def n_shared(new: Tile, old: Tile, axis: Axis) -> Ints:
    """Words that two tiles of the same axis have in common."""
    if axis.box:
        first, last = bounds(new, axis)
        first_old, last_old = bounds(old, axis)
        count = np.minimum(last, last_old) - np.maximum(first, first_old) + 1
    elif axis.has_runs:
        count = _common(_runs(new, axis), _runs(old, axis), axis)
    else:
        a, b = _elements(new, axis), _elements(old, axis)
        tiles = np.broadcast_shapes(a.shape[:-1], b.shape[:-1])
        both = [np.broadcast_to(words, (*tiles, words.shape[-1])) for words in (a, b)]
        count = _n_distinct(a) + _n_distinct(b) - _n_distinct(np.concatenate(both, axis=-1))
    return np.where(new.empty | old.empty, 0, np.maximum(count, 0))


def _runs(tile: Tile, axis: Axis) -> Runs:
    """The tile in units of the common divisor, from h + pad = 0."""
    stride, dilation = axis.stride // axis.unit, axis.dilation // axis.unit
    first = tile.p * stride + tile.r * dilation
    if dilation == 1:
        period, n, length = stride, tile.pl, tile.rl
    else:
        period, n, length = dilation, tile.rl, tile.pl
    joined = length >= period
    return Runs(first, np.where(joined, 1, n), period, np.where(joined, (n - 1) * period + length, length))


def _clip(axis: Axis) -> tuple[np.int64, np.int64]:
    """The stored words in the units of `_runs`."""
    low, high = axis.limits
    if axis.padded:
        return low, high
    return np.int64(-(-axis.pad // axis.unit)), (high + axis.pad) // axis.unit


def _count(runs: Runs, low: Ints | np.int64, high: Ints | np.int64) -> Ints:
    """Elements of the runs within low..high."""
    count: Ints = np.maximum(_up_to(runs, high) - _up_to(runs, low - 1), 0)
    return count


def _up_to(runs: Runs, x: Ints | np.int64) -> Ints:
    offset = x - runs.first
    k = np.clip(offset // runs.period, 0, runs.n - 1)
    inside = np.clip(offset - k * runs.period + 1, 0, runs.length)
    return np.where(offset < 0, 0, k * runs.length + inside)


def _common(a: Runs, b: Runs, axis: Axis) -> Ints:
    low, high = _clip(axis)
    in_a = _count(b, np.maximum(a.first, low), np.minimum(a.first + a.length - 1, high))
    in_b = _count(a, np.maximum(b.first, low), np.minimum(b.first + b.length - 1, high))
    shift = b.first - a.first
    q = shift // a.period
    phase = shift - q * a.period
    here = _pair(a, b, q, phase, np.clip(np.minimum(a.length - phase, b.length), 0, None), low, high)
    wrapped = np.clip(np.minimum(phase + b.length - a.period, a.length), 0, None)
    there = _pair(a, b, q + 1, phase - a.period, wrapped, low, high)
    both = here + there
    return np.where(a.n == 1, in_a, np.where(b.n == 1, in_b, both))


def _pair(
    a: Runs, b: Runs, q: Ints, phase: Ints, length: Ints, low: Ints | np.int64, high: Ints | np.int64
) -> Ints:
    """Run i of b on run i + q of a, `phase` words after its start: the words they share, clipped."""
    start_b = np.maximum(0, -q)
    n = np.minimum(b.n, a.n - q) - start_b
    first = a.first + (start_b + q) * a.period + np.maximum(phase, 0)
    count = _count(Runs(first, np.maximum(n, 1), a.period, length), low, high)
    return np.where((n > 0) & (length > 0), count, 0)


def bounds(tile: Tile, axis: Axis) -> tuple[Ints, Ints]:
    """First and last stored word that the tile touches, in words; empty where last < first."""
    if not axis.has_runs:
        elements = _elements(tile, axis)
        return _real(elements.min(-1), _last(elements), axis)
    runs = _runs(tile, axis)
    low, high = _clip(axis)
    last_run = runs.first + (runs.n - 1) * runs.period
    after = np.maximum(low - runs.first, 0)
    k = after // runs.period
    inside = (after - k * runs.period < runs.length) | (runs.n == 1)
    first = np.where(runs.n == 1, np.maximum(runs.first, low), 0)
    first = np.where(
        runs.n > 1, np.where(inside, np.maximum(runs.first, low), runs.first + (k + 1) * runs.period), first
    )
    end = last_run + runs.length - 1
    k = np.clip((high - runs.first) // runs.period, 0, runs.n - 1)
    last = np.minimum(runs.first + k * runs.period + runs.length - 1, np.minimum(high, end))
    first = np.where(first > end, last + 1, first)
    unit = axis.unit
    first = first * unit - axis.pad
    return _real(first, np.where(last * unit - axis.pad < first, first - 1, last * unit - axis.pad), axis)


def _real(first: Ints, last: Ints, axis: Axis) -> tuple[Ints, Ints]:
    return (np.maximum(first, 0), np.minimum(last, axis.size - 1)) if axis.real else (first, last)


def _elements(tile: Tile, axis: Axis) -> Ints:
    """Every touched word of every tile, missing ones as FAR: [..., E]. Only for strides that make no runs."""
    p, pl, r, rl = np.broadcast_arrays(tile.p, tile.pl, tile.r, tile.rl)
    i = np.arange(max(int(pl.max(initial=1)), 1))
    k = np.arange(max(int(rl.max(initial=1)), 1))
    h = (p[..., None, None] + i[:, None]) * axis.stride + (r[..., None, None] + k) * axis.dilation - axis.pad
    low, high = axis.limits
    there = (i[:, None] < pl[..., None, None]) & (k < rl[..., None, None]) & (h >= low) & (h <= high)
    return np.where(there, h, FAR).reshape(*p.shape, -1)


def _last(elements: Ints) -> Ints:
    last: Ints = np.where(elements == FAR, -FAR, elements).max(-1)
    return last


def _n_distinct(elements: Ints) -> Ints:
    ordered = np.sort(elements, axis=-1)
    first = np.ones(ordered.shape, np.bool_)
    first[..., 1:] = ordered[..., 1:] != ordered[..., :-1]
    distinct: Ints = (first & (ordered != FAR)).sum(axis=-1, dtype=np.int64)
    return distinct
