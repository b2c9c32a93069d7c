"""The timeline of one cell: what each thread, and each replica at one memory channel, does when."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np

from accelsim.results.trace import Slices, Trace
from accelsim.sim.chip import trace_cell
from accelsim.sim.chip_ports import TICKS_PER_S
from accelsim.tables.chip import Chip, ReplicaWork

ROUNDS: Final = 3
"""Passes of each thread: the first ones fill the pipeline."""


def cell_timeline(chip: Chip, works: Mapping[int, ReplicaWork], cell: tuple[int, int, int, int]) -> Trace:
    """Two runs of events beside each other, both from zero on.

    Process `host`: a track a thread, and one for its passes on the device, stations as slices. A process for
    each replica at the busiest channel: a track for each cause of its time, layers as slices.
    """
    stations, device = trace_cell(chip, works, cell, ROUNDS * cell[2])
    start = np.array([*stations.start, *device.start], np.float64) / TICKS_PER_S
    end = np.array([*stations.end, *device.end], np.float64) / TICKS_PER_S
    return Trace(
        Slices(
            process=["host"] * len(stations) + device.track,
            track=stations.track + device.what,
            name=stations.what + device.name,
            start=start,
            end=end,
            busy=end - start,
        ),
        counters=(),
        arrows=(),
    )
