"""A network through the event simulation: its layers as programs, and what they took as rows beside `run`'s.

`costing` maps the layers and gives the analytic rows; the simulation counts words and time by itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from math import ceil
from typing import Any

from accelsim.costing import Costing, status_of
from accelsim.mapping.dataflows import DATAFLOWS, followed
from accelsim.mapping.footprint import level_bytes, moved_bytes, partial_bytes
from accelsim.mapping.lower import lower
from accelsim.results.format import si
from accelsim.results.row import idle_by_part
from accelsim.sim.array_program import Lowered, array_program
from accelsim.sim.layout import layout_of
from accelsim.sim.network import Job, JobTimes, Simulated, simulate
from accelsim.sim.plain_program import Stream, Work, plain_program
from accelsim.sim.ports import CAUSES
from accelsim.sim.program import Program
from accelsim.sim.ticks import Ticks, ticks_of
from accelsim.tables.dims import N_OPERANDS, OPERANDS, I, O
from accelsim.workload.layer import Layer


@dataclass
class Simulation:
    """The programs of a costed network, run once, and its rows."""

    costing: Costing
    skip: bool = True
    cores: int | None = None
    trace: bool = False

    def __post_init__(self) -> None:
        self.graph, self.machine = self.costing.graph, self.costing.machine
        self.ticks: Ticks = ticks_of(self.machine)
        self.layout = layout_of(self.machine)
        self._step = {layer.name: i for i, layer in enumerate(self.graph.layers)}
        self._known: dict[Any, Lowered] = {}
        self._lowered: dict[str, Lowered] = {}
        self.jobs = [self._job(step, layer) for step, layer in enumerate(self.graph.layers)]
        self.n_cores = self._n_cores()
        self.simulated: Simulated = simulate(
            self.jobs, self.layout, self.ticks.per_cycle, self.n_cores, self.skip, self.trace
        )
        self.n_tile_steps = [
            0 if job.program is None else job.program.n_steps * job.runs for job in self.jobs
        ]

    def rows(self) -> list[dict[str, Any]]:
        """Analytic rows with the simulation's times, words and stalls in their place."""
        return [self._row(step) for step in range(len(self.graph.layers))]

    def totals(self, total: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """Totals whose latency is the end of the last layer, which parallel branches bring before the sum."""
        cycles = self.ticks.cycles(self.simulated.end)
        seconds = cycles / self.machine.clock_hz
        macs = sum(row.get("macs") or 0 for row in rows if row.get("latency_cycles") is not None)
        peak = cycles * self.machine.macs_per_cycle * len(self.cores_used)
        analytic = total.get("analytic_latency_cycles")
        return {
            **total,
            "latency_cycles": cycles,
            "latency_s": seconds,
            "utilization_frac": macs / peak if cycles else None,
            "simulated_to_analytic": cycles / analytic if analytic else None,
            "throughput_fps": self.graph.batch / seconds if seconds else None,
        }

    @property
    def cores_used(self) -> set[int]:
        """Cores that ran a layer."""
        return {times.core for times in self.simulated.jobs if times is not None}

    @property
    def effort(self) -> dict[str, int]:
        """What the simulation took: tile steps executed and skipped, events executed."""
        found = self.simulated
        return {
            "n_tile_steps_executed": found.n_steps,
            "n_tile_steps_skipped": found.n_skipped,
            "n_events": found.n_events,
        }

    # --- programs

    def _n_cores(self) -> int:
        """Cores that branches may run on: those on one channel, one where tensors live inside a core."""
        known = self.machine.n_cores // self.machine.n_clusters
        if self.costing.homes.any_inside(self.costing.dram):
            known = 1
        return max(1, known if self.cores is None else min(known, self.cores))

    def _job(self, step: int, layer: Layer) -> Job:
        producers = self.graph.producer
        names = dict.fromkeys((*layer.inputs, *layer.fused_inputs))
        after = tuple(sorted({self._step[producers[name].name] for name in names if name in producers}))
        free = self._free_bytes(step, layer)
        if status_of(layer, self.machine)[0] == "not_costed":
            return Job(layer.name, None, after)
        program = self._array(step, layer) if layer.kind == "array" else self._plain(layer, free)
        return Job(layer.name, program, after, layer.repeat if layer.kind == "array" else 1, free)

    def _array(self, step: int, layer: Layer) -> Program:
        problem, mapping = lower(layer), self.costing.mappings[layer.name]
        room = self.machine.capacity_bytes - self.costing.homes.live_bytes[step]
        nest = mapping.to_nest(self.machine.level_names)
        beside = tuple(self._stream(I, name) for name in layer.fused_inputs)
        key = problem, str(mapping), beside, room.tobytes(), self.costing.zeros.get(layer.name)
        if key not in self._known:
            machine = replace(self.costing.machine_of(layer), capacity_bytes=room)
            dataflow = followed(nest, machine, DATAFLOWS[machine.dataflow]).name
            self._known[key] = array_program(layer.name, problem, nest, machine, dataflow, beside)
        self._lowered[layer.name] = self._known[key]
        return self._known[key].program

    def _plain(self, layer: Layer, free: tuple[float, ...]) -> Program:
        flows = self.costing.flows(layer)
        inputs, outputs = (tuple(Stream(f.operand, f.words, f.home) for f in part) for part in flows)
        ops = layer.vector_ops if layer.kind == "vector" else None
        room = free[self.machine.vector_level]
        return plain_program(layer.name, Work(ops, inputs, outputs), self.machine, room)

    def _stream(self, operand: int, tensor: str) -> Stream:
        return Stream(operand, self.graph.tensors[tensor].n_words, self.costing.homes.of(tensor))

    def _free_bytes(self, step: int, layer: Layer) -> tuple[float, ...]:
        """Room of each level beside what lives there and the layer's own tiles."""
        free = self.machine.capacity_bytes - self.costing.homes.live_bytes[step]
        if layer.kind == "array":
            nest = self.costing.mappings[layer.name].to_nest(self.machine.level_names)
            problem = lower(layer)
            free = free - [
                level_bytes(problem, nest, self.machine, k)[0] for k in range(self.machine.n_levels)
            ]
        return tuple(float(room) for room in free)

    # --- rows

    def _row(self, step: int) -> dict[str, Any]:
        row = self.costing.row(step)
        times = self.simulated.jobs[step]
        if times is None:
            return row
        layer = self.graph.layers[step]
        cycles = self.ticks.cycles(times.end - times.start)
        analytic = row["latency_cycles"]
        parts = self._parts(times)
        idle = idle_by_part(cycles * self.machine.idle_pj_per_cycle, cycles, self.machine)
        by_level = {**row["energy_pj_by_level"], **idle}
        longer = sum(idle.values()) - sum(row["energy_pj_by_level"][part] for part in idle)
        row |= {
            "latency_cycles": cycles,
            **parts,
            "latency_s": cycles / self.machine.clock_hz,
            "utilization_frac": layer.macs / (cycles * self.machine.macs_per_cycle) if cycles else None,
            "energy_pj": row["energy_pj"] + longer,
            "energy_pj_by_level": by_level,
            "analytic_latency_cycles": analytic,
            "simulated_to_analytic": cycles / analytic if analytic else None,
            "start_cycle": self.ticks.cycles(times.start),
            "core": times.core,
            "n_tile_steps": self.n_tile_steps[step],
        }
        if layer.kind == "array":
            row |= self._traffic(layer)
        return row

    def _parts(self, times: JobTimes) -> dict[str, Any]:
        """Compute, fill and drain, and stalls in cycles: whole ones that add up to the latency."""
        per_cycle = self.ticks.per_cycle
        compute, fill = times.compute // per_cycle, times.fill // per_cycle
        stall = self.ticks.cycles(times.end - times.start) - compute - fill
        exact = {cause: Fraction(times.stalls[cause], per_cycle) for cause in CAUSES}
        causes = {cause: int(cycles) for cause, cycles in exact.items()}
        for cause in sorted(CAUSES, key=lambda c: causes[c] - exact[c])[: stall - sum(causes.values())]:
            causes[cause] += 1
        return {
            "compute_cycles": compute,
            "fill_drain_cycles": fill,
            "stall_cycles": stall,
            "stall_cycles_by_cause": causes,
        }

    def _traffic(self, layer: Layer) -> dict[str, Any]:
        """Words over all instances and bytes of DRAM, as the tile steps moved them."""
        words, machine = self._lowered[layer.name].totals, self.costing.machine_of(layer)
        reads, writes = words.reads * layer.repeat, words.writes * layer.repeat
        for name in layer.fused_inputs:
            stream = self._stream(I, name)
            reads[stream.home, I] += stream.words
        dram = machine.n_levels - 1
        wider = partial_bytes(machine, dram) - moved_bytes(machine, dram, O)  # unfinished sums
        found = []
        for counts, partial in ((reads, words.partial_reads), (writes, words.partial_writes)):
            size = sum(int(counts[dram, t]) * moved_bytes(machine, dram, t) for t in range(N_OPERANDS))
            found.append(ceil(size + int(partial[dram]) * layer.repeat * wider))
        return {
            "dram_read_bytes": found[0],
            "dram_write_bytes": found[1],
            "accesses": {
                level: {
                    operand: {"read": int(reads[k, t]), "write": int(writes[k, t])}
                    for t, operand in enumerate(OPERANDS)
                }
                for k, level in enumerate(machine.level_names)
            },
        }


def compared(totals: Mapping[str, Any]) -> str:
    """One line: what the simulation took beside the analytic model."""
    ratio = totals.get("simulated_to_analytic")
    if ratio is None:
        return ""
    cycles, analytic = si(totals["latency_cycles"]), si(totals["analytic_latency_cycles"])
    return f"simulated {cycles} cycles, analytic {analytic}: {ratio:.3f} times"
