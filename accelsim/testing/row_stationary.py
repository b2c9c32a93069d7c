"""Eyeriss' row-stationary array with real scratch pads: each PE slides a filter row along an input row.

A PE set has R rows of PEs by e columns: PE (i, j) has filter row i (rows move horizontally) and input row
j stride + i (rows move diagonally), and its sums are added up down the column. A PE interleaves p filters and
q channels. r sets hold different channels (their sums are added, too), t sets different filters. A pass works
on n images, p t filters, q r channels and e output rows; the GLB holds sums of n images, m filters, e rows.

The words are those of design section 5: a scratch pad is sent what it needs and does not hold, the GLB reads
a word once for all diagonals and sets that need it in the same step, sums leave when others are worked on,
and the input is stored with its padding. A PE that a short block leaves idle still hears broadcasts.
"""

from __future__ import annotations

import itertools
from collections import Counter
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Word = tuple[int, ...]
Place = tuple[int, int, int, int]  # set over channels, set over filters, row, column
Tile = tuple[Word, ...]


@dataclass(frozen=True)
class RowStationary:
    """The parameters of a row-stationary mapping, by the letters of the Eyeriss papers."""

    n: int  # images of a pass
    m: int  # filters whose sums the GLB holds
    e: int  # output rows of a PE set
    p: int  # filters in a PE
    q: int  # channels in a PE
    r: int  # sets over channels
    t: int  # sets over filters


@dataclass
class Pe:
    """A processing element: the words in its scratch pads."""

    inputs: dict[Word, int] = field(default_factory=dict)  # (image, channel, row, column), q S of them
    weights: dict[Word, int] = field(default_factory=dict)  # (filter, channel, row, tap), p q S of them
    sums: dict[Word, int] = field(default_factory=dict)  # (image, filter, row, column), p of them


@dataclass
class ArrayCounts:
    """Words and steps of a run; `words` has the accesses by memory, operand and cause."""

    outputs: Ints  # [N, M, E, F]
    steps: int = 0
    macs: int = 0
    passes: int = 0
    loads: int = 0
    """Passes for which weights came in: the others go on with those that are there."""
    most_active_pes: int = 0
    words: Counter[str] = field(default_factory=Counter)


def run_row_stationary(inputs: Ints, weights: Ints, stride: int, mapping: RowStationary) -> ArrayCounts:
    """Convolve inputs [N, C, H, W] (padding included) with weights [M, C, R, S], pass after pass."""
    return _Array(inputs, weights, stride, mapping).run()


def _blocks(start: int, stop: int, size: int) -> list[range]:
    """Consecutive blocks of a range; the last may be short."""
    return [range(at, min(at + size, stop)) for at in range(start, stop, size)]


class _Array:
    def __init__(self, inputs: Ints, weights: Ints, stride: int, mapping: RowStationary) -> None:
        self.inputs, self.weights, self.stride, self.map = inputs, weights, stride, mapping
        self.n_images, self.n_channels, height, width = inputs.shape
        self.n_filters, _, self.taps_down, self.taps = weights.shape
        self.height, self.width = (height - self.taps_down) // stride + 1, (width - self.taps) // stride + 1
        shape = self.n_images, self.n_filters, self.height, self.width
        self.counts = ArrayCounts(np.zeros(shape, dtype=np.int64))
        x = mapping
        places = itertools.product(range(x.r), range(x.t), range(self.taps_down), range(x.e))
        self.pes: dict[Place, Pe] = {place: Pe() for place in places}
        self.glb_sums: dict[Word, int] = {}  # what the GLB holds; a word that is not there is fresh
        self.at_work: dict[tuple[int, int], Tile] = {}  # the sums that a column of PEs works on

    def run(self) -> ArrayCounts:
        """All passes: channels inside strips, so that sums leave the GLB complete."""
        x = self.map
        for images, filters, strip in itertools.product(
            _blocks(0, self.n_images, x.n), _blocks(0, self.n_filters, x.m), _blocks(0, self.height, x.e)
        ):
            for channels in _blocks(0, self.n_channels, x.q * x.r):
                for some in _blocks(filters.start, filters.stop, x.p * x.t):
                    self._pass(images, some, strip, channels)
            for b, j in itertools.product(range(x.t), range(x.e)):
                self._take_up((), b, j)
            for word, value in self.glb_sums.items():
                self.counts.outputs[word] = value
            self.counts.words["glb O drain"] += len(self.glb_sums)
            self.glb_sums.clear()
        return self.counts

    def _pass(self, images: range, filters: range, strip: range, channels: range) -> None:
        """Weights stay while the windows slide over n images of F columns."""
        mine = _blocks(channels.start, channels.stop, self.map.q)  # of each set over channels that has work
        own = _blocks(filters.start, filters.stop, self.map.p)  # of each set over filters that has work
        work = {
            (a, b, i, j): (mine[a], own[b], strip[j])
            for a, b, i, j in self.pes
            if a < len(mine) and b < len(own) and j < len(strip)
        }
        self.counts.passes += 1
        self.counts.most_active_pes = max(self.counts.most_active_pes, len(work))
        weights: dict[Place, set[Word]] = {}
        for a, b, i, j in self.pes:  # whatever the column
            if a < len(mine) and b < len(own):
                weights[a, b, i, j] = set(itertools.product(own[b], mine[a], [i], range(self.taps)))
        self._send("W", weights)
        for image, column in itertools.product(images, range(self.width)):
            window = range(column * self.stride, column * self.stride + self.taps)
            inputs: dict[Place, set[Word]] = {}
            for a, b, i, j in self.pes:  # whatever the filters
                if a < len(mine) and j < len(strip):
                    row = strip[j] * self.stride + i
                    inputs[a, b, i, j] = set(itertools.product([image], mine[a], [row], window))
            self._send("I", inputs)
            for b, j in itertools.product(range(self.map.t), range(self.map.e)):
                busy = b < len(own) and j < len(strip)
                tile = tuple((image, k, strip[j], column) for k in own[b]) if busy else ()
                self._take_up(tile, b, j)
            self.counts.steps += max(self._multiply(place, image, column, *work[place]) for place in work)

    def _send(self, operand: str, needed: dict[Place, set[Word]]) -> None:
        """Send scratch pads the words they lack: one read serves a row, a diagonal and all sets."""
        tensor = self.inputs if operand == "I" else self.weights
        wanted: set[Word] = set()
        for place, pe in self.pes.items():
            words = needed.get(place, set())  # nothing where the PE is idle in the operand: it lets go of all
            pad = pe.inputs if operand == "I" else pe.weights
            missing = words - pad.keys()
            for word in pad.keys() - words:
                del pad[word]
            pad.update((word, int(tensor[word])) for word in missing)
            wanted |= missing
            self.counts.words[f"spad {operand} fill"] += len(missing)
        self.counts.loads += operand == "W" and bool(wanted)
        self.counts.words["glb I read" if operand == "I" else "dram W read"] += len(wanted)

    def _take_up(self, tile: Tile, b: int, j: int) -> None:
        """Where a column of PEs turns to other sums, the old leave and the new return."""
        if tile == self.at_work.get((b, j), ()):
            return
        self._add_up(b, j)
        self.at_work[b, j] = tile
        for word in tile:
            if word in self.glb_sums:
                self.pes[0, b, 0, j].sums[word] = self.glb_sums[word]
                self.counts.words["glb O return"] += 1
                self.counts.words["spad O returned"] += 1

    def _add_up(self, b: int, j: int) -> None:
        """Sums move down a column and on through the sets over channels, from PE to PE, to the GLB."""
        words = self.counts.words
        chain: dict[Word, int] = {}
        for a, i in itertools.product(range(self.map.r), range(self.taps_down)):
            sums = self.pes[a, b, i, j].sums
            if sums:
                words["array O hop"] += len(chain)  # from the PE before
                words["spad O drain"] += len(sums)
                for word, value in sums.items():
                    chain[word] = chain.get(word, 0) + value
                sums.clear()
        words["glb O update"] += len(chain)
        self.glb_sums.update(chain)

    def _multiply(self, place: Place, image: int, column: int, mine: range, own: range, row: int) -> int:
        """One window position of one PE: q S multiply-accumulates for each of p filters, one a step."""
        pe, words, i = self.pes[place], self.counts.words, place[2]
        steps = 0
        for k, c, tap in itertools.product(own, mine, range(self.taps)):
            there = image, c, row * self.stride + i, column * self.stride + tap
            product = pe.inputs[there] * pe.weights[k, c, i, tap]
            word = image, k, row, column
            words["spad O accumulate"] += word in pe.sums
            pe.sums[word] = pe.sums.get(word, 0) + product
            steps += 1
        for cause in ("spad I mac", "spad W mac", "spad O update"):
            words[cause] += steps
        self.counts.macs += steps
        return steps
