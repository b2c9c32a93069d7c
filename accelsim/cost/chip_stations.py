"""What a pass asks of the host: its cores, the allocation lock, the copy to the card, the driver's queue.

B cells, a combination of cores, replicas, threads and images each.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from accelsim.tables.chip import Cells, Chip, Floats, Host


@dataclass(frozen=True, eq=False)
class HostWork:
    """Seconds of one pass at each station of the host, undisturbed by other threads."""

    host: Floats  # [B]
    lock: Floats  # [B]
    copy: Floats  # [B]
    launch: Floats  # [B]

    @property
    def thread(self) -> Floats:  # [B]
        """What the thread of a pass goes through one after the other before the device has it."""
        return self.host + self.lock + self.copy + self.launch


def slowdown(host: Host, threads: Floats) -> Floats:
    """Time of host work over that of a single busy core, whose clock is the highest: `boost` with all busy.

    `boost / (1 + (boost - 1) idle / (cores - 1))`: the clock is linear in the cores that idle.
    """
    if host.n_cores == 1:
        return np.ones(len(threads))
    busy = np.minimum(threads, host.n_cores)
    idle_frac = (host.n_cores - busy) / (host.n_cores - 1)
    slower: Floats = host.boost / (1 + (host.boost - 1) * idle_frac)
    return slower


def missing_frac(chip: Chip, in_flight_words: Floats) -> Floats:
    """Share of the input words that conversion finds outside the cache: `1 - cache / words in flight`."""
    in_flight_bytes = in_flight_words * chip.runtime.host_bytes_per_word
    beyond: Floats = np.maximum(0.0, in_flight_bytes - chip.host.cache_bytes)
    return beyond / np.where(beyond > 0, in_flight_bytes, 1.0)


def host_work(chip: Chip, cells: Cells, input_words: float) -> HostWork:
    """Of a pass: conversion and loading of `dp x batch` images, their allocation, copy and launch.

    The lock is asked for where the buffer reaches `lock_from_bytes`; its holder is preempted the more the
    more threads there are than host cores: `lock_s (1 - cores / threads)`.
    """
    runtime, host = chip.runtime, chip.host
    threads = cells.threads.astype(np.float64)
    words = cells.dp * cells.batch * float(input_words)
    per_word = (
        runtime.load_s_per_word
        + runtime.convert_s_per_word
        + runtime.convert_miss_s_per_word * missing_frac(chip, threads * words)
    )
    locks = words * runtime.buffer_bytes_per_word >= runtime.lock_from_bytes
    waits = np.maximum(0.0, 1 - host.n_cores / threads)
    return HostWork(
        host=slowdown(host, threads) * (runtime.pass_s + words * per_word),
        lock=np.where(locks, runtime.lock_s * waits, 0.0),
        copy=np.asarray(words * runtime.copy_bytes_per_word / host.link_bytes_per_s, np.float64),
        launch=np.full(len(cells), runtime.launch_s),
    )
