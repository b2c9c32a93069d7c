"""Our fit of SRAM energy, leakage, time and area, at the size, width and node of each row."""

from __future__ import annotations

from accelsim.base.errors import InputError, Problem
from accelsim.hardware.technology import load_technology, nodes


def predict(
    rows: list[dict[str, str]], without: str | None = None
) -> list[dict[str, float | int | str | None]]:
    """read_pj, write_pj, leakage_mw, access_ns and area_mm2 of one bank of size_bytes, width_bits an access.

    `without` names a term of the fit (sram.TERMS) and leaves it out. InputError for a node without tables.
    """
    return [_bank(row, without) for row in rows]


def _bank(row: dict[str, str], without: str | None) -> dict[str, float | int | str | None]:
    node = f"{float(row['tech_nm']):g}nm"
    if node not in nodes():
        raise InputError(
            Problem(f"no tables for {node}", key="tech_nm", expected=f"one of {', '.join(nodes())}")
        )
    n_bytes, width = float(row["size_bytes"]), float(row["width_bits"])
    fits = load_technology(node).sram
    found: dict[str, float | int | str | None] = {}
    for name in ("read_pj", "write_pj", "leakage_mw", "access_ns", "area_mm2"):
        curve = getattr(fits, name).curve()
        found[name] = (curve if without is None else curve.without(without))(n_bytes, width)
    return found
