"""What an instance holds its cores for in a pass, by cause, in closed form.

Ly layers, B cells. Bounds from below: a replica is never faster than its layers one after the other, a
channel or link never faster than the bytes of all that share it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from accelsim.tables.chip import Cells, Chip, Floats, Ints, ReplicaWork

CAUSES: Final = ("compute", "channel", "exchange", "barrier", "issue")
"""What a pass of the device consists of; the largest one is its limit."""


@dataclass(frozen=True, eq=False)
class LayerSeconds:
    """Of one replica's pass, undisturbed by others."""

    compute: Floats  # [Ly] the slowest core
    channel: Floats  # [Ly] activations and weights, on each of the channels that the replica spans
    exchange: Floats  # [Ly] what a cluster takes from others


def layer_seconds(chip: Chip, work: ReplicaWork, dp: int, batch: int) -> LayerSeconds:
    """`batch` images layer by layer, the weights once; s clusters move 1 / s of the bytes each."""
    rate = chip.channel_bytes_per_s * chip.clusters_of(work.mp)
    link, _ = chip.wire(work.mp)
    n_bytes = batch * (work.in_bytes + work.out_bytes) + chip.weight_share(dp) * work.weight_bytes
    return LayerSeconds(
        compute=np.asarray(batch * work.compute_s / chip.runtime.kernel_efficiency),
        channel=np.asarray(n_bytes / rate),
        exchange=np.asarray(batch * work.exchange_bytes / link),
    )


def pass_parts(chip: Chip, work: ReplicaWork, dp: int, batch: int, n_sharing: int) -> Floats:  # [causes]
    """Seconds of a pass by cause, while `n_sharing` replicas share a channel.

    A layer of one core takes `max(compute, channel)`, as its tiles stream. More cores meet at a barrier after
    each layer, which stops the prefetch: load, exchange, compute and store come one after the other. The last
    replica starts `(dp - 1) replica_s` after the first.
    """
    runtime, layers = chip.runtime, layer_seconds(chip, work, dp, batch)
    waits = layers.channel if work.mp > 1 else np.maximum(0.0, layers.channel - layers.compute)
    barrier = runtime.barrier_s * (work.mp - 1).bit_length() * work.n_layers
    issue = runtime.layer_s * work.n_layers + (dp - 1) * runtime.replica_s
    parts = np.array([layers.compute.sum(), waits.sum(), layers.exchange.sum(), barrier, issue])
    parts[1] += max(0.0, n_sharing * float(layers.channel.sum()) - float(parts.sum()))
    parts[2] += max(0.0, n_sharing * float(layers.exchange.sum()) - float(parts.sum()))
    return parts


def n_sharing(chip: Chip, mp: int, dp: int, active: int) -> int:
    """Replicas that each pass waits for at the busiest channel while so many instances compute.

    Where instances have unequally many there, as many as the least of them: a bound for their mean.
    """
    there = chip.at_channel(mp, dp, active)
    return len(there) * min(len(replicas) for replicas in there)


def device_parts(chip: Chip, work: ReplicaWork, cells: Cells, slots: Ints) -> Floats:  # [B, causes]
    """`pass_parts` of every cell, equal ones once."""
    sharing: dict[tuple[int, int], int] = {}
    found: dict[tuple[int, int, int], Floats] = {}
    rows = []
    active = np.minimum(cells.threads, slots)
    for dp, batch, n_active in zip(cells.dp.tolist(), cells.batch.tolist(), active.tolist(), strict=True):
        if (dp, n_active) not in sharing:
            sharing[dp, n_active] = n_sharing(chip, work.mp, dp, n_active)
        key = (dp, batch, sharing[dp, n_active])
        if key not in found:
            found[key] = pass_parts(chip, work, *key)
        rows.append(found[key])
    return np.array(rows).reshape(-1, len(CAUSES))
