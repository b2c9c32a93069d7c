"""A chip of cores in closed form: what a pass takes on the device, and which station decides the throughput.

B cells, Ly layers. Bounds from below for the events of `sim.chip`: a replica is never faster than its layers
one after the other, a channel never faster than its bytes, a station never faster than its own work.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from accelsim.cost.chip_device import CAUSES, device_parts
from accelsim.cost.chip_stations import host_work
from accelsim.tables.chip import STATIONS, Bools, Cells, Chip, Floats, Ints, ReplicaWork

Words = NDArray[np.str_]


@dataclass(frozen=True, eq=False)
class CellCosts:
    """Of B cells; one that is not `ok` has nan for times and throughput, its limit is what is short."""

    status: Words  # [B] ok, infeasible, oom
    throughput_fps: Floats  # [B] images a second in steady state
    latency_s: Floats  # [B] from a thread's taking a pass until its results are out
    energy_j: Floats  # [B] of an image
    memory_bytes: Floats  # [B] on all cards; also where they are too many
    limit: Words  # [B] a station of the host, a cause of the device, cores or memory
    cycle_s: Floats  # [B] from one pass of a thread to its next
    pass_s: Floats  # [B] that an instance holds its cores
    stations_s: Floats  # [B, 5] the least cycle that each of STATIONS allows

    @property
    def ok(self) -> Bools:
        return np.equal(self.status, "ok")


def cell_costs(chip: Chip, works: Mapping[int, ReplicaWork], cells: Cells) -> CellCosts:
    """Costs of each cell; `works` by model parallelism, one network cut over 1, 2, ... cores.

    `cycle = max(host max(1, T / host cores), T lock, T copy, T launch, device max(1, T / slots))`, and what a
    thread does one after the other if that is more; throughput is `T dp batch / cycle`.
    """
    n = len(cells)
    feasible = (cells.mp * cells.dp) <= chip.n_cores
    out = {name: np.full(n, np.nan) for name in ("energy", "memory", "pass", "thread")}
    stations = np.full((n, len(STATIONS)), np.nan)
    cause = np.full(n, -1)
    for mp in np.unique(cells.mp[feasible]).tolist():
        at = np.flatnonzero(feasible & (cells.mp == mp))
        here, work = _at(cells, at), works[mp]
        slots = np.array([chip.slots(mp, dp) for dp in here.dp.tolist()])
        parts = device_parts(chip, work, here, slots)  # [Bm, causes]
        device = parts.sum(1)
        host = host_work(chip, here, work.input_words)
        out["pass"][at], cause[at] = device, parts.argmax(1)
        out["memory"][at] = footprint(chip, work, here)
        out["energy"][at] = _energy(chip, work, here)
        out["thread"][at] = host.thread
        stations[at] = np.stack(
            [
                host.host * np.maximum(1.0, here.threads / chip.host.n_cores),
                host.lock * here.threads,
                host.copy * here.threads,
                host.launch * here.threads,
                device * np.maximum(1.0, here.threads / slots),
            ],
            axis=1,
        )
    fits = feasible & (out["memory"] <= chip.memory_bytes * chip.n_cards)
    cycle = np.where(fits, _cycle(chip, stations, out["thread"], out["pass"]), np.nan)
    names = np.array(["cores", *STATIONS[:-1], *CAUSES])
    slowest = np.where(np.isnan(stations), -1.0, stations).argmax(1)
    device_bound = slowest == len(STATIONS) - 1
    limit = names[np.where(device_bound, len(STATIONS) + cause, 1 + slowest)]
    limit = np.where(feasible, np.where(fits, limit, "memory"), "cores")
    until_out = cycle if not chip.runtime.asynchronous else cycle + np.where(device_bound, cycle, out["pass"])
    return CellCosts(
        status=np.where(feasible, np.where(fits, "ok", "oom"), "infeasible"),
        throughput_fps=np.where(fits, cells.threads * cells.dp * cells.batch / cycle, np.nan),
        latency_s=until_out,
        energy_j=np.where(fits, out["energy"], np.nan),
        memory_bytes=out["memory"],
        limit=limit,
        cycle_s=cycle,
        pass_s=np.where(fits, out["pass"], np.nan),
        stations_s=np.where(fits[:, None], stations, np.nan),
    )


def data_set_seconds(chip: Chip, works: Mapping[int, ReplicaWork], cells: Cells, n_images: int) -> Floats:
    """Time of a whole data set, [B]: the start, then rounds of passes; nan where a cell does not run.

    `start + ceil(passes / T) cycle`, `passes = ceil(images / (dp batch))`; threads beyond the passes idle.
    """
    passes = -(-n_images // (cells.dp * cells.batch))
    threads = np.minimum(cells.threads, passes)
    cycle = cell_costs(chip, works, replace(cells, threads=threads)).cycle_s
    runs = cell_costs(chip, works, cells).ok
    return np.where(runs, chip.runtime.start_s + -(-passes // threads) * cycle, np.nan)


def footprint(chip: Chip, work: ReplicaWork, cells: Cells) -> Floats:  # [B]
    """Bytes on all cards: each copy of the weights, and the activations of every image in flight."""
    n_replicas = cells.threads * cells.dp
    n_copies = {
        "card": np.full(len(cells), chip.n_cards),
        "instance": cells.threads,
        "replica": n_replicas,
    }[chip.runtime.weights_stored]
    n_bytes: Floats = (
        work.n_weights * chip.runtime.weight_bytes * n_copies + n_replicas * cells.batch * work.live_bytes
    )
    return n_bytes


def _cycle(chip: Chip, stations: Floats, thread: Floats, device: Floats) -> Floats:  # [B]
    """The slowest station, and what one thread does one after the other."""
    alone = thread if chip.runtime.asynchronous else thread + device
    cycle: Floats = np.maximum(np.where(np.isnan(stations), 0.0, stations).max(1), alone)
    return cycle


def _energy(chip: Chip, work: ReplicaWork, cells: Cells) -> Floats:  # [B] J of an image
    """Of the layers, and of the weights over the images of a pass; what others hand on crosses a link."""
    share = np.array([chip.weight_share(dp) for dp in cells.dp.tolist()])
    weights = share * work.weight_energy_j.sum()
    weights = weights + (1 - share) * work.weight_bytes.sum() * chip.link_pj_per_byte * 1e-12
    energy: Floats = work.energy_j.sum() + weights / cells.batch
    return energy


def _at(cells: Cells, index: Ints) -> Cells:
    return Cells(cells.mp[index], cells.dp[index], cells.threads[index], cells.batch[index])
