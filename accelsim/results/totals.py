"""Totals of a network: its layers one after the other."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from accelsim.tables.column import Column
from accelsim.tables.columns import COLUMNS


def totals(
    rows: Sequence[Mapping[str, Any]],
    macs_per_cycle: float | None = None,
    clock_hz: float | None = None,
) -> dict[str, Any]:
    """Adds the layers in serial order and recomputes the ratios from the sums.

    utilization_frac = sum of macs / (sum of latency_cycles x macs_per_cycle); latency_s = sum of
    latency_cycles / clock_hz; arithmetic_intensity = sum of macs / sum of bytes. A layer that is not costed
    adds nothing; a column that no layer knows stays None. `n_not_costed` says how many add nothing.
    """
    present = {name for row in rows for name in row}
    total: dict[str, Any] = {
        "n_layers": len(rows),
        "n_not_costed": sum(row.get("status") == "not_costed" for row in rows),
    }
    for column in COLUMNS:
        if column.name in present and column.total == "sum":
            total[column.name] = add(row.get(column.name) for row in rows)
        elif column.name in present and column.total == "ratio":
            total[column.name] = _ratio(column, total, rows, macs_per_cycle)
    if clock_hz and total.get("latency_cycles") is not None:
        total["latency_s"] = total["latency_cycles"] / clock_hz
    return total


def add(values: Iterable[Any]) -> Any:
    """Sum of numbers, or of nested mappings of numbers key by key; None counts nothing."""
    known = [value for value in values if value is not None]
    if not known:
        return None
    if isinstance(known[0], Mapping):
        keys = dict.fromkeys(key for value in known for key in value)
        return {key: add(value.get(key) for value in known) for key in keys}
    return sum(known)


def _ratio(
    column: Column, total: Mapping[str, Any], rows: Sequence[Mapping[str, Any]], macs_per_cycle: float | None
) -> float | None:
    """The ratio of sums; None where a part of it is unknown."""
    if column.name == "utilization_frac":
        work, cycles = _costed_macs(rows), total.get("latency_cycles")
        return work / (cycles * macs_per_cycle) if cycles and macs_per_cycle else None
    if column.name == "simulated_to_analytic":
        analytic = total.get("analytic_latency_cycles")
        return total["latency_cycles"] / analytic if analytic else None
    moved = add(total.get(name) for name in ("weight_bytes", "input_bytes", "output_bytes"))
    return total["macs"] / moved if moved else None


def _costed_macs(rows: Sequence[Mapping[str, Any]]) -> int:
    """Work whose time is known: that of layers that are not costed must not raise the utilisation."""
    return sum(row.get("macs") or 0 for row in rows if row.get("latency_cycles") is not None)


def search_totals(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """How many different searches the layers needed, how many are proven, and the widest gap."""
    certificates = [row["certificate"] for row in rows if row["same_as"] is None]
    return {
        "n_searches": len(certificates),
        "n_proven": sum(certificate["proven"] for certificate in certificates),
        "gap_frac_max": max((certificate["gap_frac"] for certificate in certificates), default=0.0),
    }
