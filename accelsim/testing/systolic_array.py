"""A systolic array stepped cycle by cycle: registers that shift, skewed edges, loads, drains, real products.

An R x C array computes A [M, K] times B [K, N] fold after fold, column folds outside row folds. Ragged folds
are filled up with zeros that are clocked through but never read from the edge buffers.

os: sums stay; A enters from the left, B from the top; a column's result bus takes one finished sum a cycle.
ws: B stays (its rows shift in from the top in R cycles); A enters from the left, sums move down.
is: A stays, B enters: ws with the operands' roles exchanged.

The weights of a stationary array load in one of three ways, each beginning as early as its registers allow:
- `serial`: when the array has emptied (the simplest array, SCALE-Sim's);
- `preload`: one register a PE, the load follows the last row of the stream through the array;
- `overlapped`: a second register a PE, the load follows the first row of the stream.
Sums of an earlier row fold come back in at the top.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Loading = Literal["serial", "preload", "overlapped"]


@dataclass
class ArrayRun:
    """What an array did: the product, the cycles, and the words that passed its edges."""

    product: Ints  # [M, N]
    cycles: int = 0
    folds: int = 0
    input_reads: int = 0
    weight_reads: int = 0
    sum_reads: int = 0
    sum_writes: int = 0


def run_array(dataflow: str, rows: int, cols: int, a: Ints, b: Ints, loading: Loading = "serial") -> ArrayRun:
    """Compute A [M, K] times B [K, N] on rows x cols PEs under `os`, `ws` or `is`."""
    if dataflow == "os":
        return _output_stationary(rows, cols, a, b)
    if dataflow == "ws":
        return StationaryArray(rows, cols, a, b, loading).run()
    run = StationaryArray(rows, cols, b.T, a.T, loading).run()
    reads = run.weight_reads, run.input_reads
    return ArrayRun(run.product.T, run.cycles, run.folds, *reads, run.sum_reads, run.sum_writes)


def _output_stationary(rows: int, cols: int, a: Ints, b: Ints) -> ArrayRun:
    """Fold after fold: PE (i, j) meets a[i, k] and b[k, j] in cycle k + i + j and keeps their sum."""
    (m, depth), n = a.shape, b.shape[1]
    run = ArrayRun(np.zeros((m, n), dtype=np.int64))
    for col, row in itertools.product(range(0, n, cols), range(0, m, rows)):
        left, top = _padded(a[row : row + rows], rows, depth), _padded(b[:, col : col + cols], depth, cols)
        right, down = np.zeros((2, rows, cols), dtype=np.int64)
        k_right, k_down = np.full((2, rows, cols), -1)  # which k a register holds, -1 for none
        sums = np.zeros((rows, cols), dtype=np.int64)
        for cycle in itertools.count():
            right, down = np.roll(right, 1, axis=1), np.roll(down, 1, axis=0)
            k_right, k_down = np.roll(k_right, 1, axis=1), np.roll(k_down, 1, axis=0)
            for i in range(rows):  # row i starts i cycles late
                k_right[i, 0] = k = cycle - i if 0 <= cycle - i < depth else -1
                right[i, 0] = left[i, k] if k >= 0 else 0
                run.input_reads += k >= 0 and row + i < m
            for j in range(cols):
                k_down[0, j] = k = cycle - j if 0 <= cycle - j < depth else -1
                down[0, j] = top[k, j] if k >= 0 else 0
                run.weight_reads += k >= 0 and col + j < n
            assert np.array_equal(k_right, k_down), "the factors of one product meet"
            if not (k_right >= 0).any():
                break
            run.cycles += 1
            sums += right * down
            done = k_right == depth - 1
            assert (done.sum(axis=0) <= 1).all(), "a column's bus takes one sum a cycle"
            for i, j in np.argwhere(done):
                if row + i < m and col + j < n:
                    run.product[row + i, col + j] = sums[i, j]
                    run.sum_writes += 1
        run.folds += 1
    return run


def _padded(block: Ints, rows: int, cols: int) -> Ints:
    return np.pad(block, ((0, rows - block.shape[0]), (0, cols - block.shape[1])))


@dataclass
class Fold:
    """One block of stationary weights and the rows that stream past it."""

    row: int  # first reduction index
    col: int  # first output column
    weights: Ints  # [R, C]
    stream: Ints  # [T, R]
    load_at: int = -1
    """Cycle in which the first word enters at the top of column 0; column j follows j cycles later."""
    start_at: int = -1
    """Cycle in which the first word of the stream enters row 0; row i follows i cycles later."""


@dataclass
class StationaryArray:
    """X [T, K] streams past stationary S [K, N]; registers only move to their right or lower neighbour."""

    rows: int
    cols: int
    x: Ints
    s: Ints
    loading: Loading
    folds: list[Fold] = field(init=False)

    def __post_init__(self) -> None:
        shape = self.rows, self.cols
        self.n_stream, (self.depth, self.n_out) = len(self.x), self.s.shape
        self.folds = [
            Fold(
                row,
                col,
                _padded(self.s[row : row + self.rows, col : col + self.cols], *shape),
                _padded(self.x[:, row : row + self.rows], self.n_stream, self.rows),
            )
            for col in range(0, self.n_out, self.cols)
            for row in range(0, self.depth, self.rows)
        ]
        self.value, self.weight, self.shadow, self.sum = np.zeros((4, *shape), dtype=np.int64)
        self.tag = np.full(shape, -1)  # fold x T + row of the stream that a PE works on, -1 for none
        self.result = ArrayRun(np.zeros((self.n_stream, self.n_out), dtype=np.int64), folds=len(self.folds))

    def run(self) -> ArrayRun:
        """Step until the last sum has left."""
        for cycle in itertools.count():
            self._control(cycle)
            self._shift_stream(cycle)
            if self.loading == "overlapped":
                first = (self.tag >= 0) & (self.tag % self.n_stream == 0)
                self.weight = np.where(first, self.shadow, self.weight)
            self._shift_weights(cycle)
            self._add()
            if self.folds[-1].start_at >= 0 and not (self.tag >= 0).any():
                self.result.cycles = cycle  # this cycle found nothing to do
                return self.result
        raise AssertionError("the count has no end")

    def _control(self, cycle: int) -> None:
        """Begin the next load and the next stream as soon as the registers are free."""
        none = Fold(0, 0, self.weight, self.x, load_at=-1, start_at=-self.n_stream)
        for fold, before in zip(self.folds, [none, *self.folds], strict=False):
            streamed = before is none or 0 <= before.start_at <= cycle - self.n_stream
            if fold.load_at < 0:
                free = {
                    "serial": streamed and self._empty_after_shift(),
                    "preload": streamed,
                    "overlapped": before is none or before.start_at >= 0,
                }
                if free[self.loading]:
                    fold.load_at = cycle
            if fold.start_at < 0 and 0 <= fold.load_at <= cycle - self.rows and streamed:
                fold.start_at = cycle

    def _empty_after_shift(self) -> bool:
        """Whether only the last PE still holds a word, which leaves as this cycle begins."""
        held = self.tag >= 0
        return not held[:, :-1].any() and not held[:-1].any()

    def _shift_stream(self, cycle: int) -> None:
        self.value, self.tag = np.roll(self.value, 1, axis=1), np.roll(self.tag, 1, axis=1)
        self.tag[:, 0] = -1
        for number, i, t in self._entering(cycle, self.n_stream, self.rows, "start_at"):
            fold = self.folds[number]
            self.value[i, 0], self.tag[i, 0] = fold.stream[t, i], number * self.n_stream + t
            self.result.input_reads += fold.row + i < self.depth

    def _shift_weights(self, cycle: int) -> None:
        """One word enters a column that loads; the words before it move down by one row."""
        register = self.shadow if self.loading == "overlapped" else self.weight
        for number, j, t in self._entering(cycle, self.rows, self.cols, "load_at"):
            fold, row = self.folds[number], self.rows - 1 - t  # the bottom row's word comes first
            register[1 : t + 1, j] = register[:t, j].copy()
            register[0, j] = fold.weights[row, j]
            self.result.weight_reads += fold.row + row < self.depth and fold.col + j < self.n_out

    def _entering(self, cycle: int, length: int, lanes: int, since: str) -> Iterator[tuple[int, int, int]]:
        """(fold, lane, index) of the words that enter at an edge in a cycle; lane i is i cycles late."""
        for number, fold in enumerate(self.folds):
            begin = getattr(fold, since)
            for lane in range(lanes):
                if begin >= 0 and 0 <= cycle - begin - lane < length:
                    yield number, lane, cycle - begin - lane

    def _add(self) -> None:
        """Each PE adds its product to the sum from above; the bottom row's sums leave."""
        self.sum = np.roll(self.sum, 1, axis=0)
        self.sum[0] = 0
        result = self.result
        for fold, j, t in self._output(self.tag[0]):
            if fold.row > 0:  # the sum of the row folds before comes back
                self.sum[0, j] = result.product[t, fold.col + j]
                result.sum_reads += 1
        self.sum += np.where(self.tag >= 0, self.value * self.weight, 0)
        for fold, j, t in self._output(self.tag[-1]):
            result.product[t, fold.col + j] = self.sum[-1, j]
            result.sum_writes += 1

    def _output(self, tags: Ints) -> Iterator[tuple[Fold, int, int]]:
        """(fold, column, row of the stream) of the outputs that one row of PEs works on."""
        for j, tag in enumerate(tags.tolist()):
            number, t = divmod(tag, self.n_stream)
            if tag >= 0 and self.folds[number].col + j < self.n_out:
                yield self.folds[number], j, t
