"""Closed forms of a systolic array: a layer as a GEMM, its folds, their cycles and the words at the edges.

A layer is G products [M x Kred] times [Kred x F], one after the other; R x C is the array. What lies on
rows / columns / time (Samajdar et al., ISPASS 2020):

    os   M    / F / Kred      sums stay, both operands stream
    ws   Kred / F / M         weights stay, inputs stream in, sums stream out
    is   Kred / M / F         inputs stay, weights stream in, sums stream out

Fr = ceil(rows' extent / R), Fc = ceil(columns' extent / C); partial folds cost a whole one. Shapes: D loop
dimensions, B layers; an array's rows and cols broadcast against [B], so [A, 1] of them gives [A, B].
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from accelsim.base.errors import InputError, Problem
from accelsim.tables.dims import C, G, K, N, P, Q, R, S, V, Z
from accelsim.tables.machine import FOLDS, STATIONARY, Fold

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

SYSTOLIC_DATAFLOWS: Final = ("os", "ws", "is")
MAX_MACS: Final = 2**60
"""Counts stay below a few times the MACs of a layer; beyond this they would overflow an int64."""


@dataclass(frozen=True, eq=False)
class Gemm:
    """A layer as im2col sees it: `groups` products [pixels x reduction] times [reduction x filters]."""

    pixels: Ints  # [B]
    filters: Ints  # [B]
    reduction: Ints  # [B]
    groups: Ints  # [B]

    @property
    def macs(self) -> Ints:
        return self.groups * self.pixels * self.filters * self.reduction


@dataclass(frozen=True, eq=False)
class Folding:
    """How a product is cut to the array: folds over rows and columns, and steps streamed in each fold."""

    row_folds: Ints  # [..., B]
    col_folds: Ints  # [..., B]
    streamed: Ints  # [B]
    folds: Ints  # [..., B], groups included


@dataclass(frozen=True, eq=False)
class SystolicCost:
    """What each layer costs on a systolic array; words cross the array's edge (i, w, o) or DRAM's pins."""

    compute_cycles: Ints  # [..., B]
    fill_drain_cycles: Ints  # [..., B]
    utilization_frac: Floats  # [..., B]
    i_read_words: Ints  # [..., B]
    w_read_words: Ints  # [..., B]
    o_read_words: Ints  # [..., B]
    o_write_words: Ints  # [..., B]
    dram_read_words: Ints  # [B], compulsory: inputs and weights once
    dram_write_words: Ints  # [B], compulsory: outputs once

    @property
    def latency_cycles(self) -> Ints:  # [..., B]
        return self.compute_cycles + self.fill_drain_cycles


def gemm_view(dims: Ints, weight_has_batch: NDArray[np.bool_] | None = None) -> Gemm:
    """The GEMM of a layer: M = N P Q Z, F = K, Kred = C R S V; G of them.

    A product of two activations (`weight_has_batch`) has another second operand for each image: the batch
    then counts as groups. `dims` is [D, B]. InputError where the MACs of a layer pass 2^60.
    """
    too_large = np.prod(dims, axis=0, dtype=np.float64) > MAX_MACS
    if too_large.any():
        layer = int(np.argmax(too_large))
        raise InputError(
            Problem(
                f"layer {layer} has {np.prod(dims[:, layer].astype(object)):,} multiply-accumulates",
                expected=f"at most 2^60 = {MAX_MACS:,}",
                hint="check the dimensions of the model file, or lower --batch",
            )
        )
    pixels = dims[P] * dims[Q] * dims[Z]
    groups, batch = dims[G], dims[N]
    if weight_has_batch is None:
        pixels = pixels * batch
    else:
        pixels = pixels * np.where(weight_has_batch, 1, batch)
        groups = groups * np.where(weight_has_batch, batch, 1)
    return Gemm(pixels, dims[K], dims[C] * dims[R] * dims[S] * dims[V], groups)


def fold_gemm(gemm: Gemm, rows: ArrayLike, cols: ArrayLike, dataflow: str) -> Folding:
    """Folds of a product on an array: Fr Fc G of T steps each, by the table at the head of this module."""
    on_rows, on_cols, streamed = {
        "os": lambda: (gemm.pixels, gemm.filters, gemm.reduction),
        "ws": lambda: (gemm.reduction, gemm.filters, gemm.pixels),
        "is": lambda: (gemm.reduction, gemm.pixels, gemm.filters),
    }[_known(dataflow, SYSTOLIC_DATAFLOWS, "dataflow")]()
    row_folds = -(-on_rows // np.asarray(rows, np.int64))
    col_folds = -(-on_cols // np.asarray(cols, np.int64))
    return Folding(row_folds, col_folds, streamed, row_folds * col_folds * gemm.groups)


def fold_cycles(
    folds: ArrayLike, streamed: ArrayLike, rows: ArrayLike, cols: ArrayLike, dataflow: str, rule: Fold
) -> tuple[Ints, Ints]:
    """Cycles of a chain of folds, (compute, fill and drain): compute = folds T, the rest is the array's skew.

    With L = R cycles of loading the stationary operand (ws, is, dc) or 0 (os, which loads none):

        broadcast   folds T                                    no skew: a bus reaches every PE at once
        sequential  folds (L + T + R + C - 2)                  a fold starts when the one before has ended
        preload     L + folds T + (folds - 1) R + R + C - 2    the next load follows the stream: T + R a fold
        overlapped  L + (folds - 1) max(T, R) + T + R + C - 2  it runs beside the stream: max(T, R) a fold

    In os the R cycles between two folds shift the finished sums out of the array.

    The three systolic rules agree for one fold: T + R + C - 2 (os), T + 2R + C - 2 (ws, is). Then
    overlapped <= preload <= sequential (os on a single column excepted: there a chain of sequential folds,
    which does not wait for its sums to leave, is one cycle a fold below preload).
    Sources: sequential, SCALE-Sim v2 and 3.0.0 (Samajdar et al., ISPASS 2020, for os 3n - 2 on n x n x n);
    preload and overlapped, weights double-buffered in the array (Gemmini, DAC 2021; TPU v1, ISCA 2017).
    InputError for an unknown rule, and for a systolic rule with a dataflow in which nothing is stationary.
    """
    _known(rule, FOLDS, "fold rule")
    f, t, r, c = (np.asarray(a, np.int64) for a in (folds, streamed, rows, cols))
    compute = np.asarray(f * t)
    if rule == "broadcast":
        return compute, np.zeros_like(compute)
    load = 0 if _known(dataflow, tuple(STATIONARY), "dataflow") == "os" else r
    ends: dict[str, Callable[[], Ints]] = {
        "sequential": lambda: f * (load + r + c - 2),
        "preload": lambda: load + (f - 1) * r + r + c - 2,
        "overlapped": lambda: load + (f - 1) * np.maximum(r - t, 0) + r + c - 2,
    }
    return compute, np.asarray(ends[rule]())


def network_systolic(
    dims: Ints,
    input_words: Ints,
    rows: ArrayLike,
    cols: ArrayLike,
    dataflow: str,
    rule: Fold,
    weight_has_batch: NDArray[np.bool_] | None = None,
) -> SystolicCost:
    """All layers of a network on one array, or on many at once (rows and cols [A, 1]), in one pass.

    Words at the array's edge, one a port and cycle, duplicates of im2col included, all times G:

              I reads      W reads      O reads          O writes
        os    Fc M Kred    Fr Kred F    0                M F
        ws    Fc M Kred    Kred F       (Fr - 1) M F     Fr M F
        is    M Kred       Fc Kred F    (Fr - 1) M F     Fr M F

    (SCALE-Sim 3.0.0 counts the same without the reads of partial sums and with F (R + C) more writes in os.)
    DRAM words are compulsory: what a machine with memory enough must move. `dims` is [D, B]; `input_words`
    [B] are the distinct input words of each layer (`cost.reuse.touched_input_words`).
    utilization = MACs / (latency R C).
    """
    gemm = gemm_view(dims, weight_has_batch)
    cut = fold_gemm(gemm, rows, cols, dataflow)
    compute, fill_drain = fold_cycles(cut.folds, cut.streamed, rows, cols, dataflow, rule)
    macs = gemm.macs
    n_pes = np.asarray(rows, np.int64) * np.asarray(cols, np.int64)
    inputs = gemm.groups * gemm.pixels * gemm.reduction  # im2col matrix
    weights = gemm.groups * gemm.reduction * gemm.filters
    outputs = gemm.groups * gemm.pixels * gemm.filters
    if dataflow == "os":
        o_writes = np.broadcast_to(outputs, cut.folds.shape)
        o_reads = np.zeros_like(cut.folds)
    else:
        o_writes = cut.row_folds * outputs
        o_reads = o_writes - outputs
    return SystolicCost(
        compute_cycles=compute,
        fill_drain_cycles=fill_drain,
        utilization_frac=macs / ((compute + fill_drain) * n_pes),
        i_read_words=np.broadcast_to(inputs, cut.folds.shape) if dataflow == "is" else cut.col_folds * inputs,
        w_read_words={
            "os": lambda: cut.row_folds * weights,
            "ws": lambda: np.broadcast_to(weights, cut.folds.shape),
            "is": lambda: cut.col_folds * weights,
        }[dataflow](),
        o_read_words=o_reads,
        o_write_words=o_writes,
        dram_read_words=np.asarray(input_words, np.int64) + weights,
        dram_write_words=outputs,
    )


def _known(word: str, allowed: tuple[str, ...], what: str) -> str:
    if word not in allowed:
        raise InputError(Problem(f"{what} {word!r} has no systolic fold", expected=" or ".join(allowed)))
    return word
