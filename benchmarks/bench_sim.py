"""Event simulation: executed tile steps and events a second with skipping off, and whole networks with it on.

    python benchmarks/bench_sim.py                 both tables
    python benchmarks/bench_sim.py --differences   the table of docs/simulation.md: simulated beside analytic

A tile step is one tile's load, compute and store. CPU seconds of one process, programs built beforehand, the
best of three; the target is 150,000 executed tile steps a second.
"""

from __future__ import annotations

import os
import sys
import time

os.environ["ACCELSIM_CACHE"] = "off"  # nothing is taken from earlier searches

from accelsim import flow
from accelsim.costing import Costing
from accelsim.mapper.found import SearchOptions
from accelsim.mapper.solve import Solver
from accelsim.sim.network import simulate
from accelsim.simulating import Simulation
from accelsim.workload.passes import drop_noops, fuse

TARGET = 150_000
NETWORKS = ("resnet50", "mobilenet_v2", "vgg16", "alexnet")
MACHINES = ("eyeriss", "tpu_v1", "systolic_128x128", "gemmini_16x16", "mlu100")


def costed(network: str, arch: str) -> Costing:
    machine = flow.arch(arch)
    graph = fuse(drop_noops(flow.load(network)), frozenset(machine.fuses))
    return Costing(graph, machine.machine(), SearchOptions("edp")).solve(Solver(1, None))


def steps_a_second(network: str, arch: str) -> tuple[int, int, float]:
    """Tile steps and events of a whole network without skipping, and the least CPU seconds of three runs."""
    simulation = Simulation(costed(network, arch), skip=False)
    best = float("inf")
    for _ in range(3):
        started = time.process_time()
        found = simulate(simulation.jobs, simulation.layout, simulation.ticks.per_cycle, skip=False)
        best = min(best, time.process_time() - started)
    return found.n_steps, found.n_events, best


def executed() -> None:
    heads = ("tile steps", "events a step", "steps a s", "events a s")
    print(f"{'network':14}{'machine':18}" + "".join(f"{head:>14}" for head in heads))
    for network, arch in (("vgg16", "gemmini_16x16"), ("vgg16", "eyeriss"), ("mobilenet_v2", "mlu100")):
        steps, events, seconds = steps_a_second(network, arch)
        said = f"{steps:14,}{events / steps:14.2f}{steps / seconds:14,.0f}{events / seconds:14,.0f}"
        print(f"{network:14}{arch:18}{said}")
    print(f"target: {TARGET:,} tile steps a second")


def skipped() -> None:
    """Whole commands without their search: programs and simulation, skipping on."""
    print(f"\n{'network':14}{'machine':18}{'executed':>12}{'of tile steps':>15}{'CPU s':>8}")
    for network in NETWORKS:
        for arch in MACHINES:
            costing = costed(network, arch)
            started = time.process_time()
            found = Simulation(costing).simulated
            seconds = time.process_time() - started
            whole = found.n_steps + found.n_skipped
            print(f"{network:14}{arch:18}{found.n_steps:12,}{whole:15,}{seconds:8.2f}")


def differences() -> None:
    """Simulated beside analytic, as docs/simulation.md has it."""
    print("| network | machine | analytic cycles | simulated cycles | times | channel | port |")
    print("|---|---|---:|---:|---:|---:|---:|")
    for network in NETWORKS:
        for arch in MACHINES:
            totals = flow.simulate(flow.load(network), flow.arch(arch)).totals
            cycles, analytic = totals["latency_cycles"], totals["analytic_latency_cycles"]
            shares = (totals["stall_cycles_by_cause"][name] / cycles for name in ("memory_channel", "port"))
            said = " | ".join(f"{share:.1%}" for share in shares)
            print(f"| {network} | {arch} | {analytic:,} | {cycles:,} | {cycles / analytic:.3f} | {said} |")


if __name__ == "__main__":
    if "--differences" in sys.argv[1:]:
        differences()
    else:
        executed()
        skipped()
