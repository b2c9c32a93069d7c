"""What a SCALE-Sim configuration says: the array, the three SRAMs and the bandwidth to DRAM."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from accelsim.base.errors import Problem, did_you_mean
from accelsim.cost.systolic import SYSTOLIC_DATAFLOWS

Mode = Literal["CALC", "USER"]
WORDS_PER_KB = 1024
"""Words are one byte, SCALE-Sim's kB are KiB."""


@dataclass(frozen=True, slots=True)
class Setup:
    """One SCALE-Sim run. In USER mode each operand has a DRAM channel of its own, words per cycle.

    CALC mode has no bandwidths: it reports those that it would need.
    """

    rows: int
    cols: int
    dataflow: str
    ifmap_kb: int
    filter_kb: int
    ofmap_kb: int
    mode: Mode = "CALC"
    ifmap_bandwidth: int = 10
    filter_bandwidth: int = 10
    ofmap_bandwidth: int = 10

    def problems(self) -> list[Problem]:
        """What SCALE-Sim could not run, each with its key."""
        found = []
        if self.dataflow not in SYSTOLIC_DATAFLOWS:
            known = ", ".join(SYSTOLIC_DATAFLOWS)
            hint = did_you_mean(self.dataflow, SYSTOLIC_DATAFLOWS)
            found.append(
                Problem(
                    f"SCALE-Sim has no dataflow {self.dataflow!r}", expected=known, key="dataflow", hint=hint
                )
            )
        if self.rows < 1 or self.cols < 1:
            found.append(
                Problem(f"array of {self.rows} x {self.cols}", expected="at least 1 x 1", key="array")
            )
        for key in ("ifmap_kb", "filter_kb", "ofmap_kb"):
            if getattr(self, key) < 1:
                found.append(Problem(f"an SRAM of {getattr(self, key)} kB", expected="at least 1", key=key))
        for key in ("ifmap_bandwidth", "filter_bandwidth", "ofmap_bandwidth"):
            if self.mode == "USER" and getattr(self, key) < 1:
                found.append(Problem(f"{getattr(self, key)} words a cycle", expected="at least 1", key=key))
        return found
