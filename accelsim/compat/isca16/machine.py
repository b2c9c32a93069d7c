"""Equal storage area and the ratios of energy: what all six dataflows of the comparison share.

Each gets the area of J register files of 512 B and of a buffer of 512 J bytes. It takes what its own register
files need; the rest is its buffer. Source: Chen, Emer, Sze, ISCA 2016, section VI and Table IV; areas and
sizes of register files from the authors' released model (eyeriss-dataflow, get_storage_area_from_size.m and
get_storage_size_from_area.m).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

LEVELS: Final = ("dram", "glb", "array", "rf")
"""Of the counts, from the outside in; `array` are hops between PEs."""

ACCESS_COST: Final[NDArray[np.float64]] = np.array([200.0, 6.0, 2.0, 1.0])  # [L]
"""Energy of a 16-bit access or hop in MACs. ISCA 2016, Table IV. The order of the levels, dearest first, is
what makes the bound of the row-stationary search one."""

SIZE_BYTES: Final = (2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096)
UM2_PER_BYTE: Final = (103.47, 172.07, 177.07, 169.89, 96.06, 59.15, 39.94, 27.48, 20.87, 16.14, 13.89, 12.70)
"""Storage at 65 nm by size; straight lines between, constant beyond. Authors' model."""
UM2: Final = (207, 689, 1417, 2718, 3074, 3785, 5112, 7034, 10685, 16523, 28455, 52020)
"""Area of the same sizes as the authors' model reads it back into a size: 4,096 B are 52,020 um2 here and
52,019.2 um2 above, which is why the buffer of row-stationary is 131,070 B and not 131,072 B."""

SHARE_BYTES: Final = 512
"""Of register file, and of buffer, for each PE: together the storage area that everyone gets."""
WORD_BYTES: Final = 2


@dataclass(frozen=True, slots=True)
class Room:
    """What a dataflow has of the machine: PEs, bytes of a PE's register file, bytes of the buffer."""

    num_pes: int
    rf_bytes: int
    glb_bytes: int

    @property
    def rf_words(self) -> int:
        return self.rf_bytes // WORD_BYTES

    @property
    def glb_words(self) -> int:
        return self.glb_bytes // WORD_BYTES


def room(num_pes: int, rf_bytes: int) -> Room:
    """The buffer that is left of the common area: size(J area(512) + area(512 J) - J area(rf)), bytes."""
    area = num_pes * storage_um2(SHARE_BYTES) + storage_um2(SHARE_BYTES * num_pes)
    return Room(num_pes, rf_bytes, round(storage_bytes(area - num_pes * storage_um2(rf_bytes))))


def storage_um2(size_bytes: int) -> float:
    """Area of a memory, um2."""
    return float(size_bytes * np.interp(size_bytes, SIZE_BYTES, UM2_PER_BYTE))


def storage_bytes(area_um2: float) -> float:
    """Size of the memory that fits an area, bytes; nothing does below the smallest one."""
    if area_um2 >= UM2[-1]:
        return area_um2 / UM2[-1] * SIZE_BYTES[-1]
    return float(np.interp(area_um2, UM2, SIZE_BYTES, left=0.0))
