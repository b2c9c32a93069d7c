"""The words that the array asks for, line by line, and the order in which they are fetched ahead.

A line is what the ports of one edge of the array ask for in one cycle. Each operand of a fold is a block of
words, [time, ports]. An operand that streams is skewed: column c of its block is c lines late. One that stays
in the array is loaded, bottom row first. Source: SCALE-Sim 3.0.0, compute/systolic_compute_{os,ws,is}.py.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from accelsim.compat.scalesim.folds import Folds
from accelsim.compat.scalesim.work import NO_WORD, Ints, Work


@dataclass(frozen=True, slots=True)
class Shape:
    """A fold's block: after `first` lines of nothing, `steps` rows of `ports` words."""

    first: int
    steps: int
    ports: int


@dataclass(frozen=True, eq=False)
class Stream:
    """One operand's requests, fold after fold, and the sequence of words that USER mode fetches ahead."""

    folds: Folds
    streams: bool  # through the array; else it stays there
    by_rows: bool  # ports are the array's rows (row fold by row fold), else its columns
    steps: int  # extent in time, of all folds
    extent: int  # extent over the ports, of all folds
    words: Callable[[Ints, Ints], Ints]  # addresses at (time, port), NO_WORD off the map
    n_addresses: int  # all are below
    touched: int  # distinct words asked for

    @property
    def ports(self) -> int:
        return self.folds.rows if self.by_rows else self.folds.cols

    @property
    def sequence_words(self) -> int:
        """Length of the prefetch sequence without null requests, at most: windows may reach off the map."""
        return self.steps * self.extent

    @property
    def fetched_words(self) -> int:
        """Length of the prefetch sequence, null requests of unused ports included."""
        return self.steps * -(-self.extent // self.ports) * self.ports

    @property
    def all_distinct(self) -> bool:
        """Whether the matrix has each word once, and none off the map."""
        return self.touched == self.sequence_words

    def key(self, fold: int) -> int:
        """Equal for folds that ask for the same words."""
        if not self.streams:
            return fold
        col_fold, row_fold = divmod(fold, self.folds.row_folds)
        return row_fold if self.by_rows else col_fold

    def shape(self, fold: int) -> Shape:
        col_fold, row_fold = divmod(fold, self.folds.row_folds)
        used = self.folds.used_rows(row_fold) if self.by_rows else self.folds.used_cols(col_fold)
        if self.streams:
            return Shape(0 if self.folds.dataflow == "os" else self.folds.rows, self.steps, used)
        loaded = self.folds.used_rows(row_fold)
        return Shape(self.folds.rows - loaded, loaded, used)

    def fold_words(self) -> Ints:
        """Requests of each fold, null ones left out."""
        rows = np.full(self.folds.row_folds, self.folds.rows)
        cols = np.full(self.folds.col_folds, self.folds.cols)
        rows[-1] = self.folds.used_rows(self.folds.row_folds - 1)
        cols[-1] = self.folds.used_cols(self.folds.col_folds - 1)
        if not self.streams:
            return np.outer(cols, rows).ravel()
        if self.by_rows:
            return np.tile(rows * self.steps, self.folds.col_folds)
        return np.repeat(cols * self.steps, self.folds.row_folds)

    def block(self, fold: int) -> Ints:
        """Addresses that a fold asks for, [lines, ports], from its line `shape(fold).first` on."""
        col_fold, row_fold = divmod(fold, self.folds.row_folds)
        if self.streams:
            return skew(self._panel(row_fold if self.by_rows else col_fold))
        first = row_fold * self.folds.rows
        steps = np.arange(first, first + self.folds.used_rows(row_fold))
        return self.words(steps[:, None], self._span(col_fold)[None, :])[::-1]

    def words_until(self, shape: Shape) -> Ints:
        """Words of a block without nulls up to and with each of its lines."""
        if not self.streams:
            loaded: Ints = np.arange(1, shape.steps + 1) * shape.ports
            return loaded
        change = np.zeros(shape.steps + shape.ports, np.int64)
        change[: shape.ports] += 1
        change[shape.steps : shape.steps + shape.ports] -= 1
        words: Ints = np.cumsum(np.cumsum(change))
        return words

    def prefetch_sequence(self) -> Ints:
        """The words that are fetched ahead, in order, without the null requests."""
        n_panels = -(-self.extent // self.ports)
        panels = np.full((n_panels, self.steps, self.ports), NO_WORD)
        for i in range(n_panels):
            panel = self._panel(i)
            panels[i, :, : panel.shape[1]] = panel
        below = panels.reshape(n_panels * self.steps, self.ports)
        ordered = (skew(below) if self.streams else below).ravel()
        sequence: Ints = ordered[ordered != NO_WORD]
        return sequence

    def first_line(self) -> int:
        """The first line that asks for a word: the first window lies on the map."""
        return self.shape(0).first

    def last_line(self) -> int:
        """The last line that asks for a word."""
        for fold in range(self.folds.n_folds - 1, -1, -1):
            asking = np.flatnonzero((self.block(fold) != NO_WORD).any(axis=1))
            if asking.size:
                return fold * self.folds.span + self.shape(fold).first + int(asking[-1])
        raise AssertionError("the first window lies on the map")  # pragma: no cover

    def _span(self, tile: int) -> Ints:
        return np.arange(tile * self.ports, min((tile + 1) * self.ports, self.extent))

    def _panel(self, tile: int) -> Ints:
        return self.words(np.arange(self.steps)[:, None], self._span(tile)[None, :])


def skew(panel: Ints) -> Ints:
    """Column c of a panel [T, U] is c lines late: a view [T + U - 1, U] of the padded panel."""
    steps, ports = panel.shape
    padded = np.full((steps + 2 * (ports - 1), ports), NO_WORD, panel.dtype)
    padded[ports - 1 : ports - 1 + steps] = panel
    down, right = padded.strides
    return np.lib.stride_tricks.as_strided(
        padded[ports - 1 :], (steps + ports - 1, ports), (down, right - down), writeable=False
    )


def streams(work: Work, folds: Folds) -> tuple[Stream, Stream]:
    """The requests for the input map (M x K) and for the filters (K x N)."""
    m, n, k = work.m, work.n, work.k
    on_map = (work.map_words, work.touched_map_words)
    on_filters = (n * k, n * k)

    def of_map(taps: Ints, pixels: Ints) -> Ints:
        return work.map_addresses(pixels, taps)

    def of_filters(filters: Ints, taps: Ints) -> Ints:
        return work.filter_addresses(taps, filters)

    if folds.dataflow == "os":
        return (
            Stream(folds, True, True, k, m, of_map, *on_map),
            Stream(folds, True, False, k, n, work.filter_addresses, *on_filters),
        )
    if folds.dataflow == "ws":
        return (
            Stream(folds, True, True, m, k, work.map_addresses, *on_map),
            Stream(folds, False, False, k, n, work.filter_addresses, *on_filters),
        )
    return (
        Stream(folds, False, False, k, m, of_map, *on_map),
        Stream(folds, True, True, n, k, of_filters, *on_filters),
    )
