"""What SCALE-Sim counts at the array's edge, of a network on many arrays at once.

In CALC mode, its default, memories never stall the array: a layer's cycles follow from its folds alone.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from accelsim.compat.scalesim.network import runs_of
from accelsim.compat.scalesim.work import work_of
from accelsim.cost.systolic import Gemm, fold_cycles, fold_gemm
from accelsim.workload.graph import LayerGraph

Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Products:
    """The distinct products M x K times K x N of a network: B of them, and how often each runs."""

    gemm: Gemm  # [B]
    times: Ints  # [B]
    macs: int


def products_of(graph: LayerGraph) -> Products:
    """A network as SCALE-Sim runs it. InputError where a layer has no form there."""
    layers = [layer for layer in runs_of(graph) if layer.kind == "array"]
    works = (work_of(layer, graph.format == "scalesim") for layer in layers)
    counts = Counter((work.m, work.n, work.k) for work in works)
    columns = np.array(list(counts), np.int64).reshape(-1, 3)
    m, n, k = columns.T
    times = np.array(list(counts.values()), np.int64)
    return Products(Gemm(m, n, k, np.ones_like(m)), times, sum(layer.macs for layer in layers))


def array_cycles(products: Products, rows: Ints, cols: Ints, dataflow: str) -> Ints:  # [A, B]
    """Cycles of each product on each array, every line counted: SCALE-Sim's Total Cycles and one more.

    Row folds x column folds x (T + R + C - 2), with R more where operands are loaded (ws, is); rows and cols
    are [A]. Source: SCALE-Sim 3.0.0, compute/systolic_compute_*.py.
    """
    rows, cols = rows[:, None], cols[:, None]
    cut = fold_gemm(products.gemm, rows, cols, dataflow)
    compute, skew = fold_cycles(cut.folds, cut.streamed, rows, cols, dataflow, "sequential")
    return compute + skew


def network_cycles(products: Products, rows: Ints, cols: Ints, dataflow: str) -> Ints:  # [A]
    """Cycles of the whole network, one layer after the other."""
    cycles: Ints = array_cycles(products, rows, cols, dataflow) @ products.times
    return cycles


def sram_words(products: Products, rows: Ints, cols: Ints, dataflow: str) -> Ints:  # [A]
    """Words that its reports count at the three SRAMs, the formulas (and the fault of os) of `compute`."""
    rows, cols = rows[:, None], cols[:, None]
    gemm = products.gemm
    cut = fold_gemm(gemm, rows, cols, dataflow)
    inputs = gemm.pixels * gemm.reduction * (1 if dataflow == "is" else cut.col_folds)
    once = np.ones_like(cut.folds)
    weights = gemm.reduction * gemm.filters * {"os": cut.row_folds, "ws": once, "is": cut.col_folds}[dataflow]
    outputs = gemm.pixels * gemm.filters
    written = outputs + cut.folds * (rows + cols) if dataflow == "os" else cut.row_folds * outputs
    words: Ints = (inputs + weights + written) @ products.times
    return words
