"""The read buffer of USER mode: a window that moves over the sequence of words that are fetched ahead.

The sequence is cut into sets of eps = ceil(S / 100) words. `reach` neighbouring sets are in reach; a request
for a word of none of them moves the window on by `shift` sets (around the end), until the word is in reach.
Which requests miss depends on their order alone, not on the cycles: the misses are found here, what they cost
in `timeline`. Source: SCALE-Sim 3.0.0, memory/read_buffer.py.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import numpy as np

from accelsim.base.errors import InputError, Problem
from accelsim.compat.scalesim.demand import Stream
from accelsim.compat.scalesim.work import NO_WORD, Ints

MAX_SEQUENCE_WORDS: Final = 2**26
"""A longer prefetch sequence would take gigabytes; SCALE-Sim holds each word as an object of a Python set."""
LOOK: Final = 64
"""Requests that are looked up one by one before the words in reach are marked, which costs a whole window."""
SMALL_WINDOW_WORDS: Final = 2**14
"""Windows that are marked at once."""


@dataclass(frozen=True, slots=True)
class Misses:
    """Lines whose requests move the window, and how often; and what a move fetches."""

    lines: Ints  # [misses], ascending
    moves: Ints  # [misses]
    first_fetch_lines: int  # lines of `bandwidth` words before cycle 0
    fetch_lines: int  # lines of a move

    @property
    def n_moves(self) -> int:
        return int(self.moves.sum())


def misses(stream: Stream, sram_words: int, bandwidth_words: int) -> Misses:
    """The lines of the demand that find a word out of reach."""
    active_words = -(-sram_words // 2)
    first = min(-(-active_words // bandwidth_words), -(-stream.fetched_words // bandwidth_words))
    fetch = -(-(sram_words - active_words) // bandwidth_words)
    eps = -(-sram_words // 100)
    reach = -(-active_words // eps)
    none = np.empty(0, np.int64)
    if stream.sequence_words // eps + 1 <= reach:
        return Misses(none, none, first, fetch)
    if stream.fetched_words > MAX_SEQUENCE_WORDS:
        raise InputError(
            Problem(
                f"{stream.fetched_words:,} words to fetch ahead in USER mode",
                expected=f"at most {MAX_SEQUENCE_WORDS:,}",
                hint="take CALC mode, or smaller layers",
            )
        )
    sequence = stream.prefetch_sequence()
    n_sets = sequence.size // eps + 1
    if n_sets <= reach:
        return Misses(none, none, first, fetch)
    window = _Window(
        sequence, n_sets, eps, reach, min(n_sets - reach, -(-(sram_words - active_words) // eps))
    )
    lines, moves = _walk(stream, window)
    return Misses(lines, moves, first, fetch)


def _walk(stream: Stream, window: _Window) -> tuple[Ints, Ints]:
    """All misses, block after block; a block met before with the window in the same place repeats itself."""
    folds = stream.folds
    known: dict[tuple[int, int], tuple[Ints, Ints, int]] = {}  # (block, window): misses, window after it
    all_lines: list[Ints] = []
    all_moves: list[Ints] = []
    for fold in range(folds.n_folds):
        state = (stream.key(fold), window.start)
        if state not in known:
            lines, moves = window.scan(stream.block(fold))
            known[state] = (lines + stream.shape(fold).first, moves, window.start)
        lines, moves, window.start = known[state]
        if lines.size:
            all_lines.append(lines + fold * folds.span)
            all_moves.append(moves)
    if not all_lines:
        return np.empty(0, np.int64), np.empty(0, np.int64)
    return np.concatenate(all_lines), np.concatenate(all_moves)


@dataclass(eq=False)
class _Window:
    """The sets in reach: `reach` of them from `start` on, around the end of the sequence."""

    sequence: Ints
    n_sets: int
    eps: int
    reach: int
    shift: int
    start: int = 0
    _keys: Ints = field(init=False)  # address x n_sets + set, sorted: the sets that each word is in
    _mark: Ints = field(init=False)  # the last window that had a word in reach; the last place is NO_WORD's
    _marked: int = -1
    _token: int = 0

    def __post_init__(self) -> None:
        sets = np.arange(self.sequence.size) // self.eps
        self._keys = np.sort(self.sequence * self.n_sets + sets)
        self._mark = np.zeros(int(self.sequence.max()) + 2, np.int32)

    def scan(self, addresses: Ints) -> tuple[Ints, Ints]:
        """Lines of a block that miss, and the moves that each of them makes."""
        ports = addresses.shape[1]
        words = addresses.ravel()
        moved: dict[int, int] = {}
        at = 0
        while (at := self._next_miss(words, at)) < words.size:
            ahead = self._ahead(int(words[at]))
            n = (ahead - self.reach) // self.shift + 1
            self.start = (self.start + n * self.shift) % self.n_sets
            moved[at // ports] = moved.get(at // ports, 0) + n
        return np.array(list(moved), np.int64), np.array(list(moved.values()), np.int64)

    def _ahead(self, word: int) -> int:
        """Sets from the start of the window to the next one that has the word."""
        low = word * self.n_sets
        i = int(np.searchsorted(self._keys, low + self.start))
        if i < self._keys.size and (key := int(self._keys[i])) < low + self.n_sets:
            return key - low - self.start
        return int(self._keys[np.searchsorted(self._keys, low)]) - low + self.n_sets - self.start

    def _next_miss(self, words: Ints, at: int) -> int:
        if self._marked != self.start and self.reach * self.eps > SMALL_WINDOW_WORDS:
            for i, word in enumerate(words[at : at + LOOK].tolist()):
                if word != NO_WORD and self._ahead(word) >= self.reach:
                    return at + i
            at += LOOK
        self._mark_reach()
        step = LOOK
        while at < words.size:
            out = self._mark[words[at : at + step]] != self._token
            first = int(out.argmax())
            if out[first]:
                return at + first
            at += step
            step = min(4 * step, 2**20)
        return words.size

    def _mark_reach(self) -> None:
        if self._marked == self.start:
            return
        self._token += 1
        begin, end = self.start * self.eps, (self.start + self.reach) * self.eps
        self._mark[self.sequence[begin:end]] = self._token
        if self.start + self.reach > self.n_sets:
            self._mark[self.sequence[: (self.start + self.reach - self.n_sets) * self.eps]] = self._token
        self._mark[-1] = self._token
        self._marked = self.start
