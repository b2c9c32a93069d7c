"""What a pass is for one replica, in ticks, and who else is at its memory channel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from accelsim.sim.chip_ports import ticks
from accelsim.tables.chip import Chip, Floats, ReplicaWork

TILES: Final = 4
"""Tiles of a layer on one core; an assumption: enough to fetch ahead, few enough to be quick."""
CAUSES: Final = ("compute", "channel", "exchange", "issue", "barrier")
"""What the time of a pass goes to; dispatch of replicas is issue, waiting for the others is barrier."""
COMPUTE, CHANNEL, EXCHANGE, ISSUE, BARRIER = range(5)


@dataclass(frozen=True)
class LayerTicks:
    """One layer of one replica: what each of its tiles takes."""

    name: str
    n_tiles: int
    load: int
    exchange: int
    compute: int
    store: int


@dataclass(frozen=True)
class DeviceProgram:
    """One pass of one replica, and who else is at its channel."""

    layers: tuple[LayerTicks, ...]
    streams: bool  # tiles are fetched ahead
    issue: int  # ticks, of a layer
    barrier: int  # ticks, after a layer
    offsets: tuple[
        tuple[int, ...], ...
    ]  # of each instance at the channel: when its replicas there are dispatched

    @property
    def alone(self) -> int:
        """Ticks of a replica's pass if nothing overlapped and nobody waited."""
        busy = sum(x.n_tiles * (x.load + x.exchange + x.compute + x.store) for x in self.layers)
        return busy + len(self.layers) * (self.issue + self.barrier)


def device_program(
    chip: Chip, work: ReplicaWork, dp: int, active: int, batch: int, tiles: int = TILES
) -> DeviceProgram:
    """What the replicas at the busiest channel do while `active` instances of `dp` replicas compute."""
    runtime, mp = chip.runtime, work.mp
    n_tiles = tiles if mp == 1 else 1
    channel = chip.channel_bytes_per_s * chip.clusters_of(mp) * n_tiles
    link, _ = chip.wire(mp)
    load = (batch * work.in_bytes + work.weight_bytes * chip.weight_share(dp)) / channel
    columns = (
        load,
        batch * work.exchange_bytes / (link * n_tiles),
        batch * work.compute_s / (runtime.kernel_efficiency * n_tiles),
        batch * work.out_bytes / channel,
    )
    layers = tuple(
        LayerTicks(name, n_tiles, *times)
        for name, *times in zip(work.layers, *(map(ticks, _list(c)) for c in columns), strict=True)
    )
    doublings = (mp - 1).bit_length()
    replica = ticks(runtime.replica_s)
    there = chip.at_channel(mp, dp, active)
    # the channel that is simulated has each instance's last replica, so that none elsewhere ends later
    offsets = tuple(tuple((dp - 1 - group[-1] + r) * replica for r in group) for group in there)
    return DeviceProgram(
        layers, mp == 1, ticks(runtime.layer_s), ticks(runtime.barrier_s * doublings), offsets
    )


def _list(column: Floats) -> list[float]:
    values: list[float] = np.asarray(column, np.float64).tolist()
    return values
