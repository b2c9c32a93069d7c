"""How much is lost by counting only the promising candidates exactly, and what the search costs.

For each network and architecture: the largest excess of the objective, over all distinct layers, when 16 or
64 candidates are counted exactly instead of 1,500; and CPU seconds of the search with 64.

    python benchmarks/bench_search.py
"""

from __future__ import annotations

import math
import time

import accelsim
from accelsim.mapper.search import WITHIN, search
from accelsim.mapping.dataflows import DATAFLOWS
from accelsim.mapping.lower import lower

NETWORKS = (("alexnet", 1), ("alexnet", 4), ("mobilenet_v2", 1), ("resnet18", 1), ("bert_base", 1))
ARCHS = ("eyeriss", "systolic_32x32", "tpu_v1", "gemmini_16x16", "mlu100")
OBJECTIVES = ("edp", "energy", "latency")


def main() -> None:
    """Prints one line a network and architecture."""
    for network, batch in NETWORKS:
        graph = accelsim.load(network, batch)
        problems = sorted({lower(layer) for layer in graph.layers if layer.kind == "array"}, key=repr)
        for arch in ARCHS:
            machine = accelsim.arch(arch).machine()
            homes = (machine.n_levels - 1,) * 3
            dataflow = DATAFLOWS[machine.dataflow]
            worst = dict.fromkeys(OBJECTIVES, (0.0, 0.0))
            seconds = 0.0
            for objective in OBJECTIVES:
                for problem in problems:
                    values = {}
                    for points in (16, 64, 1500):
                        start = time.process_time()
                        within = math.inf if points == 1500 else WITHIN
                        found = search(problem, machine, dataflow, homes, objective, "layer", points, within)
                        seconds += time.process_time() - start if points == 64 else 0.0
                        values[points] = found.value
                    excess = values[16] / values[1500] - 1, values[64] / values[1500] - 1
                    worst[objective] = (
                        max(worst[objective][0], excess[0]),
                        max(worst[objective][1], excess[1]),
                    )
            text = ", ".join(f"{name} {a:.2%} {b:.2%}" for name, (a, b) in worst.items())
            per_layer = 1e3 * seconds / len(problems) / len(OBJECTIVES)
            print(f"{network} x{batch} on {arch}: excess with 16, 64: {text}; {per_layer:.1f} ms a layer")


if __name__ == "__main__":
    main()
