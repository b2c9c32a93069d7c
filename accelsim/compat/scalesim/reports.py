"""SCALE-Sim's CSV reports: the very headers and number formats of 3.0.0, for the scripts that read them.

Source: SCALE-Sim 3.0.0, simulator.py (generate_reports) and single_layer_sim.py.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

_COMPUTE: Final = {
    "Total Cycles (incl. prefetch)": "total_cycles_incl_prefetch",
    "Total Cycles": "total_cycles",
    "Stall Cycles": "stall_cycles",
    "Overall Util %": "overall_util",
    "Mapping Efficiency %": "mapping_eff",
    "Compute Util %": "compute_util",
}
_BANDWIDTH: Final = {
    f"Avg {operand} {memory.upper()} BW": f"{memory}_{operand.lower()}_bandwidth"
    for memory in ("sram", "dram")
    for operand in ("IFMAP", "FILTER", "OFMAP")
}
_ACCESS: Final = {
    f"{memory.upper()} {operand} {label}": f"{memory}_{operand.lower()}_{column}"
    for memory in ("sram", "dram")
    for operand, words in (("IFMAP", "Reads"), ("Filter", "Reads"), ("OFMAP", "Writes"))
    for label, column in (("Start Cycle", "start"), ("Stop Cycle", "stop"), (words, words.lower()))
}
_FILES: Final = {
    "COMPUTE_REPORT.csv": _COMPUTE,
    "BANDWIDTH_REPORT.csv": _BANDWIDTH,
    "DETAILED_ACCESS_REPORT.csv": _ACCESS,
}
COLUMNS: Final = (*_COMPUTE.values(), *_ACCESS.values(), *_BANDWIDTH.values())
"""All columns of the reports by our names: cycles, percent, words, words per cycle."""


def reports(rows: Sequence[Mapping[str, float | int | None]]) -> dict[str, str]:
    """The three reports by file name; layers are numbered from 0, start and stop cycles written as floats."""
    texts = {}
    for name, columns in _FILES.items():
        lines = [f"LayerID, {', '.join(columns)},"]
        for layer, row in enumerate(rows):
            lines.append(f"{layer}, {', '.join(_text(row[column], column) for column in columns.values())},")
        texts[name] = "\n".join(lines) + "\n"
    return texts


def _text(value: float | int | None, column: str) -> str:
    if value is None:
        return "nan"
    return str(float(value)) if column.endswith(("_start", "_stop")) else str(value)
