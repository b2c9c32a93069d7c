"""The words that the array asks for, line by line, and the order in which they are fetched ahead.

A line is what the ports of one edge of the array ask for in one cycle. Operands that stream are skewed: column
c of a block is c lines late. Blocks with the same key ask for the same words. Shapes: T streamed extent,
U used ports. Source: SCALE-Sim 3.0.0, compute/systolic_compute_{os,ws,is}.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from accelsim.compat.scalesim.folds import Folds
from accelsim.compat.scalesim.work import NO_WORD, Ints, Work


@dataclass(frozen=True, slots=True)
class Block:
    """What one operand asks for in one fold: `first` lines of nothing, then these."""

    first: int
    addresses: Ints  # [lines, ports], NO_WORD where a port asks for nothing


@dataclass(frozen=True, eq=False)
class Stream:
    """One operand's requests: a block each fold, and the sequence that USER mode prefetches."""

    folds: Folds
    n_addresses: int  # all are below
    touched: int  # distinct words asked for
    sequence_words: int  # of the prefetch sequence at most: windows may reach over the map
    key: Callable[[int, int], tuple[int, int]]  # of (column fold, row fold)
    make: Callable[[int, int], Block]
    panels: Callable[[], Iterator[Ints]]  # of the prefetch sequence, one below the other, [rows, ports]
    n_panel_rows: int
    ports: int
    skewed: bool

    @property
    def fetched_words(self) -> int:
        """Length of the prefetch sequence, null requests of unused ports included."""
        return self.n_panel_rows * self.ports

    def prefetch_sequence(self) -> Ints:
        """The words that are fetched ahead, in order, without the null requests."""
        panels = np.full((self.n_panel_rows, self.ports), NO_WORD)
        row = 0
        for panel in self.panels():
            panels[row : row + len(panel), : panel.shape[1]] = panel
            row += len(panel)
        ordered = (skew(panels) if self.skewed else panels).ravel()
        return ordered[ordered != NO_WORD]

    def last_line(self) -> int:
        """The last line that asks for a word."""
        for fold in range(self.folds.n_folds - 1, -1, -1):
            block = self.make(*divmod(fold, self.folds.row_folds))
            asking = np.flatnonzero((block.addresses != NO_WORD).any(axis=1))
            if asking.size:
                return fold * self.folds.span + block.first + int(asking[-1])
        raise AssertionError("the first window lies on the map")  # pragma: no cover

    def first_line(self) -> int:
        """The first line that asks for a word: the first window lies on the map."""
        return self.make(0, 0).first


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
    """The requests for the input map and for the filters."""
    return _map_stream(work, folds), _filter_stream(work, folds)


def _span(fold: int, size: int, extent: int) -> Ints:
    return np.arange(fold * size, min((fold + 1) * size, extent))


def _stationary(block: Ints, rows: int) -> Block:
    """What stays in the array enters bottom row first, in the last lines of the load."""
    return Block(rows - len(block), block[::-1])


def _map_stream(work: Work, folds: Folds) -> Stream:
    m, k, rows, cols = work.m, work.k, folds.rows, folds.cols
    words = work.map_addresses
    common = {"folds": folds, "n_addresses": work.map_words, "touched": work.touched_map_words, "sequence_words": m * k}
    if folds.dataflow == "os":

        @lru_cache(maxsize=1)
        def pixels(row_fold: int) -> Ints:  # [T = K, U]
            return words(_span(row_fold, rows, m)[None, :], np.arange(k)[:, None])

        return Stream(
            **common,
            key=lambda _, fr: (0, fr),
            make=lambda _, fr: Block(0, skew(pixels(fr))),
            panels=lambda: (pixels(fr) for fr in range(folds.row_folds)),
            n_panel_rows=folds.row_folds * k,
            ports=rows,
            skewed=True,
        )
    if folds.dataflow == "ws":

        @lru_cache(maxsize=1)
        def taps(row_fold: int) -> Ints:  # [T = M, U]
            return words(np.arange(m)[:, None], _span(row_fold, rows, k)[None, :])

        return Stream(
            **common,
            key=lambda _, fr: (0, fr),
            make=lambda _, fr: Block(rows, skew(taps(fr))),
            panels=lambda: (taps(fr) for fr in range(folds.row_folds)),
            n_panel_rows=folds.row_folds * m,
            ports=rows,
            skewed=True,
        )
    return Stream(
        **common,
        key=lambda fc, fr: (fc, fr),
        make=lambda fc, fr: _stationary(
            words(_span(fc, cols, m)[None, :], _span(fr, rows, k)[:, None]), rows
        ),
        panels=lambda: (
            words(_span(fc, cols, m)[None, :], np.arange(k)[:, None]) for fc in range(folds.col_folds)
        ),
        n_panel_rows=folds.col_folds * k,
        ports=cols,
        skewed=False,
    )


def _filter_stream(work: Work, folds: Folds) -> Stream:
    n, k, rows, cols = work.n, work.k, folds.rows, folds.cols
    words = work.filter_addresses
    common = {"folds": folds, "n_addresses": n * k, "touched": n * k, "sequence_words": n * k}

    def columns(col_fold: int) -> Ints:  # [K, U]
        return words(np.arange(k)[:, None], _span(col_fold, cols, n)[None, :])

    def taps(row_fold: int) -> Ints:  # [T = N, U]
        return words(_span(row_fold, rows, k)[None, :], np.arange(n)[:, None])

    def tile(col_fold: int, row_fold: int) -> Ints:
        return words(_span(row_fold, rows, k)[:, None], _span(col_fold, cols, n)[None, :])

    if folds.dataflow == "is":
        return Stream(
            **common,
            key=lambda _, fr: (0, fr),
            make=lambda _, fr: Block(rows, skew(taps(fr))),
            panels=lambda: (taps(fr) for fr in range(folds.row_folds)),
            n_panel_rows=folds.row_folds * n,
            ports=rows,
            skewed=True,
        )
    by_column = {
        "panels": lambda: (columns(fc) for fc in range(folds.col_folds)),
        "n_panel_rows": folds.col_folds * k,
        "ports": cols,
    }
    if folds.dataflow == "os":
        return Stream(
            **common,
            **by_column,
            key=lambda fc, _: (fc, 0),
            make=lambda fc, _: Block(0, skew(columns(fc))),
            skewed=True,
        )
    return Stream(
        **common,
        **by_column,
        key=lambda fc, fr: (fc, fr),
        make=lambda fc, fr: _stationary(tile(fc, fr), rows),
        skewed=False,
    )
