"""How a product folds onto the array: which extent lies on rows, columns and time.

    os   M on rows   N on columns   K in time
    ws   K           N              M
    is   K           M              N

Column folds are the outer loop, row folds the inner one, strictly one after the other; every fold takes
`span` lines (cycles without stalls), a partial one too.
Source: SCALE-Sim 3.0.0, compute/systolic_compute_*.py.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Folds:
    """A product M x K times K x N on an array of rows x cols PEs."""

    m: int
    n: int
    k: int
    rows: int
    cols: int
    dataflow: str

    @property
    def on_rows(self) -> int:
        return self.m if self.dataflow == "os" else self.k

    @property
    def on_cols(self) -> int:
        return self.m if self.dataflow == "is" else self.n

    @property
    def streamed(self) -> int:
        return {"os": self.k, "ws": self.m, "is": self.n}[self.dataflow]

    @property
    def row_folds(self) -> int:
        return -(-self.on_rows // self.rows)

    @property
    def col_folds(self) -> int:
        return -(-self.on_cols // self.cols)

    @property
    def n_folds(self) -> int:
        return self.row_folds * self.col_folds

    @property
    def span(self) -> int:
        """Lines of one fold: T + R + C - 2 (os), T + 2R + C - 2 (ws, is)."""
        load = 0 if self.dataflow == "os" else self.rows
        return load + self.streamed + self.rows + self.cols - 2

    @property
    def lines(self) -> int:
        return self.n_folds * self.span

    def used_rows(self, row_fold: int) -> int:
        return min(self.rows, self.on_rows - row_fold * self.rows)

    def used_cols(self, col_fold: int) -> int:
        return min(self.cols, self.on_cols - col_fold * self.cols)
