"""The chip's figures (`accelsim.evidence.eyeriss_chip`), under mappings that its table implies or none."""

from __future__ import annotations

from accelsim.evidence import eyeriss_chip
from accelsim.evidence.case import Value
from accelsim.mapping.dataflows import RS

INFERRED = "inferred_mapping"


def predict(rows: list[dict[str, str]], without: str | None = None) -> list[dict[str, Value]]:
    """The chip's figures for each row; without INFERRED the search finds every mapping."""
    if without == INFERRED:
        nothing = dict.fromkeys(RS.parameters, "")
        return eyeriss_chip.predict([{**row, **nothing} for row in rows])
    return eyeriss_chip.predict(rows, without)
