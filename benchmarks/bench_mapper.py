"""The mapper's targets: seconds of CPU on one core, empty cache, modules loaded, every layer proven.

python benchmarks/bench_mapper.py            all cases
python benchmarks/bench_mapper.py conv       those whose name has this word
"""

from __future__ import annotations

import resource
import sys
import time
from dataclasses import replace

import accelsim
from accelsim.mapper.found import Found, SearchOptions
from accelsim.mapper.search import search
from accelsim.mapping.dataflows import DATAFLOWS
from accelsim.mapping.homes import find_homes
from accelsim.mapping.lower import lower
from accelsim.tables.machine import Machine
from accelsim.tables.nest import Problem
from accelsim.workload.passes import drop_noops, fuse

CONV = Problem((1, 1, 128, 128, 28, 28, 3, 3, 1, 1), ((1, 1, 1, 28), (1, 1, 1, 28), (1, 1, 0, 1)))
MATMUL = Problem((1, 1, 1024, 1024, 1024, 1, 1, 1, 1, 1), ((1, 1, 0, 1024), (1, 1, 0, 1), (1, 1, 0, 1)))
NETWORKS = (
    ("resnet50", "eyeriss", "any", 10),
    ("vgg16", "eyeriss", "any", 10),
    ("mobilenet_v2", "eyeriss", "any", 10),
    ("resnet50", "tpu_v1", "ws", 10),
    ("vgg16", "tpu_v1", "ws", 10),
    ("mobilenet_v2", "tpu_v1", "ws", 10),
    ("bert_base", "eyeriss_isca16_256", "any", 5),
    ("resnet50", "eyeriss", "rs", 10),
)


def layer_case(name: str, problem: Problem, objective: str, target: float) -> None:
    machine = accelsim.arch("eyeriss").machine()
    dram = machine.n_levels - 1
    started = time.process_time()
    found = search(problem, machine, DATAFLOWS["any"], (dram, dram, dram), SearchOptions(objective), name)
    report(f"{name}, eyeriss any, {objective}", time.process_time() - started, target, [found])


def warm_up() -> None:
    """A small layer, so that modules are loaded and numpy has begun when the clock starts."""
    machine = accelsim.arch("eyeriss").machine()
    small = Problem((1, 1, 8, 8, 4, 4, 3, 3, 1, 1), ((1, 1, 1, 4), (1, 1, 1, 4), (1, 1, 0, 1)))
    dram = machine.n_levels - 1
    search(small, machine, DATAFLOWS["any"], (dram, dram, dram), SearchOptions(), "warm-up")


def network_case(network: str, arch: str, dataflow: str, target: float) -> None:
    machine = accelsim.arch(arch, (), dataflow).machine()
    graph = fuse(drop_noops(accelsim.load(network)), frozenset())
    requests = distinct_layers(graph, machine)
    started = time.process_time()
    found = [
        search(problem, machine, DATAFLOWS[dataflow], homes, SearchOptions("edp"), name)
        for name, problem, machine, homes in requests
    ]
    report(f"{network}, {arch} {dataflow}, edp", time.process_time() - started, target, found)


def distinct_layers(
    graph: accelsim.LayerGraph, machine: Machine
) -> list[tuple[str, Problem, Machine, tuple[int, int, int]]]:
    """One layer of each that are equal, on the machine with the room that is left for its tiles."""
    homes, dram = find_homes(graph, machine), machine.n_levels - 1
    seen: dict[object, tuple[str, Problem, Machine, tuple[int, int, int]]] = {}
    for step, layer in enumerate(graph.layers):
        if layer.kind != "array":
            continue
        second = homes.of(layer.inputs[1]) if layer.weight_is_activation and len(layer.inputs) > 1 else dram
        at = (homes.of(layer.inputs[0]), second, homes.of(layer.outputs[0]))
        room = machine.capacity_bytes - homes.live_bytes[step]
        passed = tuple(room[level] for level in range(dram) if any(level < home for home in at))
        problem = lower(layer)
        seen.setdefault(
            (problem, at, passed), (layer.name, problem, replace(machine, capacity_bytes=room), at)
        )
    return list(seen.values())


def report(case: str, seconds: float, target: float, found: list[Found]) -> None:
    proven = sum(f.certificate.proven for f in found)
    slowest = max(f.certificate.seconds for f in found)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"{case:44s} {seconds:6.2f} s (target {target:4.1f})  {proven}/{len(found)} proven,"
        f" slowest layer {slowest:.2f} s, peak {memory:.0f} MB",
        flush=True,
    )


def main() -> None:
    word = sys.argv[1] if len(sys.argv) > 1 else ""
    warm_up()
    if word in "conv 3x3 128 28x28":
        layer_case("conv 3x3 128 28x28", CONV, "energy", 0.5)
        layer_case("conv 3x3 128 28x28", CONV, "edp", 0.5)
    if word in "matmul 1024":
        layer_case("matmul 1024", MATMUL, "energy", 0.3)
        layer_case("matmul 1024", MATMUL, "edp", 0.3)
    for network, arch, dataflow, target in NETWORKS:
        if word in network:
            network_case(network, arch, dataflow, target)


if __name__ == "__main__":
    main()
