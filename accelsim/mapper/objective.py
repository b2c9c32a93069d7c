"""What a search makes small, and when two mappings count as one."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

SAME: Final = 1e-9
"""Mappings of equal latency whose energy agrees to this part are one: sums in any order differ by less."""


def objective(name: str, energy_pj: Floats, cycles: Floats) -> Floats:
    """Cycles, pJ or their product."""
    if name == "latency":
        return cycles
    return energy_pj if name == "energy" else energy_pj * cycles
