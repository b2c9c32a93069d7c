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
from accelsim.compat.scalesim.demand import Stream
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
    """When the buffer is full, and the words that it reads from DRAM.

    Requests are taken a chunk at a time: the words that the segment has not seen are marked, the one that
    makes it full is found by its rank among them, and the next segment starts behind it.
    """
    cap = 50 * (sram_words // 100)
    if stream.touched < cap:
        return Fills(np.empty(0, np.int64), stream.touched, stream.touched)
    folds = stream.folds
    flushes: list[int] = []
    seen = np.zeros(stream.n_addresses + 1, np.int32)  # the segment that has a word; the last is NO_WORD's
    place = np.empty(stream.n_addresses + 1, np.int64)
    segment, held = 1, 0
    seen[-1] = segment
    quiet: tuple[int, int] | None = None  # key of a block that asked for nothing new
    for fold in range(folds.n_folds):
        at = divmod(fold, folds.row_folds)
        if stream.key(*at) == quiet:
            continue
        before = (segment, held)
        block = stream.make(*at)
        ports = block.addresses.shape[1]
        words = block.addresses.ravel()
        start = 0
        while start < words.size:
            chunk = words[start : start + max(MIN_CHUNK, 2 * (cap - held))]
            fresh = np.flatnonzero(seen[chunk] != segment)
            # the first of several requests for a word: the last write to its place wins
            place[chunk[fresh[::-1]]] = fresh[::-1]
            fresh = fresh[place[chunk[fresh]] == fresh]
            if held + fresh.size < cap:
                seen[chunk[fresh]] = segment
                held += int(fresh.size)
                start += chunk.size
                continue
            full_at = int(fresh[cap - held - 1])
            flushes.append(fold * folds.span + block.first + (start + full_at) // ports)
            segment, held = segment + 1, 0
            seen[-1] = segment
            start += full_at + 1
        quiet = stream.key(*at) if (segment, held) == before else None
    return Fills(np.array(flushes, np.int64), held, cap * len(flushes) + held)


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
