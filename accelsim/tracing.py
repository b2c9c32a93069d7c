"""The timeline of a simulated network: records of its cores, with the layers and what they wait for."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from accelsim.results.trace import Arrow, Counter, Slices, Trace, bandwidth, fills
from accelsim.sim.network import Simulated
from accelsim.tables.machine import Machine
from accelsim.workload.graph import LayerGraph

SHARED = "memory channel"


def trace_of(
    graph: LayerGraph, machine: Machine, simulated: Simulated, channels: Sequence[str], tick_s: float
) -> Trace:
    """A process for each core and one for the shared channel; `tick_s` is the time of a tick."""
    process: list[str] = []
    track: list[str] = []
    name: list[str] = []
    start: list[int] = []
    end: list[int] = []
    busy: list[int] = []
    for layer, times in zip(graph.layers, simulated.jobs, strict=True):
        if times is not None:
            process.append(_core(times.core))
            track.append("layers")
            name.append(layer.name)
            start.append(times.start)
            end.append(times.end)
            busy.append(times.compute)
    for record in simulated.records:
        process += [SHARED if unit in channels else _core(record.core) for unit in record.track]
        track += record.track
        name += record.name
        start += record.start
        end += record.end
        busy += record.busy
    slices = Slices(process, track, name, *(np.array(x, np.float64) * tick_s for x in (start, end, busy)))
    return Trace(
        slices, _counters(machine, simulated, channels, tick_s, slices), _arrows(graph, simulated, tick_s)
    )


def _counters(
    machine: Machine, simulated: Simulated, channels: Sequence[str], tick_s: float, slices: Slices
) -> tuple[Counter, ...]:
    found = []
    for channel in channels:
        ways = machine.write_bytes_per_cycle if channel.endswith(" write") else machine.read_bytes_per_cycle
        found.append(bandwidth(slices, SHARED, channel, float(ways[-1]) * machine.clock_hz))
    for record in simulated.records:
        for buffer in dict.fromkeys(record.buffer):
            here = [i for i, name in enumerate(record.buffer) if name == buffer]
            at, more = (np.array(x, np.float64)[here] for x in (record.changed, record.more_bytes))
            found.append(fills(_core(record.core), buffer, at * tick_s, more))
    return tuple(found)


def _arrows(graph: LayerGraph, simulated: Simulated, tick_s: float) -> tuple[Arrow, ...]:
    """From the end of each layer to the start of those that read what it wrote."""
    step = {layer.name: i for i, layer in enumerate(graph.layers)}
    arrows = []
    for i, layer in enumerate(graph.layers):
        times = simulated.jobs[i]
        for tensor in dict.fromkeys((*layer.inputs, *layer.fused_inputs)):
            maker = graph.producer.get(tensor)
            made = simulated.jobs[step[maker.name]] if maker is not None else None
            if times is not None and made is not None:
                where = _core(made.core), made.end * tick_s, _core(times.core), times.start * tick_s
                arrows.append(Arrow(tensor, *where))
    return tuple(arrows)


def _core(number: int) -> str:
    return f"core {number}"
