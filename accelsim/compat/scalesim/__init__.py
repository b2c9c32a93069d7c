"""SCALE-Sim 3.0.0, to the digit: its files, its counts with their faults, its reports.

In the order of the work: `cfg` and `setup` (what is run), `work` (a layer), `folds` (on the array), `demand`
(words, line by line), `read_calc`, `read_user` and `write_buffer` (the three SRAMs), `timeline` (cycles and
stalls), `compute` (utilisations, SRAM counts), `layer`, `network`, `reports`. Beside them `array`: cycles
and SRAM words of many arrays at once.
"""

from accelsim.compat.scalesim.cfg import ScaleConfig, read_config
from accelsim.compat.scalesim.layer import simulate_layer
from accelsim.compat.scalesim.network import setup_of, simulate
from accelsim.compat.scalesim.reports import COLUMNS, reports
from accelsim.compat.scalesim.setup import Setup
from accelsim.compat.scalesim.work import Work, unsupported, work_of

__all__ = [
    "COLUMNS",
    "ScaleConfig",
    "Setup",
    "Work",
    "read_config",
    "reports",
    "setup_of",
    "simulate",
    "simulate_layer",
    "unsupported",
    "work_of",
]
