"""Area of small storage as foundries' memory compilers and register file generators make it.

CACTI's banks leave out what makes small storage large: latches, decoders, rings. The ISCA 2016 comparison of
dataflows has areas of compiled macros of 2 B to 4 KiB in 65 nm, 16-bit words (Chen, Emer, Sze, author code,
mirror ominux/eyeriss-dataflow 92b0e6b; accelsim validate area_isca16 has those from 64 B beside CACTI's).
"""

from __future__ import annotations

import math
from typing import Final

UM2_PER_BYTE: Final = {
    2: 103.47, 4: 172.07, 8: 177.07, 16: 169.89, 32: 96.06, 64: 59.15, 128: 39.94, 256: 27.48, 512: 20.87,
    1024: 16.14, 2048: 13.89, 4096: 12.7,
}  # fmt: skip
"""Of a byte stored, by the bytes of the macro."""

SOURCE: Final = "area_isca16: compiled macros in 65 nm (ISCA 2016, author code), scaled as logic"


def compiled_mm2_at_65nm(n_bytes: float) -> float:
    """Area of so many bytes: on lines in logarithms between the macros; equal macros of 4 KiB above."""
    sizes = list(UM2_PER_BYTE)
    if n_bytes <= sizes[0]:
        return 1e-6 * n_bytes * UM2_PER_BYTE[sizes[0]]
    if n_bytes >= sizes[-1]:
        return 1e-6 * n_bytes * UM2_PER_BYTE[sizes[-1]]
    above = next(size for size in sizes if size > n_bytes)
    below = sizes[sizes.index(above) - 1]
    low, high = (math.log(size * UM2_PER_BYTE[size]) for size in (below, above))
    share = math.log(n_bytes / below) / math.log(above / below)
    return 1e-6 * math.exp(low + share * (high - low))
