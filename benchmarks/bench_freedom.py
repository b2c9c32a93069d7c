"""What Eyeriss' own dataflow costs against the best of all mappings, network by network (array layers).

python benchmarks/bench_freedom.py [ARCH] [DATAFLOW]
"""

from __future__ import annotations

import sys

import accelsim

SETS = {"eyeriss": ("array.passes=null", "core.clock_tree=null", "dram.overlap=false")}
"""Of an architecture, so that its own dataflow pays for nothing that general mappings don't have: passes."""
NETWORKS = ("alexnet", "vgg16", "resnet50", "mobilenet_v2")


def total(network: str, arch: str, dataflow: str, objective: str, column: str) -> float:
    rows = accelsim.map_layers(
        accelsim.load(network), accelsim.arch(arch, SETS.get(arch, ()), dataflow), objective=objective
    ).rows
    assert all(row["certificate"]["proven"] for row in rows), "every layer is proven"
    return float(sum(row[column] for row in rows))


def main() -> None:
    arch, own = sys.argv[1:3] if len(sys.argv) > 2 else ("eyeriss", "rs")
    print("| network | objective | " + own + " | any | " + own + " / any |\n|---|---|---|---|---|")
    for network in NETWORKS:
        for objective, column, unit in (
            ("energy", "energy_pj", 1e9),
            ("latency", "latency_cycles", 1e6),
        ):
            named, free = (total(network, arch, flow, objective, column) for flow in (own, "any"))
            name = "mJ" if column == "energy_pj" else "M cycles"
            print(
                f"| {network} | {objective} | {named / unit:.2f} {name} | {free / unit:.2f} {name}"
                f" | {named / free:.2f} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
