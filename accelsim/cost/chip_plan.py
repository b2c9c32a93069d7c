"""A plan of a pass in closed form: what a cell comes to whose instances run it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from accelsim.cost.chip_stations import host_work
from accelsim.tables.chip import STATIONS, Cells, Chip
from accelsim.tables.plan import PassPlan


def plan_memory(chip: Chip, plan: PassPlan, threads: int, live_bytes: float) -> float:
    """Bytes on all cards: each copy of the weights, and the activations of every image in flight."""
    return plan.weights(chip, threads) * chip.runtime.weight_bytes + threads * plan.images * live_bytes


def plan_fits(chip: Chip, plan: PassPlan, n_cores: int, threads: int, live_bytes: float) -> bool:
    """Whether the card that has most instances has room; one that spans cards is spread over them."""
    here = float(chip.on_card(n_cores, np.array([threads]))[0])
    weights = plan.weights(replace(chip, n_cards=1), 1)
    if chip.runtime.weights_stored != "card":
        weights *= here
    return weights * chip.runtime.weight_bytes + here * plan.images * live_bytes <= chip.memory_bytes


def timing(
    chip: Chip, images: int, threads: int, slots: int, input_words: float, pass_s: float, interval_s: float
) -> tuple[float, float, str]:
    """Throughput, latency and limit of passes that a device takes in every `interval_s`, each for `pass_s`.

    As `cost.chip.cell_costs`, with `device = max(pass, interval T / slots)`.
    """
    cell = Cells.of([(1, 1, threads, images)])
    host = host_work(chip, cell, input_words)
    stations = [
        float(host.host[0]) * max(1.0, threads / chip.host.n_cores),
        *(float(s[0]) * threads for s in (host.lock, host.copy, host.launch)),
        max(pass_s, interval_s * threads / slots),
    ]
    thread = float(host.thread[0])
    cycle = max(*stations, thread if chip.runtime.asynchronous else thread + pass_s)
    at = int(np.argmax(stations))
    bound = at == len(STATIONS) - 1
    latency = cycle + (cycle if bound else pass_s) if chip.runtime.asynchronous else cycle
    return threads * images / cycle, latency, STATIONS[at]
