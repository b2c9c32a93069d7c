"""What a pass takes at each station of the chip and its host, in ticks."""

from __future__ import annotations

from dataclasses import dataclass

from accelsim.sim.chip_ports import ticks
from accelsim.tables.chip import STATIONS, Chip, ReplicaWork

HOST, LOCK, COPY, LAUNCH, DEVICE = range(len(STATIONS))
ORDER = (LOCK, HOST, COPY, LAUNCH)
"""Stations on the way to the device, in the order in which a pass meets them."""


@dataclass(frozen=True)
class Service:
    """Ticks of one pass at each of STATIONS, and how many serve there at a time."""

    ticks: tuple[int, ...]
    servers: tuple[int, ...]
    threads: int
    asynchronous: bool


def service_of(
    chip: Chip, work: ReplicaWork, dp: int, threads: int, batch: int, device_ticks: int
) -> Service:
    """What a pass takes at each station.

    host = clock x (pass + words (load + convert + missing x convert_miss)), where missing is the share of
    the images in flight, threads x dp x batch, that the host's cache does not hold, and clock what the clock
    loses with each busy core. lock = lock_s (1 - host cores / threads): its holder has lost its core.
    """
    host, runtime = chip.host, chip.runtime
    words = dp * batch * work.input_words
    in_flight_bytes = threads * words * runtime.host_bytes_per_word
    missing = max(0.0, 1 - host.cache_bytes / in_flight_bytes) if in_flight_bytes else 0.0
    per_word = (
        runtime.load_s_per_word + runtime.convert_s_per_word + missing * runtime.convert_miss_s_per_word
    )
    clock = 1.0
    if host.n_cores > 1:
        idle = (host.n_cores - min(threads, host.n_cores)) / (host.n_cores - 1)
        clock = host.boost / (1 + (host.boost - 1) * idle)
    lock = 0.0
    if words * runtime.buffer_bytes_per_word >= runtime.lock_from_bytes:
        lock = runtime.lock_s * max(0.0, 1 - host.n_cores / threads)
    copy = words * runtime.copy_bytes_per_word / host.link_bytes_per_s
    seconds = {
        HOST: clock * (runtime.pass_s + words * per_word),
        LOCK: lock,
        COPY: copy,
        LAUNCH: runtime.launch_s,
    }
    slots = chip.slots(work.mp, dp)
    return Service(
        ticks=(*(ticks(seconds[s]) for s in range(DEVICE)), device_ticks),
        servers=(host.n_cores, 1, 1, 1, slots),
        threads=threads,
        asynchronous=runtime.asynchronous,
    )
