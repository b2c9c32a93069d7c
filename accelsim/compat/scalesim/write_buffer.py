"""The output buffer of both modes: it drains half of itself to DRAM whenever more than that is held.

Words are appended to lines of B words. Once more than `drain` = floor(S / 2) words are held and no drain is
running, the open line is closed as it is and ceil(drain / B) lines leave, one a cycle; their room is free at
once. The array waits only when no room is left while a drain runs. Only the last line of a drain is known to
be partial: the empty places of others count as words written.
Source: SCALE-Sim 3.0.0, memory/write_buffer.py.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import numpy as np

from accelsim.compat.scalesim.folds import Folds
from accelsim.compat.scalesim.work import Ints

NEVER: Final = 2**62


@dataclass(eq=False)
class OutputWords:
    """Which line of the demand writes which word: the words leave the array skewed, column after column."""

    folds: Folds
    _until: dict[tuple[int, int], Ints] = field(default_factory=dict)  # words up to and with each line

    @property
    def total(self) -> int:
        f = self.folds
        return f.m * f.n * (1 if f.dataflow == "os" else f.row_folds)

    def line_of(self, word: int) -> int:
        """The line that writes a word, NEVER where there is none."""
        if word >= self.total:
            return NEVER
        f = self.folds
        col_fold, word = divmod(word, self._column_words(0))
        row_fold, word = divmod(word, self._fold_words(0, col_fold))
        until = self._words_until(row_fold, col_fold)
        fold = col_fold * f.row_folds + row_fold
        return fold * f.span + int(np.searchsorted(until, word, side="right"))

    def before(self, line: int) -> int:
        """Words that all lines before this one write."""
        f = self.folds
        if line >= f.lines:
            return self.total
        fold, line = divmod(max(line, 0), f.span)
        col_fold, row_fold = divmod(fold, f.row_folds)
        words = col_fold * self._column_words(0) + row_fold * self._fold_words(0, col_fold)
        return words + (int(self._words_until(row_fold, col_fold)[line - 1]) if line else 0)

    def _fold_words(self, row_fold: int, col_fold: int) -> int:
        f = self.folds
        return (f.used_rows(row_fold) if f.dataflow == "os" else f.streamed) * f.used_cols(col_fold)

    def _column_words(self, col_fold: int) -> int:
        f = self.folds
        return (f.on_rows if f.dataflow == "os" else f.row_folds * f.streamed) * f.used_cols(col_fold)

    def _words_until(self, row_fold: int, col_fold: int) -> Ints:
        """Words of a fold up to and with each line: U columns of `height` words, each a line later."""
        f = self.folds
        cols = f.used_cols(col_fold)
        # sums leave from the bottom row on: unused rows come first
        height = f.used_rows(row_fold) if f.dataflow == "os" else f.streamed
        if (height, cols) not in self._until:
            first = f.streamed - 1 + f.rows - height if f.dataflow == "os" else 2 * f.rows - 1
            change = np.zeros(f.span + 1, np.int64)
            starts = first + np.arange(cols)
            np.add.at(change, starts, 1)
            np.add.at(change, starts + height, -1)
            self._until[height, cols] = np.cumsum(np.cumsum(change[: f.span]))
        return self._until[height, cols]


@dataclass(eq=False)
class WriteBuffer:
    """The buffer between two events; time passes in lines, a line's cycle is its index plus the stalls."""

    words: OutputWords
    sram_words: int
    bandwidth_words: int
    free: int = field(init=False)
    drain_words: int = field(init=False)
    appended: int = 0
    drain_end: int = 0
    dram_writes: int = 0
    first_cycle: int = NEVER
    last_cycle: int = -NEVER
    _open: int = 0  # words of the open line
    _closed: int = 0  # lines closed so far
    _drained: int = 0  # lines that have left
    _partial: dict[int, int] = field(default_factory=dict)  # words of lines that were closed early

    def __post_init__(self) -> None:
        self.free = self.sram_words
        self.drain_words = self.sram_words // 2

    @property
    def _to_drain(self) -> int:
        """Words until more than `drain_words` are held."""
        return max(self.free - (self.sram_words - self.drain_words) + 1, 1)

    @property
    def _to_full(self) -> int:
        return max(self.free, 1)

    def next_line(self, line: int, stalls: int) -> int:
        """The line of the next drain or wait, from this line on, if no more cycles are lost until then."""
        idle = max(self.drain_end - stalls, line)  # the first line after the drain that is running
        full = self.words.line_of(self.appended + self._to_full - 1)
        if full < idle:
            return full
        drain = self.words.line_of(self.appended + self._to_drain - 1)
        if drain >= idle:
            return drain
        return self.words.line_of(max(self.words.before(idle), self.appended))

    def write_line(self, line: int, cycle: int) -> int:
        """Takes all words up to this line, which comes at `cycle`; the cycles that the line waits."""
        before = self.words.before(line)
        if before > self.appended:
            self._append(before - self.appended)
        left = self.words.before(line + 1) - self.appended
        now = cycle
        while left:
            draining = now < self.drain_end
            n = self._to_full if draining else self._to_drain
            if n > left:
                self._append(left)
                break
            self._append(n)
            left -= n
            if draining:
                now = self.drain_end
            else:
                self._drain(now)
        return now - cycle

    def empty(self, cycle: int) -> None:
        """The array is done: what is held leaves, a line a cycle."""
        self._append(self.words.total - self.appended)
        self._close()
        while self._drained < self._closed:
            self._drain(cycle)
            cycle = self.drain_end + 1

    def _append(self, n: int) -> None:
        self.appended += n
        self.free -= n
        closed, self._open = divmod(self._open + n, self.bandwidth_words)
        self._closed += closed

    def _close(self) -> None:
        if self._open:
            self._partial[self._closed] = self._open
            self._closed += 1
            self._open = 0

    def _drain(self, cycle: int) -> None:
        self._close()
        per_drain = -(-self.drain_words // self.bandwidth_words)
        n_lines = min(per_drain, self._closed - self._drained)
        self._drained += n_lines
        last = self._partial.get(self._drained - 1, self.bandwidth_words)
        words = (n_lines - 1) * self.bandwidth_words + last
        self.free += words
        self.dram_writes += words
        self.drain_end = cycle + n_lines - 1
        self.first_cycle = min(self.first_cycle, cycle)
        self.last_cycle = max(self.last_cycle, self.drain_end)
