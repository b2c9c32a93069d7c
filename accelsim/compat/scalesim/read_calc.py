"""The read buffer of CALC mode: it never stalls the array and drops all that it holds whenever it is full.

Half of the SRAM, cap = 50 floor(S / 100) words, fills with each word that it has not; at `cap` words it is
flushed. Every word of every fill is a DRAM read. Source: SCALE-Sim 3.0.0, memory/read_buffer_estimate_bw.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import Final

import numpy as np

from accelsim.base.errors import InputError, Problem
from accelsim.compat.scalesim.demand import Shape, Stream
from accelsim.compat.scalesim.work import Ints

FIRST_WORDS_PER_CYCLE: Final = 10
"""SCALE-Sim's own arbitrary rate of the first fill (single_layer_sim.py)."""
MIN_CHUNK: Final = 4096


@dataclass(frozen=True, slots=True)
class Fills:
    """What a read buffer of CALC mode took from DRAM."""

    flush_lines: Ints  # [fills that became full], lines of the requests that made them so
    held: int  # words of the last fill
    reads: int


def fills(stream: Stream, sram_words: int) -> Fills:
    """When the buffer is full, and the words that it reads from DRAM."""
    cap = 50 * (sram_words // 100)
    if stream.touched < cap:
        return Fills(np.empty(0, np.int64), stream.touched, stream.touched)
    lines, held = _by_rank(stream, cap) if stream.all_distinct else _walk(stream, cap)
    return Fills(lines, held, cap * lines.size + held)


def _by_rank(stream: Stream, cap: int) -> tuple[Ints, int]:
    """Flushes and words held at the end where no word occurs twice in a pass over the matrix.

    A pass of p words, q times in a row: with p >= cap every request finds its word gone, and each cap-th one
    flushes. With p < cap the first pass flushes at most once; the second fetches again what that dropped, the
    others nothing.
    """
    folds = stream.folds
    n_words = stream.fold_words()
    ends = np.cumsum(n_words)
    if stream.streams and not stream.by_rows:  # each fold's words once a row fold, then never again
        each = folds.row_folds
        passes = [(int(n_words[f]), each) for f in range(0, folds.n_folds, each)]
    else:
        passes = [(stream.sequence_words, int(ends[-1]) // stream.sequence_words)]
    ranks: list[Ints] = []
    start = held = 0
    for n, times in passes:
        if n >= cap:
            ranks.append(start + np.arange(cap - held - 1, n * times, cap))
            held = (held + n * times) % cap
        elif held + n >= cap:
            ranks.append(np.array([start + cap - held - 1]))
            held = n if times > 1 else held + n - cap
        else:
            held += n
        start += n * times
    requests = np.concatenate([np.empty(0, np.int64), *ranks])
    at = np.searchsorted(ends, requests, side="right")
    within = requests - (ends[at] - n_words[at])
    until: dict[Shape, Ints] = {}
    lines = np.empty(requests.size, np.int64)
    for i, (fold, rank) in enumerate(zip(at.tolist(), within.tolist(), strict=True)):
        shape = stream.shape(fold)
        if shape not in until:
            until[shape] = stream.words_until(shape)
        line = shape.first + int(np.searchsorted(until[shape], rank, side="right"))
        lines[i] = fold * folds.span + line
    return lines, held


def _walk(stream: Stream, cap: int) -> tuple[Ints, int]:
    """The same for any stream, request by request in chunks.

    The words that the fill has not seen are marked; the one that makes it full is found by its rank among
    them. A flush leaves nothing behind, so two flushes at the same place of a pass are followed by the same
    ones: from then on they repeat.
    """
    folds = stream.folds
    n_pass = folds.row_folds if stream.streams and stream.by_rows else folds.n_folds  # folds
    flushes: list[int] = []
    first_at: dict[tuple[int, int], tuple[int, int]] = {}  # place in a pass: pass, flushes before it
    seen = np.zeros(stream.n_addresses + 1, np.int32)  # the fill that has a word; the last is NO_WORD's
    place = np.empty(stream.n_addresses + 1, np.int64)
    fill, held, fold, start = 1, 0, 0, 0
    seen[-1] = fill
    while fold < folds.n_folds:
        words = stream.block(fold)
        ports = words.shape[1]
        words = words.ravel()
        while start < words.size:
            chunk = words[start : start + max(MIN_CHUNK, 2 * (cap - held))]
            fresh = np.flatnonzero(seen[chunk] != fill)
            # of several requests for one word the first: the last write to its place wins
            place[chunk[fresh[::-1]]] = fresh[::-1]
            fresh = fresh[place[chunk[fresh]] == fresh]
            if held + fresh.size < cap:
                seen[chunk[fresh]] = fill
                held += int(fresh.size)
                start += chunk.size
                continue
            start += int(fresh[cap - held - 1])
            flushes.append(fold * folds.span + stream.shape(fold).first + start // ports)
            fill, held = fill + 1, 0
            seen[-1] = fill
            n_passes, in_pass = divmod(fold, n_pass)
            earlier = first_at.setdefault((in_pass, start), (n_passes, len(flushes)))
            start += 1
            if earlier[1] < len(flushes):
                round_passes = n_passes - earlier[0]
                rounds = (folds.n_folds - 1 - fold) // (round_passes * n_pass)
                step = round_passes * n_pass
                again = flushes[earlier[1] :]
                flushes += [line + r * step * folds.span for r in range(1, rounds + 1) for line in again]
                first_at.clear()
                if rounds:
                    fold += rounds * step
        fold, start = fold + 1, 0
    return np.array(flushes, np.int64), held


def dram_window(found: Fills, sram_words: int, flush_cycles: Ints, first_cycle: int) -> tuple[int, int]:
    """First and last cycle of the reported DRAM reads.

    Without a flush, the fill ends in cycle -1 and has taken ceil(sets x floor(S / 100) / 10) cycles, a set
    being floor(S / 100) words. With flushes at cycles c1, c2, ...: the first fill ends one cycle before the
    first request, the next lasts until c1, and so on; the last one until the last flush. InputError where two
    buffers fill up in one cycle, where SCALE-Sim divides by zero.
    """
    per_set = sram_words // 100
    if not flush_cycles.size:
        sets = -(-found.held // per_set)
        return -ceil(sets * per_set / FIRST_WORDS_PER_CYCLE), -1
    if (np.diff(flush_cycles) < 1).any():
        raise InputError(
            Problem(
                f"two read buffers of {50 * per_set:,} words fill up in one cycle: SCALE-Sim divides by zero",
                hint="take larger SRAMs or a narrower array",
            )
        )
    n_first = ceil(50 * per_set / FIRST_WORDS_PER_CYCLE)
    return first_cycle - n_first, int(flush_cycles[-1]) + 1
