"""CPU time of the systolic closed forms: ResNet-50 on one array, a sweep of arrays, SCALE-Sim's report.

Run: python benchmarks/bench_systolic.py (prints medians; budget: design section 7).
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from functools import partial

import numpy as np
from numpy.typing import NDArray

from accelsim.compat.scalesim import Setup, simulate_layer, work_of
from accelsim.cost.reuse import reuse_table, touched_input_words
from accelsim.cost.systolic import SYSTOLIC_DATAFLOWS, gemm_view, network_systolic
from accelsim.tables.dims import DIMS
from accelsim.workload.layer import Layer

RESNET50_MACS = 4_089_184_256
"""53 convolutions and the classifier at 224 x 224, batch 1 (torchvision's resnet50)."""


def resnet50() -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Dimensions [B, D] and windows [B, 3, 4] of every convolution and of the classifier."""
    dims: list[list[int]] = []
    windows: list[list[tuple[int, int, int, int]]] = []

    def conv(k: int, c: int, taps: int, size: int, stride: int) -> None:
        out = -(-size // stride)
        extents = {"K": k, "C": c, "P": out, "Q": out, "R": taps, "S": taps}
        dims.append([extents.get(dim, 1) for dim in DIMS])
        windows.append([(stride, 1, taps // 2, size)] * 2 + [(1, 1, 0, 1)])

    conv(64, 3, 7, 224, 2)
    size, c = 56, 64
    for stage, blocks in enumerate((3, 4, 6, 3)):
        width = 64 * 2**stage
        for block in range(blocks):
            stride = 2 if stage and block == 0 else 1
            conv(width, c, 1, size, 1)
            conv(width, width, 3, size, stride)
            if block == 0:
                conv(4 * width, c, 1, size, stride)
            size //= stride
            conv(4 * width, width, 1, size, 1)
            c = 4 * width
    conv(1000, 2048, 1, 1, 1)
    return np.array(dims, np.int64), np.array(windows, np.int64)


def median_s(work: Callable[[], object], repeats: int) -> float:
    work()
    times = []
    for _ in range(repeats):
        start = time.process_time_ns()
        work()
        times.append(time.process_time_ns() - start)
    return statistics.median(times) / 1e9


def main() -> None:
    dims, windows = resnet50()
    columns = np.ascontiguousarray(dims.T)
    words = touched_input_words(dims, windows)
    macs = int(gemm_view(columns).macs.sum())
    assert (len(dims), macs) == (54, RESNET50_MACS), (len(dims), macs)
    for dataflow in SYSTOLIC_DATAFLOWS:
        one = median_s(partial(network_systolic, columns, words, 128, 128, dataflow, "sequential"), 500)
        print(f"ResNet-50, {len(dims)} layers, 128 x 128 {dataflow}: {one * 1e3:.3f} ms (budget 1 ms)")
    n_arrays = 2000
    rows = np.arange(n_arrays).reshape(-1, 1) % 256 + 1
    sweep = median_s(partial(network_systolic, columns, words, rows, rows, "ws", "overlapped"), 5)
    rate = n_arrays / sweep
    print(f"sweep: {rate:,.0f} arrays x ResNet-50 a second ({1e5 / rate:.2f} s for 100,000)")
    once = median_s(partial(touched_input_words, dims, windows), 200)
    print(f"input words of ResNet-50, once a network: {once * 1e3:.3f} ms")
    table = median_s(partial(reuse_table, dims, windows), 100)
    print(f"reuse table of ResNet-50: {table * 1e3:.3f} ms")
    layers = [
        Layer(f"conv{i}", "Conv", "array", dims=tuple(int(x) for x in row)) for i, row in enumerate(dims)
    ]
    setup = Setup(32, 32, "os", 512, 512, 256)
    report = median_s(
        lambda: [simulate_layer(work, setup) for work in {work_of(layer) for layer in layers}], 1
    )
    print(f"SCALE-Sim's reports of ResNet-50, 32 x 32 os, SRAMs of 512, 512 and 256 kB, CALC: {report:.2f} s")


if __name__ == "__main__":
    main()
