"""Area of a shipped architecture with settings, as the sum of its parts."""

from __future__ import annotations

from accelsim.hardware import load_arch
from accelsim.hardware.constants import total_area_mm2


def predict(
    rows: list[dict[str, str]], without: str | None = None
) -> list[dict[str, float | int | str | None]]:
    """area_mm2 of the machine of each row, and the same as bound_mm2 where only a bound is published."""
    found: list[dict[str, float | int | str | None]] = []
    for row in rows:
        settings = tuple(text.strip() for text in row.get("settings", "").split(";") if text.strip())
        area = total_area_mm2(load_arch(row["arch"], settings).spec)
        found.append({"area_mm2": area, "bound_mm2": area})
    return found
