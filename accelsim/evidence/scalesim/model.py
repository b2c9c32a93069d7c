"""Every report column of a row's layer, array, dataflow and memories, from the row's inputs alone."""

from __future__ import annotations

from accelsim.compat.scalesim import Setup, Work, simulate_layer
from accelsim.evidence.case import Value

LAYER = ("ifmap_h", "ifmap_w", "filt_h", "filt_w", "channels", "num_filters", "stride", "stride")


def predict(rows: list[dict[str, str]], without: str | None = None) -> list[dict[str, Value]]:
    """SCALE-Sim's report of each row; a matrix product M, N, K is its map M x K with a filter 1 x K."""
    return [dict(simulate_layer(work(row), setup(row))) for row in rows]


def work(row: dict[str, str]) -> Work:
    """The line of the topology file."""
    return Work(row["layer"], *(int(row[name]) for name in LAYER))


def setup(row: dict[str, str]) -> Setup:
    """The configuration; USER mode gives all three operands the same bandwidth."""
    return Setup(
        rows=int(row["array_rows"]),
        cols=int(row["array_cols"]),
        dataflow=row["dataflow"],
        ifmap_kb=int(row["ifmap_sram_kb"]),
        filter_kb=int(row["filter_sram_kb"]),
        ofmap_kb=int(row["ofmap_sram_kb"]),
        mode="USER" if row["mode"] == "USER" else "CALC",
        ifmap_bandwidth=int(row["bandwidth_words"]),
        filter_bandwidth=int(row["bandwidth_words"]),
        ofmap_bandwidth=int(row["bandwidth_words"]),
    )
