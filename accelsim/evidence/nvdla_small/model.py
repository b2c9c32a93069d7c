"""Each trace as one hardware layer of `cost.direct_conv`."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from accelsim.cost.direct_conv import Convolution, direct_convolution
from accelsim.evidence.case import Value
from accelsim.evidence.read import read_values


def predict(rows: list[dict[str, str]], without: str | None = None) -> list[dict[str, Value]]:
    """`cycles`, `in_bytes`, `weight_bytes`, `out_bytes` of each row; nothing is fitted."""
    return [_row(row) for row in rows]


def _row(row: dict[str, str]) -> dict[str, Value]:
    settings = _traces().get(row["trace"], {})
    banks = settings.get("weight_banks")
    sizes = {name: int(row[name]) for name in ("in_w", "in_h", "in_c", "k_w", "k_h", "k_n")}
    pixels = int(row.get("out_pixels_derived") or settings["out_pixels"])
    cost = direct_convolution(
        Convolution(**sizes, out_pixels=pixels, weight_banks=int(banks) if banks else None)
    )
    return {
        "cycles": cost.cycles,
        "in_bytes": cost.in_bytes,
        "weight_bytes": cost.weight_bytes,
        "out_bytes": cost.out_bytes,
    }


@cache
def _traces() -> dict[str, dict[str, str]]:
    return {row["trace"]: dict(row) for row in read_values(Path(__file__).parent / "traces.csv")}
