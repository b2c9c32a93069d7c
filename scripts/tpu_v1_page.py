"""Draws TPU v1's roofline for docs/tpu_v1.md: python scripts/tpu_v1_page.py (some seconds)."""

from __future__ import annotations

from pathlib import Path

from accelsim.charts.roofline import roofline
from accelsim.evidence.read import read_case
from accelsim.evidence.tpu_v1.model import predict, roofline_tops
from accelsim.flow import arch

PICTURE = Path(__file__).resolve().parent.parent / "reports" / "gallery" / "tpu_v1_roofline.png"


def main() -> None:
    rows = [dict(row) for row in read_case("tpu_v1").rows]
    machine = arch("tpu_v1")
    points = [
        {
            "name": row["app"],
            "intensity": float(row["ops_per_weight_byte"]),
            "measured": float(row["TOPS"]),
            "predicted": ours["TOPS"],
        }
        for row, ours in zip(rows, predict(rows), strict=True)
    ]
    figure = roofline(
        points,
        peak=roofline_tops(1e9, machine),
        slope=roofline_tops(1.0, machine),
        intensity="multiply-accumulates a byte of weights",
        title="TPU v1: six applications",
    )
    figure.savefig(PICTURE, dpi=110)


if __name__ == "__main__":
    main()
