"""One layer under SCALE-Sim's rules, with all that its reports say of it."""

from __future__ import annotations

import numpy as np

from accelsim.base.errors import InputError
from accelsim.compat.scalesim.compute import compute_report
from accelsim.compat.scalesim.demand import Stream, streams
from accelsim.compat.scalesim.folds import Folds
from accelsim.compat.scalesim.read_calc import dram_window, fills
from accelsim.compat.scalesim.read_user import Misses, misses
from accelsim.compat.scalesim.setup import WORDS_PER_KB, Setup
from accelsim.compat.scalesim.timeline import ReadPort, Timeline, timeline
from accelsim.compat.scalesim.work import Work
from accelsim.compat.scalesim.write_buffer import OutputWords, WriteBuffer

Row = dict[str, int | float | None]
HIT_LATENCY = 1
"""Cycles from a request to its answer, in every read buffer (memory/read_buffer.py)."""


def simulate_layer(work: Work, setup: Setup) -> Row:
    """Compute, bandwidth and access reports of one layer, stalls and memory modes included.

    Columns as in `reports`; cycles, words, percent, words per cycle. InputError where the setup is none that
    SCALE-Sim runs.
    """
    if found := setup.problems():
        raise InputError(found)
    folds = Folds(work.m, work.n, work.k, setup.rows, setup.cols, setup.dataflow)
    by_name = dict(zip(("ifmap", "filter"), streams(work, folds), strict=True))
    sram_words = {"ifmap": setup.ifmap_kb * WORDS_PER_KB, "filter": setup.filter_kb * WORDS_PER_KB}
    words = OutputWords(folds)
    user = setup.mode == "USER"
    output = WriteBuffer(words, setup.ofmap_kb * WORDS_PER_KB, setup.ofmap_bandwidth if user else setup.cols)
    bandwidth = {"ifmap": setup.ifmap_bandwidth, "filter": setup.filter_bandwidth}
    ports: dict[str, ReadPort] = {}
    if user:
        ports = {
            name: ReadPort(misses(stream, sram_words[name], bandwidth[name]))
            for name, stream in by_name.items()
        }
    time = timeline(tuple(ports.values()), output)
    last_cycle = time.cycle(folds.lines - 1) + time.output_waits.get(folds.lines - 1, 0)
    output.empty(last_cycle)
    row = compute_report(folds, last_cycle, time.total_stalls)
    dram: Row = {}
    for name, stream in by_name.items():
        row |= _sram_window(name, stream, time, ports.get(name))
        dram |= (
            _user_dram(name, ports[name], bandwidth[name])
            if user
            else _calc_dram(name, stream, sram_words[name], time)
        )
    first, last = words.line_of(0), words.line_of(words.total - 1)
    row["sram_ofmap_start"] = time.cycle(first) + time.output_waits.get(first, 0)
    row["sram_ofmap_stop"] = time.cycle(last) + time.output_waits.get(last, 0)
    dram |= _dram("ofmap", output.first_cycle, output.last_cycle, output.dram_writes)
    row |= dram
    row["total_cycles_incl_prefetch"] = output.last_cycle - min(
        int(dram["dram_ifmap_start"] or 0), int(dram["dram_filter_start"] or 0)
    )
    return row


def _sram_window(name: str, stream: Stream, time: Timeline, port: ReadPort | None) -> Row:
    """Cycles in which the first and the last line that ask for a word are answered."""
    waits = port.waits if port is not None else {}
    window = {"start": stream.first_line(), "stop": stream.last_line()}
    return {
        f"sram_{name}_{end}": time.cycle(line) + HIT_LATENCY + waits.get(line, 0)
        for end, line in window.items()
    }


def _user_dram(name: str, port: ReadPort, bandwidth: int) -> Row:
    """Every fetch counts its whole lines, with null requests, duplicates and what is fetched again."""
    found: Misses = port.misses
    reads = bandwidth * (found.first_fetch_lines + found.n_moves * found.fetch_lines)
    return _dram(name, -found.first_fetch_lines, port.fetched_until, reads)


def _calc_dram(name: str, stream: Stream, sram_words: int, time: Timeline) -> Row:
    found = fills(stream, sram_words)
    flushes = time.cycles(found.flush_lines) if found.flush_lines.size else np.empty(0, np.int64)
    start, stop = dram_window(found, sram_words, flushes, time.cycle(stream.first_line()))
    return _dram(name, start, stop, found.reads)


def _dram(name: str, start: int, stop: int, words: int) -> Row:
    return {
        f"dram_{name}_start": start,
        f"dram_{name}_stop": stop,
        f"dram_{name}_{'writes' if name == 'ofmap' else 'reads'}": words,
        f"dram_{name}_bandwidth": words / (stop - start + 1),
    }
