"""Area of an SRAM bank of 16-bit words and of a 16-bit multiplier with its adder in 65 nm."""

from __future__ import annotations

from accelsim.hardware.technology import load_technology

WORD_BITS = 16


def predict(
    rows: list[dict[str, str]], without: str | None = None
) -> list[dict[str, float | int | str | None]]:
    """area_um2_per_byte of `bytes` of storage, area_um2 of a PE without storage."""
    table = load_technology("65nm")
    sram = table.sram_model()
    pe = 1e6 * table.mac_mm2(WORD_BITS, WORD_BITS, WORD_BITS)
    found: list[dict[str, float | int | str | None]] = []
    for row in rows:
        n_bytes = float(row["bytes"])
        if row["item"] == "pe":
            found.append({"area_um2": pe, "area_um2_per_byte": None})
        else:
            area = 1e6 * sram.area_mm2(n_bytes, WORD_BITS)
            found.append({"area_um2": None, "area_um2_per_byte": area / n_bytes})
    return found
